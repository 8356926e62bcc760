//! How dialling goes, told to a thread that waits for it.

use crate::error::CliError;
use axon_messenger::Fault;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// For the dispatcher: tells how dialling goes.
#[derive(Debug, Clone)]
pub(crate) struct Attempt(Sender<Result<Instant, Fault>>);

impl Attempt {
    /// The two ends.
    pub(crate) fn new() -> (Self, Outcome) {
        let (sender, receiver) = channel();
        (Self(sender), Outcome(receiver))
    }

    /// A session is open.
    pub(crate) fn opened(&self) {
        // Nobody waits any more once the waiting thread has what it wanted.
        let _ = self.0.send(Ok(Instant::now()));
    }

    /// An attempt failed, or a session ended.
    pub(crate) fn failed(&self, fault: &Fault) {
        let _ = self.0.send(Err(fault.clone()));
    }
}

/// For the thread that waits.
#[derive(Debug)]
pub(crate) struct Outcome(Receiver<Result<Instant, Fault>>);

impl Outcome {
    /// Waits until `count` sessions are open, and returns when the last one was. The first failure ends the wait: whether a
    /// further attempt helps is for the user to decide.
    pub(crate) fn wait(&self, peer: &str, count: usize, timeout: Duration) -> Result<Instant, CliError> {
        let deadline = Instant::now() + timeout;
        let mut last = Instant::now();
        for _ in 0..count {
            last = self.wait_until(peer, deadline, timeout)?;
        }
        Ok(last)
    }

    fn wait_until(&self, peer: &str, deadline: Instant, timeout: Duration) -> Result<Instant, CliError> {
        match self.0.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Ok(at)) => Ok(at),
            Ok(Err(fault)) => Err(CliError::Unconnected { peer: peer.into(), fault }),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                Err(CliError::NoAnswer { peer: peer.into(), after: timeout })
            }
        }
    }

    /// The fault that ended the session since it opened, if one did.
    pub(crate) fn fault(&self) -> Option<Fault> {
        self.0.try_iter().find_map(Result::err)
    }
}
