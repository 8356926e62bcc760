//! Running a case under callgrind, which counts every instruction of one function and all that it calls.

use crate::program::root;
use axon_testbed::prepare::{Packages, packages};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Callgrind counts inside this function of the cases.
const COUNTED: &str = "*measured*";

/// Where the profiles of the last run stay.
const PROFILES: &str = "target/xtask/callgrind";

/// Debian's, for machines without one.
const VALGRIND: Packages =
    Packages { title: "valgrind", folder: "valgrind", suite: "bookworm", names: &["valgrind"] };

/// A callgrind that runs.
pub(super) struct Callgrind {
    valgrind: PathBuf,
    /// Its tools, if they are not where it was built to find them.
    library: Option<PathBuf>,
}

impl Callgrind {
    /// The machine's, or else Debian's, unpacked as the peers are.
    pub(super) fn find() -> Result<Self, String> {
        let installed = Self { valgrind: "valgrind".into(), library: None };
        if installed.runs() {
            return Ok(installed);
        }
        let unpacked = packages(VALGRIND).map_err(|error| error.to_string())?;
        // The program beside it is a script that looks for debugging symbols in the machine's own folders.
        let valgrind = unpacked.join("usr/bin/valgrind.bin");
        let own = Self { valgrind, library: Some(unpacked.join("usr/libexec/valgrind")) };
        if own.runs() { Ok(own) } else { Err(format!("{} does not run", own.valgrind.display())) }
    }

    /// The instructions that `program` takes for `case` inside the function that is counted.
    pub(super) fn count_inside(&self, program: &Path, case: &str) -> Result<u64, String> {
        self.count(&[&format!("--toggle-collect={COUNTED}")], program, &[case])
    }

    /// All that a run of `program` with so many messages of `case` takes.
    pub(super) fn count_run(&self, program: &Path, case: &str, messages: u64) -> Result<u64, String> {
        self.count(&[], program, &[case, &messages.to_string()])
    }

    /// The first of `args` names the case, and thereby the profile.
    fn count(&self, options: &[&str], program: &Path, args: &[&str]) -> Result<u64, String> {
        let case = args[0];
        let profiles = root().join(PROFILES);
        fs::create_dir_all(&profiles).map_err(|error| format!("cannot create {PROFILES}: {error}"))?;
        let profile = profiles.join(case).with_extension("out");
        let mut command = self.command();
        command.arg("--quiet").args(options);
        command.arg(format!("--callgrind-out-file={}", profile.display())).arg(program).args(args);
        let run = command.output().map_err(|error| format!("cannot start {command:?}: {error}"))?;
        if !run.status.success() {
            return Err(format!("{case}: {}\n{}", run.status, String::from_utf8_lossy(&run.stderr)));
        }
        let text = fs::read(&profile).map_err(|error| format!("no profile of {case}: {error}"))?;
        total(&String::from_utf8_lossy(&text))
            .filter(|total| *total > 0)
            .ok_or_else(|| format!("{case}: nothing was counted; is there a function {COUNTED} in it?"))
    }

    fn runs(&self) -> bool {
        let output = Stdio::null;
        let tried = self
            .command()
            .args(["--callgrind-out-file=/dev/null", "true"])
            .stdout(output())
            .stderr(output())
            .status();
        tried.is_ok_and(|status| status.success())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.valgrind);
        command.arg("--tool=callgrind").current_dir(root());
        if let Some(library) = &self.library {
            command.env("VALGRIND_LIB", library);
        }
        command
    }
}

/// The sum of a profile. Callgrind writes it as `totals: N` (manual of valgrind, "Callgrind Format Specification").
fn total(profile: &str) -> Option<u64> {
    profile.lines().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_found() {
        let profile = "version: 1\nevents: Ir\nsummary: 191011\n\nfn=(1) main\n2 5\n\ntotals: 191011\n";
        assert_eq!(total(profile), Some(191_011));
        assert_eq!(total("totals: many\n"), None);
        assert_eq!(total(""), None);
    }
}
