//! Objects: which there are, and what they are like.

use super::{Options, striper};
use crate::error::CliError;
use crate::{output, units};
use axon_rados::client::WhenFull;
use axon_rados::ops::Stat;
use serde_json::json;

/// `rados ls`.
pub(super) fn list(options: &Options, all: bool) -> Result<(), CliError> {
    let io = options.open()?;
    let list = if all { io.list().all_namespaces() } else { io.list() };
    for object in list {
        let object = object?;
        match (options.json, all) {
            (true, _) => output::print_json(&json!({
                "namespace": object.namespace, "name": object.name, "locator": object.key,
            }))?,
            (false, true) => output::print(format_args!("{}\t{}", object.namespace, object.name))?,
            (false, false) => output::print(&object.name)?,
        }
    }
    Ok(())
}

/// `rados rm`. Possible in a full pool, too.
pub(super) fn remove(options: &Options, objects: &[String]) -> Result<(), CliError> {
    let io = options.open()?.when_full(WhenFull::Try);
    let pieces = objects.iter().map(|object| match options.striper {
        true => striper::pieces(&io, object),
        false => Ok(vec![object.clone()]),
    });
    let pieces = pieces.collect::<Result<Vec<_>, CliError>>()?.concat();
    let removals: Vec<_> = pieces.iter().map(|object| io.remove(object)).collect();
    removals.into_iter().try_for_each(|removal| removal.wait())?;
    options.done(json!({ "removed": objects }))
}

/// `rados create`.
pub(super) fn create(options: &Options, object: &str) -> Result<(), CliError> {
    options.open()?.create(object, false).wait()?;
    options.done(json!({ "object": object }))
}

/// `rados truncate`.
pub(super) fn truncate(options: &Options, object: &str, size: u32) -> Result<(), CliError> {
    options.open()?.truncate(object, size.into()).wait()?;
    options.done(json!({ "object": object, "size": size }))
}

/// `rados stat`.
pub(super) fn stat(options: &Options, object: &str) -> Result<(), CliError> {
    let io = options.open()?;
    let Stat { size, mtime } = match options.striper {
        true => striper::stat(&io, object)?,
        false => io.stat(object).wait()?,
    };
    let mtime = units::time(mtime);
    match options.json {
        true => output::print_json(&json!({
            "pool": options.pool, "name": object, "size": size, "mtime": mtime,
        })),
        false => output::print(format_args!("{}/{object} mtime {mtime}, size {size}", options.pool)),
    }
}
