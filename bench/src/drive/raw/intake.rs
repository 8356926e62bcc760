//! Where messages of one size go that a socket delivers, and where they end.

use crc_fast::{CrcAlgorithm, Digest};
use std::hint::black_box;

/// Bytes read at once of small messages: as many as Axon's transport lends.
const BUFFER: usize = 256 * 1024;

/// The part of a message that has come, and room for more.
pub(super) struct Intake {
    unit: usize,
    partial: usize,
    sum: bool,
    digest: Digest,
    buffer: Vec<u8>,
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
        Self { unit, partial: 0, sum, digest: digest(), buffer: vec![0; unit.max(BUFFER)] }
    }

    /// Bytes of the current message that have not come.
    pub(super) fn missing(&self) -> usize {
        self.unit - self.partial
    }

    /// Where the next bytes belong: of a large message in their final place, which ends with it; several small ones
    /// are read together.
    pub(super) fn room(&mut self) -> &mut [u8] {
        let room = self.place();
        &mut self.buffer[room]
    }

    fn place(&self) -> std::ops::Range<usize> {
        if self.unit >= BUFFER { self.partial..self.unit } else { 0..BUFFER }
    }

    /// So many bytes have come into the room: how many messages they complete.
    pub(super) fn took(&mut self, count: usize) -> usize {
        match (self.sum, self.unit >= BUFFER) {
            (false, _) => {}
            (true, true) => self.sum_up_whole(count),
            (true, false) => self.sum_up_pieces(count),
        }
        let total = self.partial + count;
        self.partial = total % self.unit;
        total / self.unit
    }

    /// A large message is looked at when all of it is there.
    fn sum_up_whole(&self, count: usize) {
        if self.partial + count == self.unit {
            black_box(checksum(&self.buffer[..self.unit]));
        }
    }

    fn sum_up_pieces(&mut self, count: usize) {
        let mut partial = self.partial;
        let mut bytes = &self.buffer[..count];
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(self.unit - partial));
            self.digest.update(now);
            partial += now.len();
            if partial == self.unit {
                black_box(std::mem::replace(&mut self.digest, digest()).finalize());
                partial = 0;
            }
            bytes = later;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_count_the_same() {
        let (mut plain, mut summing) = (Intake::new(10, false), Intake::new(10, true));
        for (length, units, missing) in
            [(3, 0, 7), (7, 1, 10), (10, 1, 10), (25, 2, 5), (4, 0, 1), (1, 1, 10), (0, 0, 10)]
        {
            for intake in [&mut plain, &mut summing] {
                assert_eq!(intake.room().len(), BUFFER);
                assert_eq!((intake.took(length), intake.missing()), (units, missing));
            }
        }
    }

    #[test]
    fn a_large_message_is_read_to_its_end_and_no_further() {
        let unit = BUFFER + 100;
        let mut intake = Intake::new(unit, true);
        assert_eq!((intake.room().len(), intake.took(BUFFER)), (unit, 0));
        assert_eq!((intake.room().len(), intake.took(99)), (100, 0));
        assert_eq!((intake.room().len(), intake.took(1)), (1, 1));
        assert_eq!((intake.room().len(), intake.missing()), (unit, unit));
    }

    #[test]
    fn the_checksum_is_that_of_castagnoli() {
        assert_eq!(checksum(b"123456789"), 0xe306_9283);
    }
}
