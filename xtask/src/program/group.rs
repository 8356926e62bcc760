//! Groups of processes that end with this one.
//!
//! A step has a group of its own, so that all it started can be ended. A terminal interrupts the group in the foreground
//! only, which is this process's: the signal is passed on.

use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
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
        pass_signals_on()?;
        // None is started unknown while a signal is passed on.
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

/// From now on, what ends this process is told to all groups first.
fn pass_signals_on() -> io::Result<()> {
    static STARTED: Mutex<bool> = Mutex::new(false);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*started {
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
        thread::spawn(move || signals.forever().for_each(pass_on));
        *started = true;
    }
    Ok(())
}

fn pass_on(number: i32) {
    let groups = groups();
    if let Some(signal) = Signal::from_named_raw(number) {
        for leader in groups.iter() {
            let _ = kill_process_group(*leader, signal);
        }
    }
    let _ = emulate_default_handler(number);
}
