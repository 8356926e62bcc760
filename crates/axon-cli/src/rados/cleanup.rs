//! `axon rados cleanup`: removes what benchmarks left.

use super::Options;
use super::bench::{RUN_NAME, is_left_by};
use super::window::{Window, was_there};
use crate::error::CliError;
use crate::output;
use axon_rados::client::WhenFull;
use clap::Args;
use serde_json::json;

const EXAMPLES: &str = "\
Examples:
  axon rados -p data cleanup                             what `axon rados bench --no-cleanup` left
  axon rados -p data cleanup --run-name tuesday
  axon rados -p data cleanup --prefix benchmark_data     what `rados bench --no-cleanup` left";

/// Options of `axon rados cleanup`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CleanupArgs {
    /// The run whose objects are removed.
    #[arg(long, value_name = "NAME", default_value = RUN_NAME)]
    run_name: String,

    /// Remove all objects whose names begin with this instead.
    #[arg(long, value_name = "PREFIX", conflicts_with = "run_name")]
    prefix: Option<String>,
}

/// Removals on their way at a time.
const DEPTH: usize = 16;

impl CleanupArgs {
    /// The pool is listed: a run that broke off has left no word of what it wrote. Possible in a full pool, too.
    pub(super) fn run(&self, options: &Options) -> Result<(), CliError> {
        if self.prefix.as_deref() == Some("") {
            return Err(CliError::Usage {
                what: "every name begins with an empty prefix",
                help: "say what the names of the objects to be removed begin with",
            });
        }
        let io = options.open()?.when_full(WhenFull::Try);
        let mut window = Window::of(DEPTH);
        let mut count = 0u64;
        for object in io.list() {
            let object = object?;
            if !self.means(&object.name) {
                continue;
            }
            // Each where it is, which its own key says.
            let removal = io.clone().with_locator_key(object.key).remove(object.name);
            if let Some(op) = window.push(removal) {
                count += u64::from(was_there(op.wait())?);
            }
        }
        for op in window {
            count += u64::from(was_there(op.wait())?);
        }
        match options.json {
            true => options.tell(&json!({ "removed": count })),
            false => output::print(format_args!("removed {count} objects")),
        }
    }

    /// Whether an object with this name is to be removed.
    fn means(&self, name: &[u8]) -> bool {
        match &self.prefix {
            Some(prefix) => name.starts_with(prefix.as_bytes()),
            None => is_left_by(&self.run_name, name),
        }
    }
}
