//! Runs the program.

use axon_testbed::{Run, Scratch, run, spawn};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long any run of the program may take.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Exit codes, as `axon --help` documents them.
pub(crate) mod exit {
    pub(crate) const SUCCESS: i32 = 0;
    pub(crate) const USAGE: i32 = 2;
    pub(crate) const CANNOT_CONNECT: i32 = 3;
    pub(crate) const REFUSED: i32 = 4;
    pub(crate) const INCOMPATIBLE: i32 = 5;
    pub(crate) const TIMED_OUT: i32 = 6;
}

/// The program, far from the configuration of the machine it runs on.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_axon"));
    command.args(args);
    for name in ["CEPH_ARGS", "CEPH_CONF", "CEPH_KEYRING", "RUST_LOG"] {
        command.env_remove(name);
    }
    command.env("HOME", "/nonexistent");
    command
}

/// Runs the program to its end.
pub(crate) fn axon(args: &[&str]) -> Run {
    run(&command(args), TIMEOUT).unwrap()
}

/// Runs the program, which must succeed, and returns its standard output.
#[track_caller]
pub(crate) fn succeed(args: &[&str]) -> String {
    let run = axon(args);
    assert_eq!(run.status.code(), Some(exit::SUCCESS), "axon {args:?}\n{}", run.both());
    run.stdout
}

/// Runs the program, which must succeed and print one line of JSON, and returns that.
#[track_caller]
pub(crate) fn json(args: &[&str]) -> Value {
    let output = succeed(args);
    assert_eq!(output.lines().count(), 1, "{output}");
    serde_json::from_str(&output).unwrap()
}

/// Runs the program, which must fail with `code`, print no result, and mention each of `words`. Returns the complaint.
#[track_caller]
pub(crate) fn fail(args: &[&str], code: i32, words: &[&str]) -> String {
    let run = axon(args);
    assert_eq!(run.status.code(), Some(code), "axon {args:?}\n{}", run.both());
    assert_eq!(run.stdout, "", "axon {args:?}");
    for word in words {
        assert!(run.stderr.contains(word), "{word:?} is not in the output of axon {args:?}:\n{}", run.stderr);
    }
    run.stderr
}

/// The keys of an object, sorted.
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// `axon serve`, until dropped.
pub(crate) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// What it says besides results, if that is read.
    stderr: Option<BufReader<ChildStderr>>,
    /// Its first line of output.
    pub(crate) first_line: String,
}

impl Server {
    /// Starts it on a free port of loopback.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", args)
    }

    /// Starts it there.
    pub(crate) fn start_at(addr: &str, args: &[&str]) -> Self {
        Self::serve(addr, args, Stdio::inherit())
    }

    /// Starts it on a free port of loopback, for [`next_note`](Self::next_note).
    pub(crate) fn start_noting(args: &[&str]) -> Self {
        Self::start_noting_at("127.0.0.1:0", args)
    }

    /// The same there.
    pub(crate) fn start_noting_at(addr: &str, args: &[&str]) -> Self {
        Self::serve(addr, args, Stdio::piped())
    }

    fn serve(addr: &str, args: &[&str], stderr: Stdio) -> Self {
        let command = command(&[&["serve", addr], args].concat());
        let mut child = spawn(&command, Stdio::piped(), stderr).unwrap();
        let stderr = child.stderr.take().map(BufReader::new);
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut server = Self { child, stdout, stderr, first_line: String::new() };
        let mut line = String::new();
        server.stdout.read_line(&mut line).unwrap();
        assert!(line.contains("listening"), "axon serve printed {line:?}");
        server.first_line = line.trim_end().to_owned();
        server
    }

    /// Where it listens, as IP:PORT.
    pub(crate) fn addr(&self) -> String {
        let text = self.first_line.split("v2:").nth(1).unwrap();
        text.split('/').next().unwrap().to_owned()
    }

    /// The next object on its standard error; what it logs there is passed over.
    pub(crate) fn next_note(&mut self) -> Value {
        let mut lines = self.stderr.as_mut().expect("it was started for that").lines();
        let line = lines.by_ref().map(Result::unwrap).find(|line| line.starts_with('{'));
        serde_json::from_str(&line.expect("an object")).unwrap()
    }

    /// Waits until it has got messages, all the time; for one that was started for notes.
    pub(crate) fn wait_for_traffic(&mut self) {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            assert!(Instant::now() < deadline, "nothing comes to axon serve");
            self.signal("USR1");
            let messages = self.next_note()["counters"]["messages_in"].as_u64().unwrap();
            if messages > 1000 {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has ended by itself; its exit code and what else it printed.
    pub(crate) fn finish(mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + TIMEOUT;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "axon serve does not end");
            thread::sleep(Duration::from_millis(5));
        };
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (status.code(), rest)
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A listener that is no Ceph daemon: says `greeting` to everybody and then nothing more.
pub(crate) fn impostor(greeting: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut kept: Vec<TcpStream> = Vec::new();
        for socket in listener.incoming().map_while(Result::ok) {
            let mut socket = socket;
            // The other end may have gone, which is its business.
            let _ = std::io::Write::write_all(&mut socket, greeting);
            kept.push(socket);
        }
    });
    addr
}

/// A file in a folder of its own, both gone when dropped.
pub(crate) struct File {
    _dir: Scratch,
    pub(crate) path: PathBuf,
}

impl File {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let dir = Scratch::new("cli").unwrap();
        let path = dir.write(name, text).unwrap();
        Self { _dir: dir, path }
    }

    pub(crate) fn text(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

/// A keyring with a key of `osd.0`.
pub(crate) fn service_keyring() -> File {
    File::new("service.keyring", "[osd.0]\n\tkey = AQBpMR9pAAAAABAAFrRh0S/fMSuKWI6BYmZPaQ==\n")
}
