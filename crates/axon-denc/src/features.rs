//! The feature bits two ends compare in CLIENT_IDENT and SERVER_IDENT.

use crate::{Decode, DecodeError, Decoder, Encode};
use alloc::vec::Vec;
use core::fmt;
use core::ops::{BitAnd, BitOr, BitOrAssign};

/// A set of RADOS feature bits.
///
/// The bits both ends support select the encoding of message payloads, so an endpoint advertises only what its message
/// codecs implement. Control frames do not depend on them: they are always encoded as if [`Features::MSG_ADDR2`] were
/// agreed. Bits are reused between releases, which is why a release is a combination of bits.
///
/// Ceph: `src/include/ceph_features.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Features(pub u64);

impl Features {
    /// No feature.
    pub const NONE: Features = Features(0);

    /// Object identifiers carry a uid.
    pub const UID: Features = Features::bit(0);
    /// Messages carry no source address.
    pub const NOSRCADDR: Features = Features::bit(1);
    /// Subscriptions of the second kind.
    pub const SUBSCRIBE2: Features = Features::bit(4);
    /// Reconnects agree on sequence numbers.
    pub const RECONNECT_SEQ: Features = Features::bit(6);
    /// Placement groups have 64-bit pools.
    pub const PGID64: Features = Features::bit(9);
    /// Replies to operations may carry several results.
    pub const OSDREPLYMUX: Features = Features::bit(12);
    /// Versioned encodings of OSD structures.
    pub const OSDENC: Features = Features::bit(13);
    /// Versioned encodings of monitor structures.
    pub const MONENC: Features = Features::bit(15);
    /// Messages may be signed (msgr1).
    pub const MSG_AUTH: Features = Features::bit(23);
    /// Separate client and OSD encodings of the OSD map.
    pub const OSDMAP_ENC: Features = Features::bit(39);
    /// Keepalives carry a time stamp and are answered.
    pub const KEEPALIVE2: Features = Features::bit(42);
    /// CRUSH tunables of the fourth kind.
    pub const CRUSH_V4: Features = Features::bit(48);
    /// Addresses name their protocol and come in vectors: the one bit msgr2 itself requires.
    pub const MSG_ADDR2: Features = Features::bit(59);
    /// The second version of cephx.
    pub const CEPHX_V2: Features = Features::bit(61);

    /// Jewel (10).
    pub const SERVER_JEWEL: Features = Features::bit(57);
    /// Kraken (11).
    pub const SERVER_KRAKEN: Features = Features::bit(14).with(Self::SERVER_JEWEL);
    /// Luminous (12).
    pub const SERVER_LUMINOUS: Features = Features::bit(21).with(Self::SERVER_JEWEL);
    /// Mimic (13).
    pub const SERVER_MIMIC: Features = Features::bit(28).with(Self::SERVER_JEWEL);
    /// Nautilus (14).
    pub const SERVER_NAUTILUS: Features = Features::bit(2).with(Self::SERVER_MIMIC);
    /// Octopus (15).
    pub const SERVER_OCTOPUS: Features = Features::bit(16).with(Self::SERVER_MIMIC);
    /// Pacific (16).
    pub const SERVER_PACIFIC: Features = Features::bit(20).with(Self::SERVER_MIMIC);
    /// Quincy (17).
    pub const SERVER_QUINCY: Features = Features::bit(33).with(Self::SERVER_MIMIC);
    /// Reef (18).
    pub const SERVER_REEF: Features = Features::bit(31).with(Self::SERVER_MIMIC);
    /// Squid (19).
    pub const SERVER_SQUID: Features = Features::bit(49).with(Self::SERVER_JEWEL);
    /// Tentacle (20).
    pub const SERVER_TENTACLE: Features = Features::bit(50).with(Self::SERVER_JEWEL);

    /// Everything a Reef (18) daemon advertises.
    pub const ALL_REEF: Features = Features(0x3f01_cfbf_fffd_ffff);
    /// Everything a Tentacle (20) daemon advertises.
    pub const ALL_TENTACLE: Features = Features(0x3f07_ffff_fffd_ffff);

    const fn bit(n: u32) -> Self {
        Self(1 << n)
    }

    /// The features of either set.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The features of both sets.
    pub const fn intersect(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The features of this set that `other` does not have.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether every bit of `required` is in this set.
    pub const fn contains(self, required: Self) -> bool {
        self.0 & required.0 == required.0
    }

    /// The bits of `required` that are not in this set; what IDENT_MISSING_FEATURES reports.
    pub const fn missing(self, required: Self) -> Self {
        required.without(self)
    }

    /// Whether no bit is set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl BitOr for Features {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.with(other)
    }
}

impl BitOrAssign for Features {
    fn bitor_assign(&mut self, other: Self) {
        *self = self.with(other);
    }
}

impl BitAnd for Features {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.intersect(other)
    }
}

impl Encode for Features {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode for Features {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self(input.u64()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    const RELEASES: [Features; 11] = [
        Features::SERVER_JEWEL,
        Features::SERVER_KRAKEN,
        Features::SERVER_LUMINOUS,
        Features::SERVER_MIMIC,
        Features::SERVER_NAUTILUS,
        Features::SERVER_OCTOPUS,
        Features::SERVER_PACIFIC,
        Features::SERVER_QUINCY,
        Features::SERVER_REEF,
        Features::SERVER_SQUID,
        Features::SERVER_TENTACLE,
    ];

    #[test]
    fn known_values() {
        assert_eq!(Features::SERVER_LUMINOUS.0, 0x0200_0000_0020_0000);
        assert_eq!(Features::MSG_ADDR2.0, 0x0800_0000_0000_0000);
        let osd_asks = Features::UID | Features::PGID64 | Features::OSDENC;
        assert_eq!(osd_asks.0, 0x2201);
    }

    #[test]
    fn each_release_has_the_bits_of_those_before_it() {
        for (i, release) in RELEASES.iter().enumerate() {
            assert_eq!(Features::ALL_REEF.contains(*release), i <= 8);
            assert!(Features::ALL_TENTACLE.contains(*release));
        }
        let added = Features::ALL_TENTACLE.without(Features::ALL_REEF);
        assert_eq!(added.0, 1 << 38 | 1 << 44 | 1 << 45 | 1 << 49 | 1 << 50, "what Tentacle added");
    }

    #[test]
    fn sets() {
        let have = Features::UID | Features::OSDENC;
        let want = Features::UID | Features::MSG_ADDR2;
        assert!(!have.contains(want));
        assert_eq!(have.missing(want), Features::MSG_ADDR2);
        assert_eq!(have & want, Features::UID);
        assert!(have.missing(have).is_empty());
        assert_eq!(want.to_string(), "0x800000000000001");
        assert_eq!(Features::from_bytes(&want.to_vec()), Ok(want));
    }
}
