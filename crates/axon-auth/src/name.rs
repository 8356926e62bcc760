//! Names as keyrings and tickets spell them: `client.admin`, `osd.0`, `mon.`.

use crate::AuthName;
use alloc::string::String;
use alloc::vec::Vec;
use axon_denc::{Decode, DecodeError, Decoder, Encode, EntityType};
use core::fmt;
use core::str::FromStr;

/// A text that is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an authentication name: write TYPE.ID (such as client.admin) with TYPE one of mon, mds, osd, client, mgr"
)]
pub struct BadAuthName;

impl AuthName {
    /// `kind.id`.
    pub fn new(kind: EntityType, id: impl Into<String>) -> Self {
        Self { kind, id: id.into() }
    }
}

impl fmt::Display for AuthName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind, self.id)
    }
}

/// The id may be empty: all monitors share the name `mon.`.
impl FromStr for AuthName {
    type Err = BadAuthName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, id) = text.split_once('.').ok_or(BadAuthName)?;
        let kind = kind.parse().map_err(|_| BadAuthName)?;
        Ok(Self::new(kind, id))
    }
}

/// le32 type, blob id (Ceph: `EntityName`).
impl Encode for AuthName {
    fn encode(&self, out: &mut Vec<u8>) {
        u32::from(self.kind as u8).encode(out);
        self.id.encode(out);
    }
}

impl Decode for AuthName {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { kind: take_service(input)?, id: input.string("the id of an authentication name")? })
    }
}

/// An entity type as four bytes: how names, tickets and authorizers write it.
pub(crate) fn take_service(input: &mut Decoder<'_>) -> Result<EntityType, DecodeError> {
    let value = input.u32()?;
    let undefined = DecodeError::Undefined { what: "entity type", value: value.into() };
    let narrow = u8::try_from(value).map_err(|_| undefined)?;
    EntityType::from_wire(narrow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn names_read_back() {
        for text in ["client.admin", "osd.0", "mon.", "mgr.x", "client.a.b"] {
            let name: AuthName = text.parse().unwrap();
            assert_eq!(name.to_string(), text);
            assert_eq!(AuthName::from_bytes(&name.to_vec()), Ok(name));
        }
        for text in ["", "admin", "disk.1", ".x"] {
            assert_eq!(text.parse::<AuthName>(), Err(BadAuthName), "{text}");
        }
    }

    #[test]
    fn the_type_takes_four_bytes() {
        let name = AuthName::new(EntityType::Client, "a");
        assert_eq!(name.to_vec(), [8, 0, 0, 0, 1, 0, 0, 0, b'a']);
        assert!(AuthName::from_bytes(&[8, 1, 0, 0, 0, 0, 0, 0]).is_err());
    }
}
