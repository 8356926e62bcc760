//! Sizes and names of files.

use super::{Problem, SourceFile};

/// Longer files have more than one subject.
const MAX_LINES: usize = 800;
/// A page to be read, not a book.
const MAX_ARCHITECTURE_LINES: usize = 300;
/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "misc", "common", "manager"];

pub(super) fn problems(files: &[SourceFile]) -> Vec<Problem> {
    files.iter().flat_map(|file| [length(file), name(file)].into_iter().flatten()).collect()
}

fn length(file: &SourceFile) -> Option<Problem> {
    let limit = match file.path.as_str() {
        "ARCHITECTURE.md" => MAX_ARCHITECTURE_LINES,
        _ if file.is_rust() => MAX_LINES,
        _ => return None,
    };
    let lines = file.text.lines().count();
    (lines > limit).then(|| format!("{}: {lines} lines, at most {limit}", file.path))
}

fn name(file: &SourceFile) -> Option<Problem> {
    if !file.is_rust() {
        return None;
    }
    if file.name() == "mod.rs" {
        return Some(format!("{}: name it after its folder, beside it", file.path));
    }
    let stem = file.name().trim_end_matches(".rs");
    let empty = stem.split('_').any(|word| EMPTY_NAMES.contains(&word));
    empty.then(|| format!("{}: the name does not say what is inside", file.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        problems(&[SourceFile::new(path, text)]).len()
    }

    #[test]
    fn long_files_and_empty_names_are_found() {
        assert_eq!(found("a/src/frame.rs", &"x\n".repeat(MAX_LINES)), 0);
        assert_eq!(found("a/src/frame.rs", &"x\n".repeat(MAX_LINES + 1)), 1);
        assert_eq!(found("ARCHITECTURE.md", &"x\n".repeat(MAX_ARCHITECTURE_LINES + 1)), 1);
        assert_eq!(found("docs/wire.md", &"x\n".repeat(5000)), 0);
        for bad in ["a/src/mod.rs", "a/src/utils.rs", "a/tests/test_helpers.rs"] {
            assert_eq!(found(bad, ""), 1, "{bad}");
        }
        assert_eq!(found("a/src/commonplace.rs", ""), 0);
    }
}
