//! The sequence of nonces of one direction of a secure connection.

use crate::WireError;
use crate::layout::Revision;
use crate::provider::NONCE_LEN;

/// `le32 fixed | le64 counter`, starting from twelve secret bytes. Rev1 counts in the counter, rev0 in the fixed part,
/// which repeats after 2^32 frames: the reason msgr2.1 exists.
pub(crate) struct NonceSequence {
    fixed: u32,
    counter: u64,
    left: u64,
    revision: Revision,
}

impl NonceSequence {
    pub(crate) fn new(revision: Revision, start: [u8; NONCE_LEN]) -> Self {
        let [a, b, c, d, counter @ ..] = start;
        Self {
            fixed: u32::from_le_bytes([a, b, c, d]),
            counter: u64::from_le_bytes(counter),
            left: match revision {
                Revision::Zero => 1 << 32,
                Revision::One => u64::MAX,
            },
            revision,
        }
    }

    /// The next nonce.
    pub(crate) fn next(&mut self) -> Result<[u8; NONCE_LEN], WireError> {
        self.left = self.left.checked_sub(1).ok_or(WireError::NoncesExhausted)?;
        let nonce = self.current();
        match self.revision {
            Revision::Zero => self.fixed = self.fixed.wrapping_add(1),
            Revision::One => self.counter = self.counter.wrapping_add(1),
        }
        Ok(nonce)
    }

    /// What `next` is about to return.
    pub(crate) fn current(&self) -> [u8; NONCE_LEN] {
        let mut nonce = [0; NONCE_LEN];
        nonce[..4].copy_from_slice(&self.fixed.to_le_bytes());
        nonce[4..].copy_from_slice(&self.counter.to_le_bytes());
        nonce
    }

    /// Nonces not yet used.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// Skips `n` nonces, as if that many blocks had been sealed.
    #[cfg(test)]
    pub(crate) fn skip(&mut self, n: u64) {
        self.left -= n;
        match self.revision {
            Revision::Zero => self.fixed = self.fixed.wrapping_add(n as u32),
            Revision::One => self.counter = self.counter.wrapping_add(n),
        }
    }
}

impl Drop for NonceSequence {
    fn drop(&mut self) {
        use zeroize::Zeroize;
        self.fixed.zeroize();
        self.counter.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rev1_counts_in_the_counter() {
        let mut start = [0xff; 12];
        start[0..4].copy_from_slice(&[1, 2, 3, 4]);
        let mut nonces = NonceSequence::new(Revision::One, start);
        assert_eq!(nonces.next(), Ok(start));
        assert_eq!(nonces.next(), Ok([1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0]));
        assert_eq!(nonces.next(), Ok([1, 2, 3, 4, 1, 0, 0, 0, 0, 0, 0, 0]));
    }

    #[test]
    fn rev0_counts_in_the_fixed_part() {
        let start = [0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5, 6, 7, 8];
        let mut nonces = NonceSequence::new(Revision::Zero, start);
        assert_eq!(nonces.next(), Ok(start));
        assert_eq!(nonces.next(), Ok([0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]));
        assert_eq!(nonces.next(), Ok([1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]));
    }

    #[test]
    fn no_nonce_comes_twice() {
        let mut nonces = NonceSequence::new(Revision::Zero, [5; 12]);
        nonces.skip((1 << 32) - 1);
        let last = [4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5];
        assert_eq!(nonces.next(), Ok(last), "one before the start");
        assert_eq!(nonces.next(), Err(WireError::NoncesExhausted));
        assert_eq!(nonces.next(), Err(WireError::NoncesExhausted));
        let mut nonces = NonceSequence::new(Revision::One, [5; 12]);
        nonces.skip(u64::MAX - 1);
        assert!(nonces.next().is_ok());
        assert_eq!(nonces.next(), Err(WireError::NoncesExhausted));
    }
}
