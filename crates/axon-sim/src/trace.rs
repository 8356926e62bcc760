//! What happened, one line per event, for those who want to know.

use axon_proto::Instant;
use std::fmt::Write;

/// Explains the lines.
pub const LEGEND: &str = "\
# seconds  who     what
# nodes are a, b, ...; `ab3` is connection 3, which node a has with node b; `ab#7` is socket 7, dialled by a to b.
# `>` what the dialler wrote arrives at the acceptor, `<` the other way.
";

/// A recording, or none.
#[derive(Debug, Default)]
pub struct Trace(Option<String>);

impl Trace {
    /// Records.
    pub fn on() -> Self {
        Self(Some(String::new()))
    }

    /// Whether somebody wants to know.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Adds a line.
    pub(crate) fn note(&mut self, now: Instant, who: impl std::fmt::Display, what: std::fmt::Arguments<'_>) {
        if let Some(text) = &mut self.0 {
            let _ = writeln!(text, "{:10.6}  {who:<7} {what}", now.0 as f64 / 1e9);
        }
    }

    /// The lines so far, and forgets them.
    pub fn take(&mut self) -> String {
        self.0.as_mut().map(std::mem::take).unwrap_or_default()
    }
}
