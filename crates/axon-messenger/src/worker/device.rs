//! The reactor of a worker, shared with callers where the transport allows it.

use axon_transport::{Reactor, Transport};
use send_wrapper::SendWrapper;
use std::io;
use std::ops::{Deref, DerefMut};

/// The reactor of a worker.
pub(crate) enum Device {
    /// Callers may use it while the worker's thread waits.
    Shared(Box<dyn Reactor + Send>),
    /// It stays on the worker's thread, which never leaves its desk then; the wrapper makes sure.
    Bound(SendWrapper<Box<dyn Reactor>>),
}

impl Device {
    /// A reactor of `transport` for a worker on the calling thread.
    pub(crate) fn of(transport: &dyn Transport) -> io::Result<Self> {
        match transport.shared_reactor() {
            Some(reactor) => reactor.map(Self::Shared),
            None => transport.reactor().map(SendWrapper::new).map(Self::Bound),
        }
    }
}

impl Deref for Device {
    type Target = dyn Reactor;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Shared(reactor) => &**reactor,
            Self::Bound(reactor) => &***reactor,
        }
    }
}

impl DerefMut for Device {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::Shared(reactor) => &mut **reactor,
            Self::Bound(reactor) => &mut ***reactor,
        }
    }
}
