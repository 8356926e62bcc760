//! AES-128-CBC with a fixed initialisation vector and PKCS#7 padding (Ceph: `src/auth/Crypto.cc`).
//!
//! Nothing protects the ciphertext's integrity; the envelope's magic number catches wrong keys and damage to the
//! first block only. That is Ceph's classic format; aes256k is the remedy.

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use alloc::vec::Vec;
use zeroize::Zeroizing;

const IV: &[u8; 16] = b"cephsageyudagreg";

/// 1 to 16 bytes longer than `plain`.
///
/// # Panics
/// If `secret` is not 16 bytes long, which [`crate::CryptoKey`] guarantees.
pub(super) fn encrypt(secret: &[u8], plain: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<Aes128>::new_from_slices(secret, IV)
        .expect("an aes key's secret is 16 bytes long")
        .encrypt_padded_vec::<Pkcs7>(plain)
}

/// `None` if the length or the padding is wrong.
///
/// # Panics
/// As [`encrypt`].
pub(super) fn decrypt(secret: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let cipher =
        cbc::Decryptor::<Aes128>::new_from_slices(secret, IV).expect("an aes key's secret is 16 bytes long");
    let mut plain = Zeroizing::new(sealed.to_vec());
    let length = cipher.decrypt_padded::<Pkcs7>(&mut plain).ok()?.len();
    plain.truncate(length);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    /// From `openssl enc -aes-128-cbc -K 0001..0f -iv "cephsageyudagreg"`.
    #[test]
    fn agrees_with_openssl() {
        let secret: Vec<u8> = (0..16).collect();
        let sealed = encrypt(&secret, b"the squid's giant axon");
        assert_eq!(sealed, hex("5b5a40a678b11e84a85eb68e29ba1a496c741cd155a4c9fb6a7ce94a02379fa6"));
    }

    #[test]
    fn reads_back_at_every_length() {
        for length in 0..50 {
            let plain: Vec<u8> = (0..length).collect();
            let sealed = encrypt(&[7; 16], &plain);
            assert_eq!(sealed.len(), (plain.len() / 16 + 1) * 16);
            assert_eq!(*decrypt(&[7; 16], &sealed).unwrap(), plain);
        }
    }

    #[test]
    fn refuses_lengths_that_are_not_blocks() {
        for length in [0, 1, 15, 17, 31] {
            assert!(decrypt(&[7; 16], &[0x55; 48][..length]).is_none(), "{length}");
        }
    }
}
