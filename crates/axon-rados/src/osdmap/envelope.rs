//! What maps and changes are wrapped in.
//!
//! ```text
//! u8 8 | u8 7 | le32 length | part for clients | part for OSDs | le32 crc | le32 crc of the whole map (changes only)
//! ```
//!
//! Both parts are versioned structs. The crc is that of everything before and after it.

use super::MapError;
use axon_denc::{DecodeError, Decoder};
use axon_wire::default_provider;

/// The version that has a checksum, Hammer (0.94) and newer.
const VERSION: u8 = 8;
const CLIENT_KNOWN: u8 = 10;
const OSD_KNOWN: u8 = 12;

/// A part: its version and its bytes.
pub(super) type Part<'a> = (u8, Decoder<'a>);

/// The parts of a map or change whose checksum is right.
pub(super) struct Envelope<'a> {
    /// What clients need.
    pub(super) client: Part<'a>,
    /// What only OSDs need.
    pub(super) osd: Part<'a>,
    /// What follows the checksum.
    pub(super) after: Decoder<'a>,
    /// The checksum.
    pub(super) crc: u32,
}

impl<'a> Envelope<'a> {
    /// Opens the map or change that stands at the beginning of `bytes`; `what` names it in errors.
    pub(super) fn open(bytes: &'a [u8], what: &'static str) -> Result<Self, MapError> {
        let version = bytes.first().copied().unwrap_or(VERSION);
        if version < VERSION {
            return Err(MapError::TooOld { what, version, oldest: VERSION });
        }
        let envelope = Self::split(bytes, what).map_err(|source| MapError::Malformed { what, source })?;
        let found = envelope.checksum(bytes);
        match found == envelope.crc {
            true => Ok(envelope),
            false => Err(MapError::BadCrc { what, expected: envelope.crc, found }),
        }
    }

    fn split(bytes: &'a [u8], what: &'static str) -> Result<Self, DecodeError> {
        let (_, mut body) = Decoder::new(bytes).versioned(what, VERSION)?;
        let client = body.versioned("part for clients", CLIENT_KNOWN)?;
        let osd = body.versioned("part for OSDs", OSD_KNOWN)?;
        let crc = body.u32()?;
        Ok(Self { client, osd, after: body, crc })
    }

    fn checksum(&self, bytes: &[u8]) -> u32 {
        const HEAD: usize = 6;
        const CRC: usize = 4;
        let length = self.client.1.remaining() + self.osd.1.remaining() + 2 * HEAD;
        let provider = default_provider();
        let front = provider.crc32c(!0, &bytes[..HEAD + length]);
        debug_assert!(bytes.len() >= HEAD + length + CRC + self.after.remaining());
        provider.crc32c(front, self.after.rest())
    }
}
