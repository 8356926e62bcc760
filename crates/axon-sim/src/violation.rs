//! Rules, and how they are broken.

use crate::Fate;

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// See the text.
    #[error("message {0} was delivered twice")]
    Twice(u64),
    /// See the text.
    #[error("message {0} was delivered after message {1}, which was sent later with the same priority")]
    OutOfOrder(u64, u64),
    /// See the text.
    #[error("message {0} is not what was sent")]
    Altered(u64),
    /// See the text.
    #[error("message {0} was delivered to a node it was not sent to")]
    Astray(u64),
    /// See the text.
    #[error("message {0} was delivered, but came back as not sent")]
    DeliveredNotSent(u64),
    /// See the text.
    #[error("message {0} came back as not sent, but was written")]
    WrittenNotSent(u64),
    /// See the text.
    #[error("message {0} came back as unknown, but was never written")]
    UnknownNotWritten(u64),
    /// See the text.
    #[error("message {0} came back, although it is {1:?} already")]
    CameBackTwice(u64, Fate),
    /// See the text.
    #[error("message {0} came back from a connection that never had it")]
    CameBackElsewhere(u64),
    /// See the text.
    #[error("a lossless session ended, although nobody forgot it")]
    NeedlessReset,
    /// See the text.
    #[error("message {0} went to another session of the receiver, and its sender was not told")]
    NotTold(u64),
    /// See the text.
    #[error("a server dials")]
    ServerDials,
    /// See the text.
    #[error("a session that was open is not dialled at once")]
    Dawdles,
    /// See the text.
    #[error("a session that has nothing to send dials")]
    Restless,
    /// See the text.
    #[error("who was told to wait does not try again soon")]
    WaitsLong,
    /// See the text.
    #[error("a peer is turned away from a session that does not dial itself")]
    TurnedAway,
    /// See the text.
    #[error("a session lets go of a socket that works for one that nobody holds any more")]
    Robbed,
    /// See the text.
    #[error("message {0} reached an impostor")]
    Leaked(u64),
    /// See the text.
    #[error("a message of an impostor was delivered")]
    Forged,
    /// See the text.
    #[error("an impostor changed a session")]
    Usurped,
    /// See the text.
    #[error("message {0} was lost without notice")]
    Lost(u64),
    /// See the text.
    #[error(
        "a connection holds {held} of its budget, but its messages cost {least} at least and {most} at most"
    )]
    Budget {
        /// What the machine says.
        held: usize,
        /// Messages nobody has.
        least: usize,
        /// Messages accepted and not returned.
        most: usize,
    },
    /// See the text.
    #[error("a connection holds {held} for sending, but its budget is {budget}")]
    OverBudget {
        /// What the machine says.
        held: usize,
        /// What it may hold.
        budget: usize,
    },
    /// See the text.
    #[error("faults ended {seconds} s ago, and it is still not quiet: {what}")]
    NotQuiet {
        /// Virtual seconds.
        seconds: u64,
        /// What is not.
        what: String,
    },
    /// See the text.
    #[error("nothing will happen any more, and it is not quiet: {what}")]
    Stuck {
        /// What is not.
        what: String,
    },
    /// See the text.
    #[error("{events} events, and it is not over: {what}")]
    Endless {
        /// How many.
        events: usize,
        /// What is not.
        what: String,
    },
    /// See the text.
    #[error("two nodes have {0} sockets between them in the end")]
    Sockets(usize),
    /// See the text.
    #[error("{0} wrote to {1}, or heard from it, and has no open session with it")]
    NotOpen(char, char),
    /// See the text.
    #[error("{0} is open, and nobody is open with it")]
    OpenAlone(char),
    /// See the text.
    #[error("both ends of a session are open, but disagree: {0}")]
    Disagree(String),
    /// Where is told on the standard error output.
    #[error("a panic: {0}")]
    Panicked(String),
    /// A scenario did not come to what it promises.
    #[error("{0}")]
    Unexpected(String),
}
