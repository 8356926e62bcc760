//! Figures as people read them.

use crate::sample::Spread;

/// The median, with the least and the greatest in brackets if they differ.
pub(super) fn spread(spread: Option<Spread>, text: fn(f64) -> String) -> String {
    spread.map_or_else(dash, |s| match s.least == s.most {
        true => text(s.median),
        false => format!("{} ({} to {})", text(s.median), text(s.least), text(s.most)),
    })
}

/// The median alone.
pub(super) fn median(spread: Option<Spread>, text: fn(f64) -> String) -> String {
    spread.map_or_else(dash, |spread| text(spread.median))
}

/// Where there is no figure.
pub(super) fn dash() -> String {
    "-".into()
}

/// A count with separators: 12,345.
pub(super) fn count(value: f64) -> String {
    let digits = format!("{value:.0}");
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// Bytes per second in MB or GB.
pub(super) fn bytes(value: f64) -> String {
    match value {
        v if v >= 1e9 => format!("{:.2} GB", v / 1e9),
        v if v >= 1e6 => format!("{:.0} MB", v / 1e6),
        v => format!("{:.1} MB", v / 1e6),
    }
}

/// Microseconds with as many digits as say something.
pub(super) fn micros(value: f64) -> String {
    match value {
        v if v >= 100.0 => count(v),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

/// Any figure: whole where it is large.
pub(super) fn plain(value: f64) -> String {
    match value {
        v if v.fract() == 0.0 || v >= 100.0 => count(v),
        v => format!("{v:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts() {
        assert_eq!(count(1_234_567.4), "1,234,567");
        assert_eq!(count(12.0), "12");
        assert_eq!([bytes(2.5e9), bytes(250e6), bytes(640e3)], ["2.50 GB", "250 MB", "0.6 MB"]);
        assert_eq!([micros(1234.0), micros(12.34), micros(1.234)], ["1,234", "12.3", "1.23"]);
        let some = Some(Spread { median: 2.0, least: 1.0, most: 3.0 });
        assert_eq!(spread(some, count), "2 (1 to 3)");
        assert_eq!(spread(Some(Spread { median: 2.0, least: 2.0, most: 2.0 }), count), "2");
        assert_eq!(median(None, count), "-");
    }
}
