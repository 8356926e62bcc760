//! What one run measured.

use super::recorder;
use axon_messenger::Snapshot;
use hdrhistogram::Histogram;
use std::time::Duration;

/// What one run measured.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// From send to reply, in nanoseconds; one value per counted message.
    pub(crate) latency: Histogram<u64>,
    /// The time they took.
    pub(crate) elapsed: Duration,
    /// Processor time of this process meanwhile.
    pub(crate) cpu: Duration,
    /// What the messengers of this process counted meanwhile; `None` of bare sockets.
    pub(crate) counted: Option<Snapshot>,
    /// Allocations of this process meanwhile, in builds that count them.
    pub(crate) allocations: Option<u64>,
    /// Requests without a reply after the end of the run and its drain.
    pub(crate) lost: u64,
    /// Replies to requests that were answered before.
    pub(crate) duplicated: u64,
    /// Replies that came after the reply to a later request of the same connection.
    pub(crate) reordered: u64,
    /// Connections cut on purpose.
    pub(crate) cuts: u64,
    /// Connections made in place of broken ones.
    pub(crate) reconnects: u64,
    /// The longest time a connection went without any reply while requests were on their way.
    pub(crate) longest_stall: Duration,
}

impl Default for Sample {
    fn default() -> Self {
        Self {
            latency: recorder::empty(),
            elapsed: Duration::ZERO,
            cpu: Duration::ZERO,
            counted: None,
            allocations: None,
            lost: 0,
            duplicated: 0,
            reordered: 0,
            cuts: 0,
            reconnects: 0,
            longest_stall: Duration::ZERO,
        }
    }
}

impl Sample {
    /// Counted messages.
    pub(crate) fn messages(&self) -> u64 {
        self.latency.len()
    }

    /// Counted messages per second.
    pub(crate) fn rate(&self) -> f64 {
        match self.elapsed.as_secs_f64() {
            0.0 => 0.0,
            seconds => self.messages() as f64 / seconds,
        }
    }

    /// Processor time per counted message, in microseconds.
    pub(crate) fn cpu_per_message(&self) -> f64 {
        match self.messages() {
            0 => 0.0,
            messages => self.cpu.as_secs_f64() * 1e6 / messages as f64,
        }
    }

    /// The latency below which `quantile` of the messages stayed, in microseconds; 0 without messages.
    pub(crate) fn latency_at(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1e3
    }

    /// The greatest latency, in microseconds.
    pub(crate) fn latency_max(&self) -> f64 {
        self.latency.max() as f64 / 1e3
    }
}
