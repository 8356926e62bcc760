//! Who an endpoint is: its type, and its number within the type.

use crate::{Decode, DecodeError, Decoder, Encode};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

/// The kind of a process, as numbered on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum EntityType {
    /// Monitor.
    Mon = 0x01,
    /// Metadata server.
    Mds = 0x02,
    /// Object storage daemon.
    Osd = 0x04,
    /// Client of any kind.
    Client = 0x08,
    /// Manager.
    Mgr = 0x10,
    /// The authentication service; never a process, only a ticket's service id.
    Auth = 0x20,
}

impl EntityType {
    /// Every type.
    pub const ALL: [EntityType; 6] = [Self::Mon, Self::Mds, Self::Osd, Self::Client, Self::Mgr, Self::Auth];

    /// The type with this wire number.
    ///
    /// # Errors
    /// [`DecodeError::Undefined`] if there is none.
    pub fn from_wire(value: u8) -> Result<Self, DecodeError> {
        Self::ALL
            .into_iter()
            .find(|t| *t as u8 == value)
            .ok_or(DecodeError::Undefined { what: "entity type", value: value.into() })
    }

    /// The name used in entity names and configuration sections.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Mds => "mds",
            Self::Osd => "osd",
            Self::Client => "client",
            Self::Mgr => "mgr",
            Self::Auth => "auth",
        }
    }
}

impl fmt::Display for EntityType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is not an entity type or name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an entity name: expected TYPE.ID with TYPE one of mon, mds, osd, client, mgr")]
pub struct BadEntityName;

impl FromStr for EntityType {
    type Err = BadEntityName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|t| t.as_str() == text).ok_or(BadEntityName)
    }
}

impl Encode for EntityType {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }
}

impl Decode for EntityType {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Self::from_wire(input.u8()?)
    }
}

/// A process's name on the wire, `osd.3`: type, and a number that is -1 while a client does not know its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityName {
    /// The type.
    pub kind: EntityType,
    /// The number; a client's is its global id.
    pub num: i64,
}

impl EntityName {
    /// `kind.num`.
    pub fn new(kind: EntityType, num: i64) -> Self {
        Self { kind, num }
    }
}

impl fmt::Display for EntityName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.num {
            -1 => write!(f, "{}.?", self.kind),
            num => write!(f, "{}.{num}", self.kind),
        }
    }
}

impl FromStr for EntityName {
    type Err = BadEntityName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, num) = text.split_once('.').ok_or(BadEntityName)?;
        let num = if num == "?" { -1 } else { num.parse().map_err(|_| BadEntityName)? };
        Ok(Self { kind: kind.parse()?, num })
    }
}

impl Encode for EntityName {
    fn encode(&self, out: &mut Vec<u8>) {
        self.kind.encode(out);
        self.num.encode(out);
    }
}

impl Decode for EntityName {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { kind: EntityType::decode(input)?, num: input.i64()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn names_read_back() {
        for text in ["osd.3", "client.?", "mon.0", "mds.12", "mgr.4100"] {
            let name: EntityName = text.parse().unwrap();
            assert_eq!(name.to_string(), text);
            assert_eq!(EntityName::from_bytes(&name.to_vec()), Ok(name));
        }
        assert!("osd".parse::<EntityName>().is_err());
        assert!("disk.1".parse::<EntityName>().is_err());
    }
}
