//! Steps with timings, shown as they run, and a summary.

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What became of a step: a remark for the summary, or the end of the output that shows why it failed.
pub(crate) type Outcome = Result<String, String>;

/// The record of what was run.
#[derive(Default)]
pub(crate) struct Steps {
    filter: String,
    done: Vec<Step>,
}

struct Step {
    name: String,
    took: Duration,
    outcome: Outcome,
}

impl Steps {
    /// Runs only those whose names contain `filter`.
    pub(crate) fn only(filter: &str) -> Self {
        Self { filter: filter.into(), done: Vec::new() }
    }

    /// Runs `work`, unless it is filtered out.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce() -> Outcome) {
        if !name.contains(&self.filter) {
            return;
        }
        eprintln!("\n==> {name}");
        let start = Instant::now();
        let outcome = work();
        let took = start.elapsed();
        let result = if outcome.is_ok() { "ok" } else { "FAILED" };
        eprintln!("<== {name}: {result}, {:.1} s", took.as_secs_f64());
        self.done.push(Step { name: name.into(), took, outcome });
    }

    /// Whether all went well so far.
    pub(crate) fn is_ok(&self) -> bool {
        self.done.iter().all(|step| step.outcome.is_ok())
    }

    /// Shows again why steps failed, then the summary. Success if all succeeded, and there were any.
    pub(crate) fn finish(self) -> ExitCode {
        for step in &self.done {
            if let Err(output) = &step.outcome {
                eprintln!("\n---- {} failed ----\n{output}", step.name);
            }
        }
        eprint!("\n{}", self.summary());
        match !self.done.is_empty() && self.is_ok() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        }
    }

    fn summary(&self) -> String {
        let width = self.done.iter().map(|s| s.name.len()).max().unwrap_or(0).max(5);
        let line = |name: &str, took: Duration, result: &str| {
            format!("{name:width$}  {:>7.1} s  {result}\n", took.as_secs_f64())
        };
        let mut table: String = self
            .done
            .iter()
            .map(|step| match &step.outcome {
                Ok(remark) => line(&step.name, step.took, &format!("ok      {remark}")),
                Err(_) => line(&step.name, step.took, "FAILED"),
            })
            .collect();
        let failed = self.done.iter().filter(|step| step.outcome.is_err()).count();
        let total = self.done.iter().map(|step| step.took).sum();
        table += &line("total", total, &format!("{} steps, {failed} failed", self.done.len()));
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_what_failed() {
        let mut steps = Steps::only("a");
        steps.step("alpha", || Ok("remark".into()));
        steps.step("beta", || Err("why".into()));
        steps.step("none of it", || unreachable!());
        let summary = steps.summary();
        assert!(summary.contains("alpha") && summary.contains("remark"), "{summary}");
        assert!(summary.contains("FAILED") && summary.contains("2 steps, 1 failed"), "{summary}");
        assert_eq!(steps.finish(), ExitCode::FAILURE);
        assert_eq!(Steps::default().finish(), ExitCode::FAILURE, "nothing run is no success");
    }
}
