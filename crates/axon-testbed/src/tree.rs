//! A release unpacked into a folder, and how its programs are run from there.

use crate::{Release, TestbedError};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The folder everything fetched or built for the tests lives in: `$AXON_CACHE`, else
/// `$XDG_CACHE_HOME/axon`, else `$HOME/.cache/axon`.
pub(crate) fn cache_dir() -> PathBuf {
    let base = |name, tail: &str| env::var_os(name).map(|dir| PathBuf::from(dir).join(tail));
    base("AXON_CACHE", "")
        .or_else(|| base("XDG_CACHE_HOME", "axon"))
        .or_else(|| base("HOME", ".cache/axon"))
        .unwrap_or_else(|| env::temp_dir().join("axon-cache"))
}

/// A release of Ceph unpacked on this machine.
///
/// Its programs run under the tree's own dynamic loader and libraries, with the machine's file system:
/// paths mean the same inside and outside.
#[derive(Debug, Clone)]
pub struct Tree {
    release: Release,
    root: PathBuf,
}

impl Tree {
    /// The release's tree, if `cargo xtask peers` has made it.
    ///
    /// # Errors
    /// [`TestbedError::NotPrepared`].
    pub fn find(release: Release) -> Result<Self, TestbedError> {
        let packages = release.debian();
        let dir = packages.dir();
        if !packages.are_unpacked() {
            return Err(TestbedError::NotPrepared { release, path: dir });
        }
        let root = dir.join("root");
        Ok(Self { release, root })
    }

    /// Where the release is, or would be: the folder with `root` and `stamp`.
    pub fn dir(release: Release) -> PathBuf {
        release.debian().dir()
    }

    /// The release this is.
    pub fn release(&self) -> Release {
        self.release
    }

    /// A file of the tree, by its path on a machine where the packages are installed.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.root.join(inside.trim_start_matches('/'))
    }

    /// The folder of the tree's shared libraries for this processor.
    pub(crate) fn lib(&self) -> PathBuf {
        self.path("usr/lib").join(multiarch())
    }

    /// A command that runs `/usr/bin/PROGRAM` of the tree, Python scripts included.
    pub fn command(&self, program: &str) -> Command {
        self.command_with(program, &[])
    }

    /// The same with libraries of ours loaded first.
    pub(crate) fn command_with(&self, program: &str, preload: &[PathBuf]) -> Command {
        let mut command = Command::new(self.loader());
        command.arg("--library-path").arg(self.library_path());
        if !preload.is_empty() {
            command.arg("--preload").arg(joined(preload));
        }
        let file = self.path("usr/bin").join(program);
        if is_python(&file) {
            command.arg(self.path("usr/bin/python3"));
            self.set_python(&mut command);
        }
        command.arg(file);
        command
    }

    /// Lets a program with Python inside find the tree's library.
    pub(crate) fn set_python(&self, command: &mut Command) {
        command
            .env("PYTHONHOME", self.path("usr"))
            .env("PYTHONPATH", self.path("usr/lib/python3/dist-packages"))
            .env("PYTHONDONTWRITEBYTECODE", "1");
    }

    fn loader(&self) -> PathBuf {
        let name = match env::consts::ARCH {
            "aarch64" => "ld-linux-aarch64.so.1",
            _ => "ld-linux-x86-64.so.2",
        };
        [self.path("lib").join(multiarch()), self.lib()]
            .into_iter()
            .map(|dir| dir.join(name))
            .find(|file| file.exists())
            .unwrap_or_else(|| self.lib().join(name))
    }

    fn library_path(&self) -> OsString {
        // Releases before Debian's merged /usr keep libc in /lib.
        joined(&[self.path("lib").join(multiarch()), self.lib(), self.lib().join("ceph")])
    }
}

fn multiarch() -> &'static str {
    match env::consts::ARCH {
        "aarch64" => "aarch64-linux-gnu",
        _ => "x86_64-linux-gnu",
    }
}

fn joined(paths: &[PathBuf]) -> OsString {
    let mut all = OsString::new();
    for (i, path) in paths.iter().enumerate() {
        if i > 0 {
            all.push(":");
        }
        all.push(path);
    }
    all
}

fn is_python(file: &Path) -> bool {
    fs::read(file).is_ok_and(|bytes| {
        bytes.starts_with(b"#!") && bytes[..bytes.len().min(64)].windows(6).any(|w| w == b"python")
    })
}
