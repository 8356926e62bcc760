//! News of watched objects.

use super::TypedMessage;
use axon_denc::{DecodeError, Decoder, Encode, Features, put_blob};
use bytes::Bytes;

/// An OSD tells a watcher of a notification, or a notifier of its end.
///
/// ```text
/// u8 1 | u8 event | le64 cookie | le64 version | le64 notify id | blob payload
/// le32 result (version 2) | le64 notifier (version 3)          data segment: the answers, at the end
/// ```
///
/// Ceph: `src/messages/MWatchNotify.h`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MWatchNotify {
    /// What happened.
    pub event: WatchEventKind,
    /// Names the watch, or the notification, within the client.
    pub cookie: u64,
    /// The object's version.
    pub version: u64,
    /// Names the notification within the cluster.
    pub notify_id: u64,
    /// What the notifier said.
    pub payload: Bytes,
    /// At the end: 0, or a negative errno; ETIMEDOUT if a watcher did not answer.
    pub result: i32,
    /// The client that notified.
    pub notifier: u64,
    /// At the end: what the watchers answered.
    pub answers: Bytes,
}

/// What happened to a watcher or notifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchEventKind {
    /// Somebody notifies: to be acknowledged.
    Notify,
    /// All watchers have answered, or their time is over.
    NotifyComplete,
    /// The watch is over.
    Disconnect,
}

impl WatchEventKind {
    const ALL: [(Self, u8); 3] = [(Self::Notify, 1), (Self::NotifyComplete, 2), (Self::Disconnect, 3)];

    fn to_wire(self) -> u8 {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or(0, |(_, number)| *number)
    }

    fn from_wire(number: u8) -> Result<Self, DecodeError> {
        let known = Self::ALL.iter().find(|(_, n)| *n == number).map(|(kind, _)| *kind);
        known.ok_or(DecodeError::Undefined { what: "watch event", value: number.into() })
    }
}

const INNER_VERSION: u8 = 1;
const VERSION_RESULT: u16 = 2;
const VERSION_NOTIFIER: u16 = 3;

impl TypedMessage for MWatchNotify {
    const KIND: u16 = 44;
    const NAME: &'static str = "watch_notify";
    const HEAD_VERSION: u16 = VERSION_NOTIFIER;
    const COMPAT_VERSION: u16 = 1;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        out.push(INNER_VERSION);
        out.push(self.event.to_wire());
        self.cookie.encode(out);
        self.version.encode(out);
        self.notify_id.encode(out);
        put_blob(out, &self.payload);
        self.result.encode(out);
        self.notifier.encode(out);
    }

    fn read_front(version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let inner = front.u8()?;
        Ok(Self {
            event: WatchEventKind::from_wire(front.u8()?)?,
            cookie: front.u64()?,
            version: front.u64()?,
            notify_id: front.u64()?,
            payload: if inner >= INNER_VERSION {
                Bytes::copy_from_slice(front.blob()?)
            } else {
                Bytes::new()
            },
            result: if version >= VERSION_RESULT { front.i32()? } else { 0 },
            notifier: if version >= VERSION_NOTIFIER { front.u64()? } else { 0 },
            answers: Bytes::new(),
        })
    }

    fn front_size(&self) -> usize {
        64 + self.payload.len()
    }

    fn data(&self) -> Bytes {
        self.answers.clone()
    }

    fn set_data(&mut self, data: Bytes) {
        self.answers = data;
    }
}
