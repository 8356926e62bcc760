//! The committed counts, and how others compare with them.

use crate::steps::Outcome;
use std::fmt;

/// How much more a path may take than was committed, and how much less before the committed count says nothing any more,
/// in percent. Layout and inlining move with unrelated changes; they do not move this much.
const TOLERANCE: u64 = 5;

/// What any path may take more or less, in instructions: built in another folder, the symbols have other names, the
/// compiler puts them in another order, and one checksum takes a dozen more.
const SLACK: u64 = 24;

const TITLE: &str =
    "# Instructions per message. `cargo xtask instructions` compares, with `--accept` it writes this.";

/// What counts depend on beside the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) arch: String,
    pub(super) rustc: String,
}

/// Counts by case, in the order of the cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) origin: Origin,
    pub(super) counts: Vec<(String, u64)>,
}

/// What a comparison says about a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    /// Much less than committed: the bound should follow.
    Better,
    Worse,
    /// Nothing is committed.
    New,
    /// There is no such case any more.
    Gone,
}

/// One line per case.
#[derive(Debug)]
pub(super) struct Comparison {
    rows: Vec<Row>,
    committed: Origin,
    here: Origin,
}

#[derive(Debug)]
struct Row {
    case: String,
    committed: Option<u64>,
    measured: Option<u64>,
}

impl Bounds {
    /// # Errors
    /// Says which line is none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().skip(1);
        let origin = lines.next().and_then(Origin::parse).ok_or("bounds: the second line names no rustc")?;
        let counts = lines.map(|line| count(line).ok_or_else(|| format!("bounds: {line}")));
        Ok(Self { origin, counts: counts.collect::<Result<_, String>>()? })
    }

    /// Puts `measured` beside these.
    pub(super) fn compare(&self, measured: &Self) -> Comparison {
        let row = |(case, count): &(String, u64)| Row {
            case: case.clone(),
            committed: self.of(case),
            measured: Some(*count),
        };
        let mut rows: Vec<Row> = measured.counts.iter().map(row).collect();
        let gone = self.counts.iter().filter(|(case, _)| measured.of(case).is_none());
        rows.extend(gone.map(|(case, count)| Row {
            case: case.clone(),
            committed: Some(*count),
            measured: None,
        }));
        Comparison { rows, committed: self.origin.clone(), here: measured.origin.clone() }
    }

    /// Whether `count` is worse than what was committed for the case.
    pub(super) fn is_exceeded_by(&self, case: &str, count: u64) -> bool {
        let row = Row { case: case.into(), committed: self.of(case), measured: Some(count) };
        row.verdict() == Verdict::Worse
    }

    fn of(&self, case: &str) -> Option<u64> {
        self.counts.iter().find(|(name, _)| name == case).map(|(_, count)| *count)
    }
}

impl Origin {
    fn parse(line: &str) -> Option<Self> {
        let (arch, rustc) = line.strip_prefix("# ")?.split_once(", rustc ")?;
        Some(Self { arch: arch.into(), rustc: rustc.into() })
    }
}

fn count(line: &str) -> Option<(String, u64)> {
    let (case, count) = line.split_once(' ')?;
    Some((case.into(), count.trim().parse().ok()?))
}

impl Row {
    fn verdict(&self) -> Verdict {
        match (self.committed, self.measured) {
            (None, _) => Verdict::New,
            (Some(_), None) => Verdict::Gone,
            (Some(bound), Some(count)) => {
                let tolerated = (bound * TOLERANCE / 100).max(SLACK);
                match count {
                    _ if count > bound + tolerated => Verdict::Worse,
                    _ if count + tolerated < bound => Verdict::Better,
                    _ => Verdict::Good,
                }
            }
        }
    }
}

impl Comparison {
    /// Fails if a path takes more than it may, or the committed cases are not those there are.
    pub(super) fn judge(&self) -> Outcome {
        if self.committed.arch != self.here.arch {
            return Err(format!("counted on {}, committed for {}", self.here.arch, self.committed.arch));
        }
        let named = |wanted: &[Verdict]| -> Vec<&str> {
            let rows = self.rows.iter().filter(|row| wanted.contains(&row.verdict()));
            rows.map(|row| &*row.case).collect()
        };
        let bad = named(&[Verdict::Worse, Verdict::New, Verdict::Gone]);
        if !bad.is_empty() {
            return Err(format!("{self}not as committed: {}\n{}", bad.join(", "), self.advice()));
        }
        let better = named(&[Verdict::Better]);
        let good = format!("{} paths", self.rows.len());
        match better[..] {
            [] => Ok(good),
            _ => Ok(format!("{good}; better, so run it with --accept: {}", better.join(", "))),
        }
    }

    fn advice(&self) -> String {
        let mut advice =
            "target/xtask/callgrind has the profiles, for callgrind_annotate; if the change is worth it, \
                          run `cargo xtask instructions --accept` and commit the counts with it"
                .to_owned();
        if self.committed.rustc != self.here.rustc {
            let (there, here) = (&self.committed.rustc, &self.here.rustc);
            advice += &format!("\nthe committed counts are of rustc {there}, these of {here}");
        }
        advice
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{TITLE}\n# {}, rustc {}", self.origin.arch, self.origin.rustc)?;
        self.counts.iter().try_for_each(|(case, count)| writeln!(f, "{case:<30} {count:>8}"))
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |count: Option<u64>| count.map_or("-".into(), |count| count.to_string());
        writeln!(f, "{:<30} {:>9} {:>9}", "instructions per message", "committed", "measured")?;
        for row in &self.rows {
            let (committed, measured) = (number(row.committed), number(row.measured));
            let change = match (row.committed, row.measured) {
                (Some(before), Some(now)) if before > 0 => {
                    format!("{:+.1} %", (now as f64 / before as f64 - 1.0) * 100.0)
                }
                _ => String::new(),
            };
            writeln!(f, "{:<30} {committed:>9} {measured:>9} {change:>9}  {}", row.case, row.verdict())?;
        }
        Ok(())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "",
            Self::Better => "better",
            Self::Worse => "WORSE",
            Self::New => "NOT COMMITTED",
            Self::Gone => "GONE",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(counts: &[(&str, u64)]) -> Bounds {
        let counts = counts.iter().map(|(case, count)| ((*case).into(), *count)).collect();
        Bounds { origin: Origin { arch: "x86_64".into(), rustc: "1.95.0".into() }, counts }
    }

    #[test]
    fn what_is_written_reads_back() {
        let bounds = bounds(&[("a-64", 1), ("b", 123_456)]);
        assert_eq!(Bounds::parse(&bounds.to_string()), Ok(bounds));
        for bad in ["", "# title\n", "# title\nx86_64, rustc 1\n", "# title\n# x86_64, rustc 1\na-64\n"] {
            assert!(Bounds::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn five_percent_either_way_are_let_pass() {
        for (count, verdict) in [
            (949, Verdict::Better),
            (950, Verdict::Good),
            (1000, Verdict::Good),
            (1050, Verdict::Good),
            (1051, Verdict::Worse),
        ] {
            let row = Row { case: "a".into(), committed: Some(1000), measured: Some(count) };
            assert_eq!(row.verdict(), verdict, "{count}");
        }
    }

    #[test]
    fn a_short_path_may_move_by_a_few_instructions() {
        for (count, verdict) in
            [(167, Verdict::Better), (168, Verdict::Good), (216, Verdict::Good), (217, Verdict::Worse)]
        {
            let row = Row { case: "a".into(), committed: Some(192), measured: Some(count) };
            assert_eq!(row.verdict(), verdict, "{count}");
        }
    }

    #[test]
    fn more_instructions_fail_and_less_are_told() {
        let committed = bounds(&[("a", 1000), ("b", 1000)]);
        let judge = |counts: &[(&str, u64)]| committed.compare(&bounds(counts)).judge();
        assert_eq!(judge(&[("a", 1000), ("b", 1050)]), Ok("2 paths".into()));
        assert!(judge(&[("a", 10), ("b", 1000)]).is_ok_and(|remark| remark.contains("--accept: a")));
        let worse = judge(&[("a", 1000), ("b", 1100)]).unwrap_err();
        assert!(
            worse.contains("WORSE") && worse.contains("+10.0 %") && worse.contains("--accept"),
            "{worse}"
        );
    }

    #[test]
    fn cases_must_be_those_committed() {
        let committed = bounds(&[("a", 1000)]);
        assert!(committed.compare(&bounds(&[])).judge().is_err());
        assert!(committed.compare(&bounds(&[("a", 1000), ("new", 1)])).judge().is_err());
    }

    #[test]
    fn another_compiler_is_mentioned_and_another_processor_refused() {
        let committed = bounds(&[("a", 1000)]);
        let mut other = bounds(&[("a", 2000)]);
        other.origin.rustc = "1.99.0".into();
        assert!(committed.compare(&other).judge().unwrap_err().contains("of 1.99.0"));
        other.counts[0].1 = 1000;
        assert!(committed.compare(&other).judge().is_ok());
        other.origin.arch = "aarch64".into();
        assert!(committed.compare(&other).judge().is_err());
    }
}
