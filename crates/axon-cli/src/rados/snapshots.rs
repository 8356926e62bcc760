//! Snapshots of a pool.

use super::Options;
use crate::error::CliError;
use crate::output;
use serde_json::json;

/// `rados mksnap`.
pub(super) fn make(options: &Options, name: &str) -> Result<(), CliError> {
    Ok(options.open()?.create_snap(name)?)
}

/// `rados rmsnap`.
pub(super) fn remove(options: &Options, name: &str) -> Result<(), CliError> {
    Ok(options.open()?.delete_snap(name)?)
}

/// `rados lssnap`.
pub(super) fn list(options: &Options) -> Result<(), CliError> {
    for (id, snap) in options.open()?.snaps() {
        match options.json {
            true => {
                output::print_json(&json!({ "id": id, "name": snap.name, "stamp": snap.stamp.to_string() }))?
            }
            false => output::print(format_args!("{id}\t{}\t{}", snap.name, snap.stamp))?,
        }
    }
    Ok(())
}
