//! How results are shown.

use clap::ValueEnum;

/// The words of `rados(8)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// As text.
    Plain,
    /// As JSON, a line for each result.
    Json,
    /// As JSON, indented.
    JsonPretty,
}
