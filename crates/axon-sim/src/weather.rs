//! What the network and the machines do to those who use them.

use std::time::Duration;

/// Chances are per mille; times are drawn evenly between least and most.
#[derive(Debug, Clone)]
pub struct Weather {
    /// How long bytes, dials and notices of an end take.
    pub latency: (Duration, Duration),
    /// A dial is refused.
    pub refuse: u32,
    /// A dial hangs: no answer comes before a long time, if any does.
    pub stall: u32,
    /// A portion that arrives is a part of what was written at once.
    pub split: u32,
    /// An accepted socket's question takes a while until the session's owner sees it.
    pub defer: u32,
    /// A process that closes a socket loses what was on its way.
    pub rude: u32,
    /// Bytes that fit into one direction of a socket.
    pub capacity: usize,
    /// How long a message waits for its admission at most; zero if nothing has to be admitted.
    pub admission: Duration,
}

impl Weather {
    /// Nothing goes wrong, and everything takes a millisecond.
    pub fn calm() -> Self {
        Self {
            latency: (Duration::from_millis(1), Duration::from_millis(1)),
            refuse: 0,
            stall: 0,
            split: 0,
            defer: 0,
            rude: 0,
            capacity: 1 << 20,
            admission: Duration::ZERO,
        }
    }

    /// Faults end; what is slow stays slow.
    pub fn clear_up(&mut self) {
        (self.refuse, self.stall, self.rude) = (0, 0, 0);
    }
}
