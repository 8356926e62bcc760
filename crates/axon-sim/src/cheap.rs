//! Checksums that cost nothing: most seeds are about sessions, not about bits.

use axon_wire::default_provider;
use axon_wire::provider::{Aead, KEY_LEN, Provider};

/// Every checksum is the same; encryption is real.
pub(crate) struct Cheap;

impl Provider for Cheap {
    fn crc32c(&self, _state: u32, _data: &[u8]) -> u32 {
        0x5eed
    }

    fn aes128gcm(&self, key: &[u8; KEY_LEN]) -> Box<dyn Aead> {
        default_provider().aes128gcm(key)
    }
}
