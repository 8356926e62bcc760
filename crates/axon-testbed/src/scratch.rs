//! Scratch folders that are gone after the run, however the run ends.

use crate::TestbedError;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

/// Waits for the end of its input, which is the end of the process that holds the other end of the pipe,
/// then removes the folder; several times, as daemons being killed may still be writing into it.
const REAPER: &str = "trap '' INT TERM HUP; cat; \
    for i in 1 2 3 4 5 6 7 8 9 10; do rm -rf -- \"$0\"; [ -e \"$0\" ] || exit 0; sleep 0.2; done";

/// The path of a Unix socket has 107 bytes; `/axon-cluster-1234567-12/client.admin.1234567.asok` and the like are in it.
const LONGEST: usize = 45;

/// A folder under the system's temporary folder, removed on drop, and by a watcher process when this
/// process dies without dropping (statics, aborts, kill -9).
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    logs: AtomicU32,
    reaper: Option<Child>,
}

impl Scratch {
    /// A new, empty folder whose name contains `label`.
    ///
    /// # Errors
    /// When the folder cannot be made or `sh` cannot be started.
    pub fn new(label: &str) -> Result<Self, TestbedError> {
        let path = make(&parent(), label)?;
        let reaper = if kept() { None } else { Some(reaper(&path)?) };
        Ok(Self { path, logs: AtomicU32::new(0), reaper })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of a log in it, another one each time: what one process printed is no other's.
    pub fn log(&self) -> PathBuf {
        let n = self.logs.fetch_add(1, Ordering::Relaxed);
        self.path.join(format!("{n}.log"))
    }

    /// Writes `text` to the file `name` in it and returns the file's path.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> Result<PathBuf, TestbedError> {
        let path = self.path.join(name);
        fs::write(&path, text).map_err(TestbedError::io("write", &path))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let Some(mut reaper) = self.reaper.take() else {
            return;
        };
        // Removing here is quicker than the reaper; where it fails the reaper tries again.
        let _ = fs::remove_dir_all(&self.path);
        drop(reaper.stdin.take());
        let _ = reaper.wait();
    }
}

/// The system's temporary folder, or `/tmp` where that has too long a name for the daemons' sockets in it.
fn parent() -> PathBuf {
    let usual = env::temp_dir();
    if usual.as_os_str().len() <= LONGEST { usual } else { "/tmp".into() }
}

/// A new folder: one that a process with the same id left behind is somebody's else.
fn make(parent: &Path, label: &str) -> Result<PathBuf, TestbedError> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("axon-{label}-{}-{n}", process::id()));
        match fs::create_dir(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map(|()| path.clone()).map_err(TestbedError::io("create", &path)),
        }
    }
}

fn kept() -> bool {
    env::var_os("AXON_KEEP").is_some_and(|value| value != "0")
}

fn reaper(path: &Path) -> Result<Child, TestbedError> {
    Command::new("sh")
        .args(["-c", REAPER])
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|source| TestbedError::Spawn { program: "sh".into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_log_has_a_name_of_its_own() {
        let scratch = Scratch::new("logs").unwrap();
        let names: HashSet<_> = (0..100_000).map(|_| scratch.log()).collect();
        assert_eq!(names.len(), 100_000);
    }

    #[test]
    fn a_folder_that_is_there_is_left_alone() {
        let outer = Scratch::new("outer").unwrap();
        let first = make(outer.path(), "inner").unwrap();
        let n: u32 = first.to_str().unwrap().rsplit('-').next().unwrap().parse().unwrap();
        let left = (n + 1..n + 9).map(|n| outer.path().join(format!("axon-inner-{}-{n}", process::id())));
        let left: Vec<_> = left.collect();
        left.iter().for_each(|path| fs::create_dir(path).unwrap());
        let next = make(outer.path(), "inner").unwrap();
        assert!(next.is_dir() && !left.contains(&next));
    }
}
