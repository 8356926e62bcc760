//! Objects: which there are, and what they are like.

use super::{Options, striper, text};
use crate::error::CliError;
use crate::{output, units};
use axon_rados::Name;
use axon_rados::client::WhenFull;
use axon_rados::ops::{Listed, Stat};
use serde_json::json;

/// `rados ls`: names as they are; with --striper only those of striped files.
pub(super) fn list(options: &Options, all: bool) -> Result<(), CliError> {
    let io = options.open()?;
    let list = if all { io.list().all_namespaces() } else { io.list() };
    for object in list {
        let object = object?;
        match striper::name_of(&object.name).filter(|_| options.striper) {
            Some(file) => show(options, all, &Listed { name: file.into(), ..object })?,
            None if options.striper => {}
            None => show(options, all, &object)?,
        }
    }
    Ok(())
}

fn show(options: &Options, all: bool, object: &Listed) -> Result<(), CliError> {
    let Listed { namespace, name, key } = object;
    match options.json {
        true => {
            let line = text::with(json!({}), "namespace", namespace);
            options.tell(&text::with(text::with(line, "name", name), "locator", key))
        }
        false => text::write_line(&line(all, object)),
    }
}

/// The namespace, if all are shown, the name, and the locator, if there is one.
fn line(all: bool, object: &Listed) -> Vec<u8> {
    let namespace = all.then_some(&object.namespace[..]);
    let locator = Some(&object.key[..]).filter(|key| !key.is_empty());
    let columns: Vec<_> = namespace.into_iter().chain([&object.name[..]]).chain(locator).collect();
    columns.join(&b'\t')
}

/// `rados rm`. Possible in a full pool, too. One that cannot be removed keeps none of the others.
pub(super) fn remove(options: &Options, objects: &[Name]) -> Result<(), CliError> {
    let io = options.open()?.when_full(WhenFull::Try);
    match options.striper {
        true => CliError::of_all(objects.iter().map(|file| striper::remove(&io, file)))?,
        false => {
            let removals: Vec<_> = objects.iter().map(|object| io.remove(object)).collect();
            CliError::of_all(removals.into_iter().map(|removal| Ok(removal.wait()?)))?;
        }
    }
    let removed: Vec<_> = objects.iter().map(ToString::to_string).collect();
    options.done(json!({ "removed": removed }))
}

/// `rados create`.
pub(super) fn create(options: &Options, object: &Name) -> Result<(), CliError> {
    options.open()?.create(object, true).wait()?;
    options.done(text::with(json!({}), "object", object))
}

/// `rados truncate`.
pub(super) fn truncate(options: &Options, object: &Name, size: u64) -> Result<(), CliError> {
    let io = options.open()?;
    match options.striper {
        true => striper::truncate(&io, object, size)?,
        false => io.truncate(object, size).wait()?,
    }
    options.done(text::with(json!({ "size": size }), "object", object))
}

/// `rados stat`.
pub(super) fn stat(options: &Options, object: &Name) -> Result<(), CliError> {
    let io = options.open()?;
    let Stat { size, mtime } = match options.striper {
        true => striper::File::open(&io, object)?.stat,
        false => io.stat(object).wait()?,
    };
    let (pool, mtime) = (io.pool_name(), units::time(mtime));
    match options.json {
        true => {
            options.tell(&text::with(json!({ "pool": pool, "size": size, "mtime": mtime }), "name", object))
        }
        false => output::print(format_args!("{pool}/{object} mtime {mtime}, size {size}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns() {
        let listed = |namespace: &str, key: &str| Listed {
            namespace: namespace.into(),
            name: "o".into(),
            key: key.into(),
        };
        for (all, namespace, key, expected) in [
            (false, "ns", "", "o"),
            (false, "", "key", "o\tkey"),
            (true, "", "", "\to"),
            (true, "ns", "key", "ns\to\tkey"),
        ] {
            assert_eq!(line(all, &listed(namespace, key)), expected.as_bytes());
        }
    }
}
