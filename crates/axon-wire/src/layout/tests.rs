use super::*;
use crate::Tag;

const FORMATS: [Format; 4] = [Format::Rev0Crc, Format::Rev0Secure, Format::Rev1Crc, Format::Rev1Secure];

/// Bytes on the wire of frames with these segments, in the order of `FORMATS`. The sums spell out the parts.
const SIZES: [([u32; 4], [usize; 4]); 6] = [
    ([0, 0, 0, 0], [32 + 17, 32 + 32, 32, 96]),
    ([48, 0, 0, 0], [32 + 48 + 17, 32 + 48 + 32, 32 + 48 + 4, 96]),
    ([49, 0, 0, 0], [32 + 49 + 17, 32 + 64 + 32, 32 + 49 + 4, 96 + 32]),
    (
        [0, 101, 202, 303],
        [
            32 + 101 + 202 + 303 + 17,
            32 + 112 + 208 + 304 + 32,
            32 + 101 + 202 + 303 + 13,
            96 + 112 + 208 + 304 + 32,
        ],
    ),
    (
        [41, 250, 0, 512],
        [32 + 41 + 250 + 512 + 17, 32 + 48 + 256 + 512 + 32, 32 + 45 + 250 + 512 + 13, 96 + 256 + 512 + 32],
    ),
    ([100, 16, 0, 0], [32 + 116 + 17, 32 + 112 + 16 + 32, 32 + 104 + 16 + 13, 96 + 64 + 16 + 16 + 32]),
];

#[test]
fn sizes_on_the_wire() {
    for (lengths, sizes) in SIZES {
        let preamble = Preamble::new(Tag::Message, lengths);
        for (format, size) in FORMATS.into_iter().zip(sizes) {
            let total = format.first_block_len() + format.body_len(&preamble).unwrap();
            assert_eq!(total, size, "{format:?} {lengths:?}");
        }
    }
}

/// The writer does not use `body_len`, so the two check each other.
#[test]
fn the_writer_writes_these_sizes() {
    use crate::{FrameBuf, FrameWriter, default_provider};
    for (lengths, sizes) in SIZES {
        for (format, size) in FORMATS.into_iter().zip(sizes) {
            let mut writer = FrameWriter::new(default_provider());
            writer.set_revision(match format {
                Format::Rev0Crc | Format::Rev0Secure => Revision::Zero,
                Format::Rev1Crc | Format::Rev1Secure => Revision::One,
            });
            if matches!(format, Format::Rev0Secure | Format::Rev1Secure) {
                writer.secure(&[1; 16], [2; 12]);
            }
            let mut out = FrameBuf::new();
            writer.raw(lengths, &mut out);
            assert_eq!(out.len(), size, "{format:?} {lengths:?}");
        }
    }
}

#[test]
fn frames_beyond_any_buffer() {
    let preamble = Preamble::new(Tag::Message, [u32::MAX; 4]);
    for format in FORMATS {
        let fits = format.body_len(&preamble).is_some();
        assert_eq!(fits, usize::BITS > 32);
    }
}

#[test]
fn padding_completes_to_16() {
    for length in 0..100 {
        assert_eq!(length + padding(length), pad16(length as u64) as usize);
        assert!(padding(length) < 16);
    }
}
