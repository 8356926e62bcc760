//! What a message costs in things that can be counted: unlike times, they are nearly the same on every machine.

use super::super::sample::Sample;
use super::{median, ratio};
use axon_messenger::Snapshot;
use serde::Serialize;
use std::fmt;

/// What the messengers of this process counted, divided by the messages, a message being a request with its reply;
/// medians over the rounds. If both ends are in this process, it is what both did together.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct PerMessage {
    pub(crate) system_calls: f64,
    pub(crate) sends: f64,
    pub(crate) receives: f64,
    pub(crate) waits: f64,
    /// Sleeping workers woken by other threads.
    pub(crate) wakeups: f64,
    /// Between buffers of this process.
    pub(crate) bytes_copied: f64,
    /// Of the whole process, the load included; `None` in builds without the feature `count-allocations`.
    pub(crate) allocations: Option<f64>,
    /// Requests or replies in one write, not divided by anything.
    pub(crate) messages_per_write: f64,
    /// Requests or replies in one read, not divided by anything.
    pub(crate) messages_per_read: f64,
}

impl PerMessage {
    /// `None` of rounds without messengers.
    pub(super) fn of(rounds: &[Sample]) -> Option<Self> {
        let counted: Option<Vec<(Snapshot, f64)>> =
            rounds.iter().map(|round| Some((round.counted?, round.messages() as f64))).collect();
        let counted = counted?;
        let middle =
            |of: &dyn Fn(&Snapshot, f64) -> f64| median(counted.iter().map(|(c, m)| of(c, *m)).collect());
        let each =
            |of: fn(&Snapshot) -> u64| middle(&|counted, messages| ratio(of(counted) as f64, messages));
        Some(Self {
            system_calls: each(|c| c.system_calls),
            sends: each(|c| c.sends),
            receives: each(|c| c.receives),
            waits: each(|c| c.waits),
            wakeups: each(|c| c.wakeups),
            bytes_copied: each(|c| c.bytes_copied),
            allocations: allocations(rounds),
            messages_per_write: middle(&|counted, _| counted.messages_per_write()),
            messages_per_read: middle(&|counted, _| counted.messages_per_read()),
        })
    }
}

fn allocations(rounds: &[Sample]) -> Option<f64> {
    let each = |round: &Sample| Some(ratio(round.allocations? as f64, round.messages() as f64));
    rounds.iter().map(each).collect::<Option<_>>().map(median)
}

impl fmt::Display for PerMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { system_calls, sends, receives, waits, wakeups, bytes_copied, .. } = self;
        write!(
            f,
            "{system_calls:.2} system calls (send {sends:.2}, receive {receives:.2}, wait {waits:.2}), "
        )?;
        write!(f, "{wakeups:.2} wake-ups, {bytes_copied:.0} bytes copied, ")?;
        if let Some(allocations) = self.allocations {
            write!(f, "{allocations:.1} allocations, ")?;
        }
        write!(f, "{:.1} messages per write, {:.1} per read", self.messages_per_write, self.messages_per_read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::recorder;

    fn round(messages: u64, calls: u64, allocations: Option<u64>) -> Sample {
        let mut counted = Snapshot::default();
        (counted.system_calls, counted.sends, counted.bytes_copied) = (calls, calls / 2, 96 * messages);
        (counted.messages_out, counted.write_batches) = (2 * messages, messages / 8);
        let mut latency = recorder::empty();
        latency.record_n(1000, messages).unwrap();
        Sample { latency, counted: Some(counted), allocations, ..Sample::default() }
    }

    #[test]
    fn rounds_become_medians_per_message() {
        let rounds =
            [round(1000, 100, Some(3100)), round(2000, 900, Some(6200)), round(1000, 120, Some(3100))];
        let text = PerMessage::of(&rounds).unwrap().to_string();
        assert_eq!(
            text,
            "0.12 system calls (send 0.06, receive 0.00, wait 0.00), 0.00 wake-ups, 96 bytes copied, \
             3.1 allocations, 16.0 messages per write, 0.0 per read"
        );
    }

    #[test]
    fn what_was_not_counted_is_left_out() {
        assert!(PerMessage::of(&[Sample::default()]).is_none(), "bare sockets have no counters");
        let uncounted = PerMessage::of(&[round(1000, 100, None)]).unwrap();
        assert!(uncounted.allocations.is_none() && !uncounted.to_string().contains("allocations"));
        let nothing = Sample { counted: Some(Snapshot::default()), ..Sample::default() };
        assert_eq!(PerMessage::of(&[nothing]).unwrap().system_calls, 0.0, "no division by zero");
    }
}
