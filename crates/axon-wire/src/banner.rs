//! The banner: the first bytes of a connection, in the clear, from each side without waiting for the other.
//!
//! ```text
//! "ceph v2\n" | le16 payload length | le64 supported | le64 required | what newer peers append, ignored
//! ```
//!
//! Ceph: `ProtocolV2::_send_my_banner` in `src/msg/async/ProtocolV2.cc`.

use crate::WireError;
use core::fmt;

/// A set of features of the protocol itself, as opposed to those of the messages it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Msgr2Features(pub u64);

impl Msgr2Features {
    /// No feature: msgr2.0.
    pub const NONE: Msgr2Features = Msgr2Features(0);
    /// msgr2.1: the framing whose every part is covered by its own crc or tag before it is used.
    pub const REVISION_1: Msgr2Features = Msgr2Features(1);
    /// Compressed frames; who advertises it to a peer that does must negotiate it.
    pub const COMPRESSION: Msgr2Features = Msgr2Features(2);

    /// Whether every bit of `required` is in this set.
    pub const fn contains(self, required: Self) -> bool {
        self.0 & required.0 == required.0
    }

    /// The features of either set.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The features of both sets.
    pub const fn intersect(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The bits of `required` that are not in this set.
    pub const fn missing(self, required: Self) -> Self {
        Self(required.0 & !self.0)
    }
}

impl fmt::Display for Msgr2Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// What a side says about itself in its banner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Banner {
    /// What it can do.
    pub supported: Msgr2Features,
    /// What it insists on.
    pub required: Msgr2Features,
}

const PREFIX: &[u8; 8] = b"ceph v2\n";
/// The first protocol's banner goes on with its version, `27`.
const LEGACY_PREFIX: &[u8] = b"ceph v0";
const HEAD: usize = PREFIX.len() + 2;

impl Banner {
    /// Bytes of a banner as written here.
    pub const LEN: usize = HEAD + Self::PAYLOAD;
    /// Bytes of the payload's known fields.
    pub const PAYLOAD: usize = 16;
    /// The longest payload accepted, so that a stranger cannot make us read on and on.
    pub const MAX_PAYLOAD: usize = 1024;

    /// What goes on the wire.
    pub fn emit(&self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        out[..8].copy_from_slice(PREFIX);
        out[8..10].copy_from_slice(&(Self::PAYLOAD as u16).to_le_bytes());
        out[10..18].copy_from_slice(&self.supported.0.to_le_bytes());
        out[18..26].copy_from_slice(&self.required.0.to_le_bytes());
        out
    }

    /// Reads a banner from the start of `bytes`, which may hold less or more than it: the banner and its length, or
    /// `None` while bytes are missing. A wrong start is reported at its first wrong byte.
    ///
    /// # Errors
    /// [`WireError::LegacyPeer`], [`WireError::NotMsgr2`], [`WireError::BannerLength`].
    pub fn parse(bytes: &[u8]) -> Result<Option<(Banner, usize)>, WireError> {
        let seen = bytes.len().min(PREFIX.len());
        if bytes[..seen] != PREFIX[..seen] {
            return Err(not_msgr2(&bytes[..seen]));
        }
        let Some(length) = bytes.get(8..HEAD) else {
            return Ok(None);
        };
        let length = u16::from_le_bytes([length[0], length[1]]);
        let end = HEAD + usize::from(length);
        if !(Self::PAYLOAD..=Self::MAX_PAYLOAD).contains(&usize::from(length)) {
            return Err(WireError::BannerLength { length });
        }
        let Some((payload, [])) = bytes.get(HEAD..end).map(|p| p[..16].as_chunks::<8>()) else {
            return Ok(None);
        };
        let banner = Banner {
            supported: Msgr2Features(u64::from_le_bytes(payload[0])),
            required: Msgr2Features(u64::from_le_bytes(payload[1])),
        };
        Ok(Some((banner, end)))
    }

    /// The features both ends have, when each has what the other insists on. `self` is this end's banner.
    ///
    /// # Errors
    /// [`WireError::PeerLacks`], [`WireError::PeerRequires`].
    pub fn agree(&self, peer: &Banner) -> Result<Msgr2Features, WireError> {
        let missing = peer.supported.missing(self.required);
        if missing != Msgr2Features::NONE {
            return Err(WireError::PeerLacks { missing });
        }
        let missing = self.supported.missing(peer.required);
        if missing != Msgr2Features::NONE {
            return Err(WireError::PeerRequires { missing });
        }
        Ok(self.supported.intersect(peer.supported))
    }
}

fn not_msgr2(seen: &[u8]) -> WireError {
    if seen.starts_with(LEGACY_PREFIX) {
        return WireError::LegacyPeer;
    }
    let mut prefix = [0; 8];
    prefix[..seen.len()].copy_from_slice(seen);
    WireError::NotMsgr2 { prefix }
}

#[cfg(test)]
mod tests;
