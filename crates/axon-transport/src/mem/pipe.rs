//! One direction of a link: bytes on their way, in order, in bounded number.

use super::MemOptions;
use crate::backlog::Backlog;
use crate::dice::Dice;
use bytes::{Buf, Bytes, BytesMut};
use std::collections::VecDeque;
use std::time::Duration;

/// Bytes on their way.
#[derive(Debug)]
pub(crate) struct Pipe {
    segments: VecDeque<Segment>,
    bytes: usize,
    /// When what was written last arrives; nothing overtakes.
    latest: Duration,
    /// The writer is gone, nothing follows.
    ended: bool,
    /// Nothing arrives, not even the end.
    pub(crate) stalled: bool,
    /// The writer waits for room.
    pub(crate) starved: bool,
    dice: Dice,
}

#[derive(Debug)]
struct Segment {
    due: Duration,
    bytes: Bytes,
}

/// What a look into the pipe brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing; word will come.
    Nothing,
    /// Nothing before this time.
    Later(Duration),
    /// Nothing will ever come.
    End,
}

impl Pipe {
    pub(crate) const fn new(dice: Dice) -> Self {
        Self {
            segments: VecDeque::new(),
            bytes: 0,
            latest: Duration::ZERO,
            ended: false,
            stalled: false,
            starved: false,
            dice,
        }
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes from `backlog` what there is room for. Returns the bytes taken.
    pub(crate) fn write(&mut self, backlog: &mut Backlog, now: Duration, options: &MemOptions) -> usize {
        let before = self.bytes;
        while self.bytes < options.capacity && !backlog.is_empty() {
            let room = options.capacity - self.bytes;
            let piece = self.dice.size(&options.piece).min(room);
            let due = self.arrival(now, options);
            if let Some(bytes) = backlog.pop(piece) {
                self.bytes += bytes.len();
                self.segments.push_back(Segment { due, bytes });
            }
        }
        self.starved = !backlog.is_empty();
        self.bytes - before
    }

    /// Nothing will be written any more.
    pub(crate) fn end(&mut self, now: Duration, options: &MemOptions) {
        self.arrival(now, options);
        self.ended = true;
    }

    /// Moves at most `limit` bytes that have arrived to the end of `buffer`.
    pub(crate) fn read(
        &mut self,
        buffer: &mut BytesMut,
        limit: usize,
        now: Duration,
        options: &MemOptions,
    ) -> Arrival {
        let mut moved = 0;
        while moved < limit && !self.stalled {
            let Some(first) = self.segments.front_mut().filter(|first| first.due <= now) else {
                break;
            };
            let part = first.bytes.len().min(limit - moved);
            buffer.extend_from_slice(&first.bytes[..part]);
            first.bytes.advance(part);
            moved += part;
            if first.bytes.is_empty() {
                self.segments.pop_front();
            }
            if options.is_ragged() {
                break;
            }
        }
        self.bytes -= moved;
        match moved {
            0 => self.wait(now),
            bytes => Arrival::Bytes(bytes),
        }
    }

    /// Loses all bytes on their way.
    pub(crate) fn clear(&mut self) {
        self.segments.clear();
        self.bytes = 0;
    }

    fn wait(&self, now: Duration) -> Arrival {
        let due = match self.segments.front() {
            Some(first) => Some(first.due),
            None => self.ended.then_some(self.latest),
        };
        match due {
            _ if self.stalled => Arrival::Nothing,
            Some(due) if due > now => Arrival::Later(due),
            Some(_) => Arrival::End,
            None => Arrival::Nothing,
        }
    }

    fn arrival(&mut self, now: Duration, options: &MemOptions) -> Duration {
        let (least, most) = (nanos(*options.latency.start()), nanos(*options.latency.end()));
        let due = now + Duration::from_nanos(self.dice.within(&(least..=most)));
        self.latest = self.latest.max(due);
        self.latest
    }
}

pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
