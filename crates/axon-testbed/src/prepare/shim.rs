//! Small C libraries of ours, loaded into the peers' programs ahead of libc.

use crate::TestbedError;
use crate::process::run_ok;
use crate::tree::cache_dir;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

/// Which library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shim {
    /// `usleep(0)` returns at once.
    Nosleep,
    /// `connect` goes to the port a file names instead.
    Redirect,
}

impl Shim {
    const ALL: [Shim; 2] = [Self::Nosleep, Self::Redirect];

    fn name(self) -> &'static str {
        match self {
            Self::Nosleep => "nosleep",
            Self::Redirect => "redirect",
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::Nosleep => include_str!("../../shim/nosleep.c"),
            Self::Redirect => include_str!("../../shim/redirect.c"),
        }
    }

    fn library(self) -> PathBuf {
        cache_dir().join(format!("shim-{}.so", self.name()))
    }

    fn kept_source(self) -> PathBuf {
        cache_dir().join(format!("shim-{}.c", self.name()))
    }

    fn is_current(self) -> bool {
        self.library().exists()
            && fs::read_to_string(self.kept_source()).is_ok_and(|kept| kept == self.source())
    }
}

/// The compiled library; compiles it if need be.
pub(crate) fn shim(which: Shim) -> Result<PathBuf, TestbedError> {
    if !which.is_current() {
        super::shims()?;
    }
    Ok(which.library())
}

pub(super) fn build_all() -> Result<(), TestbedError> {
    Shim::ALL.into_iter().filter(|shim| !shim.is_current()).try_for_each(build)
}

fn build(shim: Shim) -> Result<(), TestbedError> {
    let source = shim.kept_source();
    let fresh = shim.library().with_extension("so.new");
    fs::write(&source, shim.source()).map_err(TestbedError::io("write", &source))?;
    let compiler = env::var("CC").unwrap_or_else(|_| "gcc".into());
    let mut compile = Command::new(compiler);
    compile.args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o"]).args([&fresh, &source]);
    let built = run_ok(&compile, Duration::from_secs(60));
    if built.is_err() {
        // Else the next call would take the kept source for a finished build.
        let _ = fs::remove_file(&source);
    }
    built?;
    fs::rename(&fresh, shim.library()).map_err(TestbedError::io("rename", fresh))
}
