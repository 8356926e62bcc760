//! aes256k: the encryption of RFC 8009's aes256-cts-hmac-sha384-192.
//!
//! ```text
//! AES-256-CBC-CTS(Ke, zero IV, confounder 16 | plain) | HMAC-SHA384(Ki, zero IV 16 | ciphertext)[..24]
//! ```
//! Ke and Ki are derived from the secret and the usage number, so each kind of content has keys of its own.

use aes::Aes256;
use aes::cipher::{InnerIvInit, KeyInit};
use alloc::vec::Vec;
use cts::{CbcCs3, Decrypt, Encrypt};
use hmac::{Hmac, Mac};
use sha2::Sha384;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Random bytes in front of the plaintext.
pub(super) const CONFOUNDER_LEN: usize = 16;
const MAC_LEN: usize = 24;
const IV: [u8; 16] = [0; 16];

/// The keys of one usage.
pub(super) struct UsageKeys {
    encryption: Zeroizing<[u8; 32]>,
    integrity: Zeroizing<[u8; MAC_LEN]>,
}

impl UsageKeys {
    /// Derives both keys from a 32-byte secret.
    pub(super) fn derive(secret: &[u8], usage: u32) -> Self {
        Self { encryption: derive(secret, usage, 0xaa), integrity: derive(secret, usage, 0x55) }
    }

    /// 40 bytes longer than `plain`, which must not be empty: with a lone block there is nothing to steal from, and
    /// every envelope has nine bytes more.
    pub(super) fn encrypt(&self, confounder: &[u8; CONFOUNDER_LEN], plain: &[u8]) -> Vec<u8> {
        debug_assert!(!plain.is_empty());
        let mut out = Vec::with_capacity(CONFOUNDER_LEN + plain.len() + MAC_LEN);
        out.extend_from_slice(confounder);
        out.extend_from_slice(plain);
        // The only error is less than one block, and the confounder is one.
        self.cts().encrypt(&mut out).expect("at least one block");
        let mac = self.mac(&out);
        out.extend_from_slice(&mac);
        out
    }

    /// `None` if it is too short or was not made with these keys.
    pub(super) fn decrypt(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (body, mac) = sealed.split_at_checked(sealed.len().checked_sub(MAC_LEN)?)?;
        if body.len() <= CONFOUNDER_LEN || !bool::from(self.mac(body).ct_eq(mac)) {
            return None;
        }
        let mut plain = Zeroizing::new(body.to_vec());
        self.cts().decrypt(&mut plain).ok()?;
        plain.drain(..CONFOUNDER_LEN);
        Some(plain)
    }

    fn cts(&self) -> CbcCs3<Aes256> {
        CbcCs3::inner_iv_init(Aes256::new((&*self.encryption).into()), &IV.into())
    }

    fn mac(&self, body: &[u8]) -> [u8; MAC_LEN] {
        let mut mac = hmac(&*self.integrity);
        mac.update(&IV);
        mac.update(body);
        head(&mac.finalize().into_bytes())
    }
}

/// KDF-HMAC-SHA2 of RFC 8009, section 3: one block of SP800-108 in counter mode is enough for 32 bytes.
fn derive<const N: usize>(secret: &[u8], usage: u32, kind: u8) -> Zeroizing<[u8; N]> {
    let bits = (N * 8) as u32;
    let mut mac = hmac(secret);
    mac.update(&1u32.to_be_bytes());
    mac.update(&usage.to_be_bytes());
    mac.update(&[kind, 0]);
    mac.update(&bits.to_be_bytes());
    Zeroizing::new(head(&mac.finalize().into_bytes()))
}

fn hmac(key: &[u8]) -> Hmac<Sha384> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn head<const N: usize>(bytes: &[u8]) -> [u8; N] {
    *bytes.first_chunk().expect("SHA-384 makes 48 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    const BASE_KEY: &str = "6d404d37faf79f9df0d33568d320669800eb4836472ea8a026d16b7182460c52";

    /// RFC 8009, appendix A: key derivation for usage 2.
    #[test]
    fn derives_the_keys_of_rfc_8009() {
        let base = hex(BASE_KEY);
        let checksum: Zeroizing<[u8; 24]> = derive(&base, 2, 0x99);
        assert_eq!(checksum[..], hex("ef5718be86cc84963d8bbb5031e9f5c4ba41f28faf69e73d"));
        let keys = UsageKeys::derive(&base, 2);
        assert_eq!(
            keys.encryption[..],
            hex("56ab22bee63d82d7bc5227f6773f8ea7a5eb1c825160c38312980c442e5c7e49")
        );
        assert_eq!(keys.integrity[..], hex("69b16514e3cd8e56b82010d5c73012b622c4d00ffc23ed1f"));
    }

    /// RFC 8009, appendix A: sample encryptions (confounder, plaintext length, AES output, HMAC output), without the
    /// one of an empty plaintext, which no envelope is.
    #[test]
    fn encrypts_as_rfc_8009() {
        let samples = [
            (
                "b80d3251c1f6471494256ffe712d0b9a",
                6,
                "4ed7b37c2bcac8f74f23c1cf07e62bc7b75fb3f637b9",
                "f559c7f664f69eab7b6092237526ea0d1f61cb20d69d10f2",
            ),
            (
                "53bf8a0d105265d4e276428624ce5e63",
                16,
                "bc47ffec7998eb91e8115cf8d19dac4bbbe2e163e87dd37f49beca92027764f6",
                "8cf51f14d798c2273f35df574d1f932e40c4ff255b36a266",
            ),
            (
                "763e65367e864f02f55153c7e3b58af1",
                21,
                "40013e2df58e8751957d2878bcd2d6fe101ccfd556cb1eae79db3c3ee86429f2b2a602ac86",
                "fef6ecb647d6295fae077a1feb517508d2c16b4192e01f62",
            ),
        ];
        let keys = UsageKeys::derive(&hex(BASE_KEY), 2);
        for (confounder, length, output, mac) in samples {
            let plain: Vec<u8> = (0..length).collect();
            let confounder = *hex(confounder).first_chunk().unwrap();
            let sealed = keys.encrypt(&confounder, &plain);
            assert_eq!(sealed, [hex(output), hex(mac)].concat(), "{length} bytes");
            assert_eq!(*keys.decrypt(&sealed).unwrap(), plain);
        }
    }

    #[test]
    fn one_changed_bit_is_noticed() {
        let keys = UsageKeys::derive(&[9; 32], 3);
        let sealed = keys.encrypt(&[1; 16], b"the squid's giant axon");
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(keys.decrypt(&changed).is_none(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(keys.decrypt(&sealed[..length]).is_none(), "{length} bytes");
        }
    }

    #[test]
    fn another_usage_has_other_keys() {
        let sealed = UsageKeys::derive(&[9; 32], 3).encrypt(&[1; 16], b"x");
        assert!(UsageKeys::derive(&[9; 32], 4).decrypt(&sealed).is_none());
    }
}
