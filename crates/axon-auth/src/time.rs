//! Ceph's `utime_t`: le32 seconds, le32 nanoseconds; a moment since the Unix epoch or a duration.

use alloc::vec::Vec;
use axon_denc::{DecodeError, Decoder, Encode};
use core::time::Duration;

/// Appends `time`; seconds beyond 32 bits (the year 2106) are cut to the largest the format has.
pub(crate) fn put_time(out: &mut Vec<u8>, time: Duration) {
    u32::try_from(time.as_secs())
        .unwrap_or(u32::MAX)
        .encode(out);
    time.subsec_nanos().encode(out);
}

/// Reads a time; nanoseconds beyond a second carry over.
pub(crate) fn take_time(input: &mut Decoder<'_>) -> Result<Duration, DecodeError> {
    let seconds = input.u32()?;
    let nanos = input.u32()?;
    Ok(Duration::new(seconds.into(), nanos))
}
