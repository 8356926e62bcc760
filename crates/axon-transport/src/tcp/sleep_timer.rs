//! The end of long sleeps, set in the kernel once for many of them.
//!
//! A wait with a time limit costs the kernel a timer that is started when it begins and taken back when it ends, the second of
//! which delays what the reactor was woken for. Limits of many seconds are those of keepalives, mostly the same ones again
//! and again: so a timer of its own is armed for the first, and the waits until then have no limit.

use super::ALARM;
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};
use std::time::Duration;

/// Shorter limits go with the wait: arming is a system call, and pays only when many waits share it.
const LONG: Duration = Duration::from_secs(1);

/// A timer that ends waits for the epoll it is registered with. Where the system gives none, each wait has its own limit.
#[derive(Debug)]
pub(crate) struct SleepTimer {
    timer: Option<OwnedFd>,
    /// When it fires, on the reactor's clock; it may be past.
    armed: Option<Duration>,
}

impl SleepTimer {
    pub(crate) fn new(epoll: &OwnedFd) -> Self {
        Self { timer: create(epoll).ok(), armed: None }
    }

    /// What limit a wait of at most `sleep` needs that begins `now`; none if this timer ends it, at that time or earlier.
    /// Counts in `armed` if it took a system call.
    pub(crate) fn limit(&mut self, now: Duration, sleep: Duration, armed: &mut u64) -> Option<Duration> {
        let Some(timer) = self.timer.as_ref().filter(|_| sleep >= LONG) else { return Some(sleep) };
        let until = now + sleep;
        if self.armed.is_some_and(|at| now < at && at <= until) {
            return None;
        }
        *armed += 1;
        match arm(timer, sleep) {
            Ok(()) => {
                self.armed = Some(until);
                None
            }
            Err(_) => Some(sleep),
        }
    }
}

fn arm(timer: &OwnedFd, sleep: Duration) -> rustix::io::Result<()> {
    let once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let it_value = Timespec { tv_sec: sleep.as_secs() as i64, tv_nsec: sleep.subsec_nanos().into() };
    let time = Itimerspec { it_interval: once, it_value };
    timerfd_settime(timer, TimerfdTimerFlags::empty(), &time).map(drop)
}

fn create(epoll: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
    // Edge-triggered, so that nobody needs to read how often it fired. It says no more than the alarm: look up.
    epoll::add(epoll, &timer, EventData::new_u64(ALARM), EventFlags::IN | EventFlags::ET)?;
    Ok(timer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::epoll::{CreateFlags, Event};
    use std::mem::MaybeUninit;

    const SECOND: Duration = Duration::from_secs(1);

    fn timer() -> (OwnedFd, SleepTimer) {
        let epoll = epoll::create(CreateFlags::CLOEXEC).unwrap();
        let timer = SleepTimer::new(&epoll);
        assert!(timer.timer.is_some());
        (epoll, timer)
    }

    #[test]
    fn it_is_armed_for_the_earliest_of_long_sleeps_only() {
        let ((_epoll, mut timer), mut armed) = (timer(), 0);
        let mut limit = |now, sleep| (timer.limit(now, sleep, &mut armed), armed);
        assert_eq!(limit(SECOND, SECOND / 2), (Some(SECOND / 2), 0), "short");
        assert_eq!(limit(SECOND, 10 * SECOND), (None, 1));
        assert_eq!(limit(2 * SECOND, 10 * SECOND), (None, 1), "it looks up before");
        assert_eq!(limit(10 * SECOND, SECOND), (None, 1), "at the same time");
        assert_eq!(limit(3 * SECOND, 5 * SECOND), (None, 2), "it would be late");
        assert_eq!(limit(8 * SECOND, 5 * SECOND), (None, 3), "it has fired");
    }

    #[test]
    fn without_it_each_wait_has_its_limit() {
        let (mut timer, mut armed) = (SleepTimer { timer: None, armed: None }, 0);
        assert_eq!((timer.limit(SECOND, 10 * SECOND, &mut armed), armed), (Some(10 * SECOND), 0));
    }

    #[test]
    fn it_ends_a_wait_without_a_limit_each_time_it_is_armed() {
        let ((epoll, mut timer), mut now) = (timer(), Duration::ZERO);
        for _ in 0..2 {
            assert_eq!(timer.limit(now, SECOND, &mut 0), None);
            let mut events = [const { MaybeUninit::<Event>::uninit() }; 4];
            let (told, _) = epoll::wait(&epoll, &mut events[..], None).unwrap();
            assert_eq!(told.iter().map(|event| event.data.u64()).collect::<Vec<_>>(), [ALARM]);
            now += SECOND;
        }
    }
}
