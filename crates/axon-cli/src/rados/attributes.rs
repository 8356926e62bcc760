//! Extended attributes and omaps.

use super::{Options, striper, text, transfer};
use crate::error::CliError;
use crate::output;
use axon_rados::Name;
use axon_rados::ops::{ReadOp, WriteOp};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Values of the omap asked for at once.
const PAGE: u64 = 512;

/// A value to be set.
#[derive(Debug, Args)]
pub(super) struct Value {
    /// The value; standard input if not given.
    #[arg(value_parser = text::name(), allow_hyphen_values = true)]
    value: Option<Name>,

    /// Take the value from this file; - for standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "value")]
    input_file: Option<PathBuf>,
}

impl Value {
    fn read(self) -> Result<Vec<u8>, CliError> {
        match self.value {
            Some(value) => Ok(value.to_vec()),
            None => {
                let file = self.input_file.as_deref().unwrap_or(Path::new("-"));
                transfer::read_for_one_request(&mut *transfer::open_input(file)?)
            }
        }
    }
}

/// `rados getxattr`: the value as it is.
pub(super) fn get(options: &Options, object: &Name, name: &Name) -> Result<(), CliError> {
    let value = options.open()?.get_xattr(holder(options, object), name).wait()?;
    match options.json {
        true => options.tell(&named("name", name, &value)),
        false => text::write(&value),
    }
}

/// `rados setxattr`.
pub(super) fn set(options: &Options, object: &Name, name: &Name, value: Value) -> Result<(), CliError> {
    let value = value.read()?;
    let size = value.len();
    let mut op = WriteOp::new();
    if options.striper {
        op.assert_exists(); // a first piece without a layout would be no file
    }
    op.set_xattr(name, value);
    options.open()?.operate(holder(options, object), op).wait()?;
    let report = text::with(json!({ "bytes": size }), "object", object);
    options.done(text::with(report, "name", name))
}

/// `rados rmxattr`.
pub(super) fn remove(options: &Options, object: &Name, name: &Name) -> Result<(), CliError> {
    options.open()?.remove_xattr(holder(options, object), name).wait()?;
    options.done(text::with(text::with(json!({}), "object", object), "removed", name))
}

/// `rados listxattr`. Those that describe a striped file are not shown.
pub(super) fn list(options: &Options, object: &Name) -> Result<(), CliError> {
    let attributes = options.open()?.get_xattrs(holder(options, object)).wait()?;
    for (name, value) in attributes.iter().filter(|(name, _)| !options.striper || striper::is_of_file(name)) {
        match options.json {
            true => options.tell(&named("name", name, value))?,
            false => text::write_line(name)?,
        }
    }
    Ok(())
}

/// The object that has the attributes: of a striped file its first piece.
fn holder(options: &Options, object: &Name) -> Name {
    match options.striper {
        true => striper::first(object).into(),
        false => object.clone(),
    }
}

/// `rados listomapvals`.
pub(super) fn list_omap(options: &Options, object: &Name) -> Result<(), CliError> {
    let io = options.open()?;
    let mut after = Name::default();
    loop {
        let page = io.omap_vals(object, &after, "", PAGE).wait()?;
        for (key, value) in &page.values {
            match options.json {
                true => options.tell(&named("key", key, value))?,
                false => output::print(shown(key, value))?,
            }
        }
        match page.values.into_iter().next_back() {
            Some((last, _)) if page.more => after = last,
            _ => return Ok(()),
        }
    }
}

/// A key, as a dump if it is not printable, and the dump of its value.
fn shown(key: &[u8], value: &[u8]) -> String {
    let key = match text::is_plain(key) {
        true => String::from_utf8_lossy(key).into_owned(),
        false => format!("key ({} bytes):\n{}", key.len(), text::dump(key)),
    };
    format!("{key}\nvalue ({} bytes) :\n{}", value.len(), text::dump(value))
}

/// `rados listomapkeys`: the keys as they are.
pub(super) fn list_keys(options: &Options, object: &Name) -> Result<(), CliError> {
    let io = options.open()?;
    let mut after = Name::default();
    loop {
        let page = io.omap_keys(object, &after, PAGE).wait()?;
        for key in &page.keys {
            match options.json {
                true => options.tell(&text::with(json!({}), "key", key))?,
                false => text::write_line(key)?,
            }
        }
        match page.keys.into_iter().next_back() {
            Some(last) if page.more => after = last,
            _ => return Ok(()),
        }
    }
}

/// `rados getomapval`: the value as it is.
pub(super) fn get_omap(options: &Options, object: &Name, key: &Name) -> Result<(), CliError> {
    let mut op = ReadOp::new();
    let values = op.omap_vals_by_keys([key]);
    let answer = options.open()?.operate_read(object, op).wait()?;
    let Some(value) = answer.get(values)?.remove(key) else {
        return Err(CliError::NoKey { object: object.clone(), key: key.clone() });
    };
    match options.json {
        true => options.tell(&named("key", key, &value)),
        false => text::write(&value),
    }
}

/// `rados setomapval`.
pub(super) fn set_omap(options: &Options, object: &Name, key: &Name, value: Value) -> Result<(), CliError> {
    let value = value.read()?;
    let size = value.len();
    options.open()?.omap_set(object, [(key, value)]).wait()?;
    options.done(text::with(text::with(json!({ "bytes": size }), "object", object), "key", key))
}

/// `rados rmomapkey`.
pub(super) fn remove_key(options: &Options, object: &Name, key: &Name) -> Result<(), CliError> {
    let mut op = WriteOp::new();
    op.assert_exists().omap_remove([key]);
    options.open()?.operate(object, op).wait()?;
    options.done(text::with(text::with(json!({}), "object", object), "removed", key))
}

/// A name and a value.
fn named(what: &str, name: &[u8], value: &[u8]) -> serde_json::Value {
    text::with(text::with(json!({}), what, name), "value", value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_not_printable_are_dumped() {
        assert_eq!(shown(b"k", b""), "k\nvalue (0 bytes) :\n");
        assert!(shown(b"\x80k", b"").starts_with("key (2 bytes):\n00000000  80 6b "));
    }
}
