//! When a figure was measured, and of which state of the code.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::process::Command;

/// The beginning of a run. Figures with equal stamps were measured in one run, alternated: only ratios between those
/// are as good as the page says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// Day and minute, UTC.
    pub(crate) at: String,
    /// The commit, with a `+` behind it where files differ from it.
    pub(crate) commit: String,
    /// Seconds of each measurement.
    pub(crate) seconds: f64,
}

impl Stamp {
    /// Of a run that begins now.
    pub(crate) fn now(seconds: f64) -> Self {
        let at = first_line("date", &["-u", "+%Y-%m-%d %H:%M"]);
        let commit = first_line("git", &["describe", "--always", "--exclude=*", "--dirty=+"]);
        Self { at, commit, seconds }
    }

    /// The stamps of two figures that are compared.
    pub(crate) fn both(a: &Self, b: &Self) -> String {
        if a == b { a.to_string() } else { format!("{a}; beside {b}") }
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.at)?;
        if !self.commit.is_empty() {
            write!(f, ", {}", self.commit)?;
        }
        Ok(())
    }
}

/// The first line a program prints, or nothing.
pub(crate) fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_two_runs_say_so() {
        let stamp = |at: &str| Stamp { at: at.into(), commit: "abc".into(), seconds: 1.0 };
        assert_eq!(
            Stamp::both(&stamp("2026-11-23 05:00"), &stamp("2026-11-23 05:00")),
            "2026-11-23 05:00, abc"
        );
        assert!(
            Stamp::both(&stamp("2026-11-23 05:00"), &stamp("2026-11-24 05:00")).contains("beside 2026-11-24")
        );
    }

    #[test]
    fn now_has_a_date() {
        assert!(Stamp::now(1.0).at.starts_with("20"));
    }
}
