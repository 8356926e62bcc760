//! Numbers as people write and read them.

use axon_denc::UTime;
use std::time::{Duration, UNIX_EPOCH};

/// Reads a size in bytes: `4096`, `4k`, `4KiB`, `1M`; the units are powers of 1024.
pub(crate) fn parse_size(text: &str) -> Result<u32, String> {
    u32::try_from(parse_offset(text)?).map_err(|_| "the size must be below 4 GiB".into())
}

/// Reads a place in a file: `4096`, `4k`, `4KiB`, `10G`.
pub(crate) fn parse_offset(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim().to_ascii_lowercase();
    let shift = match unit.trim_end_matches("ib").trim_end_matches('b') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return Err("expected a number of bytes such as 4096, 4k or 1M".into()),
    };
    let number: u64 = number.parse().map_err(|_| "expected a number of bytes such as 4096, 4k or 1M")?;
    number.checked_mul(1 << shift).ok_or_else(|| "the number of bytes must be below 2^64".into())
}

/// Reads a time in seconds: `5`, `0.5`.
pub(crate) fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.trim_end_matches('s').parse().map_err(|_| "expected seconds such as 5 or 0.5")?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() && time <= Duration::from_secs(365 * 86_400) => Ok(time),
        _ => Err("expected a time above zero, in seconds".into()),
    }
}

/// Reads a time with its unit that may be zero: `50us`, `0us`, `0`.
pub(crate) fn parse_pause(text: &str) -> Result<Duration, String> {
    match text.trim_end_matches(char::is_alphabetic) {
        "0" => Ok(Duration::ZERO),
        _ => parse_time(text).map_err(|error| format!("{error}, or 0")),
    }
}

/// Reads a time with its unit: `200ms`, `5ms`, `500us`, `0.5s`.
pub(crate) fn parse_time(text: &str) -> Result<Duration, String> {
    const EXPECTED: &str = "expected a time such as 200ms, 500us or 0.5s";
    let digits = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let scale = match unit {
        "s" => 1.0,
        "ms" => 1e-3,
        "us" => 1e-6,
        _ => return Err(EXPECTED.into()),
    };
    let number: f64 = number.trim_end().parse().map_err(|_| EXPECTED)?;
    match Duration::try_from_secs_f64(number * scale) {
        Ok(time) if !time.is_zero() && time <= Duration::from_secs(365 * 86_400) => Ok(time),
        _ => Err("expected a time above zero".into()),
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A time of day as `2026-11-23T04:06:33.460986Z`.
pub(crate) fn time(time: UTime) -> String {
    humantime::format_rfc3339_micros(UNIX_EPOCH + time.to_duration()).to_string()
}

/// Bytes in the largest fitting power of 1024: `1.5 MiB`.
pub(crate) fn bytes(number: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = number;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{value:.0} B") } else { format!("{} {}", three_digits(value), UNITS[unit]) }
}

/// Microseconds as the fitting unit: `85.1 us`, `12.3 ms`, `1.20 s`.
pub(crate) fn micros(us: f64) -> String {
    if us < 1000.0 {
        format!("{} us", three_digits(us))
    } else if us < 1_000_000.0 {
        format!("{} ms", three_digits(us / 1000.0))
    } else {
        format!("{} s", three_digits(us / 1_000_000.0))
    }
}

/// A time in microseconds, with its fraction.
pub(crate) fn as_micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}

/// With as many decimals as three significant digits need.
pub(crate) fn three_digits(value: f64) -> String {
    let decimals = match value {
        _ if value >= 100.0 => 0,
        _ if value >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

/// `1 connection`, `2 connections`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, size) in
            [("0", 0), ("4096", 4096), ("4k", 4096), ("4KiB", 4096), ("1M", 1 << 20), ("2 mb", 2 << 20)]
        {
            assert_eq!(parse_size(text), Ok(size), "{text}");
        }
        for text in ["", "k", "4x", "-1", "4G", "99999999999999999999"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
        assert_eq!(parse_offset("5T"), Ok(5 << 40));
        assert!(parse_offset("99999999T").is_err());
    }

    #[test]
    fn seconds() {
        assert_eq!(parse_seconds("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_seconds("3s"), Ok(Duration::from_secs(3)));
        for text in ["0", "-1", "x", "nan", "inf", "1e99"] {
            assert!(parse_seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times() {
        let micros = |text| parse_time(text).map(|time| time.as_micros());
        for (text, time) in
            [("200ms", 200_000), ("5ms", 5000), ("0.5s", 500_000), ("250us", 250), ("1 s", 1_000_000)]
        {
            assert_eq!(micros(text), Ok(time), "{text}");
        }
        for text in ["", "5", "ms", "-1ms", "0s", "1m", "infs", "1e99s"] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_for_people() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(bytes(512.0), "512 B");
        assert_eq!(bytes(1536.0), "1.50 KiB");
        assert_eq!(bytes(3.0 * 1024.0 * 1024.0 * 1024.0), "3.00 GiB");
        assert_eq!(micros(85.12), "85.1 us");
        assert_eq!(micros(12_340.0), "12.3 ms");
        assert_eq!(micros(1_200_000.0), "1.20 s");
        assert_eq!(counted(1, "connection"), "1 connection");
        assert_eq!(counted(2000, "message"), "2,000 messages");
    }
}
