//! The wait of a reactor, apart from the reactor: other threads may use that meanwhile.

use crate::Parked;
use rustix::event::Timespec;
use rustix::event::epoll::{self, Event, EventFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::any::Any;
use std::io;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::Duration;

/// Events taken in one wait.
const EVENTS: usize = 256;

/// What epoll told: whose token, and what.
pub(crate) type Told = (u64, EventFlags);

/// One wait for epoll, and what it told.
#[derive(Debug)]
pub(crate) struct Parking {
    epoll: Arc<OwnedFd>,
    /// The longest it may last.
    limit: Option<Duration>,
    told: Vec<Told>,
    failure: Option<Errno>,
}

impl Parking {
    pub(crate) fn new(epoll: Arc<OwnedFd>) -> Self {
        Self { epoll, limit: Some(Duration::ZERO), told: Vec::with_capacity(EVENTS), failure: None }
    }

    /// The next wait lasts at most so long, or until something happens.
    pub(crate) fn sleep_for(&mut self, limit: Option<Duration>) {
        self.limit = limit;
    }

    /// What the last wait told. Bring it [back](Self::reuse).
    pub(crate) fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// Keeps the memory for the next wait.
    pub(crate) fn reuse(&mut self, told: Vec<Told>) {
        self.told = told;
    }

    /// How the last wait ended.
    pub(crate) fn take_result(&mut self) -> io::Result<()> {
        self.failure.take().map_or(Ok(()), |error| Err(error.into()))
    }
}

impl Parked for Parking {
    fn wait(&mut self) {
        let timespec = |limit: Duration| Timespec {
            tv_sec: limit.as_secs() as i64,
            tv_nsec: limit.subsec_nanos().into(),
        };
        let timeout = self.limit.map(timespec);
        self.told.clear();
        // Nobody clears these 3 KiB; the kernel's events cannot move between threads, as they may hold pointers.
        let mut events = [const { MaybeUninit::<Event>::uninit() }; EVENTS];
        self.failure = match epoll::wait(&*self.epoll, &mut events[..], timeout.as_ref()) {
            Ok((events, _)) => {
                self.told.extend(events.iter().map(|event| (event.data.u64(), event.flags)));
                None
            }
            Err(Errno::INTR) => None,
            Err(error) => Some(error),
        };
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
