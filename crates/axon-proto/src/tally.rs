//! What crossed a link, counted where it happens.

use core::ops::AddAssign;

/// What crossed a link since somebody last asked. Bytes are those moved from one buffer to another in this crate and
/// [`axon_wire`]: small bodies and framing put together for one send, bodies laid out for encryption, and the parts of a
/// frame that came apart. Bytes only encrypted, checked or referenced where they are do not count.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Frames received in full, those of the handshake included.
    pub frames_in: u64,
    /// Frames written.
    pub frames_out: u64,
    /// Bytes copied for receiving.
    pub copied_in: u64,
    /// Bytes copied for sending.
    pub copied_out: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.frames_in += other.frames_in;
        self.frames_out += other.frames_out;
        self.copied_in += other.copied_in;
        self.copied_out += other.copied_out;
    }
}
