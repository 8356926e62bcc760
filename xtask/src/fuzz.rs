//! `cargo xtask fuzz`: builds the targets of `fuzz/` with libFuzzer, on the stable compiler, and runs them.
//!
//! Any channel's compiler has LLVM's pass that tells libFuzzer which code an input reaches, and `libfuzzer-sys` builds
//! libFuzzer with the machine's C++ compiler. Inputs and findings are kept where cargo-fuzz keeps them, so that either
//! can go on where the other stopped.

mod watch;

use crate::program::{self, cargo, root};
use crate::steps::{Outcome, Steps};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{fs, io};
use watch::Watch;

/// What makes the compiler count the code that is reached, and the values that are compared.
/// LLVM: "SanitizerCoverage"; cargo-fuzz gives the same.
const COVERAGE: [&str; 9] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-sanitizer-coverage-stack-depth",
    // Conditions stay apart, so that each of them is reached by itself.
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "--cfg",
    "fuzzing",
];

/// All crates are built for it, with one unit of code each.
const BUILD: Duration = Duration::from_secs(30 * 60);

/// Seconds for one input; those that take longer are findings. The machine may be busy.
const SLOWEST: u32 = 60;

/// Mebibytes for all of a run, its inputs among them. What a single input may take the targets count by themselves.
const MEMORY: u32 = 1024;

/// Runs one target, or all of them, for some seconds each; with `replay`, one input only.
pub(crate) fn run(only: Option<&str>, seconds: u64, replay: Option<&Path>) -> Steps {
    let mut steps = Steps::default();
    let mut chosen = Vec::new();
    steps.step("choose targets", || {
        chosen = choose(targets()?, only)?;
        Ok(chosen.join(", "))
    });
    let mut programs = PathBuf::new();
    if steps.is_ok() {
        steps.step("build", || build(&chosen, &mut programs));
    }
    if steps.is_ok() {
        for target in &chosen {
            steps.step(target, || match replay {
                Some(input) => self::replay(&programs.join(target), input),
                None => fuzz(&programs.join(target), target, seconds),
            });
        }
    }
    steps
}

/// The names of all targets.
fn targets() -> Result<Vec<String>, String> {
    let dir = root().join("fuzz/fuzz_targets");
    let files = fs::read_dir(&dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let files = files.map_err(|error| format!("cannot read {}: {error}", dir.display()))?;
    let name = |file: fs::DirEntry| Some(file.file_name().to_str()?.strip_suffix(".rs")?.to_owned());
    let mut names: Vec<String> = files.into_iter().filter_map(name).collect();
    names.sort();
    Ok(names)
}

fn choose(all: Vec<String>, only: Option<&str>) -> Result<Vec<String>, String> {
    match only {
        None => Ok(all),
        Some(name) if all.iter().any(|known| known == name) => Ok(vec![name.into()]),
        Some(name) => Err(format!("there is no target {name:?}; there are {}", all.join(", "))),
    }
}

/// Builds the targets, and says in which folder they are.
fn build(chosen: &[String], programs: &mut PathBuf) -> Outcome {
    let (host, target_dir) = (host()?, root().join("target/fuzz"));
    // Not --locked: fuzz/ has a Cargo.lock of its own, which nothing else keeps up with the crates.
    // With --target, what runs while building is not instrumented.
    let mut command = cargo(&["build", "--manifest-path", "fuzz/Cargo.toml", "--release", "--target", &host]);
    command.env("CARGO_TARGET_DIR", &target_dir).env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\x1f"));
    command.args(chosen.iter().map(|name| format!("--bin={name}")));
    *programs = target_dir.join(host).join("release");
    program::run("fuzz build", command, BUILD)
        .map_err(|why| format!("{why}\nlibFuzzer is C++: is there a C++ compiler (Debian: g++)?"))
}

/// What the compiler calls this machine.
fn host() -> Result<String, String> {
    let output = Command::new("rustc").arg("-vV").output();
    let output = output.map_err(|error| format!("cannot run rustc: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc -vV names no host".into())
}

/// Looks for inputs that a target cannot stand, beginning with the recordings and with what earlier runs kept.
fn fuzz(program: &Path, target: &str, seconds: u64) -> Outcome {
    let (corpus, artifacts) = (format!("fuzz/corpus/{target}"), format!("fuzz/artifacts/{target}/"));
    for dir in [&corpus, &artifacts] {
        fs::create_dir_all(root().join(dir)).map_err(|error| format!("cannot make {dir}: {error}"))?;
    }
    let mut command = Command::new(program);
    command.arg(corpus).arg(format!("-artifact_prefix={artifacts}"));
    command.arg(format!("-max_total_time={seconds}")).arg(format!("-timeout={SLOWEST}"));
    command.arg(format!("-rss_limit_mb={MEMORY}")).arg("-print_funcs=0");
    command.current_dir(root()).stdin(Stdio::null()).stderr(Stdio::piped());
    Watch::new(target, seconds)?.follow(command)
}

/// Runs a target with one input, whose panic is shown as it comes.
fn replay(program: &Path, input: &Path) -> Outcome {
    // From where the command was given, as the path may be relative to it.
    match Command::new(program).arg(input).stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok("it does no harm (any more)".into()),
        Ok(status) => Err(format!("{}: {status}; the output above says why", input.display())),
        Err(error) => Err(format!("cannot run {}: {error}", program.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_chosen_by_their_whole_names() {
        let all = targets().unwrap();
        assert!(all.contains(&"osd_map".to_owned()) && all.is_sorted(), "{all:?}");
        assert_eq!(choose(all.clone(), None), Ok(all.clone()));
        assert_eq!(choose(all.clone(), Some("osd_map")), Ok(vec!["osd_map".into()]));
        let refused = choose(all, Some("osd_ma")).unwrap_err();
        assert!(refused.contains("\"osd_ma\"") && refused.contains("osd_map_change"), "{refused}");
    }
}
