//! `cargo xtask bench`: builds Axon and the benchmark for speed, and runs it.

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
    steps.step("build the rados-rs peer", || Ok(rados_rs()));
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

/// Builds the peer that is no part of the workspace, so that its dependencies are not ours. Where that fails the
/// benchmark goes on and names it as missing.
fn rados_rs() -> String {
    let mut build =
        cargo(&["build", "--release", "--manifest-path", "bench/rados-rs/Cargo.toml", "--target-dir"]);
    build.arg(target());
    let built = status(build);
    built.map_or_else(|why| format!("not built, so it will be missing: {why}"), |_| String::new())
}

fn status(mut command: Command) -> Outcome {
    match command.status() {
        Ok(status) if status.success() => Ok(String::new()),
        Ok(status) => Err(format!("{command:?}: {status}; the output above says why")),
        Err(error) => Err(format!("cannot start {command:?}: {error}")),
    }
}
