//! Logs, on standard error.

use std::io::{self, IsTerminal};
use tracing_subscriber::EnvFilter;

/// Starts logging: warnings, more with each `-v`, or what `RUST_LOG` says.
pub(crate) fn init(verbose: u8) {
    let default = match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    lines.with_ansi(io::stderr().is_terminal()).init();
}
