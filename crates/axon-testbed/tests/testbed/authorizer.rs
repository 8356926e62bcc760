//! The random numbers inside a recorded authorizer, for whoever holds its ticket's session key.
//!
//! An implementation of its own, so that the one under test is not its own witness.

use aes::cipher::{BlockModeDecrypt, InnerIvInit, KeyInit, KeyIvInit, block_padding::Pkcs7};
use aes::{Aes128, Aes256};
use axon_auth::{CryptoKey, KeyType};
use cts::{CbcCs3, Decrypt};
use hmac::{Hmac, Mac};
use sha2::Sha384;

const MAGIC: u64 = 0xff00_9cad_8826_aa55;
/// `u8 1 | le64 magic | u8 2 | le64 nonce | u8 has challenge | le64 challenge + 1`
const PLAIN: usize = 27;
/// The key usage of an authorizer.
const USAGE: u32 = 0x10;
const CONFOUNDER: usize = 16;
const MAC: usize = 24;

/// What the client drew.
pub(crate) struct Drawn {
    pub(crate) nonce: [u8; 8],
    /// Newer keys put random bytes in front of what they encrypt; empty for the others.
    pub(crate) confounder: Vec<u8>,
}

/// Opens the authorizer at the end of an authentication payload, if it was made with this key.
pub(crate) fn open(payload: &[u8], session_key: &CryptoKey) -> Option<Drawn> {
    let plain = match session_key.kind() {
        KeyType::Aes => aes(payload, session_key.secret())?,
        _ => aes256k(payload, session_key.secret())?,
    };
    let (confounder, plain) = plain.split_at(plain.len().checked_sub(PLAIN)?);
    let magic = plain.get(1..9)?.try_into().ok()?;
    (u64::from_le_bytes(magic) == MAGIC).then_some(())?;
    Some(Drawn { nonce: plain[10..18].try_into().ok()?, confounder: confounder.to_vec() })
}

fn aes(payload: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
    let sealed = payload.last_chunk::<{ PLAIN.next_multiple_of(16) }>()?;
    let decryptor = cbc::Decryptor::<Aes128>::new(secret.try_into().ok()?, b"cephsageyudagreg".into());
    decryptor.decrypt_padded_vec::<Pkcs7>(sealed).ok()
}

fn aes256k(payload: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
    let sealed = payload.last_chunk::<{ CONFOUNDER + PLAIN + MAC }>()?;
    let mut derive = <Hmac<Sha384> as KeyInit>::new_from_slice(secret).ok()?;
    derive
        .update(&[&1u32.to_be_bytes()[..], &USAGE.to_be_bytes(), &[0xaa, 0], &256u32.to_be_bytes()].concat());
    let key = derive.finalize().into_bytes();
    let mut plain = sealed[..CONFOUNDER + PLAIN].to_vec();
    let cipher = Aes256::new(key[..32].try_into().ok()?);
    CbcCs3::inner_iv_init(cipher, &[0; 16].into()).decrypt(&mut plain).ok()?;
    Some(plain)
}
