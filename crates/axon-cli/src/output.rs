//! Where results and complaints go.

use crate::error::CliError;
use serde::Serialize;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

/// Writes a result to standard output, with a newline, at once.
pub(crate) fn print(text: impl Display) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(CliError::Output)
}

/// Writes a result as one line of JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), CliError> {
    let line = serde_json::to_string(value).map_err(|error| CliError::Output(error.into()))?;
    print(line)
}

/// Writes a result as JSON that is indented.
pub(crate) fn print_pretty_json(value: &impl Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| CliError::Output(error.into()))?;
    print(text)
}

/// Says what went wrong, and what helps.
pub(crate) fn complain(error: &CliError) {
    if error.is_broken_pipe() {
        return;
    }
    let mut err = io::stderr().lock();
    // There is nowhere to report a failure to report.
    let _ = writeln!(err, "error: {error}");
    if let Some(help) = error.help() {
        let _ = writeln!(err, " help: {help}");
    }
}

/// Says something that is no result.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// The same, as one line of JSON.
pub(crate) fn note_json(value: &impl Serialize) {
    match serde_json::to_string(value) {
        Ok(line) => note(line),
        Err(error) => tracing::error!(%error, "a report cannot be written down"),
    }
}

/// A line on a terminal that is written again and again; nothing where standard error is none.
pub(crate) struct LiveLine {
    shown: bool,
    terminal: bool,
}

impl LiveLine {
    /// Nothing is shown yet.
    pub(crate) fn new() -> Self {
        Self { shown: false, terminal: io::stderr().is_terminal() }
    }

    /// Shows `text` in place of what was shown.
    pub(crate) fn show(&mut self, text: impl Display) {
        if self.terminal {
            let mut err = io::stderr().lock();
            let _ = write!(err, "\r\x1b[K{text}");
            let _ = err.flush();
            self.shown = true;
        }
    }
}

impl Drop for LiveLine {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}
