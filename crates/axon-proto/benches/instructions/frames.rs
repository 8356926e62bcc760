//! One message to bytes, and bytes to one message.

use crate::Path;
use axon_wire::{
    Frame, FrameBuf, FrameReader, FrameWriter, Limits, Message, Received, Revision, default_provider,
};
use bytes::{Buf, Bytes, BytesMut};
use std::hint::black_box;

const KEY: [u8; 16] = [1; 16];
const NONCE: [u8; 12] = [2; 12];
/// The front of a small request.
const FRONT: usize = 100;

/// A message with `data` bytes of data.
pub(crate) fn message(data: usize) -> Message {
    let mut message = Message::new(42, Bytes::from(vec![1; FRONT]));
    message.data = Bytes::from(vec![2; data]);
    message
}

/// Writes one message and lets it go.
pub(crate) fn write(secure: bool, data: usize) -> Path {
    let message = message(data);
    let mut writer = writer(secure);
    let (mut scratch, mut out) = (FrameBuf::new(), Vec::new());
    Box::new(move || {
        writer.message(black_box(&message), &mut scratch).expect("it fits");
        scratch.drain_into(&mut out);
        black_box(&out);
        out.clear();
    })
}

/// Reads one message and lets it go, as a link does. The copy into the buffer, which the kernel makes otherwise, counts as
/// well.
pub(crate) fn read(secure: bool, data: usize) -> Path {
    // Each frame of a secure direction has another nonce, so that they are written one by one before.
    let frames = crate::WARM_UP + crate::MEASURED;
    let written = written(secure, data, if secure { frames } else { 1 });
    let mut next = 0;
    let mut reader = reader(secure);
    let mut buffer = BytesMut::new();
    Box::new(move || {
        let frame = black_box(&written[next]);
        next = (next + 1) % written.len();
        buffer.reserve(frame.len());
        buffer.extend_from_slice(frame);
        let mut arrived = buffer.split();
        let length = reader.first_block_len();
        let head = reader.open_head(&mut arrived[..length]).expect("our own");
        arrived.advance(length);
        let received = reader.open_body(head, arrived).expect("our own");
        assert!(matches!(&received, Received::Frame(Frame::Message(m)) if m.data.len() == data));
        black_box(received);
    })
}

fn written(secure: bool, data: usize, count: usize) -> Vec<Bytes> {
    let message = message(data);
    let mut writer = writer(secure);
    let one = |_| {
        let (mut scratch, mut out) = (FrameBuf::new(), Vec::new());
        writer.message(&message, &mut scratch).expect("it fits");
        scratch.drain_into(&mut out);
        Bytes::from(out.concat())
    };
    (0..count).map(one).collect()
}

fn writer(secure: bool) -> FrameWriter {
    let mut writer = FrameWriter::new(default_provider());
    writer.set_revision(Revision::One);
    if secure {
        writer.secure(&KEY, NONCE);
    }
    writer
}

fn reader(secure: bool) -> FrameReader {
    let mut reader = FrameReader::new(default_provider());
    reader.set_revision(Revision::One);
    reader.set_limits(Limits::SESSION);
    if secure {
        reader.secure(&KEY, NONCE);
    }
    reader
}
