//! Asks the workers and waits for them.

use super::{Answer, Dump, Findings};
use crate::park;
use crate::shared::Shared;
use crate::worker::{Command, Tour};
use std::fmt;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// Takes dumps of a messenger from any thread, for example that of an admin socket or a signal. It does not keep the
/// messenger alive; once that has shut down, it says so.
///
/// Ceph registers a command with the admin socket for the same time: src/msg/Messenger.cc.
#[derive(Clone)]
pub struct Dumper(Weak<Shared>);

/// Why there is no dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DumpError {
    /// The messenger has shut down, or did while the dump was taken.
    #[error("the messenger has shut down")]
    ShutDown,
}

impl Dumper {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self(Arc::downgrade(shared))
    }

    /// Asks every worker what its connections are doing. Each looks at some of them per turn, so that messages go on
    /// meanwhile. Blocks until all have answered, at most for `within`: then the dump says who did not. A handler that
    /// runs on a worker waits for itself in vain.
    ///
    /// # Errors
    /// [`DumpError::ShutDown`], at once, when there is nothing left to look at.
    pub fn dump(&self, within: Duration) -> Result<Dump, DumpError> {
        let shared = self.0.upgrade().ok_or(DumpError::ShutDown)?;
        take(&shared, within)
    }
}

impl fmt::Debug for Dumper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dumper")
    }
}

pub(crate) fn take(shared: &Shared, within: Duration) -> Result<Dump, DumpError> {
    let inquiry = shared.inquiries.open().ok_or(DumpError::ShutDown)?;
    for (index, port) in shared.workers.iter().enumerate() {
        port.mailbox.push(Command::Dump(Box::new(Tour::new(index, inquiry.sender()))));
    }
    let found = gather(inquiry.answers(), shared.workers.len(), park::deadline(within));
    found.map(|found| Dump::new(shared, found))
}

/// What each worker found; `None` for those that did not answer by the deadline.
fn gather(
    answers: &Receiver<Answer>,
    workers: usize,
    deadline: Instant,
) -> Result<Vec<Option<Findings>>, DumpError> {
    let mut found: Vec<Option<Findings>> = Vec::new();
    found.resize_with(workers, || None);
    while found.iter().any(Option::is_none) {
        match answers.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Answer::Found(worker, findings)) => found[worker] = Some(findings),
            Ok(Answer::Over) => return Err(DumpError::ShutDown),
            Err(_) => break,
        }
    }
    Ok(found)
}
