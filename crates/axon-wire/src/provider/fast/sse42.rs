//! CRC-32C of short inputs with the instruction that x86-64 processors have for it since SSE 4.2. A library has to find out
//! each time what the processor offers and which of its ways suits the length, which costs more than a preamble's crc.

use super::Fast;
use crate::provider::{Aead, KEY_LEN, Provider};
use alloc::boxed::Box;
use core::arch::x86_64::{_mm_crc32_u8, _mm_crc32_u16, _mm_crc32_u32, _mm_crc32_u64};
use fearless_simd::{Level, Sse4_2, kernel};

/// Longer inputs are faster with several crcs side by side, which is what the library does.
const SHORT: usize = 256;

/// [`Fast`] with the instruction. Who has one knows that the processor has it.
pub(super) struct Sse42(Sse4_2);

impl Sse42 {
    /// `None` if the processor lacks the instruction.
    pub(super) fn detect() -> Option<&'static Self> {
        // The proof is a value without bytes, so nothing is allocated here and nothing leaks.
        const { assert!(size_of::<Self>() == 0) };
        Level::new().as_sse4_2().map(|proof| &*Box::leak(Box::new(Self(proof))))
    }
}

impl Provider for Sse42 {
    fn crc32c(&self, state: u32, data: &[u8]) -> u32 {
        match data.len() {
            0..=SHORT => update(self.0, state, data),
            _ => Fast.crc32c(state, data),
        }
    }

    fn aes128gcm(&self, key: &[u8; KEY_LEN]) -> Box<dyn Aead> {
        Fast.aes128gcm(key)
    }
}

kernel! {
    /// The register after `data`.
    #[inline]
    fn update(proof: Sse4_2, register: u32, data: &[u8]) -> u32 {
        let words = |register: u64, words: &[[u8; 8]]| {
            words.iter().fold(register, |register, word| _mm_crc32_u64(register, u64::from_le_bytes(*word)))
        };
        let (mut wide, mut rest) = (u64::from(register), data);
        // Blocks of known lengths take no loops: 32 bytes, then what is left by halves.
        while let Some((block, more)) = rest.split_first_chunk::<32>() {
            (wide, rest) = (words(wide, block.as_chunks().0), more);
        }
        if let Some((block, more)) = rest.split_first_chunk::<16>() {
            (wide, rest) = (words(wide, block.as_chunks().0), more);
        }
        if let Some((block, more)) = rest.split_first_chunk::<8>() {
            (wide, rest) = (words(wide, block.as_chunks().0), more);
        }
        let mut register = wide as u32; // the upper half is zero
        if let Some((word, more)) = rest.split_first_chunk() {
            (register, rest) = (_mm_crc32_u32(register, u32::from_le_bytes(*word)), more);
        }
        if let Some((word, more)) = rest.split_first_chunk() {
            (register, rest) = (_mm_crc32_u16(register, u16::from_le_bytes(*word)), more);
        }
        match rest {
            [byte] => _mm_crc32_u8(register, *byte),
            _ => register,
        }
    }
}
