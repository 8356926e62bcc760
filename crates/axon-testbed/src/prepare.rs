//! Fetching and unpacking the real peers, once per machine: what `cargo xtask peers` runs; and other packages of Debian
//! that something is compared with.
//!
//! Needs Debian's own tools (`apt-get`, `dpkg-deb`, `tar`, `setpriv`), a C compiler, and a mirror of
//! Debian; not root. Nothing is installed: the packages are unpacked into the cache folder, without
//! running their scripts.

mod apt;
mod shim;

pub(crate) use shim::{Shim, shim};

use crate::process::tail;
use crate::tree::cache_dir;
use crate::{Release, TestbedError, Tree};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Whether [`release`] had to do anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepared {
    /// It was there.
    Already,
    /// It was fetched and unpacked now.
    Now,
}

/// Packages of one suite of Debian, unpacked together into a folder of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packages {
    /// What they are called in messages.
    pub title: &'static str,
    /// The name of their folder, among those of the releases of Ceph.
    pub folder: &'static str,
    /// The Debian suite.
    pub suite: &'static str,
    /// The packages, dependencies not counted.
    pub names: &'static [&'static str],
}

impl Packages {
    /// Where they are, or would be: the folder with `root` and `stamp`.
    pub(crate) fn dir(&self) -> PathBuf {
        cache_dir().join("peers").join(self.folder)
    }

    /// What the stamp file of a complete folder holds: anything else means "make it again".
    pub(crate) fn stamp(&self) -> String {
        format!("layout 1\nsuite {}\npackages {}\n", self.suite, self.names.join(" "))
    }

    /// Whether all of it is there.
    pub(crate) fn are_unpacked(&self) -> bool {
        fs::read_to_string(self.dir().join("stamp")).is_ok_and(|stamp| stamp == self.stamp())
    }
}

/// Makes sure packages are unpacked, with all they depend on; the folder that is their `/`. Quick when they are there;
/// safe to call from several processes at once.
///
/// # Errors
/// [`TestbedError::Prepare`] with the output of the step that failed.
pub fn packages(packages: Packages) -> Result<PathBuf, TestbedError> {
    let dir = packages.dir();
    fs::create_dir_all(&dir).map_err(TestbedError::io("create", &dir))?;
    let _lock = lock(&dir.join("lock"))?;
    if !packages.are_unpacked() {
        unpack(packages, &dir)?;
    }
    Ok(dir.join("root"))
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
    unpack(release.debian(), dir)?;
    version(&Tree::find(release)?).map_err(|error| TestbedError::Prepare {
        what: release.debian().title.into(),
        step: "running ceph-mon --version",
        output: tail(&error.to_string(), 40),
    })?;
    Ok(())
}

/// Fetches and unpacks anew what belongs into `dir`.
fn unpack(packages: Packages, dir: &Path) -> Result<(), TestbedError> {
    let root = dir.join("root");
    for stale in [&root, &dir.join("apt")] {
        if stale.exists() {
            fs::remove_dir_all(stale).map_err(TestbedError::io("remove", stale))?;
        }
    }
    let _ = fs::remove_file(dir.join("stamp"));
    let apt = apt::Apt::new(packages, &dir.join("apt"))?;
    apt.update()?;
    apt.download()?;
    apt.unpack(&root)?;
    fs::remove_dir_all(dir.join("apt")).map_err(TestbedError::io("remove", dir.join("apt")))?;
    fs::write(dir.join("stamp"), packages.stamp()).map_err(TestbedError::io("write", dir.join("stamp")))
}
