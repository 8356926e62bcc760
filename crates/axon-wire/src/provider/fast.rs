//! The fastest kept libraries: `crc-fast` and `aws-lc-rs`, which needs a C compiler at build time; and for short
//! checksums the processor's own instruction, where it has one and [`detect`] has found it.

#[cfg(target_arch = "x86_64")]
mod sse42;

use super::{Aead, KEY_LEN, NONCE_LEN, Provider, TAG_LEN, Unauthentic};
use alloc::boxed::Box;
use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use crc_fast::{CrcAlgorithm, Digest};

/// The two libraries, on any processor.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fast;

/// The fastest provider for this processor.
pub fn detect() -> &'static dyn Provider {
    #[cfg(target_arch = "x86_64")]
    if let Some(provider) = sse42::Sse42::detect() {
        return provider;
    }
    &Fast
}

impl Provider for Fast {
    fn crc32c(&self, state: u32, data: &[u8]) -> u32 {
        if state == u32::MAX {
            // Segments start here: the library's usual start, without a digest to set up.
            return !crc_fast::crc32_iscsi(data);
        }
        let mut digest = Digest::new_with_init_state(CrcAlgorithm::Crc32Iscsi, state.into());
        digest.update(data);
        digest.get_state() as u32
    }

    fn aes128gcm(&self, key: &[u8; KEY_LEN]) -> Box<dyn Aead> {
        let key = UnboundKey::new(&AES_128_GCM, key).expect("the key has AES-128's length");
        Box::new(Gcm(LessSafeKey::new(key)))
    }
}

/// The library wipes the key when it is dropped.
struct Gcm(LessSafeKey);

impl Aead for Gcm {
    fn seal(&self, nonce: &[u8; NONCE_LEN], data: &mut [u8]) -> [u8; TAG_LEN] {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::empty(), data)
            .expect("a frame is shorter than GCM's limit of 64 GiB");
        let mut out = [0; TAG_LEN];
        out.copy_from_slice(tag.as_ref());
        out
    }

    fn open(&self, nonce: &[u8; NONCE_LEN], data: &mut [u8], tag: &[u8; TAG_LEN]) -> Result<(), Unauthentic> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        self.0.open_in_place_separate_tag(nonce, Aad::empty(), tag, data).map(|_| ()).map_err(|_| Unauthentic)
    }
}
