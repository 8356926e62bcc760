//! A look at the start of a GCM block before its tag is there to verify it.
//!
//! A rev0 secure frame is one block whose length stands in the preamble inside. GCM encrypts with AES in counter mode,
//! starting from counter 2, so the two cipher blocks of the preamble can be read alone. Nothing read so is to be trusted
//! before the tag was checked.

use crate::preamble::Preamble;
use crate::provider::{KEY_LEN, NONCE_LEN};
use aes::Aes128Enc;
use aes::cipher::{BlockCipherEncrypt, KeyInit};

/// The library wipes the key when it is dropped (its feature `zeroize`).
pub(super) struct Peek(Aes128Enc);

const CIPHER_BLOCK: usize = 16;

impl Peek {
    pub(super) fn new(key: &[u8; KEY_LEN]) -> Self {
        Self(Aes128Enc::new(key.into()))
    }

    /// Decrypts the first bytes of a block in place.
    pub(super) fn open(&self, nonce: &[u8; NONCE_LEN], start: &mut [u8; Preamble::LEN]) {
        let (blocks, _) = start.as_chunks_mut::<CIPHER_BLOCK>();
        for (block, counter) in blocks.iter_mut().zip(2u32..) {
            let mut stream = [0; CIPHER_BLOCK];
            stream[..NONCE_LEN].copy_from_slice(nonce);
            stream[NONCE_LEN..].copy_from_slice(&counter.to_be_bytes());
            self.0.encrypt_block((&mut stream).into());
            block.iter_mut().zip(stream).for_each(|(b, s)| *b ^= s);
        }
    }
}
