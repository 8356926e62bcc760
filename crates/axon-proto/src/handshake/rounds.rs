//! A bound on how often the peer may make us answer.

/// Counts what the peer asks for in one part of the handshake; neither side lets the other go on for ever.
#[derive(Debug, Default)]
pub(super) struct Rounds(u32);

impl Rounds {
    /// No method of Ceph takes more than two rounds; a few refused methods may come before. A session may be refused
    /// once for each of its numbers that is out of date, and then be reset.
    pub(super) const LIMIT: u32 = 10;

    /// Counts one more; `None` when it is one too many.
    pub(super) fn next(&mut self) -> Option<()> {
        self.0 += 1;
        (self.0 <= Self::LIMIT).then_some(())
    }
}
