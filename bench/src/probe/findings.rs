//! What probes find.

use serde::{Deserialize, Serialize};

/// Handshakes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Handshakes {
    /// Sessions opened per second.
    pub(crate) per_second: f64,
}

/// Small requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pings {
    /// Their round trips in nanoseconds, to three digits, and how many took so long.
    pub(crate) round_trips: Vec<(u64, u64)>,
    /// How long was measured.
    pub(crate) seconds: f64,
    /// Data of the large messages beside them.
    pub(crate) large_bytes_per_second: f64,
}
