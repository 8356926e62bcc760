//! The logarithm of straw2, in integers, so that every implementation gets the same.
//!
//! `2^44 * log2(u + 1)` of a number of 16 bits is put together of an exponent and two tables: 128 steps of 1/128, and 256
//! finer ones. Both tables are computed here. The finer one deviates from its formula in the original, and every cluster
//! depends on that: it is too large by a constant in most places ([`FINE_SHIFT`]), and arbitrary in others ([`FINE_ODD`]).
//!
//! Ceph: `src/crush/crush_ln_table.h`, and `crush_ln` in `src/crush/mapper.c`.

/// What [`deficit`] returns at most.
#[cfg(test)]
pub(super) const MAX_DEFICIT: u64 = 1 << 48;

/// How far `u`, a number of 16 bits, is from the largest, as a logarithm: `2^48 - 2^44 * log2(u + 1)`, never 0.
#[inline(always)]
pub(super) fn deficit(u: u32) -> u64 {
    (1 << 48) - log(u)
}

#[inline(always)]
fn log(u: u32) -> u64 {
    let x = (u & 0xffff) + 1;
    let shift = if x & 0x18000 == 0 { x.leading_zeros() - 16 } else { 0 };
    let x = x << shift;
    let coarse = (x >> 8) as usize - 128;
    let fine = (u64::from(x) * RECIPROCAL[coarse]) >> 48 & 0xff;
    (u64::from(15 - shift) << 44) + ((COARSE[coarse] + FINE[fine as usize]) >> 4)
}

/// `2^48 / (1 + k / 128)`, rounded up.
static RECIPROCAL: [u64; 129] = {
    let mut table = [0; 129];
    let mut k = 0;
    while k < table.len() {
        table[k] = (1u64 << 55).div_ceil(128 + k as u64);
        k += 1;
    }
    table
};

/// `2^48 * log2(1 + k / 128)`, but for the last.
static COARSE: [u64; 129] = {
    let mut table = [0; 129];
    let mut k = 0;
    while k < 128 {
        table[k] = log2(k as u64, 7);
        k += 1;
    }
    table[128] = 0xffff_0000_0000;
    table
};

/// Roughly `2^48 * log2(1 + k / 2^15)`.
static FINE: [u64; 256] = {
    let mut table = [0; 256];
    let mut k = 0;
    while k < table.len() {
        table[k] = log2(k as u64, 15) + FINE_SHIFT;
        k += 1;
    }
    let mut i = 0;
    while i < FINE_ODD.len() {
        let (k, value) = FINE_ODD[i];
        table[k] = value;
        i += 1;
    }
    table
};

/// How much too large most values of the finer table are.
const FINE_SHIFT: u64 = 0x1_4770_0000;

/// The other values of the finer table. No formula is known for them.
const FINE_ODD: [(usize, u64); 44] = [
    (0, 0x0),
    (1, 0x2_e2a6_0a00),
    (56, 0xa2_b07f_3458),
    (127, 0x16d_f6ca_19bd),
    (134, 0x182_b07f_3458),
    (181, 0x209_c06e_6212),
    (184, 0x212_b07f_3458),
    (188, 0x21d_6a73_a78f),
    (193, 0x22c_2367_9b4e),
    (198, 0x23a_2c3b_0ea4),
    (199, 0x23d_13ee_805b),
    (200, 0x240_35e9_221f),
    (203, 0x247_ed64_6bfe),
    (207, 0x254_9264_4d65),
    (210, 0x25d_13ee_805b),
    (212, 0x262_9645_3882),
    (216, 0x26d_32f7_98a9),
    (222, 0x27e_6580_aecb),
    (225, 0x287_bdbf_5255),
    (227, 0x28d_13ee_805b),
    (228, 0x290_35e9_221f),
    (229, 0x292_9645_3882),
    (231, 0x299_02a3_7aab),
    (233, 0x29d_eabd_1083),
    (235, 0x2a4_c760_5d61),
    (236, 0x2a7_bdbf_5255),
    (237, 0x2a9_6056_dafc),
    (238, 0x2ac_3daf_14ef),
    (239, 0x2af_1b01_9eca),
    (240, 0x2b2_9645_3882),
    (241, 0x2b5_d022_d80f),
    (243, 0x2ba_9012_e713),
    (244, 0x2bd_6d49_01cc),
    (245, 0x2c0_4a79_6cf6),
    (246, 0x2c3_27a4_28a6),
    (247, 0x2c6_1a5e_8f4c),
    (248, 0x2c8_e1e8_91f6),
    (249, 0x2cb_bf02_3fc2),
    (250, 0x2ce_9c16_3e6e),
    (251, 0x2d1_7924_8e13),
    (252, 0x2d4_562d_2ec6),
    (253, 0x2d7_3330_209d),
    (254, 0x2da_102d_63b0),
    (255, 0x2dc_ed24_f814),
];

/// `2^48 * log2(1 + n / 2^bits)`, rounded down: squaring doubles the logarithm, each time it reaches 1 is a bit.
const fn log2(n: u64, bits: u32) -> u64 {
    let mut x = ((1u128 << bits) + n as u128) << (63 - bits);
    let mut log = 0;
    let mut i = 0;
    while i < 48 {
        x = (x * x) >> 63;
        let bit = (x >> 64) as u64;
        log = log << 1 | bit;
        x >>= bit;
        i += 1;
    }
    log
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_the_range() {
        assert_eq!(log(0), 0);
        assert_eq!(log(1), 1 << 44);
        assert_eq!(log(0xffff), 0xffff_f000_0000);
        assert!((0..=0xffff).all(|u| (1..=MAX_DEFICIT).contains(&deficit(u))));
    }

    #[test]
    fn close_to_the_real_logarithm() {
        for u in 0..=0xffffu32 {
            let exact = f64::from(u + 1).log2() * (1u64 << 44) as f64;
            let off = (log(u) as f64 - exact).abs();
            assert!(off < 2f64.powi(30), "{u}: {off}");
        }
    }
}
