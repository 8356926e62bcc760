//! What a reactor did since it was made: plain numbers, for the reactor's thread alone.

/// What a reactor did since it was made. For reports and benchmarks; always on, so counting must stay an addition.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Calls into the kernel to move bytes and to wait: for tcp all of the next five, for a device that takes many orders
    /// in one call fewer. Opening, accepting and closing sockets is not counted.
    pub system_calls: u64,
    /// Waits for events, including those that only look.
    pub waits: u64,
    /// Receive calls to the device.
    pub receives: u64,
    /// Send calls to the device, each of one or many buffers.
    pub sends: u64,
    /// Changes of what the device is asked to report, and of when it ends a long wait.
    pub controls: u64,
    /// Wake-ups from other threads that had to end a sleep.
    pub wakes: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes the device took for sending.
    pub bytes_out: u64,
    /// Bytes the back end itself copied, in either direction. What the kernel copies is not counted.
    pub bytes_copied: u64,
}

impl Counters {
    /// With `wakes`, and with a system call for each of what was counted.
    pub(crate) fn one_call_each(self, wakes: u64) -> Self {
        let system_calls = self.waits + self.receives + self.sends + self.controls + wakes;
        Self { system_calls, wakes, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_call_is_one() {
        let counted = Counters { waits: 1, receives: 20, sends: 300, controls: 4000, ..Counters::default() };
        let counted = counted.one_call_each(50_000);
        assert_eq!((counted.system_calls, counted.wakes), (54_321, 50_000));
    }
}
