//! The option `mon host`.
//!
//! ```text
//! 10.0.0.1                                 one monitor, at both usual ports
//! 10.0.0.1:3300                            v2, because of the port
//! 10.0.0.1:6789                            v1, because of the port
//! 10.0.0.1:4000                            that port, v2 and v1
//! v2:10.0.0.1                              v2 at its usual port
//! [v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0]  one monitor with two addresses
//! [fd00::1], [fd00::1]:3300                IPv6
//! mon1.example.com, mon1:4000              a name; each of its addresses is one monitor
//! ```
//! Several are separated by commas, semicolons or blanks.
//!
//! Ceph: `MonMap::init_with_ips`, `MonMap::_add_ambiguous_addr` in `src/mon/MonMap.cc`.

use super::resolver::{Resolve, ServiceHost};
use crate::MonInfo;
use axon_denc::{AddrType, AddrVec, EntityAddr};
use std::io;
use std::net::{IpAddr, SocketAddr};

/// Where monitors listen for msgr2.
const PORT_V2: u16 = 3300;
/// Where monitors listen for msgr1.
const PORT_V1: u16 = 6789;

/// What can be wrong with `mon host`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MonHostProblem {
    /// There is no address in it.
    #[error("no address; write the monitors' addresses, such as 10.0.0.1,10.0.0.2")]
    Empty,
    /// A bracket is not closed, or none is open.
    #[error("the brackets of '{text}' do not match")]
    Brackets {
        /// The part of the option.
        text: String,
    },
    /// A part is no address and cannot be a host name.
    #[error(
        "'{text}' is neither an address nor a host name; write IP, IP:PORT, v2:IP:PORT or [v2:IP:PORT,v1:IP:PORT]"
    )]
    BadAddr {
        /// The part.
        text: String,
    },
    /// A host name has no address.
    #[error("cannot resolve the host name '{host}': {source}")]
    Unresolved {
        /// The name.
        host: String,
        /// Why.
        source: io::Error,
    },
}

/// Reads the option; one vector for each monitor, without duplicates.
///
/// # Errors
/// If a part is malformed, or a name has no address while nothing else has one.
pub fn parse_mon_host(text: &str, resolver: &dyn Resolve) -> Result<Vec<AddrVec>, MonHostProblem> {
    let mut monitors = Vec::new();
    let mut unresolved = None;
    for part in split(text)? {
        match read_part(part, resolver) {
            Ok(found) => found.into_iter().for_each(|addrs| add(&mut monitors, addrs)),
            Err(problem @ MonHostProblem::Unresolved { .. }) => unresolved = Some(problem),
            Err(problem) => return Err(problem),
        }
    }
    match monitors.is_empty() {
        true => Err(unresolved.unwrap_or(MonHostProblem::Empty)),
        false => Ok(monitors),
    }
}

fn add(monitors: &mut Vec<AddrVec>, addrs: AddrVec) {
    if !monitors.contains(&addrs) {
        monitors.push(addrs);
    }
}

/// Splits at separators outside of brackets.
fn split(text: &str) -> Result<Vec<&str>, MonHostProblem> {
    let mut depth = 0usize;
    let mut balanced = true;
    let parts: Vec<&str> = text
        .split(|c: char| {
            match c {
                '[' => depth += 1,
                ']' if depth == 0 => balanced = false,
                ']' => depth -= 1,
                _ => {}
            }
            depth == 0 && (matches!(c, ',' | ';') || c.is_whitespace())
        })
        .filter(|part| !part.is_empty())
        .collect();
    match balanced && depth == 0 {
        true => Ok(parts),
        false => Err(MonHostProblem::Brackets { text: text.to_owned() }),
    }
}

fn read_part(part: &str, resolver: &dyn Resolve) -> Result<Vec<AddrVec>, MonHostProblem> {
    if let Some(inner) = vector(part) {
        return Ok(vec![read_vector(inner, part)?]);
    }
    match EntityAddr::parse(part, AddrType::Any) {
        Ok(addr) if addr.socket.is_some() => Ok(vec![with_ports(addr)]),
        _ => read_host(part, resolver),
    }
}

/// What is between the brackets of a vector; `None` for one address, also if it is IPv6 in brackets.
fn vector(part: &str) -> Option<&str> {
    let inner = part.strip_prefix('[')?.strip_suffix(']')?;
    inner.parse::<IpAddr>().is_err().then_some(inner)
}

/// A vector says all by itself, but for the port where it is the usual one.
fn read_vector(inner: &str, part: &str) -> Result<AddrVec, MonHostProblem> {
    let bad = || MonHostProblem::BadAddr { text: part.to_owned() };
    let read = |text: &str| {
        let addr = EntityAddr::parse(text.trim(), AddrType::Any).map_err(|_| bad())?;
        addr.socket.ok_or_else(bad)?;
        Ok(with_ports(addr).0)
    };
    let addrs: Vec<Vec<EntityAddr>> = inner.split(',').map(read).collect::<Result<_, _>>()?;
    Ok(AddrVec(addrs.concat()))
}

/// The addresses meant by one of which kind or port may be left open.
fn with_ports(addr: EntityAddr) -> AddrVec {
    let v2 = |port| addr.with_kind(AddrType::Msgr2).with_port(port);
    let v1 = |port| addr.with_kind(AddrType::Legacy).with_port(port);
    match (addr.kind, addr.port()) {
        (AddrType::Msgr2, 0) => v2(PORT_V2).into(),
        (AddrType::Legacy, 0) => v1(PORT_V1).into(),
        (AddrType::Msgr2 | AddrType::Legacy, _) => addr.into(),
        (_, 0) => AddrVec(vec![v2(PORT_V2), v1(PORT_V1)]),
        (_, PORT_V2) => v2(PORT_V2).into(),
        (_, PORT_V1) => v1(PORT_V1).into(),
        (_, port) => AddrVec(vec![v2(port), v1(port)]),
    }
}

fn read_host(part: &str, resolver: &dyn Resolve) -> Result<Vec<AddrVec>, MonHostProblem> {
    let bad = || MonHostProblem::BadAddr { text: part.to_owned() };
    let (kind, host, port) = split_host(part).ok_or_else(bad)?;
    let unresolved = |source| MonHostProblem::Unresolved { host: host.to_owned(), source };
    let ips = resolver.resolve(host).map_err(unresolved)?;
    if ips.is_empty() {
        return Err(unresolved(io::ErrorKind::NotFound.into()));
    }
    let addr = |ip| EntityAddr::new(kind, SocketAddr::new(ip, port), 0);
    Ok(ips.into_iter().map(|ip| with_ports(addr(ip))).collect())
}

/// The monitors that offer a service: each address of each host is one. A host whose name has no address is left out unless all
/// are.
pub(super) fn of_service(hosts: &[ServiceHost], resolver: &dyn Resolve) -> io::Result<Vec<MonInfo>> {
    let mut monitors = Vec::new();
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for service in hosts {
        let ips = match service.ips.is_empty() {
            true => resolver.resolve(&service.host),
            false => Ok(service.ips.clone()),
        };
        let unresolved =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", service.host));
        match ips.map_err(unresolved) {
            Ok(ips) => monitors.extend(ips.into_iter().map(|ip| on_host(service, ip))),
            Err(error) => last = error,
        }
    }
    if monitors.is_empty() { Err(last) } else { Ok(monitors) }
}

fn on_host(service: &ServiceHost, ip: IpAddr) -> MonInfo {
    let addr = EntityAddr::new(AddrType::Any, SocketAddr::new(ip, service.port), 0);
    MonInfo { addrs: with_ports(addr), priority: service.priority, weight: service.weight }
}

/// `[v2:|v1:]NAME[:PORT]` in its parts; `None` if the name cannot be one.
fn split_host(part: &str) -> Option<(AddrType, &str, u16)> {
    let prefixed = |kind: AddrType| {
        let rest = part.strip_prefix(kind.as_str())?.strip_prefix(':')?;
        Some((kind, rest))
    };
    let (kind, rest) =
        prefixed(AddrType::Msgr2).or_else(|| prefixed(AddrType::Legacy)).unwrap_or((AddrType::Any, part));
    let (host, port) = match rest.split_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (rest, 0),
    };
    is_host_name(host).then_some((kind, host, port))
}

/// Letters, digits, dashes, dots and underscores, and not just what a mistyped IPv4 address consists of.
fn is_host_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let numeric = |b: u8| b.is_ascii_digit() || b == b'.';
    !text.is_empty() && text.bytes().all(allowed) && !text.bytes().all(numeric)
}
