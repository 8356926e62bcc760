//! Who may not talk to OSDs.

use axon_denc::{AddrType, EntityAddr, UTime};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Addresses whose requests OSDs refuse, each until some time.
///
/// An entry is one process (address, port and nonce), a whole host (port and nonce 0), or a range of addresses whose nonce
/// is the length of the prefix.
///
/// Ceph: `OSDMap::is_blocklisted` in `src/osd/OSDMap.cc`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Blocklist {
    /// Processes and hosts.
    pub hosts: BTreeMap<EntityAddr, UTime>,
    /// Ranges.
    pub ranges: BTreeMap<EntityAddr, UTime>,
}

impl Blocklist {
    /// Whether OSDs refuse the requests of `addr`.
    pub fn contains(&self, addr: &EntityAddr) -> bool {
        let known = |addr: EntityAddr| {
            [AddrType::Any, AddrType::Legacy]
                .into_iter()
                .any(|kind| self.hosts.contains_key(&addr.with_kind(kind)))
        };
        let host = addr.with_port(0).with_nonce(0);
        known(*addr) || known(host) || self.ranges.keys().any(|range| covers(range, addr))
    }
}

fn covers(range: &EntityAddr, addr: &EntityAddr) -> bool {
    match (range.ip(), addr.ip()) {
        (Some(IpAddr::V4(range_ip)), Some(IpAddr::V4(ip))) => {
            let mask = u32::MAX.checked_shl(32u32.saturating_sub(range.nonce)).unwrap_or(0);
            (range_ip.to_bits() ^ ip.to_bits()) & mask == 0
        }
        (Some(IpAddr::V6(range_ip)), Some(IpAddr::V6(ip))) => {
            let mask = u128::MAX.checked_shl(128u32.saturating_sub(range.nonce)).unwrap_or(0);
            (range_ip.to_bits() ^ ip.to_bits()) & mask == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any(text: &str) -> EntityAddr {
        let addr: EntityAddr = text.parse().unwrap();
        addr.with_kind(AddrType::Any)
    }

    fn blocklist(hosts: &[&str], ranges: &[(&str, u32)]) -> Blocklist {
        let until = UTime::new(1, 0);
        Blocklist {
            hosts: hosts.iter().map(|text| (any(text), until)).collect(),
            ranges: ranges.iter().map(|(text, bits)| (any(text).with_nonce(*bits), until)).collect(),
        }
    }

    #[test]
    fn processes_hosts_and_ranges() {
        let list = blocklist(
            &["v2:10.0.0.1:6800/77", "v2:10.0.0.2:0/0", "v2:[fd00::1]:0/0"],
            &[("v2:10.1.0.0:0/0", 16), ("v2:[fd01::]:0/0", 64)],
        );
        for (addr, blocked) in [
            ("v2:10.0.0.1:6800/77", true),
            ("v1:10.0.0.1:6800/77", true),
            ("v2:10.0.0.1:6800/78", false),
            ("v2:10.0.0.1:6801/77", false),
            ("v2:10.0.0.2:6801/9", true),
            ("v2:10.0.0.3:6801/9", false),
            ("v2:10.1.255.3:6801/9", true),
            ("v2:10.2.0.0:6801/9", false),
            ("v2:[fd00::1]:5/9", true),
            ("v2:[fd01::ffff]:5/9", true),
            ("v2:[fd01:0:0:1::]:5/9", false),
        ] {
            assert_eq!(list.contains(&addr.parse().unwrap()), blocked, "{addr}");
        }
        assert!(blocklist(&[], &[("v2:0.0.0.0:0/0", 0)]).contains(&"v2:1.2.3.4:5/6".parse().unwrap()));
        assert!(!Blocklist::default().contains(&"v2:1.2.3.4:5/6".parse().unwrap()));
    }
}
