//! Both directions of a socket, without the socket.

use axon_wire::{
    Control, Frame, FrameBuf, FrameReader, FrameWriter, Limits, Message, Provider, Received, Revision,
    WireError, default_provider, provider,
};
use bytes::{Bytes, BytesMut};

/// One of the four ways to frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) revision: Revision,
    pub(crate) secure: bool,
}

pub(crate) const FORMATS: [Format; 4] = [
    Format::new(Revision::One, false),
    Format::new(Revision::One, true),
    Format::new(Revision::Zero, false),
    Format::new(Revision::Zero, true),
];

pub(crate) const KEY: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
pub(crate) const NONCE: [u8; 12] = *b"@ABCDEFGHIJK";

impl Format {
    pub(crate) const fn new(revision: Revision, secure: bool) -> Self {
        Self { revision, secure }
    }

    pub(crate) fn writer(self, provider: &'static dyn Provider) -> FrameWriter {
        let mut writer = FrameWriter::new(provider);
        writer.set_revision(self.revision);
        if self.secure {
            writer.secure(&KEY, NONCE);
        }
        writer
    }

    pub(crate) fn reader(self, provider: &'static dyn Provider) -> FrameReader {
        let mut reader = FrameReader::new(provider);
        reader.set_revision(self.revision);
        reader.set_limits(Limits::SESSION);
        if self.secure {
            reader.secure(&KEY, NONCE);
        }
        reader
    }

    /// The first frame of a connection.
    pub(crate) fn bytes(self, frame: &Frame) -> Vec<u8> {
        write(&mut self.writer(default_provider()), frame)
    }

    /// Reads the first frame of a connection.
    pub(crate) fn read(self, bytes: &[u8]) -> Result<Received, WireError> {
        read(&mut self.reader(default_provider()), bytes).map(|(received, _)| received)
    }
}

/// Every provider of this build.
pub(crate) fn providers() -> Vec<&'static dyn Provider> {
    vec![
        &provider::rust::Rust,
        #[cfg(feature = "fast")]
        &provider::fast::Fast,
    ]
}

pub(crate) fn write_to(writer: &mut FrameWriter, frame: &Frame, out: &mut FrameBuf) {
    match frame {
        Frame::Control(control) => writer.control(control, out).unwrap(),
        Frame::Message(message) => writer.message(message, out).unwrap(),
    }
}

pub(crate) fn write(writer: &mut FrameWriter, frame: &Frame) -> Vec<u8> {
    let mut out = FrameBuf::new();
    write_to(writer, frame, &mut out);
    let len = out.len();
    let mut pieces = Vec::new();
    out.drain_into(&mut pieces);
    let bytes = pieces.concat();
    assert_eq!(bytes.len(), len, "what the buffer says it holds");
    bytes
}

/// Why `read` came to no frame.
pub(crate) const TRUNCATED: WireError = WireError::BodyLength { expected: usize::MAX, got: 0 };

/// Reads one frame off the front of `bytes`; returns what is left. [`TRUNCATED`] if bytes are missing.
pub(crate) fn read<'a>(reader: &mut FrameReader, bytes: &'a [u8]) -> Result<(Received, &'a [u8]), WireError> {
    let (block, rest) = bytes.split_at_checked(reader.first_block_len()).ok_or(TRUNCATED)?;
    let head = reader.open_head(&mut block.to_vec())?;
    let (body, rest) = rest.split_at_checked(head.body_len()).ok_or(TRUNCATED)?;
    let received = reader.open_body(head, BytesMut::from(body))?;
    Ok((received, rest))
}

pub(crate) fn message(front: usize, middle: usize, data: usize) -> Frame {
    let mut message = Message::new(42, pattern(front));
    message.header.seq = 7;
    message.header.tid = 0x0102_0304;
    message.header.ack_seq = 6;
    message.middle = pattern(middle);
    message.data = pattern(data);
    Frame::Message(message)
}

pub(crate) fn control(control: impl Into<Control>) -> Frame {
    Frame::Control(control.into())
}

pub(crate) fn pattern(len: usize) -> Bytes {
    (0..len).map(|i| (i * 13 + i / 256 + 1) as u8).collect()
}
