//! Steps with timings, shown as they run, and a summary.

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The record of what was run.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<Step>,
}

struct Step {
    name: String,
    took: Duration,
    outcome: Result<String, String>,
}

impl Steps {
    /// Runs `work`, which returns a remark for the summary, or the output that shows why it failed.
    /// Whether it succeeded.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce() -> Result<String, String>) -> bool {
        eprintln!("==> {name}");
        let start = Instant::now();
        let outcome = work();
        let took = start.elapsed();
        match &outcome {
            Ok(remark) => eprintln!("    ok, {:.1} s {remark}", took.as_secs_f64()),
            Err(output) => eprintln!("{output}\n    FAILED, {:.1} s", took.as_secs_f64()),
        }
        let succeeded = outcome.is_ok();
        self.done.push(Step { name: name.into(), took, outcome });
        succeeded
    }

    /// Prints the summary. Success if all steps succeeded.
    pub(crate) fn finish(self) -> ExitCode {
        let width = self.done.iter().map(|s| s.name.len()).max().unwrap_or(0);
        eprintln!("\n{:width$}  {:>8}  result", "step", "time");
        for step in &self.done {
            let result = match &step.outcome {
                Ok(remark) => format!("ok {remark}"),
                Err(_) => "FAILED".into(),
            };
            let seconds = step.took.as_secs_f64();
            eprintln!("{:width$}  {seconds:>6.1} s  {result}", step.name);
        }
        if self.done.iter().all(|step| step.outcome.is_ok()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
