//! In what portions bytes arrive.

/// How a pipe cuts the bytes that have arrived into reads.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Chunks {
    /// Everything that is there.
    Whole,
    /// One byte at a time.
    Single,
    /// Between one byte and a few frames, drawn from this seed.
    Random(u64),
}

impl Chunks {
    /// The size of the next read.
    pub(crate) fn next(&mut self) -> usize {
        match self {
            Self::Whole => usize::MAX,
            Self::Single => 1,
            Self::Random(state) => {
                let draw = random(state);
                // Small and large portions are equally likely.
                1 + (random(state) % (1 << (1 + draw % 14))) as usize
            }
        }
    }
}

/// xorshift64.
pub(crate) fn random(state: &mut u64) -> u64 {
    *state |= 1;
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state >> 3
}
