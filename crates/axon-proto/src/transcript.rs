//! What was said on a socket before both sides signed it.

use crate::Fault;
use alloc::vec::Vec;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Every byte of one direction from the banner on, kept until the keys are known that sign it.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    bytes: Vec<u8>,
}

/// Handshake bytes of one direction. An honest exchange takes a few kilobytes; tickets with long capabilities some more.
pub(crate) const LIMIT: usize = 256 << 10;

/// The payload of AUTH_SIGNATURE.
pub(crate) type Signature = [u8; 32];

impl Transcript {
    /// Adds bytes in the order they crossed the wire.
    pub(crate) fn record(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if self.bytes.len() + bytes.len() > LIMIT {
            return Err(Fault::HandshakeTooLong { limit: LIMIT });
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// HMAC-SHA256 of everything recorded; zeros where no key was agreed (method none).
    pub(crate) fn sign(&self, key: Option<&[u8]>) -> Signature {
        let Some(key) = key else { return [0; 32] };
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(&self.bytes);
        mac.finalize().into_bytes().into()
    }

    /// Compares in constant time.
    pub(crate) fn verify(&self, key: Option<&[u8]>, theirs: &Signature) -> Result<(), Fault> {
        let ours = self.sign(key);
        if bool::from(ours.ct_eq(theirs)) { Ok(()) } else { Err(Fault::BadSignature) }
    }
}

#[cfg(test)]
impl Transcript {
    /// Bytes of memory held.
    pub(crate) fn held(&self) -> usize {
        self.bytes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flipped_bit_is_seen() {
        let mut sent = Transcript::default();
        sent.record(b"hello").unwrap();
        let mut received = Transcript::default();
        received.record(b"hellp").unwrap();
        let key = Some(&b"key"[..]);
        assert_eq!(sent.verify(key, &received.sign(key)), Err(Fault::BadSignature));
        assert_eq!(sent.verify(key, &sent.sign(key)), Ok(()));
        assert_eq!(sent.verify(Some(b"other"), &sent.sign(key)), Err(Fault::BadSignature));
    }

    #[test]
    fn without_a_key_only_zeros_match() {
        let transcript = Transcript::default();
        assert_eq!(transcript.verify(None, &[0; 32]), Ok(()));
        assert_eq!(transcript.verify(None, &[1; 32]), Err(Fault::BadSignature));
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let mut transcript = Transcript::default();
        transcript.record(&[0; LIMIT]).unwrap();
        assert_eq!(transcript.record(&[0]), Err(Fault::HandshakeTooLong { limit: LIMIT }));
    }
}
