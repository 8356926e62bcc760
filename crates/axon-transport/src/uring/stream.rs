//! What a socket was asked to do and what it has to report: everything about it that has nothing to do with a ring, and goes
//! along when it changes its reactor.

use super::operation::Work;
use super::ring::{Arrival, Brought};
use crate::backlog::Backlog;
use crate::inet;
use crate::reading::Reading;
use crate::{Completion, Counters, SocketId};
use rustix::event::PollFlags;
use rustix::fd::AsFd;
use rustix::io::Errno;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;

/// `Break` ends the socket, with the error if it is not an orderly end.
pub(crate) type Turn = ControlFlow<Option<io::Error>>;

/// How far the connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// The peer has not answered.
    Connecting,
    /// It has; nobody has looked at the answer.
    Answered,
    /// Bytes may move.
    Open,
}

/// The end of what arrives.
#[derive(Debug)]
enum End {
    /// The peer sends no more.
    Orderly,
    Failed(io::Error),
}

/// A socket's task and news.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) link: Link,
    pub(crate) reading: Reading,
    /// Bytes that arrived when nobody wanted them, in front of all that is still to come.
    kept: VecDeque<bytes::BytesMut>,
    end: Option<End>,
    /// The kernel told of an error or a hang-up. While reading, the next receive says more.
    broken: bool,
    /// Bytes that are not on their way into the kernel.
    pub(crate) backlog: Backlog,
    /// Whether bytes waited at the return of a send: then it is told when they are gone.
    pub(crate) owes_drained: bool,
    /// They are gone, and nobody was told.
    drained: bool,
    /// Whether the kernel had no room for the last bytes.
    pub(crate) is_full: bool,
    /// From the first time on that it had none, the kernel takes little more than it sends.
    bounds_unsent: bool,
    /// Why it cannot send any more. It ends as soon as what has arrived is reported.
    pub(crate) failure: Option<io::Error>,
}

impl Stream {
    pub(crate) fn new(link: Link) -> Self {
        Self {
            link,
            reading: Reading::Paused,
            kept: VecDeque::new(),
            end: None,
            broken: false,
            backlog: Backlog::default(),
            owes_drained: false,
            drained: false,
            is_full: false,
            bounds_unsent: false,
            failure: None,
        }
    }

    /// Whether bytes wait that arrived when nobody wanted them.
    pub(crate) fn keeps_bytes(&self) -> bool {
        !self.kept.is_empty()
    }

    /// Whether nothing more will arrive.
    pub(crate) const fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Whether [`report`](Self::report) has something to say.
    pub(crate) fn has_news(&self) -> bool {
        let bytes = !self.kept.is_empty() && !self.reading.is_paused();
        let end = match self.end {
            Some(End::Orderly) => !self.reading.is_paused(),
            Some(End::Failed(_)) => true,
            None => false,
        };
        let broken = self.broken && self.reading.is_paused();
        bytes || end || broken || self.drained || self.reading.is_filled() || self.link == Link::Answered
    }

    /// Takes note of bytes. Lends them at once if that is what they are for.
    pub(crate) fn arrived(&mut self, data: bytes::BytesMut, id: SocketId, completions: &mut Vec<Completion>) {
        if self.kept.is_empty() && matches!(self.reading, Reading::Lending) {
            completions.push(Completion::Received { socket: id, data });
        } else {
            self.kept.push_back(data);
        }
    }

    /// Takes note of an arrival and reports nothing.
    pub(crate) fn absorb(&mut self, arrival: Arrival, fd: impl AsFd) {
        match arrival.brought {
            Brought::Bytes(data) => self.kept.push_back(data),
            Brought::Events(events) if self.link == Link::Open => {
                self.broken |= events.intersects(PollFlags::ERR | PollFlags::HUP);
            }
            Brought::Events(_) => self.link = Link::Answered,
            Brought::Socket(_) | Brought::Nothing => {}
        }
        let outcome = arrival.outcome;
        match arrival.ended {
            Some(Work::Lend(_)) => self.lending_ended(outcome),
            Some(Work::Fill(destination, missing)) => {
                self.reading = Reading::Filling { destination, missing };
                self.filling_ended(outcome, fd);
            }
            Some(Work::Connect(_)) => self.connecting_ended(outcome),
            _ => {}
        }
    }

    fn lending_ended(&mut self, outcome: Result<usize, Errno>) {
        match outcome {
            Ok(0) => self.end = Some(End::Orderly),
            // It ended with bytes: the kernel wants to be asked anew.
            Ok(_) => {}
            Err(error) if is_passing(error) => {}
            Err(error) => self.end = Some(End::Failed(error.into())),
        }
    }

    fn filling_ended(&mut self, outcome: Result<usize, Errno>, fd: impl AsFd) {
        match outcome {
            // A reset in the middle was reported to the receive that got the bytes before it, which had no use for it.
            Ok(0) if matches!(inet::peer_addr(fd), Ok(None)) => {
                self.end = Some(End::Failed(Errno::CONNRESET.into()));
            }
            _ => self.lending_ended(outcome),
        }
    }

    fn connecting_ended(&mut self, outcome: Result<usize, Errno>) {
        match outcome {
            Ok(_) => self.link = Link::Answered,
            Err(error) if is_passing(error) => {}
            Err(error) => self.end = Some(End::Failed(error.into())),
        }
    }

    /// What came of a send: `rest` is what was not taken.
    pub(crate) fn sent(&mut self, outcome: Result<usize, Errno>, rest: &mut Backlog, fd: impl AsFd) {
        match outcome {
            Ok(taken) => rest.consume(taken),
            Err(error) if is_passing(error) => {}
            Err(error) => return self.fail(error.into()),
        }
        self.is_full = !rest.is_empty();
        if self.is_full {
            if !std::mem::replace(&mut self.bounds_unsent, true) {
                inet::bound_unsent(fd);
            }
            rest.append(&mut self.backlog);
            std::mem::swap(rest, &mut self.backlog);
        }
        if self.backlog.is_empty() {
            self.drained = std::mem::take(&mut self.owes_drained);
        }
    }

    fn fail(&mut self, error: io::Error) {
        self.backlog.clear();
        self.failure = Some(error);
    }

    /// Reports what there is to report.
    pub(crate) fn report(
        &mut self,
        id: SocketId,
        fd: impl AsFd,
        completions: &mut Vec<Completion>,
        counters: &mut Counters,
    ) -> Turn {
        if self.link == Link::Answered {
            self.finish_connecting(id, &fd, completions)?;
        }
        if std::mem::take(&mut self.drained) {
            completions.push(Completion::Drained { socket: id });
        }
        self.hand_out(id, completions, counters);
        if self.broken && self.reading.is_paused() {
            let error = inet::take_error(fd).unwrap_or_else(|| Errno::CONNRESET.into());
            return ControlFlow::Break(Some(self.failure.take().unwrap_or(error)));
        }
        match &self.end {
            Some(End::Orderly) if self.reading.is_paused() || self.keeps_bytes() => ControlFlow::Continue(()),
            None => ControlFlow::Continue(()),
            Some(_) => ControlFlow::Break(self.take_end()),
        }
    }

    /// Why it ends: that it could not send says most.
    fn take_end(&mut self) -> Option<io::Error> {
        let end = match self.end.take() {
            Some(End::Failed(error)) => Some(error),
            Some(End::Orderly) | None => None,
        };
        self.failure.take().or(end)
    }

    fn finish_connecting(&mut self, id: SocketId, fd: impl AsFd, completions: &mut Vec<Completion>) -> Turn {
        if let Some(error) = inet::take_error(&fd) {
            return ControlFlow::Break(Some(error));
        }
        match ends(&fd) {
            // A hang-up without an error.
            Ok(None) => return ControlFlow::Break(Some(Errno::CONNRESET.into())),
            Ok(Some((local, peer))) if local != peer => {
                completions.push(Completion::Connected { socket: id, local });
            }
            // The kernel chose the very port we connect to: we talk to ourselves, and nobody listens.
            Ok(Some(_)) => return ControlFlow::Break(Some(Errno::CONNREFUSED.into())),
            Err(error) => return ControlFlow::Break(Some(error)),
        }
        self.link = Link::Open;
        ControlFlow::Continue(())
    }

    /// Puts what was kept to its use.
    fn hand_out(&mut self, id: SocketId, completions: &mut Vec<Completion>, counters: &mut Counters) {
        loop {
            self.reading.finish_filling(id, completions);
            if self.reading.is_paused() {
                return;
            }
            let Some(mut data) = self.kept.pop_front() else { return };
            match &mut self.reading {
                Reading::Filling { destination, missing } => {
                    let part = data.split_to(data.len().min(*missing));
                    destination.extend_from_slice(&part);
                    *missing -= part.len();
                    counters.bytes_copied += part.len() as u64;
                    if !data.is_empty() {
                        self.kept.push_front(data);
                    }
                }
                _ => completions.push(Completion::Received { socket: id, data }),
            }
        }
    }
}

/// Both ends' addresses once it is connected.
fn ends(fd: impl AsFd) -> io::Result<Option<(SocketAddr, SocketAddr)>> {
    let Some(peer) = inet::peer_addr(&fd)? else {
        return Ok(None);
    };
    Ok(Some((inet::local_addr(&fd)?, peer)))
}

/// Whether an operation that ended so is simply to be started again, if it is still wanted.
fn is_passing(error: Errno) -> bool {
    matches!(error, Errno::CANCELED | Errno::NOBUFS | Errno::AGAIN | Errno::INTR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inet::tests::{is_bounded, pair};
    use bytes::Bytes;

    #[test]
    fn the_kernel_holds_little_once_it_had_no_room() {
        let (fd, _far) = pair();
        let mut stream = Stream::new(Link::Open);
        let mut rest = Backlog::default();
        rest.push(&mut vec![Bytes::from_static(b"all of it")]);
        stream.sent(Ok(9), &mut rest, &fd);
        assert!(!is_bounded(&fd), "nothing waits");
        rest.push(&mut vec![Bytes::from_static(b"not all of it")]);
        stream.sent(Ok(3), &mut rest, &fd);
        assert!(is_bounded(&fd) && stream.backlog.bytes() == 10);
    }
}
