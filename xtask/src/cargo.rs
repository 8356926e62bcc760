//! Running cargo.

use crate::steps::Steps;
use std::process::Command;

/// Captures the vectors whose names contain `filter`.
pub(crate) fn vectors(filter: &str) -> Steps {
    let mut steps = Steps::default();
    steps.step("capture vectors", || {
        let args = ["run", "--quiet", "--package", "axon-testbed", "--example", "capture", "--", filter];
        let status = Command::new(env!("CARGO")).args(args).status();
        match status {
            Ok(status) if status.success() => Ok(String::new()),
            Ok(status) => Err(status.to_string()),
            Err(error) => Err(error.to_string()),
        }
    });
    steps
}
