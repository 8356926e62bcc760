//! Names and values, which are bytes, as text.

use crate::error::CliError;
use axon_rados::Name;
use clap::builder::{OsStringValueParser, TypedValueParser};
use serde_json::Value;
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;

/// Takes a name from the command line as it is.
pub(super) fn name() -> impl TypedValueParser<Value = Name> {
    OsStringValueParser::new().map(|text| text.into_vec().into())
}

/// Adds a field to an object of JSON: `key` with the text, or `key_hex` if the bytes are no UTF-8.
pub(super) fn with(mut object: Value, key: &str, bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => object[key] = text.into(),
        Err(_) => object[format!("{key}_hex")] = hex(bytes).into(),
    }
    object
}

/// The bytes in hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes bytes to standard output, as they are.
pub(super) fn write(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(CliError::Output)
}

/// The same, as a line of its own.
pub(super) fn write_line(bytes: &[u8]) -> Result<(), CliError> {
    write(&[bytes, b"\n"].concat())
}

/// Sixteen bytes a line, in hexadecimal and as text.
pub(super) fn dump(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (at, line) in (0..).step_by(16).zip(bytes.chunks(16)) {
        let hex: String = line.iter().map(|byte| format!("{byte:02x} ")).collect();
        let chars: String =
            line.iter().map(|byte| if is_printable(*byte) { char::from(*byte) } else { '.' }).collect();
        text += &format!("{at:08x}  {hex:<48} |{chars}|\n");
    }
    text
}

/// Whether bytes are nothing but printable ASCII, as `rados(8)` shows them without a dump.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| is_printable(*byte))
}

fn is_printable(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte == b' '
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_no_text_is_hexadecimal() {
        assert_eq!(with(json!({ "key": "k" }), "value", b"v"), json!({ "key": "k", "value": "v" }));
        assert_eq!(with(json!({}), "value", &[0, 0xff]), json!({ "value_hex": "00ff" }));
    }

    #[test]
    fn dumps() {
        let line = dump(b"abc\x00");
        assert!(line.starts_with("00000000  61 62 63 00 ") && line.ends_with("|abc.|\n"), "{line}");
        assert_eq!(dump(&[0; 17]).lines().count(), 2);
        assert!(is_plain(b"a key") && !is_plain(b"\x80") && !is_plain("ü".as_bytes()));
    }
}
