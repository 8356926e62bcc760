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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyType;
    use crate::testing::SeededEntropy;
    use alloc::vec;

    const USAGE: KeyUsage = KeyUsage::Authorize;

    fn key(kind: KeyType) -> CryptoKey {
        CryptoKey::new(kind, Default::default(), &vec![9; kind.secret_len()]).unwrap()
    }

    /// u8 1, magic, value.
    #[test]
    fn the_envelope_has_the_reference_layout() {
        for kind in [KeyType::Aes, KeyType::Aes256k] {
            let sealed = seal(&key(kind), USAGE, &mut SeededEntropy(1), &0x0807_0605_0403_0201u64).unwrap();
            let plain = decrypt(&key(kind), USAGE, &sealed).unwrap();
            assert_eq!(*plain, [1, 0x55, 0xaa, 0x26, 0x88, 0xad, 0x9c, 0x00, 0xff, 1, 2, 3, 4, 5, 6, 7, 8]);
        }
    }

    #[test]
    fn another_magic_is_refused() {
        for kind in [KeyType::Aes, KeyType::Aes256k] {
            let reseal = |plain: &[u8]| {
                let sealed = encrypt(&key(kind), USAGE, &mut SeededEntropy(1), plain).unwrap();
                open_value::<u64>(&key(kind), USAGE, &sealed)
            };
            let mut plain = vec![1, 0x55, 0xaa, 0x26, 0x88, 0xad, 0x9c, 0x00, 0xff, 1, 2, 3, 4, 5, 6, 7, 8];
            assert!(reseal(&plain).is_ok());
            for at in 1..HEADER_LEN {
                plain[at] ^= 1;
                assert_eq!(reseal(&plain), Err(AuthError::Undecryptable { what: USAGE }));
                plain[at] ^= 1;
            }
            // The version is not looked at.
            plain[0] = 7;
            assert!(reseal(&plain).is_ok());
            assert!(reseal(&plain[..HEADER_LEN - 1]).is_err());
        }
    }

    #[test]
    fn a_key_of_type_none_protects_nothing() {
        let sealed = seal(&key(KeyType::None), USAGE, &mut SeededEntropy(1), &1u64);
        assert_eq!(sealed, Err(AuthError::KeyWithoutSecret { what: USAGE }));
        let opened = open_value::<u64>(&key(KeyType::None), USAGE, &[0; 32]);
        assert_eq!(opened, Err(AuthError::KeyWithoutSecret { what: USAGE }));
    }
}
