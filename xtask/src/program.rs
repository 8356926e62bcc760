//! Running a program as a step: shown live, kept in a log, ended when it takes too long, and with this program.

mod group;

use crate::steps::Outcome;
use group::Group;
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How much of a failing step's output is shown again at the end.
const TAIL_LINES: usize = 120;

/// The checkout's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the checkout")
}

/// `cargo ARGS` in the checkout.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    command
}

/// Runs `command` to its end, at most for `limit`; all output goes to the terminal and to the log
/// `target/xtask/NAME.log`.
pub(crate) fn run(name: &str, command: Command, limit: Duration) -> Outcome {
    let log = log_path(name);
    let tail = Tail::new(&log).map_err(|error| format!("cannot write {}: {error}", log.display()))?;
    match run_into(command, limit, &tail) {
        Ok(()) => Ok(String::new()),
        Err(why) => Err(format!("{}\n{why}; all of it is in {}", tail.text(), log.display())),
    }
}

fn log_path(name: &str) -> PathBuf {
    let file: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    root().join("target/xtask").join(file).with_extension("log")
}

fn run_into(mut command: Command, limit: Duration, tail: &Tail) -> Result<(), String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A step that takes too long is ended with all it started.
    let (group, mut child) =
        Group::start(&mut command).map_err(|error| format!("cannot start {command:?}: {error}"))?;
    let readers =
        [child.stdout.take().map(|out| tail.follow(out)), child.stderr.take().map(|err| tail.follow(err))];
    let deadline = Instant::now() + limit;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(50)),
            Ok(None) => {
                group.kill();
                let _ = child.wait();
                return Err(format!("no end after {} s, so it was ended", limit.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    };
    for reader in readers.into_iter().flatten() {
        let _ = reader.join();
    }
    if status.success() { Ok(()) } else { Err(status.to_string()) }
}

/// The last lines of a program's output, all of it going to a log as well.
#[derive(Clone)]
struct Tail(Arc<Mutex<(VecDeque<String>, File)>>);

impl Tail {
    fn new(log: &Path) -> std::io::Result<Self> {
        if let Some(dir) = log.parent() {
            fs::create_dir_all(dir)?;
        }
        Ok(Self(Arc::new(Mutex::new((VecDeque::new(), File::create(log)?)))))
    }

    fn follow(&self, stream: impl Read + Send + 'static) -> thread::JoinHandle<()> {
        let tail = self.clone();
        thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                tail.push(&String::from_utf8_lossy(&line));
                line.clear();
            }
        })
    }

    fn push(&self, line: &str) {
        let (lines, log) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        eprint!("{line}");
        let _ = log.write_all(line.as_bytes());
        lines.push_back(line.into());
        if lines.len() > TAIL_LINES {
            lines.pop_front();
        }
    }

    fn text(&self) -> String {
        let (lines, _) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Pid, Signal, kill_process};
    use std::os::unix::process::ExitStatusExt;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn failure_shows_the_output_of_both_streams() {
        let failed = run("unit test", sh("echo one; echo two >&2; exit 3"), Duration::from_secs(10));
        let text = failed.unwrap_err();
        assert!(text.contains("one") && text.contains("two") && text.contains("exit status: 3"), "{text}");
        assert_eq!(run("unit test 2", sh("true"), Duration::from_secs(10)), Ok(String::new()));
    }

    #[test]
    fn a_step_that_hangs_is_ended_with_its_children() {
        let start = Instant::now();
        let outcome = run("unit test 3", sh("sleep 60 & sleep 60"), Duration::from_millis(200));
        assert!(outcome.unwrap_err().contains("no end after"));
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    /// Run by the next test in a process of its own, which it interrupts.
    #[test]
    #[ignore = "waits for a signal"]
    fn waits_for_a_signal() {
        let _ = run("unit test 4", sh("sleep 600 & echo sleeper $!; wait"), Duration::from_secs(600));
    }

    #[test]
    fn a_step_ends_with_this_program() {
        let mut program = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "program::tests::waits_for_a_signal", "--nocapture"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(program.stderr.take().unwrap()).lines();
        let mut words =
            lines.map_while(Result::ok).filter_map(|line| Some(line.split_once("sleeper ")?.1.to_owned()));
        let sleeper = words.next().expect("the step says what it started");
        // Of one that has ended and waits for its parent to ask, there is no command line.
        let command = Path::new("/proc").join(sleeper.trim()).join("cmdline");
        let lives = || fs::read(&command).is_ok_and(|line| !line.is_empty());
        assert!(lives());
        kill_process(Pid::from_child(&program), Signal::TERM).unwrap();
        assert_eq!(program.wait().unwrap().signal(), Some(Signal::TERM.as_raw()));
        let start = Instant::now();
        while lives() {
            assert!(start.elapsed() < Duration::from_secs(60), "{} lives on", command.display());
            thread::sleep(Duration::from_millis(10));
        }
    }
}
