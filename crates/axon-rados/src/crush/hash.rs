//! The hash of CRUSH: Robert Jenkins' mixing of 32-bit words.
//!
//! The same code hashes one word or eight at a time: buckets hash all their items, and the compiler turns the operations
//! on [`Lanes`] into vector instructions.
//!
//! Ceph: `src/crush/hash.c`; the function: <http://burtleburtle.net/bob/hash/evahash.html>.

use std::hint::black_box;

/// Eight words that are hashed together.
pub(super) type Lanes = [u32; LANES];

/// How many words are hashed together.
pub(super) const LANES: usize = 8;

const SEED: u32 = 1_315_423_911;
/// What fills up the last rounds.
const X: u32 = 231_232;
const Y: u32 = 1_232;

/// The hash of two words.
pub(crate) fn hash2(a: u32, b: u32) -> u32 {
    let (mut a, mut b, mut x, mut y) = (a, b, X, Y);
    let mut hash = SEED ^ a ^ b;
    mix(&mut a, &mut b, &mut hash);
    mix(&mut x, &mut a, &mut hash);
    mix(&mut b, &mut y, &mut hash);
    hash
}

/// The hashes, of 16 bits, of up to eight items; those beyond the last mean nothing.
#[inline]
pub(super) fn hash_items(x: u32, ids: &[i32], r: u32) -> Lanes {
    let mut items = [0; LANES];
    match ids.first_chunk::<LANES>() {
        Some(ids) => items = ids.map(i32::cast_unsigned),
        None => items.iter_mut().zip(ids).for_each(|(item, id)| *item = id.cast_unsigned()),
    }
    hash3_lanes(x, &items, &Lanes::splat(r)).map(|hash| hash & 0xffff)
}

/// The hash of three words, or of eight triples.
#[inline(always)]
pub(super) fn hash3<W: Word>(a: W, b: W, c: W) -> W {
    let (mut a, mut b, mut c) = (a, b, c);
    let (mut x, mut y, mut kept) = (W::splat(X), W::splat(Y), W::splat(0));
    let mut hash = W::splat(SEED).xor(a).xor(b).xor(c);
    mix_words(&mut a, &mut b, &mut hash, &mut kept);
    mix_words(&mut c, &mut x, &mut hash, &mut kept);
    mix_words(&mut y, &mut a, &mut hash, &mut kept);
    mix_words(&mut b, &mut x, &mut hash, &mut kept);
    mix_words(&mut y, &mut c, &mut hash, &mut kept);
    W::keep(kept);
    hash
}

/// The hashes of several triples with the same first word. Not inlined: it is large, and stays in vector instructions only on
/// its own.
#[inline(never)]
pub(super) fn hash3_lanes<const N: usize>(a: u32, b: &[u32; N], c: &[u32; N]) -> [u32; N] {
    hash3([a; N], *b, *c)
}

/// The hash of four words, or of several quadruples.
#[inline(always)]
pub(super) fn hash4<W: Word>(a: W, b: W, c: W, d: W) -> W {
    let (mut a, mut b, mut c, mut d) = (a, b, c, d);
    let (mut x, mut y, mut kept) = (W::splat(X), W::splat(Y), W::splat(0));
    let mut hash = W::splat(SEED).xor(a).xor(b).xor(c).xor(d);
    mix_words(&mut a, &mut b, &mut hash, &mut kept);
    mix_words(&mut c, &mut d, &mut hash, &mut kept);
    mix_words(&mut a, &mut x, &mut hash, &mut kept);
    mix_words(&mut y, &mut b, &mut hash, &mut kept);
    mix_words(&mut c, &mut x, &mut hash, &mut kept);
    mix_words(&mut y, &mut d, &mut hash, &mut kept);
    W::keep(kept);
    hash
}

/// The hashes of several quadruples with the same first and last word. Not inlined, as [`hash3_lanes`].
#[inline(never)]
pub(super) fn hash4_lanes<const N: usize>(a: u32, b: &[u32; N], c: &[u32; N], d: u32) -> [u32; N] {
    hash4([a; N], *b, *c, [d; N])
}

/// One round: `c` takes up `a` and `b`, all three change.
#[inline(always)]
pub(crate) fn mix(a: &mut u32, b: &mut u32, c: &mut u32) {
    mix_words(a, b, c, &mut 0);
}

#[inline(always)]
fn mix_words<W: Word>(a: &mut W, b: &mut W, c: &mut W, kept: &mut W) {
    *a = a.less(*b, *c, kept).xor(c.shr(13));
    *b = b.less(*c, *a, kept).xor(a.shl(8));
    *c = c.less(*a, *b, kept).xor(b.shr(13));
    *a = a.less(*b, *c, kept).xor(c.shr(12));
    *b = b.less(*c, *a, kept).xor(a.shl(16));
    *c = c.less(*a, *b, kept).xor(b.shr(5));
    *a = a.less(*b, *c, kept).xor(c.shr(3));
    *b = b.less(*c, *a, kept).xor(a.shl(10));
    *c = c.less(*a, *b, kept).xor(b.shr(15));
}

/// What the hash needs of a word, or of several side by side.
pub(crate) trait Word: Copy {
    /// The same word everywhere.
    fn splat(word: u32) -> Self;
    /// `self - b - c`, wrapping, `c` being the one that was computed last. What is `kept` of all first differences is of use
    /// to nobody: were it not for that, the compiler would make `self - (b + c)` of vectors, which takes two steps after `c`
    /// instead of one, and a sixth of the time of a hash.
    fn less(self, b: Self, c: Self, kept: &mut Self) -> Self;
    /// Has `kept` computed.
    fn keep(kept: Self);
    /// Exclusive or.
    fn xor(self, other: Self) -> Self;
    /// Shift to the left.
    fn shl(self, bits: u32) -> Self;
    /// Shift to the right.
    fn shr(self, bits: u32) -> Self;
}

impl Word for u32 {
    #[inline(always)]
    fn splat(word: u32) -> Self {
        word
    }
    #[inline(always)]
    fn less(self, b: Self, c: Self, _kept: &mut Self) -> Self {
        self.wrapping_sub(b).wrapping_sub(c)
    }
    #[inline(always)]
    fn keep(_kept: Self) {}
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self ^ other
    }
    #[inline(always)]
    fn shl(self, bits: u32) -> Self {
        self << bits
    }
    #[inline(always)]
    fn shr(self, bits: u32) -> Self {
        self >> bits
    }
}

impl<const N: usize> Word for [u32; N] {
    #[inline(always)]
    fn splat(word: u32) -> Self {
        [word; N]
    }
    #[inline(always)]
    fn less(self, b: Self, c: Self, kept: &mut Self) -> Self {
        let first: Self = std::array::from_fn(|i| self[i].wrapping_sub(b[i]));
        *kept = kept.xor(first);
        std::array::from_fn(|i| first[i].wrapping_sub(c[i]))
    }
    #[inline(always)]
    fn keep(kept: Self) {
        black_box(&kept);
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] ^ other[i])
    }
    #[inline(always)]
    fn shl(self, bits: u32) -> Self {
        std::array::from_fn(|i| self[i] << bits)
    }
    #[inline(always)]
    fn shr(self, bits: u32) -> Self {
        std::array::from_fn(|i| self[i] >> bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_hash_like_single_words() {
        let items: Lanes = std::array::from_fn(|i| (i as u32).wrapping_mul(0x9e37_79b9));
        let together = hash3_lanes(7, &items, &Lanes::splat(3));
        for (item, hash) in items.into_iter().zip(together) {
            assert_eq!(hash3(7, item, 3), hash);
        }
        for (item, hash) in items.into_iter().zip(hash4_lanes(7, &items, &[3; LANES], 9)) {
            assert_eq!(hash4(7, item, 3, 9), hash);
        }
    }
}
