//! Questions that one message asks and one message answers.
//!
//! | question | message | answer |
//! |---|---|---|
//! | [`Command`] | `MMonCommand` | [`CommandOutput`](super::CommandOutput), whatever it says |
//! | [`Run`] | the same | the command's output; a command that fails is an error |
//! | [`Versions`] | `MMonGetVersion` | [`MapVersions`](super::MapVersions) |
//! | [`PoolChange`] | `MPoolOp` | [`PoolOpOutput`](super::PoolOpOutput) |
//! | [`NewSnap`] | the same | [`NewSnapshot`](super::NewSnapshot) |
//! | [`Usage`] | `MStatFs` | [`StatFs`](crate::msg::StatFs) |
//! | [`StatsOfPools`] | `MGetPoolStats` | [`PoolStats`](crate::msg::PoolStats) by pool |

mod command;
mod new_snap;
mod pool_change;
mod pool_stats;
mod usage;
mod versions;

pub(super) use command::{Command, Run};
pub(super) use new_snap::NewSnap;
pub(super) use pool_change::PoolChange;
pub(super) use pool_stats::StatsOfPools;
pub(super) use usage::Usage;
pub(super) use versions::Versions;

use super::error::{MonError, Request};
use super::pending::Answer;
use super::target::Target;
use crate::msg::{Fsid, MessageError};
use axon_denc::Features;
use axon_wire::Message;
use std::fmt;

/// A question: how it is asked, and how its answer is read.
pub(super) trait Query: fmt::Debug + Send + 'static {
    /// What is answered.
    type Output: fmt::Debug + Send;
    /// The type of the message that answers.
    const REPLY: u16;

    /// What errors call it.
    fn request(&self) -> Request;

    /// The message that asks; the tid in its header is not its business.
    fn message(&self, tid: u64, fsid: Fsid, features: Features) -> Result<Message, MessageError>;

    /// Reads the answer.
    fn read(&self, reply: &Message) -> Result<Self::Output, NoOutput>;
}

/// Why an answer is no output.
#[derive(Debug)]
pub(super) enum NoOutput {
    /// The answer cannot be read.
    Malformed(MessageError),
    /// The monitor refused: a negative errno, and what a person is told.
    Refused(i32, String),
}

impl From<MessageError> for NoOutput {
    fn from(error: MessageError) -> Self {
        Self::Malformed(error)
    }
}

/// A question together with the place of its answer, whatever their types.
pub(super) trait Asked: fmt::Debug + Send {
    /// What errors call it.
    fn request(&self) -> Request;
    /// The type of the message that answers.
    fn reply(&self) -> u16;
    /// The message that asks.
    fn message(&self, tid: u64, fsid: Fsid, features: Features) -> Result<Message, MessageError>;
    /// Takes the answer of `monitor`.
    fn answer(self: Box<Self>, reply: &Message, monitor: &Target);
    /// There is no answer.
    fn fail(self: Box<Self>, error: MonError);
}

impl<Q: Query> Asked for (Q, Answer<Q::Output>) {
    fn request(&self) -> Request {
        self.0.request()
    }

    fn reply(&self) -> u16 {
        Q::REPLY
    }

    fn message(&self, tid: u64, fsid: Fsid, features: Features) -> Result<Message, MessageError> {
        self.0.message(tid, fsid, features)
    }

    fn answer(self: Box<Self>, reply: &Message, monitor: &Target) {
        let (query, answer) = *self;
        let asked = || monitor.clone();
        answer.put(query.read(reply).map_err(|why| match why {
            NoOutput::Malformed(source) => MonError::Malformed { asked: asked(), source },
            NoOutput::Refused(code, status) => {
                MonError::Failed { asked: asked(), what: query.request(), code, status }
            }
        }));
    }

    fn fail(self: Box<Self>, error: MonError) {
        self.1.put(Err(error));
    }
}
