//! The loop of a thread.

use super::Role;
use super::lane::{Lane, Read};
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::io;
use std::time::{Duration, Instant};

/// Bytes read at once: as many as the messenger's transport lends.
const BUFFER: usize = 256 * 1024;
/// Events taken from epoll at once.
const EVENTS: usize = 256;

/// Moves units on `lanes` until `role` is done or every peer has gone. Looks for more for the time `spin` before it sleeps.
pub(super) fn drive(lanes: &mut [Lane], role: &mut impl Role, spin: Duration) -> io::Result<()> {
    for (index, lane) in lanes.iter_mut().enumerate() {
        lane.send(role.opening(index))?;
    }
    let mut buffer = vec![0; BUFFER];
    match lanes {
        [lane] => drive_one(lane, role, spin, &mut buffer),
        lanes => drive_many(lanes, role, spin, &mut buffer),
    }
}

/// Blocks in the read, unless something is left to be sent.
fn drive_one(lane: &mut Lane, role: &mut impl Role, spin: Duration, buffer: &mut [u8]) -> io::Result<()> {
    while !role.is_done() && !lane.has_ended() {
        let stuck = lane.is_stuck();
        if stuck {
            wait_both_ways(lane)?;
            lane.flush()?;
        }
        if let Read::Units(units) = read(lane, buffer, spin, !stuck)? {
            let answer = role.arrived(0, units);
            lane.send(answer)?;
        }
    }
    Ok(())
}

/// Reads without waiting until the time is over, and then waits if `wait` says so.
fn read(lane: &mut Lane, buffer: &mut [u8], spin: Duration, wait: bool) -> io::Result<Read> {
    if !spin.is_zero() {
        let started = Instant::now();
        while started.elapsed() < spin {
            match lane.read(buffer, false)? {
                Read::Nothing => {}
                read => return Ok(read),
            }
        }
    }
    lane.read(buffer, wait)
}

fn wait_both_ways(lane: &Lane) -> io::Result<()> {
    let mut fds = [PollFd::new(lane, PollFlags::IN | PollFlags::OUT)];
    match poll(&mut fds, None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Waits for all of them together.
fn drive_many(lanes: &mut [Lane], role: &mut impl Role, spin: Duration, buffer: &mut [u8]) -> io::Result<()> {
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    for (index, lane) in lanes.iter().enumerate() {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::ET;
        epoll::add(&epoll, lane, EventData::new_u64(index as u64), flags)?;
    }
    let mut events = Vec::with_capacity(EVENTS);
    while !role.is_done() && !lanes.iter().all(Lane::has_ended) {
        wait(&epoll, &mut events, spin)?;
        for event in &events {
            let index = event.data.u64() as usize;
            exhaust(index, &mut lanes[index], role, buffer)?;
        }
    }
    Ok(())
}

/// Looks for events until the time is over, and then sleeps until there are some.
fn wait(epoll: &OwnedFd, events: &mut Vec<Event>, spin: Duration) -> io::Result<()> {
    events.clear();
    let started = Instant::now();
    while events.is_empty() {
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let timeout = (started.elapsed() < spin).then_some(&at_once);
        match epoll::wait(epoll, spare_capacity(events), timeout) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Sends and reads until the socket has nothing more: epoll tells of each change only once.
fn exhaust(index: usize, lane: &mut Lane, role: &mut impl Role, buffer: &mut [u8]) -> io::Result<()> {
    lane.flush()?;
    while let Read::Units(units) = lane.read(buffer, false)? {
        let answer = role.arrived(index, units);
        lane.send(answer)?;
    }
    Ok(())
}
