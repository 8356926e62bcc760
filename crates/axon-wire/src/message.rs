//! The MESSAGE frame: what applications exchange.

mod codec;

use bytes::Bytes;

/// Ceph's message header of msgr2, 41 bytes in segment 0 of a MESSAGE frame (`ceph_msg_header2`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MessageHeader {
    /// Position in the session, from 1; the session sets it when the message is written.
    pub seq: u64,
    /// Transaction id, chosen by the sender; replies repeat it.
    pub tid: u64,
    /// Message type.
    pub kind: u16,
    /// Priority: 64 low, 127 default, 196 high, 255 highest; what is above counts as 255 where it is handled.
    ///
    /// Messages of one connection stay in order within a priority only: those of higher ones leave first and are handled
    /// first. Priorities from 64 up are strict, so that a steady stream of such messages starves all below it; below 64 they
    /// are weights by which the messages of all connections share what is left. Ceph: src/common/PrioritizedQueue.h.
    pub priority: u16,
    /// Version of the payload's encoding.
    pub version: u16,
    /// Low bits of the data's offset in its file, so that a receiver may align its pages alike.
    pub data_off: u16,
    /// The sender's last received `seq`; the session sets it.
    pub ack_seq: u64,
    /// Flags; userspace senders write 3, receivers ignore them.
    pub flags: u8,
    /// Oldest decoder version that may read the payload.
    pub compat_version: u16,
}

/// A message: header, front (the typed payload), middle (rarely used) and data (bulk bytes).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// The header.
    pub header: MessageHeader,
    /// The typed payload.
    pub front: Bytes,
    /// Extra payload of a few message types.
    pub middle: Bytes,
    /// Bulk data.
    pub data: Bytes,
}

impl Message {
    /// A message of type `kind` with the given front, default priority, version 1.
    pub fn new(kind: u16, front: impl Into<Bytes>) -> Self {
        let header = MessageHeader {
            kind,
            priority: Self::PRIORITY_DEFAULT,
            version: 1,
            compat_version: 1,
            flags: 3,
            ..MessageHeader::default()
        };
        Self { header, front: front.into(), ..Self::default() }
    }

    /// Priority of background work.
    pub const PRIORITY_LOW: u16 = 64;
    /// Priority when nothing else is said.
    pub const PRIORITY_DEFAULT: u16 = 127;
    /// Priority above the default.
    pub const PRIORITY_HIGH: u16 = 196;
    /// The highest priority.
    pub const PRIORITY_HIGHEST: u16 = 255;

    /// Bytes of front, middle and data together.
    pub fn body_len(&self) -> usize {
        self.front.len() + self.middle.len() + self.data.len()
    }
}
