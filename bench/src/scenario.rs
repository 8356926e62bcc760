//! What is measured: the table of scenarios.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One point of the comparison: each peer that can do it does the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Scenario {
    /// Requests with replies, or a stream.
    pub(crate) pattern: Pattern,
    /// Bytes of data per request or message.
    pub(crate) size: u32,
    /// Requests in flight over all connections; of a stream as many as go.
    pub(crate) depth: u32,
    /// Connections, which share the depth evenly.
    pub(crate) connections: u32,
    /// How connections are protected.
    pub(crate) mode: Mode,
    /// What a thread does that has nothing to do.
    pub(crate) wait: Wait,
}

/// What goes in which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pattern {
    /// A request of so many bytes, a small reply.
    Requests,
    /// Messages in one direction.
    Stream,
}

/// How connections are protected. Peers that do not speak msgr2 are what they are, and count as `Crc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// Checksums.
    Crc,
    /// Encryption.
    Secure,
}

/// What a thread does that has nothing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Wait {
    /// What it does unless told otherwise: most sleep, some spin for a while or always.
    Usual,
    /// It sleeps in the kernel.
    Block,
    /// It looks again and again.
    Spin,
}

/// Whom a scenario is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// Every peer that can.
    All,
    /// Messengers that speak msgr2.
    Msgr2,
    /// Axon and bare sockets.
    Bare,
    /// Axon and the other Rust implementation of msgr2.
    Rust,
    /// Axon and the peer that always spins.
    Spinning,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// What.
    pub(crate) scenario: Scenario,
    /// By whom.
    pub(crate) whom: For,
}

/// The sizes of the curves.
pub(crate) const SIZES: [u32; 4] = [64, 4 * KIB, 64 * KIB, 1024 * KIB];
/// The depth that the connections of the curve over connections share.
pub(crate) const SHARED_DEPTH: u32 = 1000;

const KIB: u32 = 1024;
const MIB: u32 = 1024 * KIB;

const fn row(scenario: Scenario, whom: For) -> Row {
    Row { scenario, whom }
}

/// Every scenario, in the order in which they are measured and shown.
pub(crate) const ROWS: &[Row] = &[
    row(Scenario::requests(64, 1), For::All),
    row(Scenario::requests(4 * KIB, 1), For::All),
    row(Scenario::requests(64 * KIB, 1), For::All),
    row(Scenario::requests(MIB, 1), For::All),
    row(Scenario::requests(64, 16), For::All),
    row(Scenario::requests(4 * KIB, 16), For::All),
    row(Scenario::requests(4 * KIB, 16), For::Rust),
    row(Scenario::requests(64 * KIB, 16), For::All),
    row(Scenario::requests(MIB, 16), For::All),
    row(Scenario::requests(64, 32), For::All),
    row(Scenario::requests(4 * KIB, 32), For::All),
    row(Scenario::requests(64 * KIB, 32), For::All),
    row(Scenario::requests(MIB, 32), For::All),
    row(Scenario::requests(64, 1).secure(), For::Msgr2),
    row(Scenario::requests(4 * KIB, 1).secure(), For::Msgr2),
    row(Scenario::requests(64, 32).secure(), For::Msgr2),
    row(Scenario::requests(4 * KIB, 32).secure(), For::Msgr2),
    row(Scenario::requests(64 * KIB, 16).secure(), For::Msgr2),
    row(Scenario::requests(MIB, 16).secure(), For::Msgr2),
    row(Scenario::requests(64, 1).blocking(), For::Bare),
    row(Scenario::requests(64, 1).secure().blocking(), For::Bare),
    row(Scenario::requests(4 * KIB, 32).blocking(), For::Bare),
    row(Scenario::requests(4 * KIB, 32).spinning(), For::Bare),
    row(Scenario::requests(MIB, 16).blocking(), For::Bare),
    row(Scenario::requests(MIB, 16).spinning(), For::Bare),
    row(Scenario::requests(64, 1).spinning(), For::All),
    row(Scenario::requests(64, 1).secure().spinning(), For::All),
    row(Scenario::requests(4 * KIB, 1).spinning(), For::All),
    row(Scenario::requests(64 * KIB, 1).spinning(), For::All),
    row(Scenario::requests(MIB, 1).spinning(), For::All),
    row(Scenario::stream(64), For::All),
    row(Scenario::stream(4 * KIB), For::All),
    row(Scenario::stream(64 * KIB), For::All),
    row(Scenario::stream(MIB), For::All),
    row(Scenario::stream(64).spinning(), For::Spinning),
    row(Scenario::stream(4 * KIB).spinning(), For::Spinning),
    row(Scenario::stream(64 * KIB).spinning(), For::Spinning),
    row(Scenario::stream(MIB).spinning(), For::Spinning),
    row(Scenario::requests(4 * KIB, SHARED_DEPTH), For::Bare),
    row(Scenario::requests(4 * KIB, SHARED_DEPTH), For::Msgr2),
    row(Scenario::requests(4 * KIB, SHARED_DEPTH).over(10), For::Bare),
    row(Scenario::requests(4 * KIB, SHARED_DEPTH).over(10), For::Msgr2),
    row(Scenario::requests(4 * KIB, SHARED_DEPTH).over(100), For::Bare),
    row(Scenario::requests(4 * KIB, SHARED_DEPTH).over(100), For::Msgr2),
    row(Scenario::requests(4 * KIB, SHARED_DEPTH).over(1000), For::Bare),
];

impl Scenario {
    /// Requests on one connection: crc mode, threads that wait as they usually do.
    pub(crate) const fn requests(size: u32, depth: u32) -> Self {
        Self { pattern: Pattern::Requests, size, depth, connections: 1, mode: Mode::Crc, wait: Wait::Usual }
    }

    /// A stream on one connection.
    pub(crate) const fn stream(size: u32) -> Self {
        Self { pattern: Pattern::Stream, ..Self::requests(size, 0) }
    }

    /// The same, encrypted.
    pub(crate) const fn secure(self) -> Self {
        Self { mode: Mode::Secure, ..self }
    }

    /// The same with threads that sleep at once.
    pub(crate) const fn blocking(self) -> Self {
        Self { wait: Wait::Block, ..self }
    }

    /// The same with threads that spin.
    pub(crate) const fn spinning(self) -> Self {
        Self { wait: Wait::Spin, ..self }
    }

    /// The same over so many connections.
    pub(crate) const fn over(self, connections: u32) -> Self {
        Self { connections, ..self }
    }

    /// Requests in flight on each connection.
    pub(crate) fn depth_each(&self) -> u32 {
        (self.depth / self.connections).max(1)
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&size(self.size))?;
        match self.pattern {
            Pattern::Stream => f.write_str(", stream")?,
            Pattern::Requests => write!(f, ", {} in flight", self.depth)?,
        }
        if self.connections > 1 {
            write!(f, " over {} connections", self.connections)?;
        }
        if self.mode == Mode::Secure {
            f.write_str(", secure")?;
        }
        match self.wait {
            Wait::Usual => Ok(()),
            Wait::Block => f.write_str(", blocking"),
            Wait::Spin => f.write_str(", spinning"),
        }
    }
}

/// Bytes as people say them.
pub(crate) fn size(bytes: u32) -> String {
    match bytes {
        bytes if bytes >= MIB && bytes % MIB == 0 => format!("{} MiB", bytes / MIB),
        bytes if bytes >= KIB && bytes % KIB == 0 => format!("{} KiB", bytes / KIB),
        bytes => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(Scenario::requests(64, 1).to_string(), "64 B, 1 in flight");
        assert_eq!(Scenario::stream(4096).spinning().to_string(), "4 KiB, stream, spinning");
        let many = Scenario::requests(1 << 20, 1000).over(100).secure();
        assert_eq!(many.to_string(), "1 MiB, 1000 in flight over 100 connections, secure");
        assert_eq!(many.depth_each(), 10);
    }

    #[test]
    fn a_row_is_there_twice_only_for_different_peers() {
        for (index, row) in ROWS.iter().enumerate() {
            let twin = ROWS[..index].iter().any(|r| r.scenario == row.scenario && r.whom == row.whom);
            assert!(!twin, "{}", row.scenario);
        }
    }
}
