use super::*;
use crate::{Decode, DecodeError, Encode};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};
use proptest::prelude::*;

fn addr(text: &str) -> EntityAddr {
    text.parse().unwrap()
}

#[test]
fn the_documented_example() {
    let bytes = [
        0x01, 0x01, 0x01, 0x1c, 0, 0, 0, 0x02, 0, 0, 0, 0x05, 0, 0, 0, 0x10, 0, 0, 0, 0x02, 0, 0x1a, 0x90,
        0x7f, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let example = addr("v2:127.0.0.1:6800/5");
    assert_eq!(example.to_vec(), bytes);
    assert_eq!(EntityAddr::from_bytes(&bytes), Ok(example));
}

#[test]
fn v6_keeps_every_field() {
    let ip = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
    let v6 = EntityAddr::msgr2(SocketAddrV6::new(ip, 6800, 0x0102_0304, 7).into(), 9);
    let bytes = v6.to_vec();
    assert_eq!(bytes.len(), 47);
    assert_eq!(bytes[3], 40, "body length");
    assert_eq!(bytes[19..27], [10, 0, 0x1a, 0x90, 1, 2, 3, 4]);
    assert_eq!(bytes[43..], [7, 0, 0, 0]);
    assert_eq!(EntityAddr::from_bytes(&bytes), Ok(v6));
}

#[test]
fn both_forms_without_family() {
    let bytes = EntityAddr::BLANK.to_vec();
    assert_eq!(bytes.len(), 47);
    assert_eq!(bytes[15], 28, "elen");
    assert_eq!(EntityAddr::from_bytes(&bytes), Ok(EntityAddr::BLANK));
    let short = [1, 1, 1, 12, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(EntityAddr::from_bytes(&short), Ok(addr("any::/4")));
}

#[test]
fn unknown_tail_of_a_newer_version_is_skipped() {
    let bytes = [1, 2, 1, 14, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0xaa, 0xbb];
    assert_eq!(EntityAddr::from_bytes(&bytes), Ok(addr("v2::/4")));
}

fn legacy(nonce: u32, family: u16) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 0];
    nonce.encode(&mut bytes);
    let mut storage = [0; 128];
    storage[0..2].copy_from_slice(&family.to_be_bytes());
    storage[2..4].copy_from_slice(&6789u16.to_be_bytes());
    storage[4..8].copy_from_slice(&[10, 0, 0, 1]);
    bytes.extend_from_slice(&storage);
    bytes
}

#[test]
fn legacy_form() {
    assert_eq!(EntityAddr::from_bytes(&legacy(3, 2)), Ok(addr("v1:10.0.0.1:6789/3")));
    assert_eq!(EntityAddr::from_bytes(&legacy(0, 0)), Ok(EntityAddr::BLANK));
    assert_eq!(legacy(3, 2).len(), 136);
}

#[test]
fn what_is_not_an_address() {
    let cases: [(&[u8], DecodeError); 4] = [
        (&[9], DecodeError::Undefined { what: "address marker", value: 9 }),
        (&[1, 1, 1, 4, 0, 0, 0, 5, 0, 0, 0], DecodeError::Undefined { what: "address type", value: 5 }),
        (
            &[1, 1, 1, 14, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0],
            DecodeError::Undefined { what: "address family", value: 1 },
        ),
        (
            &[1, 1, 1, 12, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 129, 0, 0, 0],
            DecodeError::TooLong { what: "socket address", length: 129, limit: 128 },
        ),
    ];
    for (bytes, error) in cases {
        assert_eq!(EntityAddr::from_bytes(bytes), Err(error));
    }
}

#[test]
fn texts() {
    for text in [
        "-",
        "v2:127.0.0.1:6800/5",
        "v1:[::1]:6789/0",
        "any:10.0.0.1:0/77",
        "none:10.0.0.1:1/0",
        "cidr:10.1.0.0:0/16",
        "v2::/5",
        "v2:[fe80::1%3]:6800/1",
    ] {
        assert_eq!(addr(text).to_string(), text);
    }
    for (text, means) in [
        ("10.0.0.1", "v2:10.0.0.1:0/0"),
        ("10.0.0.1:6800", "v2:10.0.0.1:6800/0"),
        ("v1:10.0.0.1:6789", "v1:10.0.0.1:6789/0"),
        ("[::1]", "v2:[::1]:0/0"),
        ("::1/3", "v2:[::1]:0/3"),
    ] {
        assert_eq!(addr(text).to_string(), means);
    }
    for text in ["", "v2:", "v3:1.2.3.4:5/6", "1.2.3:4", "1.2.3.4/x", "host:1", "1.2.3.4:70000"] {
        assert_eq!(text.parse::<EntityAddr>(), Err(BadAddr), "{text}");
    }
    assert_eq!(EntityAddr::parse("1.2.3.4:5", AddrType::Any).unwrap().kind, AddrType::Any);
}

#[test]
fn vector_texts() {
    for text in [
        "[]",
        "v2:10.0.0.1:3300/0",
        "[v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0]",
        "[v2:[::1]:3300/0,v1:[::1]:6789/0]",
    ] {
        let addrs: AddrVec = text.parse().unwrap();
        assert_eq!(addrs.to_string(), text);
    }
    let spaced: AddrVec = "v2:10.0.0.1:3300, v1:10.0.0.1:6789".parse().unwrap();
    assert_eq!(spaced.len(), 2);
    assert!("".parse::<AddrVec>().is_err());
    assert!("[v2:10.0.0.1:3300,]".parse::<AddrVec>().is_err());
}

#[test]
fn vectors_find_their_addresses() {
    let addrs: AddrVec = "[v1:10.0.0.1:6789/0,v2:10.0.0.1:3300/0]".parse().unwrap();
    assert_eq!(addrs.first(), addr("v1:10.0.0.1:6789"));
    assert_eq!(addrs.msgr2(), Some(addr("v2:10.0.0.1:3300")));
    assert_eq!(addrs.legacy(), Some(addr("v1:10.0.0.1:6789")));
    assert!(addrs.contains(&addr("v2:10.0.0.1:3300/0")));
    assert!(!addrs.contains(&addr("v2:10.0.0.1:3300/1")));
    assert_eq!(AddrVec::new().first(), EntityAddr::BLANK);
}

#[test]
fn vector_forms() {
    let one = addr("v2:10.0.0.1:3300/0");
    let mut as_vec = vec![2, 1, 0, 0, 0];
    one.encode(&mut as_vec);
    assert_eq!(AddrVec::from(one).to_vec(), as_vec);
    assert_eq!(AddrVec::from_bytes(&as_vec), Ok(one.into()));
    assert_eq!(AddrVec::from_bytes(&one.to_vec()), Ok(one.into()));
    assert_eq!(AddrVec::from_bytes(&legacy(3, 2)), Ok(addr("v1:10.0.0.1:6789/3").into()));
    assert!(AddrVec::from_bytes(&[3]).is_err());
}

#[test]
fn vectors_have_a_limit() {
    let full: AddrVec = (0..64).map(|n| EntityAddr::BLANK.with_nonce(n)).collect();
    assert_eq!(AddrVec::from_bytes(&full.to_vec()), Ok(full.clone()));
    let mut more = full;
    more.0.push(EntityAddr::BLANK);
    assert!(matches!(AddrVec::from_bytes(&more.to_vec()), Err(DecodeError::TooLong { length: 65, .. })));
    let lie = [2, 0xff, 0xff, 0xff, 0xff, 0];
    assert!(matches!(AddrVec::from_bytes(&lie), Err(DecodeError::Truncated { .. })));
}

#[test]
fn the_order_of_races() {
    let ordered = [
        "-",
        "v1:255.0.0.1:9/255",
        "v2::/0",
        "v2:9.0.0.1:256/0",  // port bytes 01 00
        "v2:10.0.0.1:1/256", // nonce bytes 00 01: before 01 00
        "v2:10.0.0.1:1/1",
        "v2:9.0.0.1:2/1",
        "v2:10.0.0.1:2/1",
        "v2:10.0.0.1:256/1",
        "v2:[::1]:1/1", // family 10 after 2
        "v2:10.0.0.1:1/257",
    ];
    for pair in ordered.windows(2) {
        let [a, b] = [addr(pair[0]), addr(pair[1])];
        assert!(a.race_cmp(&b).is_lt(), "{a} < {b}");
        assert!(b > a);
    }
    let mut key = [0; 36];
    key[..16].copy_from_slice(&[2, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0x1a, 0x90, 127, 0, 0, 1]);
    assert_eq!(addr("v2:127.0.0.1:6800/5").race_key(), key);
}

#[test]
fn changed_copies() {
    let a = addr("v2:0.0.0.0:6800/5");
    assert!(a.is_blank_ip());
    assert!(addr("v2:[::]:6800/5").is_blank_ip());
    assert!(EntityAddr::BLANK.is_blank_ip());
    assert!(!addr("v2:10.0.0.1:0").is_blank_ip());
    let learned = a.with_ip("10.0.0.1".parse().unwrap());
    assert_eq!(learned, addr("v2:10.0.0.1:6800/5"));
    assert_eq!(learned.with_port(7).with_nonce(1), addr("v2:10.0.0.1:7/1"));
    assert_eq!(EntityAddr::BLANK.with_port(7), EntityAddr::BLANK);
    assert_eq!(learned.with_kind(AddrType::Any).kind, AddrType::Any);
}

fn any_socket() -> impl Strategy<Value = Option<SocketAddr>> {
    prop_oneof![
        Just(None),
        any::<(u32, u16)>()
            .prop_map(|(ip, port)| { Some(SocketAddrV4::new(Ipv4Addr::from(ip), port).into()) }),
        any::<(u128, u16, u32, u32)>().prop_map(|(ip, port, flow, scope)| {
            Some(SocketAddrV6::new(Ipv6Addr::from(ip), port, flow, scope).into())
        }),
    ]
}

fn any_addr() -> impl Strategy<Value = EntityAddr> {
    (0..5usize, any::<u32>(), any_socket()).prop_map(|(kind, nonce, socket)| EntityAddr {
        kind: AddrType::ALL[kind],
        nonce,
        socket,
    })
}

proptest! {
    #[test]
    fn addresses_read_back(a in any_addr()) {
        let bytes = a.to_vec();
        prop_assert_eq!(EntityAddr::from_bytes(&bytes), Ok(a));
        for cut in 0..bytes.len() {
            prop_assert!(EntityAddr::from_bytes(&bytes[..cut]).is_err());
        }
    }

    #[test]
    fn vectors_read_back(addrs in proptest::collection::vec(any_addr(), 0..5)) {
        let addrs = AddrVec(addrs);
        let bytes = addrs.to_vec();
        prop_assert_eq!(AddrVec::from_bytes(&bytes), Ok(addrs));
        for cut in 0..bytes.len() {
            prop_assert!(AddrVec::from_bytes(&bytes[..cut]).is_err());
        }
    }

    #[test]
    fn texts_read_back(a in any_addr()) {
        let mut a = a;
        if let Some(SocketAddr::V6(v6)) = &mut a.socket {
            v6.set_flowinfo(0); // texts cannot say it
        }
        prop_assert_eq!(a.to_string().parse(), Ok(a));
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        marker in 0..4u8,
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = EntityAddr::from_bytes(&bytes);
        let _ = AddrVec::from_bytes(&bytes);
        let marked = [&[marker, 1, 1, 28, 0, 0, 0][..], &bytes].concat();
        let _ = EntityAddr::from_bytes(&marked);
        let _ = AddrVec::from_bytes(&marked);
    }

    #[test]
    fn the_order_agrees_with_equality(a in any_addr(), b in any_addr()) {
        prop_assert_eq!(a.race_cmp(&b).is_eq(), a == b);
        prop_assert_eq!(a.race_cmp(&b), b.race_cmp(&a).reverse());
    }
}
