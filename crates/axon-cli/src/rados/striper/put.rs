//! Writing a whole file.

use super::cleanup::remove_pieces;
use super::{File, LAYOUT, first, note, piece, pieces_of};
use crate::error::CliError;
use crate::rados::window::Window;
use axon_rados::IoCtx;
use axon_rados::ops::WriteOp;
use bytes::Bytes;

/// Pieces on their way at a time.
const DEPTH: usize = 8;
/// How many bytes are noted at once as about to be written: a request more for each GiB.
const RESERVE: u64 = 1 << 30;

/// Writes a file, one piece after the other, in place of the one there may be.
pub(crate) struct Writer<'a> {
    io: &'a IoCtx,
    name: &'a [u8],
    /// How far the pieces of what was there before reach.
    before: u64,
    /// How far pieces may reach, as noted.
    extent: u64,
    /// Bytes of the first piece: the file's size until it is finished.
    begun: u64,
    /// Bytes written.
    size: u64,
    window: Window,
}

impl<'a> Writer<'a> {
    /// Begins with the first piece, which takes the place of the one there may be.
    pub(crate) fn begin(io: &'a IoCtx, name: &'a [u8], data: Bytes) -> Result<Self, CliError> {
        let before = File::find(io, name)?.map_or(0, |file| file.extent);
        let begun = data.len() as u64;
        let mut op = WriteOp::new();
        op.write_full(data);
        for (attribute, value) in LAYOUT {
            op.set_xattr(attribute, value.to_string());
        }
        note(&mut op, begun, before);
        io.operate(first(name), op).wait()?;
        Ok(Self { io, name, before, extent: before, begun, size: begun, window: Window::of(DEPTH) })
    }

    /// Writes the next piece. All but the last one are full.
    pub(crate) fn add(&mut self, data: Bytes) -> Result<(), CliError> {
        let number = pieces_of(self.size).end;
        self.size += data.len() as u64;
        if self.size > self.extent {
            self.reserve()?;
        }
        match self.window.push(self.io.write_full(piece(self.name, number), data)) {
            Some(op) => Ok(op.wait()?),
            None => Ok(()),
        }
    }

    /// Removes what the file had before behind its new end, and notes its size.
    pub(crate) fn finish(self) -> Result<(), CliError> {
        self.window.into_iter().try_for_each(|op| op.wait())?;
        remove_pieces(self.io, self.name, pieces_of(self.size).end..pieces_of(self.before).end)?;
        if self.extent <= self.begun && self.size == self.begun {
            return Ok(()); // it is noted
        }
        let mut op = WriteOp::new();
        note(op.assert_exists(), self.size, 0);
        Ok(self.io.operate(first(self.name), op).wait().map(|_| ())?)
    }

    fn reserve(&mut self) -> Result<(), CliError> {
        self.extent = self.size.next_multiple_of(RESERVE);
        let mut op = WriteOp::new();
        note(op.assert_exists(), self.begun, self.extent);
        Ok(self.io.operate(first(self.name), op).wait().map(|_| ())?)
    }
}
