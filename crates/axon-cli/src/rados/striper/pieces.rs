//! What the pieces of a file are called.

use std::ops::Range;

/// Bytes of a piece.
pub(crate) const PIECE: u64 = 4 << 20;
/// What the first piece's name has behind that of the file.
const FIRST: &[u8] = b".0000000000000000";

/// The piece with this number.
pub(crate) fn piece(name: &[u8], number: u64) -> Vec<u8> {
    [name, format!(".{number:016x}").as_bytes()].concat()
}

/// The first piece, which describes the file.
pub(crate) fn first(name: &[u8]) -> Vec<u8> {
    [name, FIRST].concat()
}

/// The name of the file whose first piece is called so.
pub(crate) fn name_of(first: &[u8]) -> Option<&[u8]> {
    first.strip_suffix(FIRST)
}

/// The numbers of the pieces of a file with this many bytes; the first one is always there.
pub(crate) fn pieces_of(size: u64) -> Range<u64> {
    0..size.div_ceil(PIECE).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(piece(b"disk", 0), first(b"disk"));
        assert_eq!(piece(b"disk", 31), b"disk.000000000000001f");
        assert_eq!(name_of(b"disk.0000000000000000"), Some(&b"disk"[..]));
        assert_eq!(name_of(b"disk.0000000000000001"), None);
    }

    #[test]
    fn numbers() {
        for (size, pieces) in [(0, 0..1), (1, 0..1), (PIECE, 0..1), (PIECE + 1, 0..2)] {
            assert_eq!(pieces_of(size), pieces, "{size}");
        }
    }
}
