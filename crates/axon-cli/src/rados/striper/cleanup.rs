//! Cutting and removing files.

use super::{File, PIECE, first, note, piece, pieces_of};
use crate::error::CliError;
use crate::rados::window::{Window, was_there};
use axon_rados::IoCtx;
use axon_rados::ops::WriteOp;
use std::ops::Range;

/// Pieces on their way at a time.
const DEPTH: usize = 8;

/// Removes a file: it is empty first, and its first piece, which knows how far the others reach, goes last.
pub(crate) fn remove(io: &IoCtx, name: &[u8]) -> Result<(), CliError> {
    let file = File::open(io, name)?;
    let others = 1..pieces_of(file.extent).end;
    if !others.is_empty() {
        let mut op = WriteOp::new();
        note(empty(op.assert_exists()), 0, file.extent);
        io.operate(first(name), op).wait()?;
        remove_pieces(io, name, others)?;
    }
    Ok(io.remove(first(name)).wait()?)
}

/// Cuts a file, or makes it longer by zeroes: pieces that are there where it grows, of which no note tells, are removed, as
/// they would be taken for its data. Takes as long as removing as many pieces.
pub(crate) fn truncate(io: &IoCtx, name: &[u8], size: u64) -> Result<(), CliError> {
    let file = File::open(io, name)?;
    let kept = file.stat.size.min(size);
    let extent = file.extent.max(size);
    if extent > kept {
        cut(io, name, kept, extent)?;
    }
    let mut op = WriteOp::new();
    note(op.assert_exists(), size, 0);
    Ok(io.operate(first(name), op).wait().map(|_| ())?)
}

/// Removes everything behind the first `size` bytes of a file whose pieces may reach up to `extent`. The note stays.
pub(super) fn cut(io: &IoCtx, name: &[u8], size: u64, extent: u64) -> Result<(), CliError> {
    let mut op = WriteOp::new();
    op.assert_exists();
    match size {
        0 => _ = empty(&mut op),
        1..PIECE => _ = op.truncate(size),
        _ => {}
    }
    note(&mut op, size, extent);
    io.operate(first(name), op).wait()?;
    if size > PIECE && !size.is_multiple_of(PIECE) {
        let mut op = WriteOp::new();
        op.assert_exists().truncate(size % PIECE);
        was_there(io.operate(piece(name, size / PIECE), op).wait().map(|_| ()))?; // a hole is not there
    }
    remove_pieces(io, name, pieces_of(size).end..pieces_of(extent).end)
}

/// Removes pieces, several at a time. One that is not there has been removed already, or was a hole.
pub(super) fn remove_pieces(io: &IoCtx, name: &[u8], numbers: Range<u64>) -> Result<(), CliError> {
    let mut window = Window::of(DEPTH);
    for number in numbers {
        if let Some(op) = window.push(io.remove(piece(name, number))) {
            was_there(op.wait())?;
        }
    }
    window.into_iter().try_for_each(|op| was_there(op.wait()).map(drop))
}

/// Adds: the piece has no data. Not by `truncate`, which erasure-coded pools without overwrites refuse.
fn empty(op: &mut WriteOp) -> &mut WriteOp {
    op.write_full("")
}
