//! Writing buffers to a socket: as many at once as the kernel takes.

use super::sys;
use crate::Counters;
use crate::backlog::Backlog;
use bytes::{Buf, Bytes};
use rustix::fd::AsFd;
use std::io;
use std::iter;

/// Writes done for one socket before others have their turn.
const WRITES_PER_TURN: usize = 16;

/// Writes `backlog` until the kernel takes no more, it is empty or the turn is over.
pub(crate) fn flush(fd: impl AsFd, backlog: &mut Backlog, counters: &mut Counters) -> io::Result<()> {
    for _ in 0..WRITES_PER_TURN {
        if backlog.is_empty() {
            break;
        }
        let offered = backlog.bytes_of_first(sys::MAX_GATHER);
        let taken = sys::gather(&fd, backlog.buffers(), counters)?;
        backlog.consume(taken);
        if taken < offered {
            break;
        }
    }
    Ok(())
}

/// Writes `buffers` without queueing while the kernel takes whole batches, and removes what was taken.
pub(crate) fn write_now(fd: impl AsFd, buffers: &mut Vec<Bytes>, counters: &mut Counters) -> io::Result<()> {
    if let [only] = &mut buffers[..] {
        // A small message: one buffer, which goes as a whole.
        let taken = if only.is_empty() { 0 } else { sys::gather(fd, iter::once(&*only), counters)? };
        if taken == only.len() {
            buffers.clear();
        } else {
            only.advance(taken);
        }
        return Ok(());
    }
    buffers.retain(|buffer| !buffer.is_empty());
    let mut gone = 0;
    let result = write_batches(fd, buffers, &mut gone, counters);
    buffers.drain(..gone);
    result
}

fn write_batches(
    fd: impl AsFd,
    buffers: &mut [Bytes],
    gone: &mut usize,
    counters: &mut Counters,
) -> io::Result<()> {
    while *gone < buffers.len() {
        let rest = &mut buffers[*gone..];
        let batch = rest.len().min(sys::MAX_GATHER);
        let taken = sys::gather(&fd, rest.iter(), counters)?;
        let whole = advance(&mut rest[..batch], taken);
        *gone += whole;
        if whole < batch {
            break;
        }
    }
    Ok(())
}

/// Takes `taken` bytes off the front. Returns how many buffers are gone.
fn advance(buffers: &mut [Bytes], mut taken: usize) -> usize {
    for (index, buffer) in buffers.iter_mut().enumerate() {
        if taken < buffer.len() {
            buffer.advance(taken);
            return index;
        }
        taken -= buffer.len();
    }
    buffers.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advance_cuts_at_every_place() {
        for taken in 0..=10 {
            let mut buffers =
                vec![Bytes::from_static(b"abc"), Bytes::from_static(b"defg"), Bytes::from_static(b"hij")];
            let whole = advance(&mut buffers, taken);
            let rest: Vec<u8> = buffers[whole..].concat();
            assert_eq!(rest, &b"abcdefghij"[taken..]);
            assert_eq!(whole == 3, taken == 10);
        }
    }
}
