//! Counts the instructions of the hot paths and compares with the committed counts.
//!
//! Times tell nothing on a machine that does other things as well; a count is the same in every run of the same program,
//! however loaded the machine is. The paths are the cases of `crates/axon-proto/benches/instructions`, each walked by one
//! function, and `crates/axon-messenger/benches/round_trip.rs` and `crates/axon-rados/benches/read.rs`, where threads take turns.

mod bounds;
mod callgrind;

use crate::program::{cargo, root};
use crate::steps::{Outcome, Steps};
use bounds::{Bounds, Origin};
use callgrind::Callgrind;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program with cases, which it lists.
struct Program {
    package: &'static str,
    bench: &'static str,
    counts: Counts,
}

/// What of a run counts.
enum Counts {
    /// What one function and all that it calls takes.
    Inside,
    /// What a run of so many messages more takes more than one of the [`FIRST`].
    Difference,
}

const PROGRAMS: [Program; 3] = [
    Program { package: "axon-proto", bench: "instructions", counts: Counts::Inside },
    Program { package: "axon-messenger", bench: "round_trip", counts: Counts::Difference },
    Program { package: "axon-rados", bench: "read", counts: Counts::Difference },
];

/// Messages that do not count: buffers have their final size after them.
const FIRST: u64 = 2000;

/// Where the committed counts are.
const BOUNDS: &str = "crates/axon-proto/benches/instructions/bounds.txt";

/// Counts, and compares with the committed counts, or with `accept` replaces them.
pub(crate) fn run(accept: bool) -> Steps {
    let mut steps = Steps::default();
    steps.step("instructions", || if accept { self::accept() } else { compare() });
    steps
}

/// Fails if a path takes more instructions than was committed, with some tolerance.
pub(crate) fn compare() -> Outcome {
    let text = std::fs::read_to_string(path()).map_err(|error| format!("cannot read {BOUNDS}: {error}"))?;
    let committed = Bounds::parse(&text)?;
    let measured = measure(Some(&committed))?;
    let table = committed.compare(&measured);
    eprint!("{table}");
    table.judge()
}

fn accept() -> Outcome {
    let measured = measure(None)?;
    let text = measured.to_string();
    eprint!("{text}");
    std::fs::write(path(), text).map_err(|error| format!("cannot write {BOUNDS}: {error}"))?;
    Ok(format!("{BOUNDS} is new: commit it with what changed the counts"))
}

fn measure(committed: Option<&Bounds>) -> Result<Bounds, String> {
    let callgrind = Callgrind::find()?;
    let mut counts = Vec::new();
    for program in &PROGRAMS {
        let path = program.build()?;
        for (case, messages) in cases(&path)? {
            let count = || Ok(program.count(&path, &case, messages, &callgrind)?.div_ceil(messages));
            let suffices = |count| committed.is_some_and(|committed| !committed.is_exceeded_by(&case, count));
            let least = program.counts.least(suffices, count)?;
            counts.push((case, least));
        }
    }
    Ok(Bounds { origin: origin()?, counts })
}

impl Counts {
    /// Where threads take turns, the count depends on which of them sleeps first: unless the first one suffices, there are
    /// three, and the least holds.
    fn least(
        &self,
        suffices: impl Fn(u64) -> bool,
        mut count: impl FnMut() -> Result<u64, String>,
    ) -> Result<u64, String> {
        let first = count()?;
        match self {
            Self::Difference if !suffices(first) => Ok(first.min(count()?).min(count()?)),
            Self::Inside | Self::Difference => Ok(first),
        }
    }
}

impl Program {
    /// The instructions that `messages` of a case take.
    fn count(&self, path: &Path, case: &str, messages: u64, callgrind: &Callgrind) -> Result<u64, String> {
        match self.counts {
            Counts::Inside => callgrind.count_inside(path, case),
            Counts::Difference => {
                let first = callgrind.count_run(path, case, FIRST)?;
                let all = callgrind.count_run(path, case, FIRST + messages)?;
                all.checked_sub(first).ok_or_else(|| format!("{case}: more messages took less"))
            }
        }
    }

    /// Builds the cases as users build the library, and finds the program.
    fn build(&self) -> Result<PathBuf, String> {
        build(&[
            "build",
            "--release",
            "--locked",
            "--quiet",
            "--package",
            self.package,
            "--bench",
            self.bench,
        ])
    }
}

fn build(args: &[&str]) -> Result<PathBuf, String> {
    let output = cargo(args)
        .arg("--message-format=json")
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo build of the cases: {}; the output above says why", output.status));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let mut executables = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message["executable"].as_str()?))
    });
    executables.next_back().ok_or_else(|| "cargo built no program".into())
}

/// The names of the cases, and how many messages each measures.
fn cases(program: &Path) -> Result<Vec<(String, u64)>, String> {
    let list = output(Command::new(program).arg("--list"))?;
    let case = |line: &str| {
        let (name, messages) = line.split_once(' ')?;
        Some((name.to_owned(), messages.parse().ok().filter(|messages| *messages > 0)?))
    };
    list.lines().map(case).collect::<Option<_>>().ok_or_else(|| format!("no list of cases: {list}"))
}

fn origin() -> Result<Origin, String> {
    let rustc = output(Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("-V"))?;
    let version = rustc.split_whitespace().nth(1).unwrap_or("unknown");
    Ok(Origin { arch: std::env::consts::ARCH.into(), rustc: version.into() })
}

fn output(command: &mut Command) -> Result<String, String> {
    match command.stderr(Stdio::inherit()).output() {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => Err(format!("{command:?}: {}", output.status)),
        Err(error) => Err(format!("cannot start {command:?}: {error}")),
    }
}

fn path() -> PathBuf {
    root().join(BOUNDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_threads_the_least_of_three_holds_unless_the_first_suffices() {
        let least = |counts: &Counts, bound: Option<u64>| {
            let mut noisy = [30, 10, 20].into_iter();
            let suffices = |count| bound.is_some_and(|bound| count <= bound);
            let least = counts.least(suffices, || noisy.next().ok_or_else(|| "a fourth".into())).unwrap();
            (least, noisy.len())
        };
        assert_eq!(least(&Counts::Difference, None), (10, 0), "nothing is committed yet");
        assert_eq!(least(&Counts::Difference, Some(29)), (10, 0));
        assert_eq!(least(&Counts::Difference, Some(30)), (30, 2));
        assert_eq!(least(&Counts::Inside, None), (30, 2));
    }
}
