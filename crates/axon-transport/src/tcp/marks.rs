//! What large bodies set in the kernel: how much must have come before it tells, and how much it holds.
//!
//! | option | from when on | why |
//! |---|---|---|
//! | `SO_RCVLOWAT` | while a destination is being filled | A body of 1 MiB comes in dozens of segments. Without a mark, each finds the reader asleep or its buffer nearly empty, and costs both ends a wake-up or a read. |
//! | `TCP_NOTSENT_LOWAT` | the first write that the kernel did not take whole | What the kernel has taken cannot be overtaken any more: an urgent message waits for it. |
//! | `SO_RCVBUF` | the first destination, if the peer is on this machine | There is no distance to cover. Left alone, the kernel makes room for tens of MiB, and an urgent message waits behind all of them. |
//!
//! Sockets that never see a large body pay nothing for this. Failing to set any of them costs speed only.

use crate::{Counters, inet};
use rustix::fd::OwnedFd;
use rustix::net::sockopt;

/// What sockets begin with: epoll tells of any byte.
const ANY: usize = 1;
/// The mark while more than that is missing.
const PART: usize = 256 * 1024;
/// A smaller rest comes at once or not at all: not worth a call.
const REST: usize = 64 * 1024;
/// Room for what arrives from this machine. The kernel counts its own overhead too, and doubles what it is told.
const NEAR: usize = 1024 * 1024;

/// What was set in the kernel for one socket.
#[derive(Debug)]
pub(crate) struct Marks {
    come: usize,
    bounds_unsent: bool,
    bounds_room: bool,
}

impl Marks {
    /// Nothing was set.
    pub(crate) const fn new() -> Self {
        Self { come: ANY, bounds_unsent: false, bounds_room: false }
    }

    /// Whether less than what may have come is not worth a look.
    pub(crate) const fn waits_for_more(&self) -> bool {
        self.come > ANY
    }

    /// So many bytes of a destination have not come.
    pub(crate) fn missing(&mut self, fd: &OwnedFd, bytes: usize, counters: &mut Counters) {
        let mark = if bytes < REST { ANY } else { bytes.min(PART) };
        if mark == self.come {
            return;
        }
        self.come = mark;
        counters.controls += 1;
        let _ = inet::set_option(fd, libc::SOL_SOCKET, libc::SO_RCVLOWAT, mark as i32);
    }

    /// Large bodies come.
    pub(crate) fn bound_room(&mut self, fd: &OwnedFd) {
        if std::mem::replace(&mut self.bounds_room, true) || !inet::is_near(fd) {
            return;
        }
        let _ = sockopt::set_socket_recv_buffer_size(fd, NEAR);
        // The system allows less than that (net.core.rmem_max): what the kernel finds by itself is better.
        if sockopt::socket_recv_buffer_size(fd).is_ok_and(|room| room < NEAR) {
            let _ = inet::set_option(fd, libc::SOL_SOCKET, libc::SO_BUF_LOCK, 0);
        }
    }

    /// The kernel did not take all it was given.
    pub(crate) fn bound_unsent(&mut self, fd: &OwnedFd) {
        if !std::mem::replace(&mut self.bounds_unsent, true) {
            inet::bound_unsent(fd);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    fn pair() -> (TcpStream, OwnedFd) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (far, listener.accept().unwrap().0.into())
    }

    fn is_readable(fd: &OwnedFd) -> bool {
        let mut fds = [rustix::event::PollFd::new(fd, rustix::event::PollFlags::IN)];
        let soon = rustix::event::Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
        rustix::event::poll(&mut fds, Some(&soon)).unwrap() == 1
    }

    #[test]
    fn the_kernel_tells_of_a_part_and_then_of_any_byte() {
        let ((mut far, near), mut counters) = (pair(), Counters::default());
        let mut marks = Marks::new();
        marks.missing(&near, 1 << 20, &mut counters);
        assert!(marks.waits_for_more());
        far.write_all(&[0; 1000]).unwrap();
        assert!(!is_readable(&near), "too few bytes to tell of");
        marks.missing(&near, (1 << 20) - 1000, &mut counters);
        assert_eq!(counters.controls, 1, "the mark is the same");
        marks.missing(&near, 0, &mut counters);
        assert!(is_readable(&near), "the bytes that came before");
        assert_eq!(counters.controls, 2);
    }

    #[test]
    fn the_end_of_the_stream_is_told_in_spite_of_a_mark() {
        let (far, near) = pair();
        Marks::new().missing(&near, 1 << 20, &mut Counters::default());
        drop(far);
        eventually(|| is_readable(&near));
    }

    #[test]
    fn room_is_bounded_for_near_peers_only() {
        let (_far, near) = pair();
        assert!(inet::is_near(&near));
        let mut marks = Marks::new();
        marks.bound_room(&near);
        let room = sockopt::socket_recv_buffer_size(&near).unwrap();
        assert!(room <= 2 * NEAR, "{room}");
        let (unix, _) = std::os::unix::net::UnixStream::pair().unwrap();
        assert!(!inet::is_near(&unix));
    }

    fn eventually(mut met: impl FnMut() -> bool) {
        let begin = std::time::Instant::now();
        while !met() {
            assert!(begin.elapsed().as_secs() < 30);
        }
    }
}
