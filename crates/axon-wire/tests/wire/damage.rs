//! Bytes that changed on the way.

use crate::link::*;
use axon_wire::{Ack, AuthReplyMore, Frame, Received, Revision, WireError, default_provider};

const REV1_CRC: Format = Format::new(Revision::One, false);
const REV1_SECURE: Format = Format::new(Revision::One, true);
const REV0_CRC: Format = Format::new(Revision::Zero, false);
const REV0_SECURE: Format = Format::new(Revision::Zero, true);

fn shapes() -> Vec<Frame> {
    vec![
        control(Ack { seq: 9 }),
        control(AuthReplyMore { payload: vec![7; 60] }),
        message(0, 0, 0),
        message(5, 0, 0),
        message(5, 0, 3),
        message(20, 17, 33),
    ]
}

/// Bytes of a frame that say nothing: epilogue slots without a segment, reserved bits of the status.
fn says_nothing(format: Format, frame: &Frame, bytes: &[u8], bit: usize) -> bool {
    let segments = usize::from(bytes[1]);
    let slots_from = |first: usize, slots: usize| {
        let slot = bytes.len() - 4 * slots;
        let used = segments.saturating_sub(first);
        bit / 8 >= slot + 4 * used
    };
    let status_reserved =
        |slots: usize, mask: u8| bit / 8 == bytes.len() - 4 * slots - 1 && mask & (1 << (bit % 8)) != 0;
    match (format, frame) {
        (REV1_CRC, Frame::Message(_)) if segments > 1 => slots_from(1, 3) || status_reserved(3, 0xf0),
        (REV0_CRC, _) => slots_from(0, 4) || status_reserved(4, 0xfe),
        _ => false,
    }
}

/// The bit that turns a complete rev0 message into an aborted one; rev0 does not protect it in crc mode.
fn aborts(format: Format, bytes: &[u8], bit: usize) -> bool {
    format == REV0_CRC && bit == (bytes.len() - 17) * 8
}

#[test]
fn every_flipped_bit_is_noticed() {
    for format in FORMATS {
        for frame in shapes() {
            let bytes = format.bytes(&frame);
            for bit in 0..bytes.len() * 8 {
                let mut bad = bytes.clone();
                bad[bit / 8] ^= 1 << (bit % 8);
                let read = format.read(&bad);
                if says_nothing(format, &frame, &bytes, bit) {
                    assert_eq!(read, Ok(Received::Frame(frame.clone())), "bit {bit}");
                } else if aborts(format, &bytes, bit) && matches!(frame, Frame::Message(_)) {
                    assert_eq!(read, Ok(Received::Aborted), "bit {bit}");
                } else {
                    assert!(read.is_err(), "{format:?} {frame:?} bit {bit} of {}", bytes.len() * 8);
                }
            }
        }
    }
}

#[test]
fn every_prefix_is_short_of_something() {
    for format in FORMATS {
        for frame in shapes() {
            let bytes = format.bytes(&frame);
            for cut in 0..bytes.len() {
                assert_eq!(format.read(&bytes[..cut]), Err(TRUNCATED));
            }
            assert_eq!(format.read(&bytes), Ok(Received::Frame(frame)));
        }
    }
}

#[test]
fn each_crc_is_checked_and_named() {
    // Header at 32, its crc at 73; front, middle, data from 77; status, then the crcs.
    let bytes = REV1_CRC.bytes(&message(10, 20, 30));
    let epilogue = 77 + 60;
    for (at, segment) in [
        (32, 0),
        (73, 0),
        (77, 1),
        (epilogue + 1, 1),
        (87, 2),
        (epilogue + 5, 2),
        (107, 3),
        (epilogue + 9, 3),
    ] {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        match REV1_CRC.read(&bad) {
            Err(WireError::SegmentCrc { segment: s, .. }) => assert_eq!(s, segment, "byte {at}"),
            other => panic!("byte {at}: {other:?}"),
        }
    }
    let mut bad = bytes;
    bad[28] ^= 1;
    assert!(matches!(REV1_CRC.read(&bad), Err(WireError::PreambleCrc { .. })));
}

#[test]
fn each_secure_block_is_checked_and_named() {
    // Two blocks of a message; a long control frame has its second block numbered 1.
    let of_message = REV1_SECURE.bytes(&message(10, 20, 30));
    let of_control = REV1_SECURE.bytes(&shapes()[1]);
    for (bytes, at, block) in [
        (&of_message, 0, 0),
        (&of_message, 95, 0),
        (&of_message, 96, 2),
        (&of_message, of_message.len() - 1, 2),
        (&of_control, 96, 1),
        (&of_control, of_control.len() - 1, 1),
    ] {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        assert_eq!(REV1_SECURE.read(&bad), Err(WireError::Unauthentic { block }));
    }
}

#[test]
fn secure_frames_cannot_be_replayed_dropped_or_swapped() {
    for format in [REV1_SECURE, REV0_SECURE] {
        let mut writer = format.writer(default_provider());
        let frames = [message(10, 0, 0), control(Ack { seq: 3 })];
        let [a, b] = frames.each_ref().map(|frame| write(&mut writer, frame));
        for stream in [[&a, &a], [&b, &a], [&a, &b]] {
            let in_order = stream == [&a, &b];
            let mut reader = format.reader(default_provider());
            let results = stream.map(|bytes| read(&mut reader, bytes).is_ok());
            assert_eq!(results == [true, true], in_order, "{format:?}");
        }
    }
}

#[test]
fn another_key_or_nonce_opens_nothing() {
    for format in [REV1_SECURE, REV0_SECURE] {
        let bytes = format.bytes(&message(10, 0, 0));
        let mut other_nonce = NONCE;
        other_nonce[11] ^= 1;
        for (key, nonce) in [([1; 16], NONCE), (KEY, other_nonce)] {
            let mut reader = format.reader(default_provider());
            reader.secure(&key, nonce);
            assert!(read(&mut reader, &bytes).is_err());
        }
    }
}
