//! One socket that moves units of a fixed size.

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, recv, sendmsg};
use std::io::{self, ErrorKind, IoSlice};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};

/// Units one gathering write takes at most.
const GATHER: usize = 64;

/// One socket: bytes still to be sent, and the part of a unit that has come.
pub(super) struct Lane {
    stream: TcpStream,
    /// What is sent, over and over.
    unit: Vec<u8>,
    /// Bytes of units that are still to be sent; the first may be partly sent.
    owed: usize,
    /// Bytes of a unit that comes.
    incoming: usize,
    /// Bytes of the unit that is coming, so far.
    partial: usize,
    /// Whether the peer is done.
    ended: bool,
}

/// How a read went.
pub(super) enum Read {
    /// So many units are complete now.
    Units(usize),
    /// Nothing is there.
    Nothing,
    /// The peer is done.
    Ended,
}

impl Lane {
    /// Sends units of `outgoing` bytes and receives such of `incoming`.
    pub(super) fn new(stream: TcpStream, outgoing: usize, incoming: usize) -> Self {
        Self { stream, unit: vec![0; outgoing], owed: 0, incoming, partial: 0, ended: false }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether bytes wait for room in the socket.
    pub(super) fn is_stuck(&self) -> bool {
        self.owed > 0
    }

    /// Puts `units` more in line and sends what the socket takes.
    pub(super) fn send(&mut self, units: usize) -> io::Result<()> {
        self.owed += units * self.unit.len();
        self.flush()
    }

    /// Sends what the socket takes.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        while self.owed > 0 {
            let slices = self.slices();
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            match sendmsg(&self.stream, &slices, &mut SendAncillaryBuffer::default(), flags) {
                Ok(sent) => self.owed -= sent,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The rest of the unit that is partly sent, and whole ones.
    fn slices(&self) -> Vec<IoSlice<'_>> {
        let first = match self.owed % self.unit.len() {
            0 => self.unit.len(),
            rest => rest,
        };
        let whole = (self.owed - first) / self.unit.len();
        let mut slices = Vec::with_capacity(GATHER.min(1 + whole));
        slices.push(IoSlice::new(&self.unit[self.unit.len() - first..]));
        slices.resize_with(GATHER.min(1 + whole), || IoSlice::new(&self.unit));
        slices
    }

    /// Reads once; `wait` blocks until there is something.
    pub(super) fn read(&mut self, buffer: &mut [u8], wait: bool) -> io::Result<Read> {
        let flags = if wait { RecvFlags::empty() } else { RecvFlags::DONTWAIT };
        match recv(&self.stream, buffer, flags) {
            Ok((_, 0)) => self.end(),
            Ok((_, received)) => {
                self.partial += received;
                let units = self.partial / self.incoming;
                self.partial %= self.incoming;
                Ok(Read::Units(units))
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(Read::Nothing),
            Err(error) => Err(error.into()),
        }
    }

    fn end(&mut self) -> io::Result<Read> {
        self.ended = true;
        match self.partial {
            0 => Ok(Read::Ended),
            _ => Err(ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl AsFd for Lane {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
