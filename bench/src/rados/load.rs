//! What is done with objects.

use crate::scenario::size;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Operations of one kind, one size, so many at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Load {
    /// Reads or writes.
    pub(crate) access: Access,
    /// Bytes of an object, which is read or written as a whole.
    pub(crate) size: u32,
    /// Operations in flight.
    pub(crate) depth: u32,
}

/// What is done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Access {
    /// One of those that were written before, at random.
    Read,
    /// A new one.
    Write,
}

const KIB: u32 = 1024;
const MIB: u32 = 1024 * KIB;

impl Load {
    /// Small reads, one after the other.
    pub(crate) const LONE: Self = Self::reads(4 * KIB, 1);
    /// Many small reads.
    pub(crate) const READS: Self = Self::reads(4 * KIB, 16);
    /// Many small writes.
    pub(crate) const WRITES: Self = Self { access: Access::Write, ..Self::READS };
    /// Many large reads.
    pub(crate) const LARGE: Self = Self::reads(4 * MIB, 16);

    /// Every load, in the order in which they are measured and shown.
    pub(crate) const ALL: [Self; 4] = [Self::READS, Self::WRITES, Self::LARGE, Self::LONE];

    const fn reads(size: u32, depth: u32) -> Self {
        Self { access: Access::Read, size, depth }
    }

    /// Objects there are to read: 16 MiB of small ones, 256 MiB of large ones.
    pub(crate) fn objects(&self) -> u32 {
        if self.size >= MIB { 64 } else { 4096 }
    }

    /// How many times more rounds it takes than others do: a lone request's time is mostly that of waking, which differs
    /// most from round to round.
    pub(crate) fn repeats(&self) -> usize {
        if self.depth == 1 { 2 } else { 1 }
    }

    /// The name of the set of objects that is read.
    pub(crate) fn set(&self) -> String {
        format!("set{}", self.size)
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.access {
            Access::Read => "random reads",
            Access::Write => "writes",
        };
        write!(f, "{} {what}, {} in flight", size(self.size), self.depth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(Load::LONE.to_string(), "4 KiB random reads, 1 in flight");
        assert_eq!(Load::WRITES.to_string(), "4 KiB writes, 16 in flight");
        assert_eq!(Load::LARGE.set(), "set4194304");
    }
}
