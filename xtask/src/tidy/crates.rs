//! Which crate may depend on which, and what each crate's root says.

use super::Problem;
use crate::program::cargo;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// What each crate may use of the others; dev-dependencies are free. A crate that is not here may not exist.
const MAY_USE: &[(&str, &[&str])] = &[
    ("axon-denc", &[]),
    ("axon-wire", &["axon-denc"]),
    ("axon-auth", &["axon-denc"]),
    ("axon-proto", &["axon-auth", "axon-denc", "axon-wire"]),
    ("axon-transport", &[]),
    ("axon-messenger", &["axon-auth", "axon-denc", "axon-proto", "axon-transport", "axon-wire"]),
    ("axon-rados", &["axon-auth", "axon-denc", "axon-messenger", "axon-wire"]),
    (
        "axon-cli",
        &[
            "axon-auth",
            "axon-denc",
            "axon-messenger",
            "axon-proto",
            "axon-rados",
            "axon-transport",
            "axon-wire",
        ],
    ),
    ("axon-sim", &["axon-auth", "axon-denc", "axon-messenger", "axon-proto", "axon-transport", "axon-wire"]),
    ("axon-testbed", &[]),
    ("axon-bench", &["axon-auth", "axon-denc", "axon-messenger", "axon-proto", "axon-rados", "axon-testbed"]),
    ("xtask", &["axon-testbed"]),
];

/// Cannot name a socket, a clock, a thread or a random source.
const NO_STD: &[&str] = &["axon-denc", "axon-wire", "axon-auth", "axon-proto"];

/// May hold `unsafe` blocks, each with its `SAFETY:` (which clippy checks): back ends of the transport, and calls into
/// the libraries that are measured beside Axon.
const MAY_BE_UNSAFE: &[&str] = &["axon-transport", "axon-bench"];

/// A crate of the workspace.
pub(super) struct Package {
    name: String,
    /// Crates of the workspace it uses, not only in tests.
    uses: Vec<String>,
    /// Of its library and its binaries.
    roots: Vec<PathBuf>,
    manifest: PathBuf,
}

pub(super) fn packages() -> Result<Vec<Package>, String> {
    let args = ["metadata", "--no-deps", "--format-version", "1"];
    let output = cargo(&args).output().map_err(|error| format!("cannot run cargo: {error}"))?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    packages.iter().map(|value| package(value).ok_or_else(|| value.to_string())).collect()
}

fn package(value: &Value) -> Option<Package> {
    let dependencies = value["dependencies"].as_array()?.iter();
    let uses = dependencies.filter(|d| d["kind"] != "dev" && !d["path"].is_null());
    let targets = value["targets"].as_array()?.iter();
    let has_docs = |target: &&Value| target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(shipped));
    Some(Package {
        name: value["name"].as_str()?.into(),
        uses: uses.filter_map(|d| Some(d["name"].as_str()?.to_owned())).collect(),
        roots: targets.filter(has_docs).filter_map(|t| Some(t["src_path"].as_str()?.into())).collect(),
        manifest: value["manifest_path"].as_str()?.into(),
    })
}

fn shipped(kind: &Value) -> bool {
    kind == "lib" || kind == "bin"
}

pub(super) fn problems(packages: &[Package]) -> Vec<Problem> {
    packages
        .iter()
        .flat_map(|package| [directions(package), roots(package), manifest(package)].concat())
        .collect()
}

fn directions(package: &Package) -> Vec<Problem> {
    let name = &package.name;
    let Some((_, allowed)) = MAY_USE.iter().find(|(known, _)| known == name) else {
        return vec![format!(
            "{name}: not in the table of crates; say in xtask/src/tidy/crates.rs what it may use"
        )];
    };
    let forbidden = package.uses.iter().filter(|used| !allowed.contains(&used.as_str()));
    forbidden.map(|used| format!("{name}: depends on {used}, against the direction of the layers")).collect()
}

fn roots(package: &Package) -> Vec<Problem> {
    let texts = package.roots.iter().map(|root| (root, fs::read_to_string(root).unwrap_or_default()));
    texts
        .flat_map(|(root, text)| {
            let lacks = attributes(&package.name).filter(|wanted| !text.contains(wanted)).collect::<Vec<_>>();
            let undocumented = (!text.starts_with("//!")).then_some("a `//!` page on top");
            lacks
                .into_iter()
                .chain(undocumented)
                .map(|what| format!("{}: lacks {what}", root.display()))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// What a crate's root must contain.
fn attributes(name: &str) -> impl Iterator<Item = &'static str> + use<> {
    let safe = !MAY_BE_UNSAFE.contains(&name);
    let no_std = NO_STD.contains(&name);
    [(safe, "#![forbid(unsafe_code)]"), (no_std, "#![no_std]")]
        .into_iter()
        .filter_map(|(applies, text)| applies.then_some(text))
}

/// Lints and versions are said once, for the workspace.
fn manifest(package: &Package) -> Vec<Problem> {
    let text = fs::read_to_string(&package.manifest).unwrap_or_default();
    let wanted = ["[lints]\nworkspace = true", "version.workspace = true", "edition.workspace = true"];
    let lacks = wanted.into_iter().filter(|wanted| !text.contains(wanted));
    lacks.map(|what| format!("{}: lacks {what:?}", package.manifest.display())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn using(name: &str, used: &str) -> Package {
        Package { name: name.into(), uses: vec![used.into()], roots: Vec::new(), manifest: PathBuf::new() }
    }

    #[test]
    fn layers_point_downwards() {
        assert!(directions(&using("axon-proto", "axon-wire")).is_empty());
        assert_eq!(directions(&using("axon-wire", "axon-proto")).len(), 1);
        assert_eq!(directions(&using("axon-transport", "axon-wire")).len(), 1);
        assert_eq!(directions(&using("axon-new", "axon-denc")).len(), 1);
    }

    #[test]
    fn roots_are_told_what_they_lack() {
        let all: Vec<_> = attributes("axon-wire").collect();
        assert_eq!(all, ["#![forbid(unsafe_code)]", "#![no_std]"]);
        assert_eq!(attributes("axon-transport").count(), 0);
        let mut package = using("axon-cli", "axon-denc");
        package.roots = vec![PathBuf::from("/nonexistent")];
        assert_eq!(roots(&package).len(), 2);
    }
}
