//! What a process knows of its own addresses.

use axon_denc::{AddrType, AddrVec, EntityAddr};
use core::net::{IpAddr, SocketAddr};

/// Fills blank IPs of `mine` with the one the peer sees this side under. An unbound process, which has no address but
/// a nonce, gets one of type `any` with port 0: enough to be told apart, not to be dialled.
pub(crate) fn learn_ip(mine: &mut AddrVec, seen: &EntityAddr) {
    let Some(ip) = seen.ip().filter(|ip| !ip.is_unspecified()) else { return };
    for addr in mine.0.iter_mut().filter(|addr| addr.is_blank_ip()) {
        *addr = match addr.socket {
            Some(bound) if same_family(&bound.ip(), &ip) => addr.with_ip(ip),
            Some(_) => *addr,
            None => EntityAddr::new(AddrType::Any, SocketAddr::new(ip, 0), addr.nonce),
        };
    }
}

/// Whether somebody who dials `target` means the process at `mine`. A process bound to every IP is known by port and
/// nonce.
pub(crate) fn answers_to(mine: &AddrVec, target: &EntityAddr) -> bool {
    mine.iter().any(|addr| {
        addr == target || (addr.is_blank_ip() && addr.port() == target.port() && addr.nonce == target.nonce)
    })
}

fn same_family(a: &IpAddr, b: &IpAddr) -> bool {
    a.is_ipv4() == b.is_ipv4()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn addr(text: &str) -> EntityAddr {
        text.parse().unwrap()
    }

    #[test]
    fn blanks_are_learned_from_the_same_family() {
        let mut mine = AddrVec(Vec::from([addr("v2:0.0.0.0:6800/5"), addr("v2:[::]:6801/5")]));
        learn_ip(&mut mine, &addr("v2:10.1.2.3:41234/0"));
        assert_eq!(mine, AddrVec(Vec::from([addr("v2:10.1.2.3:6800/5"), addr("v2:[::]:6801/5")])));
        let mut unbound = AddrVec(Vec::from([EntityAddr { kind: AddrType::Any, nonce: 7, socket: None }]));
        learn_ip(&mut unbound, &addr("v2:10.1.2.3:41234/0"));
        assert_eq!(unbound, AddrVec(Vec::from([addr("any:10.1.2.3:0/7")])));
        learn_ip(&mut unbound, &addr("v2:10.9.9.9:41234/0"));
        assert_eq!(unbound, AddrVec(Vec::from([addr("any:10.1.2.3:0/7")])));
    }

    #[test]
    fn a_target_must_match_in_everything_that_is_known() {
        let mine = AddrVec(Vec::from([addr("v2:10.1.2.3:6800/5")]));
        assert!(answers_to(&mine, &addr("v2:10.1.2.3:6800/5")));
        assert!(!answers_to(&mine, &addr("v2:10.1.2.3:6800/6")));
        assert!(!answers_to(&mine, &addr("v2:10.1.2.4:6800/5")));
        let any_ip = AddrVec(Vec::from([addr("v2:0.0.0.0:6800/5")]));
        assert!(answers_to(&any_ip, &addr("v2:10.1.2.4:6800/5")));
        assert!(!answers_to(&any_ip, &addr("v2:10.1.2.4:6801/5")));
    }
}
