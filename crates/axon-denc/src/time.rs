//! Time stamps on the wire.

use crate::{Decode, DecodeError, Decoder, Encode};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

/// A time as Ceph writes it (`utime_t`): seconds since 1970 and nanoseconds, four bytes each.
///
/// `nsec` is kept as received, even when it is a second or more: KEEPALIVE2_ACK must echo the stamp bit by bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct UTime {
    /// Whole seconds.
    pub sec: u32,
    /// Nanoseconds on top.
    pub nsec: u32,
}

impl UTime {
    /// A time `sec` seconds and `nsec` nanoseconds after 1970.
    pub const fn new(sec: u32, nsec: u32) -> Self {
        Self { sec, nsec }
    }

    /// The time `since_epoch` after 1970; stays at the last second the format can say (in the year 2106).
    pub fn from_duration(since_epoch: Duration) -> Self {
        let sec = u32::try_from(since_epoch.as_secs()).unwrap_or(u32::MAX);
        Self::new(sec, since_epoch.subsec_nanos())
    }

    /// The time since 1970.
    pub fn to_duration(self) -> Duration {
        Duration::from_secs(self.sec.into()) + Duration::from_nanos(self.nsec.into())
    }
}

impl fmt::Display for UTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.sec, self.nsec)
    }
}

impl Encode for UTime {
    fn encode(&self, out: &mut Vec<u8>) {
        self.sec.encode(out);
        self.nsec.encode(out);
    }
}

impl Decode for UTime {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { sec: input.u32()?, nsec: input.u32()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn reads_back_as_is() {
        for stamp in [UTime::new(1, 2), UTime::new(u32::MAX, u32::MAX)] {
            assert_eq!(UTime::from_bytes(&stamp.to_vec()), Ok(stamp));
        }
        assert_eq!(UTime::new(1, 2).to_vec(), [1, 0, 0, 0, 2, 0, 0, 0]);
    }

    #[test]
    fn durations() {
        let half = Duration::from_millis(1500);
        assert_eq!(UTime::from_duration(half), UTime::new(1, 500_000_000));
        assert_eq!(UTime::new(1, 500_000_000).to_duration(), half);
        assert_eq!(UTime::new(7, 1_000_000_000).to_duration().as_secs(), 8);
        let late = Duration::from_secs(u64::from(u32::MAX) + 5);
        assert_eq!(UTime::from_duration(late).sec, u32::MAX);
        assert_eq!(UTime::new(7, 12).to_string(), "7.000000012");
    }
}
