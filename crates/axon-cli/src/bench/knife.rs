//! Cuts live connections while a load runs.

use super::load::Load;
use super::stage::Phase;
use axon_transport::{Cuttable, Transport};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// The transport of the client's side when it is cut.
pub(crate) type Cut = Cuttable<Arc<dyn Transport>>;

/// A thread that cuts one connection every so often, until the load drains or this is dropped.
#[derive(Debug)]
pub(crate) struct Knife {
    /// Dropped before the thread is joined, which ends it.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Knife {
    /// Starts cutting.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub(crate) fn start(transport: Cut, every: Duration, load: Arc<Load>) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let work = move || cut_on(&transport, every, &load, &stopped);
        let thread = Builder::new().name("axon-knife".into()).spawn(work)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Knife {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A panic in there has been reported already.
            let _ = thread.join();
        }
    }
}

fn cut_on(transport: &Cut, every: Duration, load: &Load, stopped: &Receiver<()>) {
    while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
        if load.recorder().stage().phase() == Phase::Drain {
            return;
        }
        // One that is down already cannot be cut, and does not count.
        transport.cut_one_of(load.lanes());
    }
}
