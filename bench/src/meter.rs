//! Processor time: of the processes under test, and of everybody else.

use nix::errno::Errno;
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;
use std::fs;
use std::time::{Duration, Instant};

/// Processor seconds at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    at: Instant,
    /// Of the client.
    client: Duration,
    /// Of the server.
    server: Duration,
    /// Of this process.
    own: Duration,
    /// Of the whole machine, with what the hypervisor kept to itself.
    machine: Duration,
}

/// What was used between two readings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usage {
    /// Cores the client used.
    pub(crate) client: f64,
    /// Cores the server used.
    pub(crate) server: f64,
    /// Cores that others used.
    pub(crate) others: f64,
}

/// Reads the clocks of a client, a server and the machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    client: ClockId,
    server: ClockId,
    own: ClockId,
}

impl Meter {
    /// For two processes, by their ids.
    ///
    /// # Errors
    /// When one of them has gone.
    pub(crate) fn new(client: u32, server: u32) -> nix::Result<Self> {
        let clock = |id: u32| clock_getcpuclockid(Pid::from_raw(id as i32));
        Ok(Self { client: clock(client)?, server: clock(server)?, own: clock(std::process::id())? })
    }

    /// The clocks now.
    ///
    /// # Errors
    /// When one of them has gone, or the machine does not tell what its cores do.
    pub(crate) fn read(&self) -> nix::Result<Reading> {
        let stat = fs::read_to_string("/proc/stat").map_err(|_| Errno::EIO)?;
        Ok(Reading {
            at: Instant::now(),
            client: Duration::from(self.client.now()?),
            server: Duration::from(self.server.now()?),
            own: Duration::from(self.own.now()?),
            machine: machine(&stat).ok_or(Errno::EIO)?,
        })
    }
}

impl Reading {
    /// What was used since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Usage {
        let span = self.at.duration_since(earlier.at).as_secs_f64().max(1e-9);
        let cores = |now: Duration, then: Duration| now.saturating_sub(then).as_secs_f64() / span;
        let client = cores(self.client, earlier.client);
        let server = cores(self.server, earlier.server);
        let own = cores(self.own, earlier.own);
        let others = cores(self.machine, earlier.machine) - client - server - own;
        Usage { client, server, others: others.max(0.0) }
    }
}

/// The middle of a measurement that took `span` and ended a little before the last reading: what was used meanwhile.
/// `None` when there are no two readings in it.
pub(crate) fn middle(readings: &[Reading], span: Duration) -> Option<Usage> {
    let end = readings.last()?.at;
    let before = |share: f64| readings.iter().find(|reading| reading.at + span.mul_f64(share) >= end);
    let (from, to) = (before(0.85)?, before(0.25)?);
    (to.at > from.at).then(|| to.since(from))
}

/// What was used between two moments after the first reading; `None` when there are no two readings between them.
pub(crate) fn between(readings: &[Reading], from: Duration, to: Duration) -> Option<Usage> {
    let begin = readings.first()?.at;
    let first = readings.iter().find(|reading| reading.at >= begin + from)?;
    let last = readings.iter().rev().find(|reading| reading.at <= begin + to)?;
    (last.at > first.at).then(|| last.since(first))
}

/// Busy time of all cores since the machine started, from `/proc/stat`: user, nice, system, irq, softirq and steal, each
/// in hundredths of a second (proc_stat(5)).
fn machine(stat: &str) -> Option<Duration> {
    let columns = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let ticks: Vec<u64> = columns.map(str::parse).collect::<Result<_, _>>().ok()?;
    let [user, nice, system, _idle, _wait, irq, softirq, steal, ..] = ticks[..] else { return None };
    Some(Duration::from_millis((user + nice + system + irq + softirq + steal) * 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_waiting_are_not_busy() {
        let stat = "cpu  100 20 30 5000 600 7 8 9 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
        assert_eq!(machine(stat), Some(Duration::from_millis(1740)));
        for unknown in ["", "cpu\n", "cpu  1 2 3 4\n", "intr 1 2 3 4 5 6 7 8\n"] {
            assert_eq!(machine(unknown), None, "{unknown:?}");
        }
    }

    #[test]
    fn others_are_what_is_left() {
        let start = Instant::now();
        let reading = |millis: u64, busy: u64| Reading {
            at: start + Duration::from_millis(millis),
            client: Duration::from_millis(millis / 2),
            server: Duration::from_millis(millis / 4),
            own: Duration::ZERO,
            machine: Duration::from_millis(busy),
        };
        let usage = reading(1000, 1250).since(&reading(0, 0));
        assert_eq!(usage, Usage { client: 0.5, server: 0.25, others: 0.5 });
        let readings: Vec<_> = (0..=100).map(|i| reading(i * 10, i * 20)).collect();
        let usage = middle(&readings, Duration::from_secs(1)).unwrap();
        assert!((usage.client - 0.5).abs() < 0.01 && (usage.others - 1.25).abs() < 0.02, "{usage:?}");
        assert_eq!(middle(&readings[..1], Duration::from_secs(1)), None);
        let usage = between(&readings, Duration::from_millis(400), Duration::from_millis(900)).unwrap();
        assert!((usage.client - 0.5).abs() < 0.01 && (usage.others - 1.25).abs() < 0.02, "{usage:?}");
        assert_eq!(between(&readings, Duration::from_secs(2), Duration::from_secs(3)), None);
    }

    #[test]
    fn reads_this_process() {
        let own = std::process::id();
        let meter = Meter::new(own, own).unwrap();
        let before = meter.read().unwrap();
        let start = Instant::now();
        // Others may have the processor meanwhile.
        while meter.read().unwrap().client < before.client + Duration::from_millis(30) {
            assert!(start.elapsed() < Duration::from_secs(60), "this process never runs");
        }
        let after = meter.read().unwrap();
        let used = after.since(&before).client * after.at.duration_since(before.at).as_secs_f64();
        assert!(used >= 0.03 - 1e-6, "{used} s");
    }
}
