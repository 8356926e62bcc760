//! Builds the peer rados-rs, with one condition corrected.
//!
//! The peer is no part of the workspace, so that its dependencies are not ours. Version 0.1.4 takes an OSD for one of
//! release 19 if it shares *any* of the bits that say so, some of which are as old as features are, and then sends it a
//! message it cannot read. A copy of its source below the target folder is corrected and built; nothing of it is kept
//! in the project.

use crate::program::{cargo, root};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// What is wrong, and what it should be.
const WRONG: &str = "& CephFeatures::MASK_SERVER_SQUID.bits() != 0";
const RIGHT: &str = "& CephFeatures::MASK_SERVER_SQUID.bits() == CephFeatures::MASK_SERVER_SQUID.bits()";
/// The file it is in.
const FILE: &str = "src/osdclient/messages.rs";

/// Builds its programs into `target`. Where that fails the benchmark goes on and names them as missing.
pub(super) fn build(target: &Path) -> String {
    let built = corrected(target).and_then(|copy| {
        let mut build = cargo(&["build", "--release", "--target-dir"]);
        build.arg(target).arg("--manifest-path").arg(copy.join("Cargo.toml"));
        let source = copy.join("rados").display().to_string();
        build.arg("--config").arg(format!("patch.crates-io.rados.path='{source}'"));
        super::status(build)
    });
    built.map_or_else(|why| format!("not built, so it will be missing: {why}"), |_| String::new())
}

/// A copy of our program with the peer's corrected source beside it.
fn corrected(target: &Path) -> Result<PathBuf, String> {
    let copy = target.join("bench-rados-rs");
    let say = |error: std::io::Error| error.to_string();
    copy_folder(&root().join("bench/rados-rs"), &copy).map_err(say)?;
    let (source, peer) = (source()?, copy.join("rados"));
    copy_folder(&source, &peer).map_err(say)?;
    let text = fs::read_to_string(source.join(FILE)).map_err(say)?;
    if !text.contains(WRONG) {
        return Err(format!("{FILE} of rados is not what it was: nothing to correct"));
    }
    put(&peer.join(FILE), text.replace(WRONG, RIGHT).as_bytes()).map_err(say)?;
    Ok(copy)
}

/// Where cargo keeps the peer's source; fetches it.
fn source() -> Result<PathBuf, String> {
    let mut metadata = cargo(&["metadata", "--format-version", "1", "--locked", "--manifest-path"]);
    metadata.arg(root().join("bench/rados-rs/Cargo.toml"));
    let output = metadata.output().map_err(|error| error.to_string())?;
    let packages: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let peer =
        packages["packages"].as_array().into_iter().flatten().find(|package| package["name"] == "rados");
    let manifest =
        peer.and_then(|package| package["manifest_path"].as_str()).ok_or("cargo knows no rados")?;
    Path::new(manifest).parent().map(PathBuf::from).ok_or_else(|| "a manifest without a folder".into())
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    drop_strangers(from, to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy_folder(&entry.path(), &place)?,
            // Corrected before.
            false if place.ends_with(FILE) && place.exists() => {}
            false => put(&place, &fs::read(entry.path())?)?,
        }
    }
    Ok(())
}

/// Removes the files of older copies that the source has no more: cargo would build them.
fn drop_strangers(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if entry.file_type()?.is_file() && !from.join(entry.file_name()).exists() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Writes a file, unless it is that already: what is not touched cargo does not build again.
fn put(place: &Path, bytes: &[u8]) -> std::io::Result<()> {
    match fs::read(place) {
        Ok(old) if old == bytes => Ok(()),
        _ => fs::write(place, bytes),
    }
}
