//! What probes find.

use crate::drive::Latency;
use serde::{Deserialize, Serialize};

/// Handshakes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Handshakes {
    /// Sessions opened per second.
    pub(crate) per_second: f64,
}

/// Small requests.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pings {
    /// Their round trips.
    pub(crate) latency_us: Latency,
    /// Data of the large messages beside them.
    pub(crate) large_bytes_per_second: f64,
}
