//! `cargo xtask bench`: builds Axon and the benchmark for speed, and runs it.

mod rados_rs;

use crate::program::{cargo, root};
use crate::steps::{Outcome, Steps};
use std::path::PathBuf;
use std::process::Command;

/// The program `axon-bench run` with the same arguments.
pub(crate) fn run(args: &[String]) -> Steps {
    let mut steps = Steps::default();
    steps.step("build", || {
        status(cargo(&["build", "--release", "--locked", "-p", "axon-cli", "-p", "axon-bench"]))
    });
    if !steps.is_ok() {
        return steps;
    }
    steps.step("build the rados-rs peer", || Ok(rados_rs::build(&target())));
    steps.step("measure", || {
        let mut bench = Command::new(target().join("release/axon-bench"));
        bench.arg("run").args(args).current_dir(root());
        status(bench)
    });
    steps
}

/// Where cargo builds.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

fn status(mut command: Command) -> Outcome {
    match command.status() {
        Ok(status) if status.success() => Ok(String::new()),
        Ok(status) => Err(format!("{command:?}: {status}; the output above says why")),
        Err(error) => Err(format!("cannot start {command:?}: {error}")),
    }
}
