//! Files over many objects, in the layout of libradosstriper: pieces of 4 MiB called `NAME.0000000000000000` and so on,
//! and the size in an attribute of the first one.
//!
//! Ceph: `src/libradosstriper/RadosStriperImpl.cc`.

use crate::error::CliError;
use axon_rados::IoCtx;
use axon_rados::ops::{Stat, WriteOp};

/// Bytes of a piece.
pub(super) const PIECE: u64 = 4 << 20;
const SIZE: &str = "striper.size";
/// The layout: one piece after the other.
const LAYOUT: [(&str, u64); 3] = [
    ("striper.layout.stripe_unit", PIECE),
    ("striper.layout.stripe_count", 1),
    ("striper.layout.object_size", PIECE),
];

/// The piece with this number.
pub(super) fn piece(name: &str, number: u64) -> String {
    format!("{name}.{number:016x}")
}

/// Notes size and layout of a file.
pub(super) fn describe(io: &IoCtx, name: &str, size: u64) -> Result<(), CliError> {
    let mut op = WriteOp::new();
    op.create(false).set_xattr(SIZE, size.to_string());
    for (attribute, value) in LAYOUT {
        op.set_xattr(attribute, value.to_string());
    }
    io.operate(&piece(name, 0), op).wait()?;
    Ok(())
}

/// Size and time of a file.
pub(super) fn stat(io: &IoCtx, name: &str) -> Result<Stat, CliError> {
    let first = piece(name, 0);
    let Stat { mtime, .. } = io.stat(&first).wait()?;
    let unit = io.get_xattr(&first, LAYOUT[0].0).wait()?;
    if unit != PIECE.to_string() {
        return Err(CliError::Usage {
            what: "the file is striped in another layout",
            help: "read it with `rados --striper get`",
        });
    }
    let size = io.get_xattr(&first, SIZE).wait()?;
    let size = std::str::from_utf8(&size).ok().and_then(|text| text.parse().ok());
    Ok(Stat { size: size.ok_or(CliError::NotStriped)?, mtime })
}

/// The pieces of a file.
pub(super) fn pieces(io: &IoCtx, name: &str) -> Result<Vec<String>, CliError> {
    let Stat { size, .. } = stat(io, name)?;
    Ok((0..size.div_ceil(PIECE).max(1)).rev().map(|number| piece(name, number)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(piece("disk", 0), "disk.0000000000000000");
        assert_eq!(piece("disk", 31), "disk.000000000000001f");
    }
}
