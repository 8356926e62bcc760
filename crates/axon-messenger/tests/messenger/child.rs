//! Tests that need a process of their own: they count its threads, measure its memory or use up its descriptors.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::process::Command;

const MARK: &str = "AXON_TEST_CHILD";

/// Runs `body` in a new process of this test binary that runs only the test `name` (as `cargo test` prints it). Call it
/// as the whole body of that test.
///
/// # Panics
/// If the test fails there.
pub(crate) fn alone(name: &str, body: impl FnOnce()) {
    if std::env::var(MARK).as_deref() == Ok(name) {
        return body();
    }
    let binary = std::env::current_exe().expect("this test's binary");
    let output = Command::new(binary)
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(MARK, name)
        .output()
        .expect("the process starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the process of its own failed:\n{printed}\n{errors}");
    assert!(printed.contains("1 passed"), "there is no test {name}:\n{printed}");
}

/// A number from /proc/self/status: `Threads`, or `VmRSS` in KiB.
pub(crate) fn status(field: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("procfs");
    let line = status.lines().find(|line| line.starts_with(field)).expect("the field");
    line.split_whitespace().nth(1).expect("a value").parse().expect("a number")
}

/// Lets this process have so many descriptors, whatever the soft limit was.
///
/// # Panics
/// If the hard limit is lower.
pub(crate) fn allow_descriptors(needed: u64) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|soft| soft >= needed) {
        return;
    }
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum });
    raised.unwrap_or_else(|_| {
        let hard = maximum.expect("a limit that cannot be reached");
        panic!("this test needs {needed} file descriptors, and `ulimit -Hn` allows {hard}")
    });
}

/// Open file descriptors.
pub(crate) fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("procfs").count()
}
