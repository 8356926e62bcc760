//! Extended attributes and omaps.

use super::Options;
use crate::error::CliError;
use crate::output;
use serde_json::json;
use std::io::{self, Read, Write};

/// Values of the omap asked for at once.
const PAGE: u64 = 512;

/// `rados getxattr`: the value as it is.
pub(super) fn get(options: &Options, object: &str, name: &str) -> Result<(), CliError> {
    let value = options.open()?.get_xattr(object, name).wait()?;
    match options.json {
        true => output::print_json(&json!({ "name": name, "value": String::from_utf8_lossy(&value) })),
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
    Ok(options.open()?.set_xattr(object, name, value_or_input(value)?).wait()?)
}

/// `rados listomapvals`.
pub(super) fn list_omap(options: &Options, object: &str) -> Result<(), CliError> {
    let io = options.open()?;
    let mut after = String::new();
    loop {
        let page = io.omap_vals(object, &after, "", PAGE).wait()?;
        for (key, value) in &page.values {
            match options.json {
                true => output::print_json(&json!({ "key": key, "value": String::from_utf8_lossy(value) }))?,
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

/// `rados setomapval`.
pub(super) fn set_omap(
    options: &Options,
    object: &str,
    key: &str,
    value: Option<String>,
) -> Result<(), CliError> {
    Ok(options.open()?.omap_set(object, [(key, value_or_input(value)?)]).wait()?)
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
    fn dumps() {
        let line = dump(b"abc\x00");
        assert!(line.starts_with("00000000  61 62 63 00 ") && line.ends_with("|abc.|\n"), "{line}");
        assert_eq!(dump(&[0; 17]).lines().count(), 2);
    }
}
