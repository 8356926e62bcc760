//! Names, which are bytes to Ceph.

use bytes::Bytes;
use std::borrow::Borrow;
use std::fmt::{self, Write};
use std::ops::Deref;

/// The name of an object, a namespace, an extended attribute, or a value of an omap.
///
/// Ceph takes any bytes; most names are text, but the index of RGW's buckets, for one, has keys that begin with 0x80.
/// Functions that take a name take whatever is bytes, `&str` among it; those that give names give this. It is shown as
/// text, with control characters, backslashes and bytes that are no UTF-8 escaped; [`Name::to_str`] gives text as it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Name(Bytes);

impl Name {
    /// The text, if it is UTF-8.
    pub fn to_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl Deref for Name {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Name {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Maps by name are asked with bytes: `values.get("key".as_bytes())`.
impl Borrow<[u8]> for Name {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\\' => f.write_str("\\\\")?,
                    c if c.is_control() => write!(f, "{}", c.escape_default())?,
                    c => f.write_char(c)?,
                }
            }
            chunk.invalid().iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl From<Bytes> for Name {
    fn from(name: Bytes) -> Self {
        Self(name)
    }
}

impl From<Name> for Bytes {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl From<&[u8]> for Name {
    fn from(name: &[u8]) -> Self {
        Self(Bytes::copy_from_slice(name))
    }
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        name.as_bytes().into()
    }
}

impl From<Vec<u8>> for Name {
    fn from(name: Vec<u8>) -> Self {
        Self(name.into())
    }
}

impl From<String> for Name {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl PartialEq<[u8]> for Name {
    fn eq(&self, other: &[u8]) -> bool {
        self.0 == other
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn shown_as_text() {
        for (bytes, shown) in [
            (&b"plain"[..], "plain"),
            ("grün".as_bytes(), "grün"),
            (b"\x80" as &[u8], r"\x80"),
            (b"a\xffb\n\\", r"a\xffb\n\\"),
            (b"", ""),
        ] {
            assert_eq!(Name::from(bytes).to_string(), shown);
        }
        assert_eq!(format!("{:?}", Name::from("k")), "\"k\"");
        assert_eq!((Name::from("k").to_str(), Name::from(&b"\x80"[..]).to_str()), (Some("k"), None));
    }

    #[test]
    fn sorted_and_found_by_bytes() {
        let map: BTreeMap<Name, u8> = [(Name::from(&b"\x80"[..]), 2), (Name::from("z"), 1)].into();
        assert_eq!(map.values().copied().collect::<Vec<_>>(), [1, 2]);
        assert_eq!((map.get("z".as_bytes()), map.get(&b"\x80"[..])), (Some(&1), Some(&2)));
        assert_eq!(map.keys().next().unwrap(), "z");
    }
}
