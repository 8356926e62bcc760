//! Where checksums and encryption come from.
//!
//! Both enter through [`Provider`], so that the fastest libraries ([`fast`]) and builds without a C compiler ([`rust`])
//! share everything else.

#[cfg(feature = "fast")]
pub mod fast;
pub mod rust;

use alloc::boxed::Box;

/// Bytes of an AES-128 key.
pub const KEY_LEN: usize = 16;
/// Bytes of a GCM nonce.
pub const NONCE_LEN: usize = 12;
/// Bytes of a GCM tag.
pub const TAG_LEN: usize = 16;

/// A block does not carry the tag that its key, nonce and bytes give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secure block fails authentication")]
pub struct Unauthentic;

/// Checksums and encryption. Stateless; one serves the whole process.
pub trait Provider: Send + Sync {
    /// CRC-32C (Castagnoli, reflected) as a running register: no inversion before or after. Chains: the result is the
    /// `state` for the bytes that follow.
    fn crc32c(&self, state: u32, data: &[u8]) -> u32;

    /// AES-128-GCM under `key`, with tags of 16 bytes and no associated data.
    fn aes128gcm(&self, key: &[u8; KEY_LEN]) -> Box<dyn Aead>;
}

/// One key of an authenticated cipher.
pub trait Aead: Send {
    /// Encrypts `data` in place and returns the tag. No nonce may be used for two different blocks.
    fn seal(&self, nonce: &[u8; NONCE_LEN], data: &mut [u8]) -> [u8; TAG_LEN];

    /// Decrypts `data` in place; on error its content is undefined.
    fn open(&self, nonce: &[u8; NONCE_LEN], data: &mut [u8], tag: &[u8; TAG_LEN]) -> Result<(), Unauthentic>;
}

/// The best provider of this build.
pub fn default_provider() -> &'static dyn Provider {
    #[cfg(feature = "fast")]
    return fast::detect();
    #[cfg(not(feature = "fast"))]
    return &rust::Rust;
}

#[cfg(test)]
mod tests;
