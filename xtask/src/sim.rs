//! The simulated world and its exploration, built for speed and run.

use crate::program::cargo;
use crate::steps::{Outcome, Steps};

/// `cargo xtask sim`, `explore` and `mutate`: the program `axon-sim` with the same arguments.
pub(crate) fn run(command: &str, args: &[String]) -> Steps {
    let mut steps = Steps::default();
    steps.step(command, || simulate(command, args));
    steps
}

fn simulate(command: &str, args: &[String]) -> Outcome {
    let build = ["run", "--quiet", "--release", "--locked", "--package", "axon-sim", "--", command];
    match cargo(&build).args(args).status() {
        Ok(status) if status.success() => Ok(String::new()),
        Ok(status) => Err(format!("axon-sim {command}: {status}; the output above says why")),
        Err(error) => Err(format!("cannot run cargo: {error}")),
    }
}
