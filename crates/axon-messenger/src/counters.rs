//! What a worker did since it started: cheap enough to be always on.
//!
//! Each worker has its own [`Counters`] on cache lines of their own; reports add up [`Snapshot`]s. All is relaxed: a
//! snapshot taken while the worker runs may miss its latest steps, and one number may be a step ahead of another. What
//! the transport and the protocol count by themselves is added once per turn of the worker, so that counting costs the
//! way of a message nothing but a few additions.

use crate::sync::atomic::{AtomicU64, Ordering};
use axon_proto::Tally;
use axon_transport::Counters as TransportCounters;
use std::fmt;
use std::iter::Sum;
use std::ops::{AddAssign, Sub};

/// A number that grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`; only for the worker that owns the counter: of two threads that do so at once, one may be lost. In
    /// return it costs no more than an ordinary addition.
    pub(crate) fn add(&self, n: u64) {
        self.0.store(self.get().wrapping_add(n), Ordering::Relaxed);
    }

    /// Adds one; like [`Counter::add`].
    pub(crate) fn count(&self) {
        self.add(1);
    }

    /// The number now.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Groups in which write batches are counted by their messages: 1, 2, up to 4, 8, 16, 32, 64, and more.
pub const BATCH_GROUPS: usize = 8;

/// The group of a batch of `messages` messages; without any, it had control frames only, and counts as one.
fn batch_group(messages: usize) -> usize {
    let exponent = messages.max(1).next_power_of_two().trailing_zeros();
    (exponent as usize).min(BATCH_GROUPS - 1)
}

/// Declares the counters once for the worker's and the reader's side.
macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// One worker's counters.
        #[derive(Debug, Default)]
        #[repr(align(128))]
        pub(crate) struct Counters {
            $($(#[doc = $doc])+ pub(crate) $name: Counter,)+
            /// Write batches, by [`BATCH_GROUPS`].
            batches: [Counter; BATCH_GROUPS],
        }

        /// The counters of one or several workers at one time.
        #[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        #[non_exhaustive]
        pub struct Snapshot {
            $($(#[doc = $doc])+ pub $name: u64,)+
            /// Write batches of 1, 2, up to 4, 8, 16, 32, 64, and more messages.
            pub batches: [u64; BATCH_GROUPS],
        }

        impl Counters {
            /// All numbers now.
            pub(crate) fn snapshot(&self) -> Snapshot {
                Snapshot {
                    $($name: self.$name.get(),)+
                    batches: std::array::from_fn(|group| self.batches[group].get()),
                }
            }
        }

        impl Snapshot {
            /// Names and values, without the batches.
            pub fn fields(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name)),+].into_iter()
            }

            fn combine(&self, other: &Self, with: impl Fn(u64, u64) -> u64) -> Self {
                Self {
                    $($name: with(self.$name, other.$name),)+
                    batches: std::array::from_fn(|group| with(self.batches[group], other.batches[group])),
                }
            }
        }
    };
}

counters! {
    /// Messages received in full.
    messages_in,
    /// Messages handed to the transport, again after a reconnect included.
    messages_out,
    /// Frames received in full, those of handshakes included.
    frames_in,
    /// Frames written, those of handshakes included.
    frames_out,
    /// Bytes received, framing included.
    bytes_in,
    /// Bytes the transport's device took for sending, framing included.
    bytes_out,
    /// Bytes copied between buffers of this process, on the way in or out: [`Tally`] says which; and what the transport
    /// itself copies. The kernel's copies are not counted.
    bytes_copied,
    /// Portions of bytes received from the transport, each with any part or number of frames.
    read_batches,
    /// Writes handed to the transport, each of any number of frames.
    write_batches,
    /// Calls into the kernel to move bytes and to wait; 0 if the transport makes none.
    system_calls,
    /// The transport's waits for events, those included that only look.
    waits,
    /// The transport's receive calls to its device.
    receives,
    /// The transport's send calls to its device.
    sends,
    /// Changes of what the transport's device is asked to report.
    controls,
    /// Sleeps of a worker that another thread had to end, in order to hand something over: each costs a system call there.
    wakeups,
    /// Sockets that became a session's, dialled or accepted.
    connections_opened,
    /// Sockets that ended after that.
    connections_closed,
    /// Sockets that ended before a session was established.
    handshakes_failed,
    /// Sockets that replaced one of the same session.
    reconnects,
    /// Sessions lost, or that the peer has lost.
    resets,
    /// Messages that had to wait for a receive budget.
    throttle_waits,
    /// Messages handed to the application on the worker itself.
    fast_dispatches,
}

impl Counters {
    /// Counts one write of `messages` messages. For the owner, like [`Counter::add`].
    pub(crate) fn wrote(&self, messages: usize) {
        self.write_batches.count();
        self.messages_out.add(messages as u64);
        self.batches[batch_group(messages)].count();
    }

    /// Counts what crossed a link. For the owner, like [`Counter::add`].
    pub(crate) fn crossed(&self, tally: Tally) {
        self.frames_in.add(tally.frames_in);
        self.frames_out.add(tally.frames_out);
        self.bytes_copied.add(tally.copied_in + tally.copied_out);
    }

    /// Counts what the transport has counted since it had counted `before`. For the owner, like [`Counter::add`].
    pub(crate) fn moved(&self, before: &TransportCounters, now: &TransportCounters) {
        self.bytes_in.add(now.bytes_in - before.bytes_in);
        self.bytes_out.add(now.bytes_out - before.bytes_out);
        self.bytes_copied.add(now.bytes_copied - before.bytes_copied);
        self.system_calls.add(now.system_calls - before.system_calls);
        self.waits.add(now.waits - before.waits);
        self.receives.add(now.receives - before.receives);
        self.sends.add(now.sends - before.sends);
        self.controls.add(now.controls - before.controls);
        self.wakeups.add(now.wakes - before.wakes);
    }
}

impl Snapshot {
    /// Messages per write, on average; 0 before the first.
    pub fn messages_per_write(&self) -> f64 {
        ratio(self.messages_out, self.write_batches)
    }

    /// Messages per portion of bytes received, on average; 0 before the first.
    pub fn messages_per_read(&self) -> f64 {
        ratio(self.messages_in, self.read_batches)
    }

    /// Writes the snapshot as one JSON object: each field by its name, and `batches` as an array.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_json(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_char('{')?;
        for (name, value) in self.fields() {
            write!(out, "\"{name}\":{value},")?;
        }
        write!(out, "\"batches\":{:?}}}", self.batches)
    }
}

fn ratio(one: u64, other: u64) -> f64 {
    if other == 0 { 0.0 } else { one as f64 / other as f64 }
}

impl fmt::Display for Snapshot {
    /// `name=value` of what is not zero, separated by spaces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (name, value) in self.fields().filter(|(_, value)| *value != 0) {
            write!(f, "{separator}{name}={value}")?;
            separator = " ";
        }
        Ok(())
    }
}

impl AddAssign for Snapshot {
    fn add_assign(&mut self, other: Self) {
        *self = self.combine(&other, u64::wrapping_add);
    }
}

impl Sub for Snapshot {
    type Output = Self;

    /// What happened since `earlier`.
    fn sub(self, earlier: Self) -> Self {
        self.combine(&earlier, u64::wrapping_sub)
    }
}

impl Sum for Snapshot {
    fn sum<I: Iterator<Item = Self>>(snapshots: I) -> Self {
        snapshots.fold(Self::default(), |mut sum, snapshot| {
            sum += snapshot;
            sum
        })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_in_the_snapshot() {
        let counters = Counters::default();
        counters.messages_in.count();
        counters.messages_in.add(2);
        counters.resets.add(5);
        let snapshot = counters.snapshot();
        assert_eq!((snapshot.messages_in, snapshot.resets, snapshot.messages_out), (3, 5, 0));
        assert_eq!(snapshot.to_string(), "messages_in=3 resets=5");
    }

    #[test]
    fn snapshots_add_up_and_subtract() {
        let counters = Counters::default();
        counters.wrote(3);
        let before = counters.snapshot();
        counters.wrote(1);
        let since = counters.snapshot() - before;
        assert_eq!((since.write_batches, since.messages_out), (1, 1));
        assert_eq!(since.batches, [1, 0, 0, 0, 0, 0, 0, 0]);
        let sum: Snapshot = [before, since].into_iter().sum();
        assert_eq!(sum, counters.snapshot());
        assert!((sum.messages_per_write() - 2.0).abs() < 1e-9);
        let nothing = Snapshot::default();
        assert_eq!((nothing.messages_per_write(), nothing.messages_per_read()), (0.0, 0.0));
    }

    #[test]
    fn what_others_counted_is_added_once() {
        let counters = Counters::default();
        let tally = |frames_in, copied_in| Tally { frames_in, copied_in, frames_out: 1, copied_out: 10 };
        counters.crossed(tally(2, 100));
        counters.crossed(tally(3, 0));
        let mut before = TransportCounters::default();
        for (waits, bytes_copied) in [(4, 1000), (9, 1000)] {
            let mut now = TransportCounters::default();
            (now.waits, now.bytes_copied, now.wakes) = (waits, bytes_copied, 1);
            counters.moved(&before, &now);
            before = now;
        }
        let snapshot = counters.snapshot();
        assert_eq!((snapshot.frames_in, snapshot.frames_out, snapshot.bytes_copied), (5, 2, 1120));
        assert_eq!((snapshot.waits, snapshot.wakeups), (9, 1));
    }

    #[test]
    fn batches_are_grouped_by_powers_of_two() {
        let groups = [0, 1, 2, 3, 4, 5, 8, 9, 16, 17, 32, 33, 64, 65, 1_000_000].map(batch_group);
        assert_eq!(groups, [0, 0, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]);
    }

    #[test]
    fn json_names_every_field() {
        let counters = Counters::default();
        counters.wrote(2);
        let mut json = String::new();
        counters.snapshot().write_json(&mut json).expect("strings take everything");
        assert!(json.starts_with("{\"messages_in\":0,\"messages_out\":2,\"frames_in\":0,"), "{json}");
        assert!(json.ends_with("\"fast_dispatches\":0,\"batches\":[0, 1, 0, 0, 0, 0, 0, 0]}"), "{json}");
        assert_eq!(json.matches(':').count(), counters.snapshot().fields().count() + 1);
    }

    #[test]
    fn counters_of_two_workers_share_no_cache_line() {
        assert_eq!(align_of::<Counters>(), 128);
    }
}
