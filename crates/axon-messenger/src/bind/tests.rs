use super::*;
use axon_auth::Entropy;
use std::net::{Ipv4Addr, Ipv6Addr};

fn spec(text: &str) -> BindSpec {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn error(text: &str) -> BadBindSpec {
    text.parse::<BindSpec>().expect_err(text)
}

#[test]
fn addresses_are_understood() {
    let v4 = Ipv4Addr::new(10, 0, 0, 1);
    let v6: Ipv6Addr = "fd00::1".parse().expect("an address");
    for (text, expected) in [
        ("10.0.0.1", BindSpec::new(v4, Ports::DAEMONS)),
        ("v2:10.0.0.1", BindSpec::new(v4, Ports::Range(6800, 7568))),
        ("10.0.0.1:3300", BindSpec::new(v4, Ports::MONITOR)),
        ("v2:10.0.0.1:3300", BindSpec::new(v4, Ports::One(3300))),
        ("10.0.0.1:0", BindSpec::new(v4, Ports::Any)),
        ("10.0.0.1:7000-7000", BindSpec::new(v4, Ports::Range(7000, 7000))),
        ("fd00::1", BindSpec::new(v6, Ports::DAEMONS)),
        ("[fd00::1]", BindSpec::new(v6, Ports::DAEMONS)),
        ("[fd00::1]:3300", BindSpec::new(v6, Ports::One(3300))),
        ("v2:[fd00::1]:6800-65535", BindSpec::new(v6, Ports::Range(6800, 65535))),
    ] {
        assert_eq!(spec(text), expected, "{text}");
        assert_eq!(spec(&expected.to_string()), expected, "{expected}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    for text in ["", "v2:"] {
        assert_eq!(error(text), BadBindSpec::Missing, "{text:?}");
    }
    for text in [
        "localhost",
        "localhost:3300",
        "10.0.0",
        "[10.0.0.1]:1",
        "[fd00::1",
        "[fd00::1]x",
        ":3300",
        "fd00::1:z",
    ] {
        assert_eq!(error(text), BadBindSpec::Address, "{text:?}");
    }
    for text in ["10.0.0.1:", "10.0.0.1:x", "10.0.0.1:65536", "10.0.0.1:1-", "10.0.0.1:-5", "[::1]:1-2-3"] {
        assert!(matches!(error(text), BadBindSpec::Port(_)), "{text:?}");
    }
    assert_eq!(error("10.0.0.1:7-6"), BadBindSpec::Range(7, 6));
    assert_eq!(error("10.0.0.1:0-6"), BadBindSpec::Range(0, 6));
    assert_eq!(error("v1:10.0.0.1:6789"), BadBindSpec::Msgr1);
}

#[test]
fn lists_hold_both_families() {
    let both = BindSpec::parse_list("10.0.0.1:3300, [fd00::1]:3300").expect("two addresses");
    assert_eq!(both, [spec("10.0.0.1:3300"), spec("[fd00::1]:3300")]);
    assert_eq!(BindSpec::parse_list(" , "), Err(BadBindSpec::Missing));
    assert_eq!(BindSpec::parse_list("10.0.0.1,x"), Err(BadBindSpec::Address));
}

fn ports(text: &str, avoid: &[u16]) -> Vec<u16> {
    let spec = spec(text);
    spec.candidates(avoid).map(|addr| addr.port()).collect()
}

#[test]
fn candidates_are_the_range_without_what_is_avoided() {
    assert_eq!(ports("10.0.0.1:7000-7003", &[]), [7000, 7001, 7002, 7003]);
    assert_eq!(ports("10.0.0.1:7000-7003", &[7003, 7001, 9]), [7000, 7002]);
    assert_eq!(ports("10.0.0.1:7000-7001", &[7000, 7001]), []);
    assert_eq!(ports("10.0.0.1:65534-65535", &[]), [65534, 65535]);
    assert_eq!(ports("10.0.0.1", &[]).len(), 769);
}

#[test]
fn a_single_port_is_tried_even_if_avoided() {
    assert_eq!(ports("10.0.0.1:3300", &[3300]), [3300]);
    assert_eq!(ports("10.0.0.1:0", &[0]), [0]);
    let addr: SocketAddr = "[::1]:0".parse().expect("an address");
    assert_eq!(BindSpec::from(addr).candidates(&[]).collect::<Vec<_>>(), [addr]);
    assert_eq!(BindSpec::from(addr).ports(), Ports::Any);
}

#[test]
fn the_first_port_stands_for_the_address() {
    assert_eq!(spec("10.0.0.1:7000-7003").addr(), "10.0.0.1:7000".parse().expect("an address"));
}

struct Bytes(u8);

impl Entropy for Bytes {
    fn fill(&mut self, out: &mut [u8]) {
        out.fill(self.0);
    }
}

#[test]
fn nonces_are_random_fixed_or_rebound() {
    assert_eq!(Nonce::random(&mut Bytes(0x12)).get(), 0x1212_1212);
    assert_ne!(Nonce::random(&mut Bytes(0)), Nonce::MONITOR);
    assert_eq!(Nonce::fixed(7).rebound().get(), 1_000_007);
    assert_eq!(Nonce::fixed(u32::MAX).rebound().get(), 999_999);
    assert_eq!(Nonce::MONITOR.to_string(), "0");
}
