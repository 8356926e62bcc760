//! What the project promises about itself and no compiler checks: `ARCHITECTURE.md`, "Invariants".

mod crates;
mod files;
mod links;

use crate::program::root;
use crate::steps::{Outcome, Steps};
use std::fs;
use std::path::Path;
use std::process::Command;

/// One thing that is not in order, as `where: what`.
type Problem = String;

/// `cargo xtask tidy`.
pub(crate) fn run() -> Steps {
    let mut steps = Steps::default();
    steps.step("tidy", outcome);
    steps
}

/// All problems, one a line.
pub(crate) fn outcome() -> Outcome {
    let files = SourceFile::all(root())?;
    let packages = crates::packages()?;
    let problems: Vec<Problem> =
        [crates::problems(&packages), files::problems(&files), links::problems(&files)].concat();
    match problems.len() {
        0 => Ok(format!("{} files, {} crates", files.len(), packages.len())),
        n => Err(format!("{}\n{n} problems", problems.join("\n"))),
    }
}

/// A text file of the checkout.
struct SourceFile {
    /// Relative to the checkout's root, with `/`.
    path: String,
    text: String,
}

impl SourceFile {
    /// All Rust, C, Markdown and TOML files that are or will be under version control.
    fn all(root: &Path) -> Result<Vec<Self>, String> {
        let listed = Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
            .current_dir(root)
            .output()
            .map_err(|error| format!("cannot run git: {error}"))?;
        if !listed.status.success() {
            return Err(String::from_utf8_lossy(&listed.stderr).into_owned());
        }
        let names = String::from_utf8_lossy(&listed.stdout).into_owned();
        let known = |name: &&str| [".rs", ".c", ".md", ".toml"].iter().any(|end| name.ends_with(end));
        // A file may be listed and just removed.
        let read =
            |name: &str| Some(Self { path: name.into(), text: fs::read_to_string(root.join(name)).ok()? });
        Ok(names.split('\0').filter(known).filter_map(read).collect())
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    #[cfg(test)]
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.into(), text: text.into() }
    }
}
