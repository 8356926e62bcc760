//! What the project promises about itself and no compiler checks: `ARCHITECTURE.md`, "Invariants".

mod crates;
mod files;
mod links;

use crate::program::root;
use crate::steps::{Outcome, Steps};
use std::fs;
use std::path::Path;

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
    /// All Rust, C, Markdown and TOML files of the checkout. Does not ask git, which need not be there.
    fn all(root: &Path) -> Result<Vec<Self>, String> {
        let mut files = Vec::new();
        walk(root, &mut |path| {
            let known =
                path.extension().is_some_and(|end| ["rs", "c", "md", "toml"].iter().any(|e| end == *e));
            if let (true, Ok(text)) = (known, fs::read_to_string(path)) {
                let path = path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
                files.push(Self { path, text });
            }
        })?;
        Ok(files)
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

/// Calls `visit` with every file below `dir` but build products and hidden ones.
fn walk(dir: &Path, visit: &mut dyn FnMut(&Path)) -> Result<(), String> {
    let entries = fs::read_dir(dir).map_err(|error| format!("cannot list {}: {error}", dir.display()))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name == "target" || name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&entry.path(), visit)?,
            Ok(kind) if kind.is_file() => visit(&entry.path()),
            _ => {}
        }
    }
    Ok(())
}
