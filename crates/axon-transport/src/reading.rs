//! What arriving bytes of a socket are for. The same for each back end that emulates the contract.

use crate::{Completion, SocketId};
use bytes::BytesMut;

/// What arriving bytes are for.
#[derive(Debug, Default)]
pub(crate) enum Reading {
    /// They wait.
    #[default]
    Paused,
    /// They are lent in the reactor's memory.
    Lending,
    /// The next `missing` bytes belong at the end of `destination`.
    Filling { destination: BytesMut, missing: usize },
}

impl Reading {
    /// Lends from now on, unless a destination is being filled: it would lose what it has.
    pub(crate) fn lend(&mut self) {
        if self.is_paused() {
            *self = Self::Lending;
        }
    }

    /// The next `length` bytes go to the end of `destination`.
    pub(crate) fn fill(&mut self, mut destination: BytesMut, length: usize) {
        debug_assert!(!matches!(self, Self::Filling { .. }), "one destination at a time");
        // Nothing happens to one that has the room, as it should.
        destination.reserve(length);
        *self = Self::Filling { destination, missing: length };
    }

    pub(crate) const fn is_paused(&self) -> bool {
        matches!(self, Self::Paused)
    }

    /// Whether a destination is full and nobody was told.
    pub(crate) const fn is_filled(&self) -> bool {
        matches!(self, Self::Filling { missing: 0, .. })
    }

    /// Stops lending; a destination is filled nevertheless.
    pub(crate) fn pause(&mut self) {
        if matches!(self, Self::Lending) {
            *self = Self::Paused;
        }
    }

    /// Reports a destination that is full, and pauses.
    pub(crate) fn finish_filling(&mut self, socket: SocketId, completions: &mut Vec<Completion>) {
        if !self.is_filled() {
            return;
        }
        if let Self::Filling { destination, .. } = std::mem::take(self) {
            let data = destination;
            completions.push(Completion::Filled { socket, data });
        }
    }
}
