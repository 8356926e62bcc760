//! Watches and notifications, as operations.

use super::{Pick, ReadOp, WriteOp};
use crate::osd::{OpCode, OsdOp};
use axon_denc::{Decode, DecodeError, Decoder, Encode, EntityAddr, EntityName, put_blob};
use bytes::Bytes;
use std::time::Duration;

/// Who watches an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watcher {
    /// The client.
    pub name: EntityName,
    /// Its watch.
    pub cookie: u64,
    /// How long the OSD waits for signs of life.
    pub timeout: Duration,
    /// Where the client is.
    pub addr: Option<EntityAddr>,
}

/// What a WATCH operation does (`CEPH_OSD_WATCH_OP_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WatchCall {
    /// Ends the watch.
    Unwatch,
    /// Begins it.
    Watch,
    /// Goes on after a reset, if the OSD still knows it.
    Reconnect,
    /// A sign of life; an error if the watch is over.
    Ping,
}

impl WatchCall {
    const fn to_wire(self) -> u8 {
        match self {
            Self::Unwatch => 0,
            Self::Watch => 3,
            Self::Reconnect => 5,
            Self::Ping => 7,
        }
    }
}

/// What a notification led to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct NotifyReply {
    /// The answers: client, its watch, what it said.
    pub(crate) answers: Vec<(u64, u64, Bytes)>,
    /// Those who did not answer in time: client, its watch.
    pub(crate) missed: Vec<(u64, u64)>,
}

const NOTIFY_VERSION: u32 = 1;
const WATCHERS_VERSION: u8 = 1;
const WATCHER_VERSION: u8 = 2;
/// The least a watcher takes: the struct's header, a name, a cookie and a time-out.
const MIN_WATCHER: usize = 6 + 9 + 8 + 4;
/// A client and its watch.
const WATCH_ID: usize = 16;

impl ReadOp {
    /// Asks who watches the object.
    pub fn list_watchers(&mut self) -> Pick<Vec<Watcher>> {
        self.0.ask(OsdOp::with_args(OpCode::LIST_WATCHERS, 0, |_| {}), Bytes::new(), |data| {
            let (_, mut body) = Decoder::new(data).versioned("list of watchers", WATCHERS_VERSION)?;
            body.list(MIN_WATCHER)
        })
    }

    /// Tells the watchers `payload`; the OSD returns the notification's id and says later how it ended.
    pub(crate) fn notify(&mut self, cookie: u64, within: Duration, payload: &[u8]) -> Pick<u64> {
        let mut bytes = NOTIFY_VERSION.to_vec();
        seconds(within).encode(&mut bytes);
        put_blob(&mut bytes, payload);
        let length = super::compound::length_of(&bytes);
        let op = OsdOp::with_args(OpCode::NOTIFY, length, |args| cookie.encode(args));
        self.0.ask(op, bytes.into(), |data| Decoder::new(data).u64())
    }

    /// Answers a notification.
    pub(crate) fn notify_ack(&mut self, notify_id: u64, cookie: u64, answer: &[u8]) -> &mut Self {
        let mut bytes = notify_id.to_vec();
        cookie.encode(&mut bytes);
        put_blob(&mut bytes, answer);
        let length = super::compound::length_of(&bytes);
        self.0.push(OsdOp::with_args(OpCode::NOTIFY_ACK, length, |_| {}), bytes.into());
        self
    }
}

impl WriteOp {
    /// le64 cookie | le64 unused | u8 what | le32 generation | le32 seconds the OSD waits for signs of life.
    pub(crate) fn watch(
        &mut self,
        call: WatchCall,
        cookie: u64,
        generation: u32,
        within: Duration,
    ) -> &mut Self {
        let op = OsdOp::with_args(OpCode::WATCH, 0, |args| {
            cookie.encode(args);
            0u64.encode(args);
            args.push(call.to_wire());
            generation.encode(args);
            seconds(within).encode(args);
        });
        self.0.push(op, Bytes::new());
        self
    }
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs_f64().ceil() as u64).unwrap_or(u32::MAX)
}

/// Ceph: `watch_item_t` in `src/osd/osd_types.h`.
impl Decode for Watcher {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (version, mut body) = input.versioned("watcher", WATCHER_VERSION)?;
        Ok(Self {
            name: EntityName::decode(&mut body)?,
            cookie: body.u64()?,
            timeout: Duration::from_secs(body.u32()?.into()),
            addr: if version >= WATCHER_VERSION { Some(EntityAddr::decode(&mut body)?) } else { None },
        })
    }
}

/// A map of (le64 client, le64 cookie) to blobs, and a set of (le64 client, le64 cookie).
///
/// Ceph: `PrimaryLogPG::complete_notify` and `Objecter::handle_watch_notify`.
impl Decode for NotifyReply {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let n = input.count(WATCH_ID + 4)?;
        let answer = |input: &mut Decoder<'_>| -> Result<_, DecodeError> {
            Ok((input.u64()?, input.u64()?, Bytes::copy_from_slice(input.blob()?)))
        };
        let answers = (0..n).map(|_| answer(input)).collect::<Result<_, _>>()?;
        let n = input.count(WATCH_ID)?;
        let missed = (0..n).map(|_| Ok((input.u64()?, input.u64()?))).collect::<Result<_, DecodeError>>()?;
        Ok(Self { answers, missed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Compound;

    #[test]
    fn arguments_of_a_watch() {
        let mut op = WriteOp::new();
        op.watch(WatchCall::Reconnect, 9, 2, Duration::from_millis(1500));
        let (ops, _) = Compound::from(op).into_parts();
        assert_eq!(ops[0].args[..8], 9u64.to_le_bytes());
        assert_eq!(ops[0].args[16..25], [5, 2, 0, 0, 0, 2, 0, 0, 0]);
    }

    #[test]
    fn replies() {
        let mut bytes = 1u32.to_vec();
        7u64.encode(&mut bytes);
        8u64.encode(&mut bytes);
        put_blob(&mut bytes, b"yes");
        0u32.encode(&mut bytes);
        let reply = NotifyReply::from_bytes(&bytes).unwrap();
        assert_eq!(reply, NotifyReply { answers: vec![(7, 8, Bytes::from("yes"))], missed: Vec::new() });
        assert!((0..bytes.len()).all(|cut| NotifyReply::from_bytes(&bytes[..cut]).is_err()));
    }
}
