use super::*;
use crate::testing::{SeededEntropy, TestClock, hex};
use alloc::string::ToString;
use alloc::{format, vec};

/// Printed by `ceph-authtool --gen-print-key` (Ceph 16).
const PRINTED: &str = "AQAAXANr5RfEKxAAy+HeCrGX1IqCYIUk3G0gHQ==";

#[test]
fn reads_and_writes_the_text_of_keyrings() {
    let key: CryptoKey = PRINTED.parse().unwrap();
    assert_eq!(key.kind(), KeyType::Aes);
    assert_eq!(key.secret(), hex("cbe1de0ab197d48a82608524dc6d201d"));
    assert_eq!(key.created().subsec_nanos(), 0x2bc4_17e5);
    assert_eq!(*key.to_keyring_text(), PRINTED);
    assert_eq!(format!(" {PRINTED}\n").parse(), Ok(key));
}

#[test]
fn generated_keys_read_back() {
    let clock = TestClock::at(1_700_000_000);
    for (kind, start, length) in [(KeyType::Aes, "AQ", 28), (KeyType::Aes256k, "Ag", 44)] {
        let key = CryptoKey::generate(kind, &|| clock.now(), &mut SeededEntropy(3));
        let text = key.to_keyring_text();
        assert!(text.starts_with(start), "{kind}");
        assert_eq!(key.to_vec().len(), length);
        let back: CryptoKey = text.parse().unwrap();
        assert_eq!(back, key);
        assert_eq!(back.created(), clock.now());
        for cut in 0..length {
            assert!(CryptoKey::from_bytes(&key.to_vec()[..cut]).is_err());
        }
    }
}

#[test]
fn keys_of_other_shapes_are_refused() {
    assert_eq!("!".parse::<CryptoKey>(), Err(BadKey::NotBase64));
    let wire = CryptoKey::new(KeyType::Aes, Duration::ZERO, &[1; 16]).unwrap().to_vec();
    let text = |wire: &[u8]| STANDARD.encode(wire);
    let longer = [&wire[..], &[0]].concat();
    assert_eq!(text(&longer).parse::<CryptoKey>(), Err(BadKey::TrailingBytes(1)));
    let mut other_type = wire.clone();
    other_type[0] = 9;
    let mut other_length = wire.clone();
    other_length[10] = 15;
    for wrong in [other_type, other_length] {
        let error = text(&wrong).parse::<CryptoKey>().unwrap_err();
        assert!(matches!(error, BadKey::Encoding(_)), "{error}");
    }
    assert!(CryptoKey::new(KeyType::Aes256k, Duration::ZERO, &[1; 16]).is_err());
}

#[test]
fn equality_is_of_type_and_secret() {
    let key =
        |kind: KeyType, fill| CryptoKey::new(kind, Duration::ZERO, &vec![fill; kind.secret_len()]).unwrap();
    assert_eq!(key(KeyType::Aes, 1), key(KeyType::Aes, 1));
    assert_ne!(key(KeyType::Aes, 1), key(KeyType::Aes, 2));
    assert_ne!(key(KeyType::Aes, 1), key(KeyType::Aes256k, 1));
}

#[test]
fn errors_do_not_repeat_the_text() {
    let error = "c2VjcmV0".parse::<CryptoKey>().unwrap_err();
    assert!(!error.to_string().contains("c2Vj"));
    assert!(!format!("{error:?}").contains("secret"));
}
