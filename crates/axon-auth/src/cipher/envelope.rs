//! The envelope of encrypted structures: `Encrypt(u8 1, le64 magic, structure)`, with or without a length in
//! front (Ceph: `encode_encrypt` and `encode_encrypt_enc_bl` in `src/auth/cephx/CephxProtocol.h`).

use super::{KeyUsage, decrypt, encrypt};
use crate::{AuthError, CryptoKey, Entropy};
use alloc::vec::Vec;
use axon_denc::{Decode, Decoder, Encode, put_blob};
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const MAGIC: u64 = 0xff00_9cad_8826_aa55;
const HEADER_LEN: usize = 9;

/// Encrypts `value` in its envelope, without a length in front.
pub(crate) fn seal(
    key: &CryptoKey,
    usage: KeyUsage,
    entropy: &mut dyn Entropy,
    value: &(impl Encode + ?Sized),
) -> Result<Vec<u8>, AuthError> {
    let mut plain = Zeroizing::new(Vec::with_capacity(512));
    VERSION.encode(&mut plain);
    MAGIC.encode(&mut plain);
    value.encode(&mut plain);
    encrypt(key, usage, entropy, &plain)
}

/// [`seal`] with the ciphertext's le32 length in front, appended to `out`.
pub(crate) fn put_sealed(
    out: &mut Vec<u8>,
    key: &CryptoKey,
    usage: KeyUsage,
    entropy: &mut dyn Entropy,
    value: &(impl Encode + ?Sized),
) -> Result<(), AuthError> {
    put_blob(out, &seal(key, usage, entropy, value)?);
    Ok(())
}

/// What is inside an envelope without a length in front.
pub(crate) fn open(key: &CryptoKey, usage: KeyUsage, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, AuthError> {
    let mut plain = decrypt(key, usage, sealed)?;
    let magic = plain.get(1..HEADER_LEN);
    if magic != Some(&MAGIC.to_le_bytes()) {
        return Err(AuthError::Undecryptable { what: usage });
    }
    plain.drain(..HEADER_LEN);
    Ok(plain)
}

/// [`open`], decoded.
pub(crate) fn open_value<T: Decode>(key: &CryptoKey, usage: KeyUsage, sealed: &[u8]) -> Result<T, AuthError> {
    let plain = open(key, usage, sealed)?;
    // Garbage behind a magic that fits is the same failure as a magic that does not: no second answer to probe for.
    T::from_bytes(&plain).map_err(|_| AuthError::Undecryptable { what: usage })
}

/// What is inside an envelope that has its length in front, consumed from `input`.
pub(crate) fn take_sealed(
    input: &mut Decoder<'_>,
    key: &CryptoKey,
    usage: KeyUsage,
) -> Result<Zeroizing<Vec<u8>>, AuthError> {
    open(key, usage, input.blob()?)
}

/// [`take_sealed`], decoded.
pub(crate) fn take_sealed_value<T: Decode>(
    input: &mut Decoder<'_>,
    key: &CryptoKey,
    usage: KeyUsage,
) -> Result<T, AuthError> {
    open_value(key, usage, input.blob()?)
}
