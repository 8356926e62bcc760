//! A socket that sends the same bytes again and again.

use super::super::DriveError;
use super::intake::checksum;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, recv, sendmsg};
use std::hint::{black_box, spin_loop};
use std::io::{self, IoSlice};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};

/// Bytes read at once: as many as Axon's transport lends.
const BUFFER: usize = 256 * 1024;
/// Messages one gathering write takes at most.
const GATHER: usize = 64;

/// A connected socket.
pub(super) struct Socket {
    stream: TcpStream,
    spin: bool,
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl Socket {
    /// Without Nagle's delay; looks for bytes without sleeping if `spin`.
    pub(super) fn new(stream: TcpStream, spin: bool) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, spin })
    }

    /// Room for one read.
    pub(super) fn buffer() -> Vec<u8> {
        vec![0; BUFFER]
    }

    /// Sends `message` so many times, after its checksum has been computed each time if wanted.
    pub(super) fn send(&self, message: &[u8], mut times: usize, sum: bool) -> Result<(), DriveError> {
        while times > 0 {
            let batch = times.min(GATHER);
            if sum {
                (0..batch).for_each(|_| {
                    black_box(checksum(black_box(message)));
                });
            }
            self.send_all(message, batch)?;
            times -= batch;
        }
        Ok(())
    }

    fn send_all(&self, message: &[u8], batch: usize) -> Result<(), DriveError> {
        let mut owed = batch * message.len();
        while owed > 0 {
            let first = match owed % message.len() {
                0 => message.len(),
                rest => rest,
            };
            let mut slices = Vec::with_capacity(batch);
            slices.push(IoSlice::new(&message[message.len() - first..]));
            slices.resize_with(1 + (owed - first) / message.len(), || IoSlice::new(message));
            owed -= sendmsg(&self.stream, &slices, &mut SendAncillaryBuffer::default(), SendFlags::NOSIGNAL)
                .map_err(io::Error::from)?;
        }
        Ok(())
    }

    /// What has come, once anything has.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> Result<usize, DriveError> {
        let flags = if self.spin { RecvFlags::DONTWAIT } else { RecvFlags::empty() };
        loop {
            match recv(&self.stream, &mut *buffer, flags) {
                Ok((0, _)) => return Err(DriveError::Gone),
                Ok((count, _)) => return Ok(count),
                Err(Errno::AGAIN) => spin_loop(),
                Err(Errno::INTR) => {}
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
    }
}
