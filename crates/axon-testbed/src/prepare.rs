//! Fetching and unpacking the real peers, once per machine: what `cargo xtask peers` runs.
//!
//! Needs Debian's own tools (`apt-get`, `dpkg-deb`, `tar`, `setpriv`), a C compiler, and a mirror of
//! Debian; not root. Nothing is installed: the packages are unpacked into the cache folder, without
//! running their scripts.

mod apt;
mod shim;

pub(crate) use shim::{Shim, shim};

use crate::process::tail;
use crate::tree::{cache_dir, stamp_of};
use crate::{Release, TestbedError, Tree};
use std::fs::{self, File};
use std::path::Path;

/// Whether [`release`] had to do anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepared {
    /// It was there.
    Already,
    /// It was fetched and unpacked now.
    Now,
}

/// Makes sure the release is unpacked and runs. Quick when it is; safe to call from several processes at once.
///
/// # Errors
/// [`TestbedError::Prepare`] with the output of the step that failed.
pub fn release(release: Release) -> Result<Prepared, TestbedError> {
    let dir = Tree::dir(release);
    fs::create_dir_all(&dir).map_err(TestbedError::io("create", &dir))?;
    let _lock = lock(&dir.join("lock"))?;
    if let Ok(tree) = Tree::find(release)
        && version(&tree).is_ok()
    {
        return Ok(Prepared::Already);
    }
    build(release, &dir)?;
    Ok(Prepared::Now)
}

/// Compiles the libraries of ours that are loaded into the peers' programs. Quick when they are there.
///
/// # Errors
/// [`TestbedError::Failed`] with the compiler's output.
pub fn shims() -> Result<(), TestbedError> {
    let dir = cache_dir();
    fs::create_dir_all(&dir).map_err(TestbedError::io("create", &dir))?;
    let _lock = lock(&dir.join("shim.lock"))?;
    shim::build_all()
}

/// What the release's monitor says its version is, in full.
///
/// # Errors
/// When it does not run.
pub fn version(tree: &Tree) -> Result<String, TestbedError> {
    let mut command = tree.command("ceph-mon");
    command.arg("--version");
    let run = crate::process::run_ok(&command, std::time::Duration::from_secs(30))?;
    Ok(run.stdout.trim().to_owned())
}

/// An exclusive lock held until the file is dropped.
fn lock(path: &Path) -> Result<File, TestbedError> {
    let file = File::create(path).map_err(TestbedError::io("create", path))?;
    file.lock().map_err(TestbedError::io("lock", path))?;
    Ok(file)
}

fn build(release: Release, dir: &Path) -> Result<(), TestbedError> {
    let root = dir.join("root");
    for stale in [&root, &dir.join("apt")] {
        if stale.exists() {
            fs::remove_dir_all(stale).map_err(TestbedError::io("remove", stale))?;
        }
    }
    let _ = fs::remove_file(dir.join("stamp"));
    let apt = apt::Apt::new(release, &dir.join("apt"))?;
    apt.update()?;
    apt.download()?;
    apt.unpack(&root)?;
    fs::remove_dir_all(dir.join("apt")).map_err(TestbedError::io("remove", dir.join("apt")))?;
    fs::write(dir.join("stamp"), stamp_of(release)).map_err(TestbedError::io("write", dir.join("stamp")))?;
    version(&Tree::find(release)?).map_err(|error| TestbedError::Prepare {
        release,
        step: "running ceph-mon --version",
        output: tail(&error.to_string(), 40),
    })?;
    Ok(())
}
