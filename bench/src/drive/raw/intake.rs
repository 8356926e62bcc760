//! Finds the ends of messages of one size in what a socket delivers.

use crc_fast::{CrcAlgorithm, Digest};
use std::hint::black_box;

/// The part of a message that has come.
pub(super) struct Intake {
    unit: usize,
    partial: usize,
    sum: Option<Digest>,
}

/// The crc32c of a message.
pub(super) fn checksum(message: &[u8]) -> u64 {
    let mut digest = digest();
    digest.update(message);
    digest.finalize()
}

fn digest() -> Digest {
    Digest::new(CrcAlgorithm::Crc32Iscsi)
}

impl Intake {
    /// For messages of `unit` bytes; each one's checksum is computed if wanted.
    pub(super) fn new(unit: usize, sum: bool) -> Self {
        Self { unit, partial: 0, sum: sum.then(digest) }
    }

    /// How many messages `bytes` complete.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        if self.sum.is_some() {
            return self.take_summing(bytes);
        }
        let total = self.partial + bytes.len();
        self.partial = total % self.unit;
        total / self.unit
    }

    fn take_summing(&mut self, mut bytes: &[u8]) -> usize {
        let mut units = 0;
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(self.unit - self.partial));
            let digest = self.sum.get_or_insert_with(digest);
            digest.update(now);
            self.partial += now.len();
            if self.partial == self.unit {
                black_box(self.sum.replace(self::digest()).map(|digest| digest.finalize()));
                self.partial = 0;
                units += 1;
            }
            bytes = later;
        }
        units
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_count_the_same() {
        let (mut plain, mut summing) = (Intake::new(10, false), Intake::new(10, true));
        for (length, units) in [(3, 0), (7, 1), (10, 1), (25, 2), (4, 0), (1, 1), (0, 0)] {
            let bytes = vec![1; length];
            assert_eq!(plain.take(&bytes), units);
            assert_eq!(summing.take(&bytes), units);
        }
    }

    #[test]
    fn the_checksum_is_that_of_castagnoli() {
        assert_eq!(checksum(b"123456789"), 0xe306_9283);
    }
}
