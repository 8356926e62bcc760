//! What libFuzzer says while it runs: some thousand lines, of which a person wants the last one now and then, and all that
//! is said about a finding.

use crate::program::root;
use crate::steps::Outcome;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Between two lines of progress.
const INTERVAL: Duration = Duration::from_secs(5);

/// What libFuzzer puts before the path of an input that it kept as a finding.
const KEPT: &str = "Test unit written to ";

/// A run of one target.
pub(super) struct Watch {
    target: String,
    seconds: u64,
    begun: Instant,
    log: File,
    status: Status,
    /// All but status lines.
    said: String,
    reproducer: Option<String>,
}

impl Watch {
    /// Of a run that goes on for `seconds`; all that is said goes to `target/xtask/fuzz-TARGET.log`.
    pub(super) fn new(target: &str, seconds: u64) -> Result<Self, String> {
        let path = root().join("target/xtask").join(format!("fuzz-{target}.log"));
        let create = || {
            fs::create_dir_all(root().join("target/xtask"))?;
            File::create(&path)
        };
        let log = create().map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(Self {
            target: target.into(),
            seconds,
            begun: Instant::now(),
            log,
            status: Status::default(),
            said: String::new(),
            reproducer: None,
        })
    }

    /// Runs libFuzzer to its end. It ends by itself, in time or with a finding.
    pub(super) fn follow(mut self, mut command: Command) -> Outcome {
        let mut child = command.spawn().map_err(|error| format!("cannot start {command:?}: {error}"))?;
        if let Some(stream) = child.stderr.take() {
            self.show(lines(stream));
        }
        let status = child.wait().map_err(|error| error.to_string())?;
        self.judge(status)
    }

    fn show(&mut self, lines: Receiver<String>) {
        let mut next = self.begun + INTERVAL;
        loop {
            match lines.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(line) => self.take(&line),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    let passed = self.begun.elapsed().as_secs();
                    eprintln!("{}: {passed} of {} s: {}", self.target, self.seconds, self.status);
                    next += INTERVAL;
                }
            }
        }
    }

    fn take(&mut self, line: &str) {
        let _ = self.log.write_all(line.as_bytes());
        if let Some(status) = Status::parse(line) {
            self.status = status;
            return;
        }
        if line.starts_with(['#', '"']) {
            return; // the values that were compared with, which libFuzzer lists in the end
        }
        eprint!("{line}");
        self.said += line;
        if let Some((_, path)) = line.split_once(KEPT) {
            self.reproducer = Some(path.trim().into());
        }
    }

    fn judge(self, status: ExitStatus) -> Outcome {
        match (status.success(), self.reproducer) {
            (true, None) => Ok(self.status.to_string()),
            (_, Some(path)) => Err(format!(
                "{}\n{} cannot stand the input {path}; try it again with\n    cargo xtask fuzz {} --replay {path}",
                self.said, self.target, self.target
            )),
            (false, None) => Err(format!("{}\n{}: {status}", self.said, self.target)),
        }
    }
}

/// The lines of a stream, from a thread that ends with it.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
    receiver
}

/// How far a run has come.
#[derive(Debug, Default, PartialEq, Eq)]
struct Status {
    runs: u64,
    /// Edges between blocks of code.
    cov: u64,
    /// Edges by how often they were taken, and comparisons by how close they were.
    ft: u64,
    /// Inputs that are kept, as each reaches something that no other does.
    corp: u64,
}

impl Status {
    /// Reads `#RUNS EVENT cov: N ft: N corp: INPUTS/BYTES ...`. LLVM: "Output" of libFuzzer's documentation.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix('#').filter(|line| line.contains("cov: "))?.split_whitespace();
        let mut status = Self { runs: words.next()?.trim_end_matches(':').parse().ok()?, ..Self::default() };
        while let Some(word) = words.next() {
            let field = match word {
                "cov:" => &mut status.cov,
                "ft:" => &mut status.ft,
                "corp:" => &mut status.corp,
                _ => continue,
            };
            *field = words.next()?.split('/').next()?.parse().ok()?;
        }
        Some(status)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { runs, cov, ft, corp } = self;
        write!(f, "{runs} runs, {cov} edges, {ft} features, {corp} inputs kept")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Stdio;

    #[test]
    fn status_lines_are_read_and_others_left() {
        let done = "#404172\tDONE   cov: 514 ft: 1722 corp: 640/28Kb lim: 462 exec/s: 80834 rss: 30Mb\n";
        assert_eq!(Status::parse(done), Some(Status { runs: 404_172, cov: 514, ft: 1722, corp: 640 }));
        for other in ["INFO: seed corpus: files: 4", "#0 0x5625 in main", "==7== ERROR: libFuzzer", ""] {
            assert_eq!(Status::parse(other), None);
        }
    }

    fn watch(script: &str) -> Outcome {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stderr(Stdio::piped());
        Watch::new("unit-test", 1).unwrap().follow(command)
    }

    #[test]
    fn a_finding_is_told_with_the_command_that_repeats_it() {
        let script = "echo \"#7 NEW cov: 3 ft: 4 corp: 2/9b\" >&2; echo panicked at here >&2;
            echo \"artifact_prefix='a/'; Test unit written to a/crash-12\" >&2; exit 77";
        let why = watch(script).unwrap_err();
        assert!(why.contains("panicked at here"), "{why}");
        assert!(why.ends_with("cargo xtask fuzz unit-test --replay a/crash-12"), "{why}");
    }

    #[test]
    fn a_run_ends_well_with_its_figures_only() {
        let figures = watch("echo \"#7 DONE cov: 3 ft: 4 corp: 2/9b\" >&2");
        assert_eq!(figures, Ok("7 runs, 3 edges, 4 features, 2 inputs kept".into()));
        assert!(watch("exit 3").unwrap_err().contains("exit status: 3"), "no finding, and no success");
    }
}
