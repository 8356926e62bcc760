//! Which core each end runs on.

use clap::ValueEnum;
use serde::Serialize;
use std::process::Command;
use std::thread;

/// Where the two ends of every pair run, the same for all peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pinning {
    /// Each end on a core of its own: the client on the first, the server on the second.
    Split,
    /// Wherever the kernel puts them.
    None,
}

/// One of the two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It asks.
    Client,
    /// It answers.
    Server,
}

impl Pinning {
    /// The core of an end, if it has one.
    pub(crate) fn core(self, end: End) -> Option<usize> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        match (self, end) {
            (Self::None, _) => None,
            (Self::Split, End::Client) => Some(0),
            (Self::Split, End::Server) => Some(1.min(cores - 1)),
        }
    }

    /// The command on the core of its end.
    pub(crate) fn apply(self, end: End, command: Command) -> Command {
        let Some(core) = self.core(end) else { return command };
        let mut pinned = Command::new("taskset");
        pinned.args(["-c", &core.to_string()]).arg(command.get_program()).args(command.get_args());
        pinned.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        pinned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_keep_arguments_and_environment() {
        let mut command = Command::new("program");
        command.arg("argument").env("NAME", "value");
        let pinned = Pinning::Split.apply(End::Client, command);
        let words: Vec<_> = pinned.get_args().collect();
        assert_eq!(pinned.get_program(), "taskset");
        assert_eq!(words, ["-c", "0", "program", "argument"]);
        assert_eq!(pinned.get_envs().count(), 1);
    }
}
