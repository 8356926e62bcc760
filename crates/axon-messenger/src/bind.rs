//! Where a messenger listens, and the nonce that tells its incarnations apart.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::ParseIntError;
use std::str::FromStr;

mod nonce;
#[cfg(all(test, not(loom)))]
mod tests;

pub use nonce::Nonce;

/// An address to listen at: an IP address with one port or a range of ports of which the first free one is taken. A
/// messenger that listens at several addresses, for example of both families, has several of these.
///
/// Written `10.0.0.1` (Ceph's port range), `10.0.0.1:3300`, `10.0.0.1:6800-7568`, `10.0.0.1:0` (any free port),
/// `[fd00::1]:3300`, `fd00::1`; each may be preceded by `v2:`, as in Ceph's address vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BindSpec {
    ip: IpAddr,
    ports: Ports,
}

/// The ports to try at one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ports {
    /// Any free one, chosen by the operating system.
    Any,
    /// This one or none.
    One(u16),
    /// The first free one from the first to the last, both included.
    Range(u16, u16),
}

/// Why an address to listen at cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadBindSpec {
    /// There is no address.
    #[error("an address to listen at is missing")]
    Missing,
    /// Not an IP address. Names are not resolved: what is listened at is what peers are told.
    #[error("not an IP address; write 10.0.0.1, 10.0.0.1:3300, 10.0.0.1:6800-7568 or [fd00::1]:3300")]
    Address,
    /// Not a port number.
    #[error("not a port or a range of ports: {0}")]
    Port(#[from] ParseIntError),
    /// A range that contains no port, or port 0.
    #[error("the range of ports from {0} to {1} is empty or contains port 0")]
    Range(u16, u16),
    /// An address of the first protocol.
    #[error("msgr1 (v1:) is not supported; listen at v2 addresses")]
    Msgr1,
}

impl Ports {
    /// Where daemons that are found through a map listen. Ceph: `ms_bind_port_min`, `ms_bind_port_max`.
    pub const DAEMONS: Self = Self::Range(6800, 7568);
    /// Where monitors listen. Ceph: `CEPH_MON_PORT_IANA`.
    pub const MONITOR: Self = Self::One(3300);

    /// A range, both ends included.
    ///
    /// # Errors
    /// [`BadBindSpec::Range`] if it is empty or contains port 0.
    pub fn range(first: u16, last: u16) -> Result<Self, BadBindSpec> {
        if first == 0 || first > last {
            return Err(BadBindSpec::Range(first, last));
        }
        Ok(Self::Range(first, last))
    }

    /// First and last.
    fn bounds(self) -> (u16, u16) {
        match self {
            Self::Any => (0, 0),
            Self::One(port) => (port, port),
            Self::Range(first, last) => (first, last),
        }
    }
}

impl BindSpec {
    /// Listens at `ip`, at one of `ports`.
    pub fn new(ip: impl Into<IpAddr>, ports: Ports) -> Self {
        Self { ip: ip.into(), ports }
    }

    /// Several addresses separated by commas or white space.
    ///
    /// # Errors
    /// [`BadBindSpec::Missing`] if there is none, else that of the first one which cannot be understood.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, BadBindSpec> {
        let words = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
        let specs: Vec<_> = words.map(str::parse).collect::<Result<_, _>>()?;
        if specs.is_empty() { Err(BadBindSpec::Missing) } else { Ok(specs) }
    }

    /// The IP address.
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// The ports.
    pub fn ports(&self) -> Ports {
        self.ports
    }

    /// The address with its first port (0 for any), for reports.
    pub fn addr(&self) -> SocketAddr {
        SocketAddr::new(self.ip, self.ports.bounds().0)
    }

    /// The addresses to try, in order, without those of a range whose port is in `avoid`: after a rebind, peers that
    /// still dial the old port must not find the new incarnation there. There is nothing to choose for a single port,
    /// so that it is tried all the same.
    pub fn candidates(&self, avoid: &[u16]) -> impl Iterator<Item = SocketAddr> + use<'_> {
        let (first, last) = self.ports.bounds();
        let avoid = if matches!(self.ports, Ports::Range(..)) { avoid.to_vec() } else { Vec::new() };
        let ports = (first..=last).filter(move |port| !avoid.contains(port));
        ports.map(|port| SocketAddr::new(self.ip, port))
    }
}

impl From<SocketAddr> for BindSpec {
    /// Port 0 is any.
    fn from(addr: SocketAddr) -> Self {
        Self::new(addr.ip(), single(addr.port()))
    }
}

impl FromStr for BindSpec {
    type Err = BadBindSpec;

    fn from_str(text: &str) -> Result<Self, BadBindSpec> {
        if text.starts_with("v1:") {
            return Err(BadBindSpec::Msgr1);
        }
        let text = text.strip_prefix("v2:").unwrap_or(text);
        if text.is_empty() {
            return Err(BadBindSpec::Missing);
        }
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Self::new(ip, Ports::DAEMONS));
        }
        let (host, ports) = split(text).ok_or(BadBindSpec::Address)?;
        let ports = if ports.is_empty() { Ports::DAEMONS } else { parse_ports(&ports[1..])? };
        Ok(Self { ip: host, ports })
    }
}

/// The address, and what follows it from the colon on.
fn split(text: &str) -> Option<(IpAddr, &str)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, ports) = rest.split_once(']')?;
        let plausible = ports.is_empty() || ports.starts_with(':');
        return plausible.then_some((IpAddr::V6(host.parse().ok()?), ports));
    }
    let colon = text.find(':')?;
    Some((IpAddr::V4(text[..colon].parse().ok()?), &text[colon..]))
}

fn parse_ports(text: &str) -> Result<Ports, BadBindSpec> {
    match text.split_once('-') {
        Some((first, last)) => Ports::range(first.parse()?, last.parse()?),
        None => Ok(single(text.parse()?)),
    }
}

fn single(port: u16) -> Ports {
    if port == 0 { Ports::Any } else { Ports::One(port) }
}

impl fmt::Display for BindSpec {
    /// As it may be parsed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.addr().fmt(f)?;
        match self.ports {
            Ports::Range(_, last) => write!(f, "-{last}"),
            Ports::Any | Ports::One(_) => Ok(()),
        }
    }
}
