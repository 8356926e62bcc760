//! Everything that decides whether the project is in order.

use crate::program::{cargo, root, run as program};
use crate::steps::{Outcome, Steps};
use crate::{instructions, peers, tidy};
use std::process::Command;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

const TESTS: [&str; 4] = ["test", "--workspace", "--locked", "--no-fail-fast"];
const PROPTEST_SEED: &str = "PROPTEST_RNG_SEED";

/// Runs the steps whose names contain `filter`, all of them whether others fail or not.
pub(crate) fn run(filter: &str) -> Steps {
    let mut steps = Steps::only(filter);
    steps.step("tidy", tidy::outcome);
    steps.step("format", || program("format", cargo(&["fmt", "--all", "--check"]), 5 * MINUTE));
    peers::prepare_in(&mut steps);
    steps.step("lints", || {
        let args = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
        program("lints", cargo(&args), 20 * MINUTE)
    });
    steps.step("without a C compiler, without std", || {
        let crates = ["-p", "axon-denc", "-p", "axon-wire", "-p", "axon-auth", "-p", "axon-proto"];
        let args = [&["check", "--locked", "--no-default-features"][..], &crates].concat();
        program("portable", cargo(&args), 10 * MINUTE)
    });
    steps.step("all in Rust", || {
        let args = ["check", "--locked", "--no-default-features", "-p", "axon-messenger", "-p", "axon-rados"];
        let mut check = cargo(&args);
        check.env("CC", "false"); // who needs a C compiler fails
        program("all-in-rust", check, 10 * MINUTE)
    });
    steps.step("tests: build", || {
        program("tests-build", cargo(&[&TESTS[..], &["--no-run"]].concat()), 25 * MINUTE)
    });
    steps.step("tests", || {
        let mut tests = cargo(&TESTS);
        // Property tests try the same cases in every run, unless asked for others.
        if std::env::var_os(PROPTEST_SEED).is_none() {
            tests.env(PROPTEST_SEED, "1");
        }
        program("tests", tests, 50 * MINUTE)
    });
    // Seeds and whole worlds: what a broken session may do to messages.
    steps.step("simulated sessions", || {
        program("simulated", simulation(&["sim", "--seeds", "200000"]), 10 * MINUTE)
    });
    steps.step("explored sessions", || program("explored", simulation(&["explore"]), 15 * MINUTE));
    steps.step("exhaustive models", exhaustive_models);
    steps.step("counted allocations", || {
        let args =
            ["test", "--locked", "--package", "axon-cli", "--features", "count-allocations", "--", "count"];
        program("allocations", cargo(&args), 10 * MINUTE)
    });
    steps.step("instructions", instructions::compare);
    steps.step("docs", || {
        let mut doc = cargo(&["doc", "--workspace", "--locked", "--no-deps"]);
        doc.env("RUSTDOCFLAGS", "-D warnings");
        program("docs", doc, 10 * MINUTE)
    });
    steps
}

fn simulation(args: &[&str]) -> Command {
    let build = ["run", "--quiet", "--release", "--locked", "--package", "axon-sim", "--"];
    cargo(&[&build[..], args].concat())
}

/// The lock-free parts under loom, in every interleaving. The flag concerns every crate, so that they are built apart
/// from the rest instead of in turns with it; without the C compiler's part and debug information, that is quick.
fn exhaustive_models() -> Outcome {
    let args =
        ["test", "--package", "axon-messenger", "--lib", "--locked", "--no-default-features", "exhaustive"];
    let mut models = cargo(&args);
    models
        .env("RUSTFLAGS", "--cfg loom")
        .env("CARGO_PROFILE_TEST_DEBUG", "0")
        .env("CARGO_PROFILE_DEV_DEBUG", "0");
    models.env("CARGO_TARGET_DIR", root().join("target/loom"));
    program("exhaustive", models, 10 * MINUTE)
}

/// Captures the vectors whose names contain `filter`.
pub(crate) fn capture_vectors(filter: &str) -> Steps {
    let mut steps = Steps::default();
    peers::prepare_in(&mut steps);
    steps.step("capture vectors", || {
        let args = ["run", "--quiet", "--package", "axon-testbed", "--example", "capture", "--", filter];
        program("vectors", cargo(&args), 20 * MINUTE)
    });
    steps
}
