//! Scratch folders that are gone after the run, however the run ends.

use crate::TestbedError;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

/// Waits for the end of its input, which is the end of the process that holds the other end of the pipe,
/// then removes the folder; several times, as daemons being killed may still be writing into it.
const REAPER: &str = "trap '' INT TERM HUP; cat; \
    for i in 1 2 3 4 5 6 7 8 9 10; do rm -rf -- \"$0\"; [ -e \"$0\" ] || exit 0; sleep 0.2; done";

/// A folder under the system's temporary folder, removed on drop, and by a watcher process when this
/// process dies without dropping (statics, aborts, kill -9).
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    reaper: Option<Child>,
}

impl Scratch {
    /// A new, empty folder whose name contains `label`.
    ///
    /// # Errors
    /// When the folder cannot be made or `sh` cannot be started.
    pub fn new(label: &str) -> Result<Self, TestbedError> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("axon-{label}-{}-{n}", process::id()));
        fs::create_dir_all(&path).map_err(TestbedError::io("create", &path))?;
        let reaper = if kept() { None } else { Some(reaper(&path)?) };
        Ok(Self { path, reaper })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
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
