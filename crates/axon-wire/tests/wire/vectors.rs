//! Frames byte for byte.

use crate::link::*;
use axon_wire::{Ack, AuthReplyMore, Frame, Message, MessageHeader, Received, Wait};
use bytes::Bytes;

const VECTORS: &str = include_str!("vectors.txt");

/// The frames of the vectors, in order.
fn frames() -> [Frame; 6] {
    let header = MessageHeader {
        seq: 1,
        tid: 2,
        kind: 42,
        priority: 127,
        version: 3,
        data_off: 0x123,
        ack_seq: 4,
        flags: 3,
        compat_version: 1,
    };
    let bare = Message { header, ..Message::default() };
    let mut front = bare.clone();
    front.front = Bytes::from_static(b"front");
    let mut both = front.clone();
    both.data = Bytes::from_static(b"data!");
    [
        Frame::Message(both),
        Frame::Message(front),
        Frame::Message(bare),
        control(Ack { seq: 9 }),
        control(AuthReplyMore { payload: (0..60).collect() }),
        control(Wait),
    ]
}

/// The vectors of each format, in the order of [`FORMATS`].
fn vectors() -> Vec<Vec<Vec<u8>>> {
    let sections = VECTORS.split("\n= ").skip(1);
    assert_eq!(sections.clone().count(), FORMATS.len());
    sections.map(|s| s.lines().skip(1).filter_map(frame).collect()).collect()
}

fn frame(line: &str) -> Option<Vec<u8>> {
    let (_name, hex) = line.split_once(' ')?;
    let byte = |i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap();
    Some((0..hex.len()).step_by(2).map(byte).collect())
}

#[test]
fn written_as_others_write() {
    for (format, vectors) in FORMATS.into_iter().zip(vectors()) {
        for provider in providers() {
            let mut writer = format.writer(provider);
            assert_eq!(vectors.len(), frames().len());
            for (frame, expected) in frames().iter().zip(&vectors) {
                assert_eq!(&write(&mut writer, frame), expected, "{format:?} {frame:?}");
            }
        }
    }
}

#[test]
fn what_others_write_is_read() {
    for (format, vectors) in FORMATS.into_iter().zip(vectors()) {
        for provider in providers() {
            let mut reader = format.reader(provider);
            let stream = vectors.concat();
            let mut rest = &stream[..];
            for frame in frames() {
                let (received, after) = read(&mut reader, rest).unwrap();
                assert_eq!(received, Received::Frame(frame), "{format:?}");
                rest = after;
            }
            assert!(rest.is_empty());
        }
    }
}
