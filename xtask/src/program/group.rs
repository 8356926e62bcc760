//! Groups of processes that end with this one.
//!
//! A step has a group of its own, so that all it started can be ended. A terminal interrupts the group in the foreground
//! only, which is this process's: the others are ended by it. They are killed, as shells have what they start in the
//! background ignore interrupts.

use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// The groups there are.
static GROUPS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// A group of processes, known until dropped.
pub(super) struct Group {
    leader: Pid,
}

impl Group {
    /// Starts `command` as the leader of a new group.
    pub(super) fn start(command: &mut Command) -> io::Result<(Self, Child)> {
        end_with_this_process()?;
        // None is started unknown while the others are killed.
        let mut groups = groups();
        let child = command.process_group(0).spawn()?;
        let leader = Pid::from_child(&child);
        groups.push(leader);
        Ok((Self { leader }, child))
    }

    /// Ends all of it now.
    pub(super) fn kill(&self) {
        let _ = kill_process_group(self.leader, Signal::KILL);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        groups().retain(|leader| *leader != self.leader);
    }
}

fn groups() -> MutexGuard<'static, Vec<Pid>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on, what ends this process kills all groups first.
fn end_with_this_process() -> io::Result<()> {
    static STARTED: Mutex<bool> = Mutex::new(false);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*started {
        let mut signals = Signals::new(fatal_signals())?;
        thread::spawn(move || signals.forever().for_each(end));
        *started = true;
    }
    Ok(())
}

/// What ends this process, unless it was started to ignore that, as by `nohup`.
fn fatal_signals() -> impl Iterator<Item = i32> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = ignored_signals(&status);
    [SIGHUP, SIGINT, SIGTERM].into_iter().filter(move |number| ignored >> (number - 1) & 1 == 0)
}

/// A bit for each, from 1 on.
fn ignored_signals(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

fn end(number: i32) {
    // Kept, so that none is started meanwhile.
    let groups = groups();
    for leader in groups.iter() {
        let _ = kill_process_group(*leader, Signal::KILL);
    }
    let _ = emulate_default_handler(number);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_that_are_ignored_stay_so() {
        assert_eq!(ignored_signals("Name:\txtask\nSigIgn:\t0000000000000003\nSigCgt:\t0\n"), 0b11);
        assert_eq!(ignored_signals("Name:\txtask\n"), 0);
    }
}
