//! What a client shows the monitor instead of its key.

use crate::cipher::{KeyUsage, put_sealed};
use crate::{AuthError, CryptoKey, Entropy, KeyType};
use alloc::vec::Vec;
use axon_denc::Encode;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Both challenges under the key, folded into eight bytes (Ceph: `cephx_calc_client_server_challenge`).
///
/// With an aes key the folded bytes are the encrypted envelope *including its length*, cut to whole words; nothing
/// is drawn from `entropy`. With aes256k they are an HMAC-SHA256.
pub(crate) fn proof(
    key: &CryptoKey,
    entropy: &mut dyn Entropy,
    server_challenge: u64,
    client_challenge: u64,
) -> Result<u64, AuthError> {
    let challenges = Challenges { server: server_challenge, client: client_challenge };
    if key.kind() == KeyType::Aes256k {
        return Ok(fold(&hmac_sha256(key.secret(), &challenges.to_vec())));
    }
    let mut sealed = Vec::new();
    // The aes cipher knows no usages; any does.
    put_sealed(&mut sealed, key, KeyUsage::Authorize, entropy, &challenges)?;
    Ok(fold(&sealed))
}

struct Challenges {
    server: u64,
    client: u64,
}

impl Encode for Challenges {
    fn encode(&self, out: &mut Vec<u8>) {
        self.server.encode(out);
        self.client.encode(out);
    }
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Exclusive or of the little-endian words; a remainder shorter than a word does not count.
fn fold(bytes: &[u8]) -> u64 {
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().fold(0, |sum, word| sum ^ u64::from_le_bytes(*word))
}
