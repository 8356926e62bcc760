//! Addresses as people and configuration files write them.
//!
//! ```text
//! v2:127.0.0.1:6800/5      v1:[::1]:6789/0      any:10.0.0.1:0/77      cidr:10.1.0.0:0/16
//! -                        the blank address
//! v2::/5                   an address without family
//! [v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0]       a vector of several
//! ```
//!
//! Reading is lenient: the nonce, the port and the prefix may be absent; an absent prefix means `v2:` unless the caller
//! says otherwise with [`EntityAddr::parse`].

use super::{AddrType, AddrVec, EntityAddr};
use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::str::FromStr;

/// A text that is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an address: expected [v1:|v2:|any:]IP[:PORT][/NONCE], with an IPv6 address in brackets")]
pub struct BadAddr;

impl AddrType {
    /// Every type.
    pub const ALL: [AddrType; 5] = [Self::None, Self::Legacy, Self::Msgr2, Self::Any, Self::Cidr];

    /// The prefix of an address of this type, without its colon.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Legacy => "v1",
            Self::Msgr2 => "v2",
            Self::Any => "any",
            Self::Cidr => "cidr",
        }
    }
}

impl fmt::Display for AddrType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for EntityAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::BLANK {
            return f.write_str("-");
        }
        match self.socket {
            Some(socket) => write!(f, "{}:{socket}/{}", self.kind, self.nonce),
            None => write!(f, "{}::/{}", self.kind, self.nonce),
        }
    }
}

impl EntityAddr {
    /// Reads an address; one without a prefix is of kind `default`.
    ///
    /// # Errors
    /// [`BadAddr`] if it is none of the forms above: host names are not resolved.
    pub fn parse(text: &str, default: AddrType) -> Result<Self, BadAddr> {
        if text == "-" {
            return Ok(Self::BLANK);
        }
        let (kind, rest) = split_kind(text).unwrap_or((default, text));
        let (place, nonce) = match rest.split_once('/') {
            Some((place, nonce)) => (place, nonce.parse().map_err(|_| BadAddr)?),
            None => (rest, 0),
        };
        Ok(Self { kind, nonce, socket: parse_place(place)? })
    }
}

fn split_kind(text: &str) -> Option<(AddrType, &str)> {
    AddrType::ALL.into_iter().find_map(|kind| {
        let rest = text.strip_prefix(kind.as_str())?.strip_prefix(':')?;
        Some((kind, rest))
    })
}

fn parse_place(text: &str) -> Result<Option<SocketAddr>, BadAddr> {
    if text == ":" {
        return Ok(None);
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Ok(Some(socket));
    }
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let ip = bare.parse::<IpAddr>().map_err(|_| BadAddr)?;
    Ok(Some(SocketAddr::new(ip, 0)))
}

impl FromStr for EntityAddr {
    type Err = BadAddr;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text, AddrType::Msgr2)
    }
}

impl fmt::Display for AddrVec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [one] = self.0.as_slice() {
            return write!(f, "{one}");
        }
        f.write_str("[")?;
        for (i, addr) in self.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma}{addr}")?;
        }
        f.write_str("]")
    }
}

impl FromStr for AddrVec {
    type Err = BadAddr;

    /// Reads one address, or several separated by commas, with or without brackets around all of them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(one) = text.parse::<EntityAddr>() {
            return Ok(one.into());
        }
        let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        if inner.is_empty() && text == "[]" {
            return Ok(Self::new());
        }
        inner.split(',').map(|a| a.trim().parse()).collect()
    }
}
