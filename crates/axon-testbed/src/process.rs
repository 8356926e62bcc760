//! Child processes that cannot outlive this one.

use crate::TestbedError;
use crate::listening::listens;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// How often a child's end is looked for.
const POLL: Duration = Duration::from_millis(5);

/// A program running in the background: a daemon, a server. Killed on drop, and by the kernel when this
/// process ends.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with both output streams going to the file `log`.
    ///
    /// # Errors
    /// When the log cannot be made or the program cannot be started.
    pub fn spawn(name: &str, command: &Command, log: &Path) -> Result<Self, TestbedError> {
        let out =
            File::options().create(true).append(true).open(log).map_err(TestbedError::io("open", log))?;
        let err = out.try_clone().map_err(TestbedError::io("open", log))?;
        let mut guarded = guarded(command);
        guarded.stdin(Stdio::null()).stdout(out).stderr(err);
        Ok(Self { name: name.into(), child: start(guarded)?, log: log.into() })
    }

    /// The name it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it printed so far.
    pub fn output(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Whether it listens on this TCP port: it, and nobody else who had the port first.
    pub fn listens_on(&self, port: u16) -> bool {
        listens(self.id(), port)
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks it to end (SIGTERM).
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends it now (SIGKILL), as a crash would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Freezes it (SIGSTOP): its sockets stay open and answer nothing, as on a hung machine. Returns when all of its
    /// threads have stopped.
    pub fn freeze(&mut self) {
        self.signal(Signal::STOP);
        // The signal is one thing, the threads on other cores that still work for a moment another.
        while self.ended().is_none() && !self.is_frozen() {
            thread::sleep(POLL);
        }
    }

    /// Lets it go on after [`Process::freeze`].
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Waits until it has ended; kills it when `timeout` has passed. Whether it ended by itself.
    pub fn stop_within(&mut self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        while self.ended().is_none() {
            if Instant::now() >= deadline {
                self.kill();
                return false;
            }
            thread::sleep(POLL);
        }
        true
    }

    /// Whether every thread is stopped, by `/proc/PID/task/TID/stat`: `TID (NAME) STATE ..`.
    fn is_frozen(&self) -> bool {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let stats =
            tasks.into_iter().flatten().flatten().map(|task| fs::read_to_string(task.path().join("stat")));
        stats
            .flatten()
            .all(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['T', 'Z'])))
    }

    fn signal(&self, signal: Signal) {
        // The child is not reaped before `self` is gone, so its id is still its own.
        if let Some(pid) = Pid::from_raw(self.child.id() as i32) {
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts `command` for who reads what it prints as it comes. The caller ends it; the kernel does when this process ends.
///
/// # Errors
/// When it cannot be started.
pub fn spawn(command: &Command, stdout: Stdio, stderr: Stdio) -> Result<Child, TestbedError> {
    let mut guarded = guarded(command);
    guarded.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
    start(guarded)
}

/// What a finished program printed.
#[derive(Debug, Clone)]
pub struct Run {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// How it ended.
    pub status: ExitStatus,
}

impl Run {
    /// Both streams, standard output first.
    pub fn both(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// Runs `command` to its end, at most for `timeout`. A failing exit status is not an error here: see
/// [`Run::status`].
///
/// # Errors
/// When it cannot be started, or had to be killed at the timeout.
pub fn run(command: &Command, timeout: Duration) -> Result<Run, TestbedError> {
    let mut guarded = guarded(command);
    guarded.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = start(guarded)?;
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    let deadline = Instant::now() + timeout;
    let status = loop {
        if let Ok(Some(status)) = child.try_wait() {
            break Some(status);
        }
        if Instant::now() >= deadline {
            // With all that it started, which may hold the pipes open.
            if let Some(group) = Pid::from_raw(child.id() as i32) {
                let _ = kill_process_group(group, Signal::KILL);
            }
            let _ = child.wait();
            break None;
        }
        thread::sleep(POLL);
    };
    let stdout = stdout.join().unwrap_or_default();
    let stderr = stderr.join().unwrap_or_default();
    match status {
        Some(status) => Ok(Run { stdout, stderr, status }),
        None => {
            Err(TestbedError::TimedOut { command: line(command), after: timeout, output: stdout + &stderr })
        }
    }
}

/// Runs `command` as [`run`] does, and takes a failing exit status as an error.
pub(crate) fn run_ok(command: &Command, timeout: Duration) -> Result<Run, TestbedError> {
    let run = run(command, timeout)?;
    if run.status.success() {
        return Ok(run);
    }
    Err(TestbedError::Failed { command: line(command), status: run.status, output: run.both() })
}

/// The last `count` lines of a text.
pub(crate) fn tail(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

fn reader(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The command line as a person would type it: without the loader, its options and the interpreter.
fn line(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    let in_tree = |word: &&str| word.contains("/usr/bin/");
    let program = words.iter().position(|word| in_tree(&&**word)).unwrap_or(0);
    let script =
        words.get(program + 1).is_some_and(|next| words[program].ends_with("python3") && in_tree(&&**next));
    words[program + usize::from(script)..].join(" ")
}

/// Runs the rest of its arguments, unless the process in its first one is not its parent any more: that died
/// before the kernel was told to tell us.
const UNLESS_ORPHANED: &str = "[ \"$PPID\" = \"$0\" ] || exit 1; exec \"$@\"";

/// By these, programs of Ceph and `axon` find a cluster of the person who runs the tests.
const PERSONAL: [&str; 3] = ["CEPH_ARGS", "CEPH_CONF", "CEPH_KEYRING"];

/// The same command, started through `setpriv` so that the kernel kills it when its parent dies, and without what is
/// [`PERSONAL`] unless it sets that itself.
fn guarded(command: &Command) -> Command {
    let mut guarded = Command::new("setpriv");
    guarded
        .args(["--pdeathsig", "KILL", "--", "sh", "-c", UNLESS_ORPHANED])
        .arg(std::process::id().to_string())
        .arg(command.get_program())
        .args(command.get_args());
    for name in PERSONAL {
        guarded.env_remove(name);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => guarded.env(name, value),
            None => guarded.env_remove(name),
        };
    }
    if let Some(dir) = command.get_current_dir() {
        guarded.current_dir(dir);
    }
    guarded
}

type Spawned = std::io::Result<Child>;
/// A command to start, and where to send the child.
type Job = (Command, Sender<Spawned>);

/// Starts a process from a thread that lives as long as this process.
///
/// The kernel sends the parent-death signal at the end of the *thread* that started the child, and a test's thread
/// ends with the test, before a cluster shared by several tests may go.
fn start(command: Command) -> Result<Child, TestbedError> {
    static SPAWNER: OnceLock<Mutex<Sender<Job>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, jobs) = channel::<Job>();
        thread::spawn(move || {
            for (mut command, reply) in jobs {
                let _ = reply.send(command.spawn());
            }
        });
        Mutex::new(sender)
    });
    let program = command.get_args().map(|a| a.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let (reply, answer) = channel();
    spawner
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .send((command, reply))
        .expect("the spawner thread lives as long as the process");
    answer
        .recv()
        .expect("the spawner thread answers each job")
        .map_err(|source| TestbedError::Spawn { program, source })
}

/// The standard library's [`Output`] as a [`Run`].
impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            status: output.status,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_are_short() {
        let mut command = Command::new("/c/root/lib/ld-linux-x86-64.so.2");
        command.args(["--preload", "x.so", "/c/root/usr/bin/python3", "/c/root/usr/bin/ceph", "status"]);
        assert_eq!(line(&command), "/c/root/usr/bin/ceph status");
        let mut command = Command::new("apt-get");
        command.arg("update");
        assert_eq!(line(&command), "apt-get update");
    }

    #[test]
    fn clusters_of_the_person_are_unknown_to_programs_unless_named() {
        let mut command = Command::new("axon");
        command.env("CEPH_ARGS", "--id x");
        let command = guarded(&command);
        let is = |name: &str| command.get_envs().find(|(other, _)| *other == name).map(|(_, value)| value);
        assert_eq!(is("CEPH_ARGS"), Some(Some("--id x".as_ref())));
        assert_eq!((is("CEPH_CONF"), is("CEPH_KEYRING")), (Some(None), Some(None)));
    }

    #[test]
    fn what_is_frozen_has_stopped() {
        let log = std::env::temp_dir().join(format!("axon-frozen-{}", std::process::id()));
        let mut command = Command::new("sh");
        command.args(["-c", "while :; do echo again; done"]);
        let mut process = Process::spawn("busy", &command, &log).unwrap();
        while process.output().is_empty() {
            thread::sleep(POLL);
        }
        process.freeze();
        let printed = process.output().len();
        thread::sleep(POLL * 10);
        assert_eq!(process.output().len(), printed);
        process.thaw();
        while process.output().len() == printed {
            thread::sleep(POLL);
        }
        drop(process);
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn what_takes_too_long_is_ended_and_says_so() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo before; sleep 60"]);
        let error = run(&command, Duration::from_secs(5)).unwrap_err();
        assert!(matches!(&error, TestbedError::TimedOut { output, .. } if output == "before\n"), "{error}");
    }
}
