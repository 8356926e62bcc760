//! Snapshots of a pool.

use super::{Options, text};
use crate::error::CliError;
use crate::{output, units};
use axon_rados::Name;
use serde_json::json;

/// `rados mksnap`.
pub(super) fn make(options: &Options, name: &str) -> Result<(), CliError> {
    options.open()?.create_snap(name)?;
    options.done(json!({ "snap": name }))
}

/// `rados rmsnap`.
pub(super) fn remove(options: &Options, name: &str) -> Result<(), CliError> {
    options.open()?.delete_snap(name)?;
    options.done(json!({ "removed": name }))
}

/// `rados rollback`.
pub(super) fn roll_back(options: &Options, object: &Name, snap: &str) -> Result<(), CliError> {
    let io = options.open()?;
    io.rollback(object, io.snap_by_name(snap)?).wait()?;
    options.done(text::with(json!({ "snap": snap }), "object", object))
}

/// `rados lssnap`.
pub(super) fn list(options: &Options) -> Result<(), CliError> {
    for (id, snap) in options.open()?.snaps() {
        let stamp = units::time(snap.stamp);
        match options.json {
            true => options.tell(&json!({ "id": id, "name": snap.name, "stamp": stamp }))?,
            false => output::print(format_args!("{id}\t{}\t{stamp}", snap.name))?,
        }
    }
    Ok(())
}
