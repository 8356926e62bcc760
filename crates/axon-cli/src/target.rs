//! The addresses of peers on the command line.

use crate::error::CliError;
use axon_denc::{AddrType, AddrVec, EntityAddr};
use axon_rados::conf::{SystemResolver, parse_mon_host};

/// Where a monitor listens for msgr2, and where a peer does whose port is not said.
const MON_PORT: u16 = 3300;

/// Reads a peer's address: `IP:PORT`, `v2:IP:PORT/NONCE`, a vector of several, or a host name with or without a port.
/// Without a prefix msgr2 is meant, whatever the port.
pub(crate) fn parse(text: &str) -> Result<AddrVec, CliError> {
    if let Ok(addrs) = text.parse::<AddrVec>()
        && addrs.iter().all(|addr| addr.socket.is_some())
        && !addrs.is_empty()
    {
        return Ok(addrs.iter().map(|addr| with_port(*addr)).collect());
    }
    let bad = |why: String| CliError::Address { text: text.into(), why };
    let found = parse_mon_host(text, &SystemResolver).map_err(|problem| bad(problem.to_string()))?;
    let addrs: AddrVec = found.iter().flatten().filter_map(|addr| as_msgr2(text, addr)).collect();
    if addrs.is_empty() { Err(bad("nothing there to dial".into())) } else { Ok(addrs) }
}

fn with_port(addr: EntityAddr) -> EntityAddr {
    if addr.port() == 0 { addr.with_port(MON_PORT) } else { addr }
}

/// A host name's port says nothing about the protocol here, unlike in a configuration.
fn as_msgr2(text: &str, addr: &EntityAddr) -> Option<EntityAddr> {
    match addr.kind {
        AddrType::Msgr2 => Some(*addr),
        _ if text.starts_with("v1:") => Some(*addr),
        _ if text.contains(&format!(":{}", addr.port())) => Some(addr.with_kind(AddrType::Msgr2)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        parse(text).map_or_else(|error| error.to_string(), |addrs| addrs.to_string())
    }

    #[test]
    fn addresses() {
        assert_eq!(read("10.0.0.1:6800"), "v2:10.0.0.1:6800/0");
        assert_eq!(read("10.0.0.1:6789"), "v2:10.0.0.1:6789/0");
        assert_eq!(read("v2:10.0.0.1:6800/77"), "v2:10.0.0.1:6800/77");
        assert_eq!(read("10.0.0.1"), "v2:10.0.0.1:3300/0");
        assert_eq!(read("[::1]:6800"), "v2:[::1]:6800/0");
        assert_eq!(
            read("[v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0]"),
            "[v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0]"
        );
        assert_eq!(read("v1:10.0.0.1:6789"), "v1:10.0.0.1:6789/0");
    }

    #[test]
    fn what_is_none_is_said_so() {
        for text in ["", "no/such", "10.0.0.1:99999", "-"] {
            assert!(matches!(parse(text), Err(CliError::Address { .. })), "{text}: {}", read(text));
        }
    }

    #[test]
    fn host_names() {
        let addrs = parse("localhost:6789").unwrap();
        assert!(addrs.iter().all(|addr| addr.kind == AddrType::Msgr2 && addr.port() == 6789), "{addrs}");
    }
}
