//! Files over many objects, in the layout of libradosstriper: pieces of 4 MiB called `NAME.0000000000000000` and so on,
//! and the size in an attribute of the first one.
//!
//! Pieces cannot be changed together. So that whatever breaks off leaves nothing wrong behind, every change goes in this order:
//!
//! 1. In one step with the first piece: the file's size becomes that of what is certainly right, and `axon.striper.extent` how
//!    far pieces may reach beyond it, old ones as well as those about to be written.
//! 2. Pieces are written, cut and removed.
//! 3. In one step: the size becomes the new one, and the note goes.
//!
//! Who opens it in between sees its right beginning, and who opens it after 3 all of it. Who opened it before 1 goes on by the
//! size there was then, and may read pieces of both, and zeroes where they are gone. Who comes after a change that broke off
//! finds the note, and removes what lies beyond the size before anything else, as it would show up again when the file grows.
//!
//! There is no lock: of two changes of one file at the same time, each takes the other's notes for its own, and what they
//! leave may lack pieces.
//!
//! Ceph: `src/libradosstriper/RadosStriperImpl.cc`.

mod cleanup;
mod pieces;
mod put;

pub(super) use cleanup::{remove, truncate};
pub(super) use pieces::{PIECE, first, name_of, piece, pieces_of};
pub(super) use put::Writer;

use crate::error::CliError;
use axon_rados::ops::{ReadOp, Stat, WriteOp};
use axon_rados::{IoCtx, Name};
use bytes::Bytes;
use std::collections::BTreeMap;

const SIZE: &str = "striper.size";
/// The layout: one piece after the other.
const LAYOUT: [(&str, u64); 3] = [
    ("striper.layout.stripe_unit", PIECE),
    ("striper.layout.stripe_count", 1),
    ("striper.layout.object_size", PIECE),
];
/// How far pieces may reach while a file is being changed.
const EXTENT: &str = "axon.striper.extent";
/// The lock that libradosstriper takes on the first piece.
const LOCK: &str = "lock.striper.lock";

/// A file, as its first piece describes it.
pub(super) struct File {
    pub(super) stat: Stat,
    /// How far pieces may reach: the size, or more after a change that broke off.
    extent: u64,
}

impl File {
    /// Looks at a file.
    pub(super) fn open(io: &IoCtx, name: &[u8]) -> Result<Self, CliError> {
        let mut look = ReadOp::new();
        let (stat, attributes) = (look.stat(), look.get_xattrs());
        let answer = io.operate_read(first(name), look).wait()?;
        let mtime = answer.get(stat)?.mtime;
        let attributes = answer.get(attributes)?;
        let size = number(&attributes, SIZE).ok_or(CliError::NotStriped)?;
        if LAYOUT.iter().any(|(attribute, value)| number(&attributes, attribute) != Some(*value)) {
            return Err(CliError::OtherLayout);
        }
        let extent = number(&attributes, EXTENT).unwrap_or(0).max(size);
        Ok(Self { stat: Stat { size, mtime }, extent })
    }

    /// The same; `None` if there is no first piece.
    fn find(io: &IoCtx, name: &[u8]) -> Result<Option<Self>, CliError> {
        match Self::open(io, name) {
            Err(CliError::Rados(error)) if error.is_not_found() => Ok(None),
            found => found.map(Some),
        }
    }
}

fn number(attributes: &BTreeMap<Name, Bytes>, name: &str) -> Option<u64> {
    std::str::from_utf8(attributes.get(name.as_bytes())?).ok()?.parse().ok()
}

/// Whether an attribute of the first piece is one of the file, not of its layout.
pub(super) fn is_of_file(attribute: &[u8]) -> bool {
    attribute != SIZE.as_bytes()
        && attribute != EXTENT.as_bytes()
        && attribute != LOCK.as_bytes()
        && LAYOUT.iter().all(|(layout, _)| attribute != layout.as_bytes())
}

/// Adds: the file has `size` bytes, and pieces may reach up to `extent`.
fn note(op: &mut WriteOp, size: u64, extent: u64) {
    op.set_xattr(SIZE, size.to_string());
    match extent > size {
        true => op.set_xattr(EXTENT, extent.to_string()),
        false => op.remove_xattr(EXTENT),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_of_the_layout_are_none_of_the_file() {
        for (attribute, of_file) in
            [("colour", true), (SIZE, false), (EXTENT, false), (LOCK, false), (LAYOUT[2].0, false)]
        {
            assert_eq!(is_of_file(attribute.as_bytes()), of_file, "{attribute}");
        }
    }
}
