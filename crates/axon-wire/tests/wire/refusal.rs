//! Frames that are intact, and not to be accepted all the same.

use crate::link::*;
use axon_wire::{
    Ack, AuthReplyMore, Blame, Limits, Preamble, Received, Revision, Tag, WireError, default_provider,
};

const REV1_CRC: Format = Format::new(Revision::One, false);
const REV0_CRC: Format = Format::new(Revision::Zero, false);

/// A preamble without sense, but with the right crc.
fn preamble(edit: impl FnOnce(&mut [u8])) -> [u8; 32] {
    let mut bytes = Preamble::new(Tag::Message, [41, 5, 6, 7]).emit(default_provider());
    edit(&mut bytes[..28]);
    let crc = default_provider().crc32c(0, &bytes[..28]);
    bytes[28..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn refuse(limits: Limits, edit: impl FnOnce(&mut [u8])) -> WireError {
    let mut reader = REV1_CRC.reader(default_provider());
    reader.set_limits(limits);
    let error = reader.open_head(&mut preamble(edit)).unwrap_err();
    assert_eq!(error.blame(), Blame::PeerMisbehaved);
    error
}

#[test]
fn preambles() {
    let tag = Tag::Message;
    let refuse = |edit: fn(&mut [u8])| refuse(Limits::SESSION, edit);
    for value in [0, 23, 255] {
        let mut reader = REV1_CRC.reader(default_provider());
        let got = reader.open_head(&mut preamble(|b| b[0] = value)).unwrap_err();
        assert_eq!(got, WireError::UnknownTag { value });
    }
    for (count, got) in [(0, refuse(|b| b[1] = 0)), (5, refuse(|b| b[1] = 5))] {
        assert_eq!(got, WireError::SegmentCount { tag, count });
    }
    let ack_of_two = refuse(|b| {
        b[0] = Tag::Ack as u8;
        b[1] = 2;
    });
    let (tag_ack, count) = (Tag::Ack, 2);
    assert_eq!(ack_of_two, WireError::SegmentCount { tag: tag_ack, count });
    let last_empty = refuse(|b| b[20..24].fill(0));
    assert_eq!(last_empty, WireError::EmptyLastSegment { tag });
    assert_eq!(refuse(|b| b[26] = 1), WireError::Compressed { tag });
    assert_eq!(refuse(|b| b[2] = 40), WireError::HeaderLength { length: 40 });
    assert_eq!(refuse(|b| b[2] = 42), WireError::HeaderLength { length: 42 });
}

#[test]
fn reserved_parts_of_a_preamble_are_ignored() {
    let mut reader = REV1_CRC.reader(default_provider());
    let mut edited = preamble(|b| {
        b[1] = 2;
        b[14..26].fill(0xff); // entries beyond the last segment
        b[26] = 0xfe;
        b[27] = 0xff;
    });
    let head = reader.open_head(&mut edited).unwrap();
    assert_eq!(head.preamble().lengths, [41, 5, 0, 0]);
    assert_eq!(head.body_len(), 41 + 4 + 5 + 13);
}

#[test]
fn lengths_beyond_the_limits() {
    let at_most = Limits { control: 41, front: 5, middle: 6, data: 7, messages: true };
    let mut reader = REV1_CRC.reader(default_provider());
    reader.set_limits(at_most);
    assert!(reader.open_head(&mut preamble(|_| ())).is_ok());
    for segment in 1..4u8 {
        let at = 2 + 6 * usize::from(segment);
        let error = refuse(at_most, |b| b[at] += 1);
        let limit = [41, 5, 6, 7][usize::from(segment)];
        let expected = WireError::SegmentTooLong { tag: Tag::Message, segment, length: limit + 1, limit };
        assert_eq!(error, expected);
    }
    let huge = refuse(Limits::SESSION, |b| b[20..24].fill(0xff));
    assert!(matches!(huge, WireError::SegmentTooLong { length: u32::MAX, .. }));
}

#[test]
fn strangers_send_no_messages_and_little_else() {
    assert_eq!(refuse(Limits::HANDSHAKE, |_| ()), WireError::EarlyMessage);
    let long = AuthReplyMore { payload: vec![0; (64 << 10) - 4] };
    for (extra, fine) in [(0, true), (1, false)] {
        let mut long = long.clone();
        long.payload.resize(long.payload.len() + extra, 0);
        let bytes = REV1_CRC.bytes(&control(long));
        let mut reader = REV1_CRC.reader(default_provider());
        reader.set_limits(Limits::HANDSHAKE);
        assert_eq!(read(&mut reader, &bytes).is_ok(), fine);
    }
}

#[test]
fn lists_have_a_limit() {
    for (entries, fine) in [(64, true), (65, false)] {
        let mut payload = vec![2, 0, 0, 0];
        payload.extend_from_slice(&(entries as u32).to_le_bytes());
        payload.resize(payload.len() + 4 * entries + 4, 0);
        let decoded = axon_wire::Control::decode(Tag::AuthRequest, &payload);
        assert_eq!(decoded.is_ok(), fine, "{entries}");
    }
}

#[test]
fn late_status() {
    for (format, back, complete, aborted) in
        [(REV1_CRC, 13, &[0x0e, 0xfe][..], &[0x01, 0xa1][..]), (REV0_CRC, 17, &[0x00, 0xfe], &[0x01, 0xff])]
    {
        let frame = message(5, 0, 6);
        let bytes = format.bytes(&frame);
        for value in 0..=255 {
            let mut changed = bytes.clone();
            let at = changed.len() - back;
            changed[at] = value;
            let read = format.read(&changed);
            if complete.contains(&value) {
                assert_eq!(read, Ok(Received::Frame(frame.clone())));
            } else if aborted.contains(&value) {
                assert_eq!(read, Ok(Received::Aborted));
            } else if format == REV1_CRC && ![0x0e, 0x01].contains(&(value & 0x0f)) {
                let tag = Tag::Message;
                assert_eq!(read, Err(WireError::LateStatus { tag, value }));
            }
        }
    }
}

#[test]
fn an_aborted_message_must_be_intact_and_is_followed_by_others() {
    let mut writer = REV1_CRC.writer(default_provider());
    let mut aborted = write(&mut writer, &message(5, 0, 6));
    let status = aborted.len() - 13;
    aborted[status] = 0x01;
    let next = message(1, 0, 0);
    let stream = [aborted.clone(), write(&mut writer, &next)].concat();
    let mut reader = REV1_CRC.reader(default_provider());
    let (first, rest) = read(&mut reader, &stream).unwrap();
    assert_eq!(first, Received::Aborted);
    assert_eq!(read(&mut reader, rest).unwrap().0, Received::Frame(next));

    aborted[80] ^= 1;
    let read = REV1_CRC.read(&aborted);
    assert!(matches!(read, Err(WireError::SegmentCrc { .. })), "{read:?}");
}

#[test]
fn control_frames_cannot_be_aborted() {
    let mut bytes = REV0_CRC.bytes(&control(Ack { seq: 1 }));
    let status = bytes.len() - 17;
    bytes[status] = 1;
    let tag = Tag::Ack;
    assert_eq!(REV0_CRC.read(&bytes), Err(WireError::AbortedControl { tag }));
}
