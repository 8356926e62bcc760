//! Options with values that are more than text.

use super::{ConfError, EntityConf};
use crate::msg::Fsid;
use std::time::Duration;

impl EntityConf<'_> {
    /// An option's value as `read` makes it out; `None` if it is not set. `expected` says what may be written.
    ///
    /// # Errors
    /// [`ConfError::BadValue`].
    pub fn value<T>(
        &self,
        option: &'static str,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfError> {
        let (Some(text), Some(at)) = (self.get(option), self.origin(option)) else { return Ok(None) };
        match read(text.trim()) {
            Some(value) => Ok(Some(value)),
            None => Err(ConfError::BadValue { at, option, value: text, expected }),
        }
    }

    /// A number.
    ///
    /// # Errors
    /// [`ConfError::BadValue`].
    pub fn number(&self, option: &'static str) -> Result<Option<usize>, ConfError> {
        self.value(option, "a number", |text| text.parse().ok())
    }

    /// A time: a number of seconds, or one with a unit (`ms`, `s`, `m`, `h`, `d`).
    ///
    /// # Errors
    /// [`ConfError::BadValue`].
    pub fn seconds(&self, option: &'static str) -> Result<Option<Duration>, ConfError> {
        self.value(option, "seconds, such as 5, 0.5 or 10m", read_seconds)
    }

    /// The cluster's id, as the option `fsid` says.
    ///
    /// # Errors
    /// [`ConfError::BadValue`].
    pub fn fsid(&self) -> Result<Option<Fsid>, ConfError> {
        self.value("fsid", "a uuid", read_uuid)
    }
}

fn read_seconds(text: &str) -> Option<Duration> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let seconds = match unit.trim() {
        "" | "s" | "sec" | "seconds" => 1.0,
        "ms" => 0.001,
        "m" | "min" | "minutes" => 60.0,
        "h" | "hours" => 3600.0,
        "d" | "days" => 86400.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}

/// 32 hexadecimal digits, with dashes wherever they are.
fn read_uuid(text: &str) -> Option<Fsid> {
    let digit = |c: char| c.to_digit(16).map(|digit| digit as u8);
    let digits: Vec<u8> = text.chars().filter(|c| *c != '-').map(digit).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    if rest.is_empty() { bytes.try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, millis) in
            [("5", 5000), ("0.5", 500), ("5s", 5000), ("20ms", 20), ("10 m", 600_000), ("1h", 3_600_000)]
        {
            assert_eq!(read_seconds(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "-1", "1.2.3", "5 weeks", "1e400", "99999999999999999999999"] {
            assert_eq!(read_seconds(text), None, "{text}");
        }
    }

    #[test]
    fn ids() {
        let fsid = read_uuid("00010203-0405-0607-0809-0a0b0c0d0e0F").unwrap();
        assert_eq!(fsid, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
        for text in
            ["", "00010203", "00010203-0405-0607-0809-0a0b0c0d0e0f00", "g0010203-0405-0607-0809-0a0b0c0d0e0f"]
        {
            assert_eq!(read_uuid(text), None, "{text}");
        }
    }
}
