//! All Rust: a table-driven CRC-32C and the `aes-gcm` crate. Builds wherever Rust does.

mod crc;

use super::{Aead, KEY_LEN, NONCE_LEN, Provider, TAG_LEN, Unauthentic};
use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes128Gcm, KeyInit};
use alloc::boxed::Box;

/// See the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rust;

impl Provider for Rust {
    fn crc32c(&self, state: u32, data: &[u8]) -> u32 {
        crc::update(state, data)
    }

    fn aes128gcm(&self, key: &[u8; KEY_LEN]) -> Box<dyn Aead> {
        Box::new(Gcm(Aes128Gcm::new(key.into())))
    }
}

/// The library wipes the key when it is dropped (its feature `zeroize`).
struct Gcm(Aes128Gcm);

impl Aead for Gcm {
    fn seal(&self, nonce: &[u8; NONCE_LEN], data: &mut [u8]) -> [u8; TAG_LEN] {
        self.0
            .encrypt_inout_detached(nonce.into(), &[], data.into())
            .expect("a frame is shorter than GCM's limit of 64 GiB")
            .into()
    }

    fn open(&self, nonce: &[u8; NONCE_LEN], data: &mut [u8], tag: &[u8; TAG_LEN]) -> Result<(), Unauthentic> {
        self.0.decrypt_inout_detached(nonce.into(), &[], data.into(), tag.into()).map_err(|_| Unauthentic)
    }
}
