//! Bytes accepted for sending that the kernel has not taken yet.

use super::sys;
use crate::Counters;
use bytes::{Buf, Bytes};
use rustix::fd::AsFd;
use std::collections::VecDeque;
use std::io;

/// Writes done for one socket before others have their turn.
const WRITES_PER_TURN: usize = 16;
/// Places for buffers that an empty backlog keeps; more are given back.
const PLACES_KEPT: usize = 64;

/// A queue of buffers, none of them empty.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    buffers: VecDeque<Bytes>,
    bytes: usize,
}

impl Backlog {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Bytes in the queue.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends `buffers` and leaves it empty.
    pub(crate) fn push(&mut self, buffers: &mut Vec<Bytes>) {
        for buffer in buffers.drain(..).filter(|buffer| !buffer.is_empty()) {
            self.bytes += buffer.len();
            self.buffers.push_back(buffer);
        }
    }

    /// Writes until the kernel takes no more, the queue is empty or the turn is over.
    pub(crate) fn flush(&mut self, fd: impl AsFd, counters: &mut Counters) -> io::Result<()> {
        for _ in 0..WRITES_PER_TURN {
            if self.is_empty() {
                break;
            }
            let offered = self.offer();
            let taken = sys::gather(&fd, self.buffers.iter(), counters)?;
            self.consume(taken);
            if taken < offered {
                break;
            }
        }
        self.shrink();
        Ok(())
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Bytes that one write offers to the kernel.
    fn offer(&self) -> usize {
        if self.buffers.len() <= sys::MAX_GATHER {
            return self.bytes;
        }
        let batch = self.buffers.iter().take(sys::MAX_GATHER);
        batch.map(Bytes::len).sum()
    }

    fn consume(&mut self, mut taken: usize) {
        self.bytes -= taken;
        while let Some(front) = self.buffers.front_mut() {
            if taken < front.len() {
                front.advance(taken);
                break;
            }
            taken -= front.len();
            self.buffers.pop_front();
        }
    }

    fn shrink(&mut self) {
        if self.is_empty() && self.buffers.capacity() > PLACES_KEPT {
            self.buffers = VecDeque::new();
        }
    }
}

/// Writes `buffers` without queueing while the kernel takes whole batches, and removes what was taken.
pub(crate) fn write_now(
    fd: impl AsFd,
    buffers: &mut Vec<Bytes>,
    counters: &mut Counters,
) -> io::Result<()> {
    buffers.retain(|buffer| !buffer.is_empty());
    let mut done = 0;
    let mut result = Ok(());
    while done < buffers.len() {
        let rest = &mut buffers[done..];
        match sys::gather(&fd, rest.iter(), counters) {
            Ok(taken) => {
                let (whole, complete) = advance(rest, taken);
                done += whole;
                if !complete {
                    break;
                }
            }
            Err(error) => {
                result = Err(error);
                break;
            }
        }
    }
    buffers.drain(..done);
    result
}

/// Takes `taken` bytes off the front. Returns how many buffers are gone, and whether the whole batch is.
fn advance(buffers: &mut [Bytes], mut taken: usize) -> (usize, bool) {
    let batch = buffers.len().min(sys::MAX_GATHER);
    for (index, buffer) in buffers[..batch].iter_mut().enumerate() {
        if taken < buffer.len() {
            buffer.advance(taken);
            return (index, false);
        }
        taken -= buffer.len();
    }
    (batch, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advance_cuts_at_every_place() {
        for taken in 0..=10 {
            let mut buffers = vec![
                Bytes::from_static(b"abc"),
                Bytes::from_static(b"defg"),
                Bytes::from_static(b"hij"),
            ];
            let (whole, complete) = advance(&mut buffers, taken);
            let rest: Vec<u8> = buffers[whole..].concat();
            assert_eq!(rest, &b"abcdefghij"[taken..]);
            assert_eq!(complete, taken == 10);
        }
    }

    #[test]
    fn consume_cuts_at_every_place() {
        for taken in 0..=7 {
            let mut backlog = Backlog::default();
            let mut buffers = vec![
                Bytes::from_static(b"abc"),
                Bytes::new(),
                Bytes::from_static(b"defg"),
            ];
            backlog.push(&mut buffers);
            assert!(buffers.is_empty());
            backlog.consume(taken);
            let rest: Vec<u8> = backlog.buffers.iter().flatten().copied().collect();
            assert_eq!(rest, &b"abcdefg"[taken..]);
            assert_eq!(backlog.bytes(), 7 - taken);
        }
    }
}
