//! The hash of an object's name.
//!
//! Ceph: `src/common/ceph_hash.cc`; the functions: <http://burtleburtle.net/bob/hash/evahash.html>, and the Linux kernel's
//! hash of file names.

use crate::crush::hash::mix;

/// How a pool hashes names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum NameHash {
    /// That of the Linux kernel's file names.
    Linux,
    /// Robert Jenkins', what every pool has.
    #[default]
    Jenkins,
}

/// Between a namespace and a name.
const SEPARATOR: u8 = 0x1f;
const GOLDEN: u32 = 0x9e37_79b9;

impl NameHash {
    /// The hash of `name` in `namespace`.
    pub(super) fn of(self, namespace: &[u8], name: &[u8]) -> u32 {
        match namespace.is_empty() {
            true => self.hash(name),
            false => self.hash(&[namespace, &[SEPARATOR], name].concat()),
        }
    }

    fn hash(self, text: &[u8]) -> u32 {
        match self {
            Self::Linux => linux(text),
            Self::Jenkins => jenkins(text),
        }
    }
}

fn linux(text: &[u8]) -> u32 {
    text.iter().fold(0u32, |hash, byte| {
        let byte = u32::from(*byte);
        hash.wrapping_add(byte << 4).wrapping_add(byte >> 4).wrapping_mul(11)
    })
}

/// Twelve bytes are three words; the lowest byte of the last third word is taken by the length.
fn jenkins(text: &[u8]) -> u32 {
    let (mut a, mut b, mut c) = (GOLDEN, GOLDEN, 0);
    let mut add = |block: &[u8; 12], extra: u32| {
        let word = |at: usize| u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
        a = u32::wrapping_add(a, word(0));
        b = u32::wrapping_add(b, word(4));
        c = u32::wrapping_add(c, word(8)).wrapping_add(extra);
        mix(&mut a, &mut b, &mut c);
        c
    };
    let (blocks, rest) = text.as_chunks::<12>();
    for block in blocks {
        add(block, 0);
    }
    let mut last = [0; 12];
    for (i, byte) in rest.iter().enumerate() {
        last[if i < 8 { i } else { i + 1 }] = *byte;
    }
    add(&last, text.len() as u32)
}
