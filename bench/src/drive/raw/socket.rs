//! A socket that sends the same bytes again and again.
#![expect(unsafe_code, reason = "no library offers SO_RCVLOWAT")]

use super::super::DriveError;
use super::intake::{Intake, checksum};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, recv, sendmsg};
use std::cell::Cell;
use std::ffi::c_int;
use std::hint::{black_box, spin_loop};
use std::io::{self, IoSlice};
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// Bytes that are waited for together while more than that is missing of a message: the kernel wakes a reader for each
/// segment, if it is not told otherwise.
const PART: usize = 256 * 1024;
/// A smaller rest comes at once, and is not worth a call.
const REST: usize = 64 * 1024;
/// Messages one gathering write takes at most.
const GATHER: usize = 64;
/// And bytes, if it takes several: while the kernel works on a long write, it does not look at what the peer has read.
const GATHERED: usize = 256 * 1024;

/// A connected socket.
pub(super) struct Socket {
    stream: TcpStream,
    spin: bool,
    /// Bytes that have to be there before the kernel wakes the reader.
    mark: Cell<usize>,
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
        Ok(Self { stream, spin, mark: Cell::new(1) })
    }

    /// Sends `message` so many times, after its checksum has been computed each time if wanted.
    pub(super) fn send(&self, message: &[u8], mut times: usize, sum: bool) -> Result<(), DriveError> {
        let most = (GATHERED / message.len()).clamp(1, GATHER);
        while times > 0 {
            let batch = times.min(most);
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

    /// Waits until something has come, and says how many messages that completes.
    pub(super) fn receive(&self, intake: &mut Intake) -> Result<usize, DriveError> {
        self.wait_for(intake.missing())?;
        let count = self.read(intake.room())?;
        Ok(intake.took(count))
    }

    fn read(&self, room: &mut [u8]) -> Result<usize, DriveError> {
        let flags = if self.spin { RecvFlags::DONTWAIT } else { RecvFlags::empty() };
        loop {
            match recv(&self.stream, &mut *room, flags) {
                Ok((0, _)) => return Err(DriveError::Gone),
                Ok((count, _)) => return Ok(count),
                Err(Errno::AGAIN) => spin_loop(),
                Err(Errno::INTR) => {}
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
    }

    /// So many bytes of a message have not come. Who spins is not woken.
    fn wait_for(&self, missing: usize) -> io::Result<()> {
        let mark = if missing < REST { 1 } else { missing.min(PART) };
        if self.spin || self.mark.replace(mark) == mark {
            return Ok(());
        }
        let value = mark as c_int;
        // SAFETY: the descriptor is open as long as `self`, and `value` is an int that outlives the call, as
        // SO_RCVLOWAT wants (socket(7)).
        let result = unsafe {
            libc::setsockopt(
                self.stream.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_RCVLOWAT,
                (&raw const value).cast(),
                size_of::<c_int>() as libc::socklen_t,
            )
        };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}
