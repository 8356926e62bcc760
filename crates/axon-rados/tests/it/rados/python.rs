//! The Python bindings of a release: short scripts against a cluster.

use super::bed::mode_name;
use crate::monitors::eventually;
use axon_auth::Mode;
use axon_testbed::{Cluster, Process, run};
use std::process::Command;
use std::time::Duration;

/// How long a script may take.
const WITHIN: Duration = Duration::from_secs(120);
/// What every script begins with. `cluster` and `io` are there then.
const PRELUDE: &str = include_str!("python/prelude.py");

/// Where scripts run: a cluster, a mode, a pool.
pub(crate) struct Python<'a> {
    cluster: &'a Cluster,
    mode: Mode,
    pool: &'a str,
}

/// A script that goes on in the background.
pub(crate) struct Running(Process);

impl<'a> Python<'a> {
    pub(crate) fn new(cluster: &'a Cluster, mode: Mode, pool: &'a str) -> Self {
        Self { cluster, mode, pool }
    }

    /// The same in another pool.
    pub(crate) fn of_pool(self, pool: &'a str) -> Self {
        Self { pool, ..self }
    }

    /// Runs a script to its end; it must succeed. Returns what it printed.
    pub(crate) fn run(&self, script: &str) -> String {
        let run = run(&self.command(script), WITHIN).unwrap();
        assert!(run.status.success(), "{}", run.both());
        run.stdout
    }

    /// Starts a script, and waits until it has printed `ready`.
    pub(crate) fn start(&self, name: &str, script: &str, ready: &str) -> Running {
        let log = self.cluster.dir().join(format!("{name}.{}.out", mode_name(self.mode)));
        let mut running = Running(Process::spawn(name, &self.command(script), &log).unwrap());
        running.wait_for(ready);
        running
    }

    fn command(&self, script: &str) -> Command {
        let mut command = self.cluster.python().unwrap();
        command.arg("-c").arg(format!("{PRELUDE}\n{script}\nio.close()\ncluster.shutdown()"));
        command.arg(self.cluster.conf()).args([self.pool, mode_name(self.mode)]);
        command
    }
}

impl Running {
    /// Waits until it has printed `text`.
    pub(crate) fn wait_for(&mut self, text: &str) {
        eventually(&format!("'{text}' of a script"), WITHIN, || {
            let output = self.0.output();
            let said = output.contains(text);
            assert!(said || self.0.ended().is_none(), "{output}");
            said
        });
    }

    /// Waits until it has ended, well.
    pub(crate) fn join(mut self) {
        eventually("the end of a script", WITHIN, || self.0.ended().is_some());
        let ended = self.0.ended().expect("it has");
        assert!(ended.success(), "{}", self.0.output());
    }
}
