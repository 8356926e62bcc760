use super::rust::Rust;
use super::*;
use alloc::vec;
use alloc::vec::Vec;

/// The definition, bit by bit.
fn bitwise(mut register: u32, data: &[u8]) -> u32 {
    for byte in data {
        register ^= u32::from(*byte);
        for _ in 0..8 {
            register = (register >> 1) ^ (0x82f6_3b78 * (register & 1));
        }
    }
    register
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 + i / 251) as u8).collect()
}

fn providers() -> Vec<&'static dyn Provider> {
    vec![
        &Rust,
        #[cfg(feature = "fast")]
        &fast::Fast,
        #[cfg(feature = "fast")]
        fast::detect(),
    ]
}

#[test]
fn crc_known_values() {
    for provider in providers() {
        assert_eq!(!provider.crc32c(!0, b"123456789"), 0xe306_9283);
        assert_eq!(provider.crc32c(0, b"foo bar baz"), 4_119_623_852);
        assert_eq!(provider.crc32c(1234, b"foo bar baz"), 881_700_046);
        assert_eq!(provider.crc32c(!0, b""), 0xffff_ffff);
    }
}

#[test]
fn crc_equals_its_definition_at_every_length_and_chains() {
    let data = pattern(700);
    for provider in providers() {
        for len in 0..data.len() {
            let data = &data[..len];
            for seed in [0, 0xffff_ffff, 0x1234_5678] {
                let whole = bitwise(seed, data);
                assert_eq!(provider.crc32c(seed, data), whole, "{len} bytes from {seed:#x}");
                let (a, b) = data.split_at(len / 3);
                assert_eq!(provider.crc32c(provider.crc32c(seed, a), b), whole);
            }
        }
    }
}

#[test]
fn crc_of_large_buffers_and_odd_starts() {
    let data = pattern(100_003);
    for provider in providers() {
        for start in 0..17 {
            let data = &data[start..];
            assert_eq!(provider.crc32c(!0, data), bitwise(!0, data));
        }
    }
}

/// NIST's test case 3 without associated data.
#[test]
fn gcm_known_values() {
    let key = hex::<16>("feffe9928665731c6d6a8f9467308308");
    let nonce = hex::<12>("cafebabefacedbaddecaf888");
    let plain = hex::<64>(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
         1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
    );
    let cipher = hex::<64>(
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e\
         21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985",
    );
    let tag = hex::<16>("4d5c2af327cd64a62cf35abd2ba6fab4");
    for provider in providers() {
        let gcm = provider.aes128gcm(&key);
        let mut data = plain;
        assert_eq!(gcm.seal(&nonce, &mut data), tag);
        assert_eq!(data, cipher);
        assert_eq!(gcm.open(&nonce, &mut data, &tag), Ok(()));
        assert_eq!(data, plain);
    }
}

#[test]
fn gcm_opens_what_the_other_sealed_and_nothing_else() {
    let key = [7; 16];
    let nonce = [9; 12];
    for len in [0, 1, 15, 16, 17, 80, 255, 4096, 70_001] {
        let plain = pattern(len);
        for sealer in providers() {
            let mut sealed = plain.clone();
            let tag = sealer.aes128gcm(&key).seal(&nonce, &mut sealed);
            for opener in providers() {
                let opener = opener.aes128gcm(&key);
                let mut data = sealed.clone();
                assert_eq!(opener.open(&nonce, &mut data, &tag), Ok(()));
                assert_eq!(data, plain);
                let mut bad = tag;
                bad[len % 16] ^= 0x80;
                assert_eq!(opener.open(&nonce, &mut sealed.clone(), &bad), Err(Unauthentic));
                assert_eq!(opener.open(&[8; 12], &mut sealed.clone(), &tag), Err(Unauthentic));
            }
        }
    }
}

fn hex<const N: usize>(text: &str) -> [u8; N] {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    core::array::from_fn(|i| digits[2 * i] << 4 | digits[2 * i + 1])
}
