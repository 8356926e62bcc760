//! How hard a placement tries.

/// How hard a placement tries, and which improvements it uses.
///
/// Ceph: `struct crush_map` in `src/crush/crush.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tunables {
    /// Retries in the same bucket after a collision.
    pub choose_local_tries: u32,
    /// Retries in the same bucket by its permutation, after those.
    pub choose_local_fallback_tries: u32,
    /// Retries from the top.
    pub choose_total_tries: u32,
    /// Whether `chooseleaf` tries one device per bucket and then another bucket.
    pub chooseleaf_descend_once: bool,
    /// How much of the outer attempt goes into the choice of a device: 0 nothing, 1 all, more means less.
    pub chooseleaf_vary_r: u8,
    /// Whether the choice of a device does not depend on its position.
    pub chooseleaf_stable: bool,
    /// How straw lengths are computed; matters to those who change maps.
    pub straw_calc_version: u8,
    /// Which algorithms new buckets may have, a bit each.
    pub allowed_bucket_algs: u32,
    /// Attempts of a `choosemsr` rule from the top.
    pub msr_descents: u32,
    /// Attempts of a `choosemsr` step after collisions.
    pub msr_collision_tries: u32,
}

impl Tunables {
    /// Those of maps that do not say (`argonaut`).
    pub const LEGACY: Self = Self {
        choose_local_tries: 2,
        choose_local_fallback_tries: 5,
        choose_total_tries: 19,
        chooseleaf_descend_once: false,
        chooseleaf_vary_r: 0,
        chooseleaf_stable: false,
        straw_calc_version: 0,
        allowed_bucket_algs: 0b10110,
        msr_descents: 100,
        msr_collision_tries: 100,
    };
}

impl Default for Tunables {
    fn default() -> Self {
        Self::LEGACY
    }
}
