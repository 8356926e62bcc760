//! Extended attributes and omaps.

use super::Options;
use crate::error::CliError;
use crate::output;
use axon_rados::ops::{ReadOp, WriteOp};
use serde_json::{Value, json};
use std::io::{self, Read, Write};

/// Values of the omap asked for at once.
const PAGE: u64 = 512;

/// `rados getxattr`: the value as it is.
pub(super) fn get(options: &Options, object: &str, name: &str) -> Result<(), CliError> {
    let value = options.open()?.get_xattr(object, name).wait()?;
    match options.json {
        true => output::print_json(&named("name", name, &value)),
        false => write(&value),
    }
}

/// `rados setxattr`.
pub(super) fn set(
    options: &Options,
    object: &str,
    name: &str,
    value: Option<String>,
) -> Result<(), CliError> {
    let value = value_or_input(value)?;
    let size = value.len();
    options.open()?.set_xattr(object, name, value).wait()?;
    options.done(json!({ "object": object, "name": name, "bytes": size }))
}

/// `rados rmxattr`.
pub(super) fn remove(options: &Options, object: &str, name: &str) -> Result<(), CliError> {
    options.open()?.remove_xattr(object, name).wait()?;
    options.done(json!({ "object": object, "removed": name }))
}

/// `rados listxattr`.
pub(super) fn list(options: &Options, object: &str) -> Result<(), CliError> {
    for (name, value) in options.open()?.get_xattrs(object).wait()? {
        match options.json {
            true => output::print_json(&named("name", &name, &value))?,
            false => output::print(name)?,
        }
    }
    Ok(())
}

/// `rados listomapvals`.
pub(super) fn list_omap(options: &Options, object: &str) -> Result<(), CliError> {
    let io = options.open()?;
    let mut after = String::new();
    loop {
        let page = io.omap_vals(object, &after, "", PAGE).wait()?;
        for (key, value) in &page.values {
            match options.json {
                true => output::print_json(&named("key", key, value))?,
                false => {
                    output::print(format_args!("{key}\nvalue ({} bytes) :\n{}", value.len(), dump(value)))?
                }
            }
        }
        match page.values.into_iter().next_back() {
            Some((last, _)) if page.more => after = last,
            _ => return Ok(()),
        }
    }
}

/// `rados listomapkeys`.
pub(super) fn list_keys(options: &Options, object: &str) -> Result<(), CliError> {
    let io = options.open()?;
    let mut after = String::new();
    loop {
        let page = io.omap_keys(object, &after, PAGE).wait()?;
        for key in &page.keys {
            match options.json {
                true => output::print_json(&json!({ "key": key }))?,
                false => output::print(key)?,
            }
        }
        match page.keys.into_iter().next_back() {
            Some(last) if page.more => after = last,
            _ => return Ok(()),
        }
    }
}

/// `rados getomapval`: the value as it is.
pub(super) fn get_omap(options: &Options, object: &str, key: &str) -> Result<(), CliError> {
    let mut op = ReadOp::new();
    let values = op.omap_vals_by_keys([key]);
    let answer = options.open()?.operate_read(object, op).wait()?;
    let Some(value) = answer.get(values)?.remove(key) else {
        return Err(CliError::NoKey { object: object.to_owned(), key: key.to_owned() });
    };
    match options.json {
        true => output::print_json(&named("key", key, &value)),
        false => write(&value),
    }
}

/// `rados setomapval`.
pub(super) fn set_omap(
    options: &Options,
    object: &str,
    key: &str,
    value: Option<String>,
) -> Result<(), CliError> {
    let value = value_or_input(value)?;
    let size = value.len();
    options.open()?.omap_set(object, [(key, value)]).wait()?;
    options.done(json!({ "object": object, "key": key, "bytes": size }))
}

/// `rados rmomapkey`.
pub(super) fn remove_key(options: &Options, object: &str, key: &str) -> Result<(), CliError> {
    let mut op = WriteOp::new();
    op.assert_exists().omap_remove([key]);
    options.open()?.operate(object, op).wait()?;
    options.done(json!({ "object": object, "removed": key }))
}

/// A name and a value: as text if it is, else in hexadecimal.
fn named(what: &str, name: &str, value: &[u8]) -> Value {
    match std::str::from_utf8(value) {
        Ok(text) => json!({ what: name, "value": text }),
        Err(_) => {
            let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({ what: name, "value_hex": hex })
        }
    }
}

fn value_or_input(value: Option<String>) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    match value {
        Some(value) => bytes = value.into_bytes(),
        None => drop(io::stdin().read_to_end(&mut bytes).map_err(CliError::Input)?),
    }
    Ok(bytes)
}

fn write(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(CliError::Output)
}

/// Sixteen bytes a line, in hexadecimal and as text.
fn dump(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (at, line) in (0..).step_by(16).zip(bytes.chunks(16)) {
        let hex: String = line.iter().map(|byte| format!("{byte:02x} ")).collect();
        let shown =
            |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' };
        let chars: String = line.iter().map(shown).collect();
        text += &format!("{at:08x}  {hex:<48} |{chars}|\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_no_text_are_hexadecimal() {
        assert_eq!(named("key", "k", b"v"), json!({ "key": "k", "value": "v" }));
        assert_eq!(named("key", "k", &[0, 0xff]), json!({ "key": "k", "value_hex": "00ff" }));
    }

    #[test]
    fn dumps() {
        let line = dump(b"abc\x00");
        assert!(line.starts_with("00000000  61 62 63 00 ") && line.ends_with("|abc.|\n"), "{line}");
        assert_eq!(dump(&[0; 17]).lines().count(), 2);
    }
}
