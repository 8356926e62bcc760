//! Links between the project's own pages.

use super::{Problem, SourceFile};
use crate::program::root;
use std::path::{Component, Path, PathBuf};

pub(super) fn problems(files: &[SourceFile]) -> Vec<Problem> {
    files.iter().filter(|file| file.path.ends_with(".md")).flat_map(broken).collect()
}

fn broken(file: &SourceFile) -> Vec<Problem> {
    let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
    let targets = targets(&file.text).map(|target| (target, folder.join(target)));
    let missing = targets.filter(|(_, path)| !root().join(plain(path)).exists());
    missing.map(|(target, _)| format!("{}: links to {target}, which is not there", file.path)).collect()
}

/// The relative link targets of a page, without the part after `#`.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    let after = text.split("](").skip(1);
    let all = after.filter_map(|rest| rest.split(')').next()?.split('#').next());
    all.filter(|target| {
        !target.is_empty() && !target.contains("://") && !target.contains(char::is_whitespace)
    })
}

/// The path with `..` worked off, so that it means the same whether or not the folders on the way exist.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
        plain
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_nowhere_are_found() {
        let page = |text| SourceFile::new("docs/page.md", text);
        assert!(broken(&page("[a](../Cargo.toml) [b](https://example.org) [c](#here)")).is_empty());
        assert_eq!(broken(&page("[a](nowhere.md#part) [b](../Cargo.toml)")).len(), 1);
    }
}
