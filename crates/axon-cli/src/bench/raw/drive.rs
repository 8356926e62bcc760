//! The loop of a thread.

use super::Role;
use super::lane::{Lane, Read};
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::io;

/// Bytes read at once: as many as the messenger's transport lends.
const BUFFER: usize = 256 * 1024;
/// Events taken from epoll at once.
const EVENTS: usize = 256;

/// Moves units on `lanes` until `role` is done or every peer has gone.
pub(super) fn drive(lanes: &mut [Lane], role: &mut impl Role) -> io::Result<()> {
    for (index, lane) in lanes.iter_mut().enumerate() {
        lane.send(role.opening(index))?;
    }
    let mut buffer = vec![0; BUFFER];
    match lanes {
        [lane] => drive_one(lane, role, &mut buffer),
        lanes => drive_many(lanes, role, &mut buffer),
    }
}

/// Blocks in the read, unless something is left to be sent.
fn drive_one(lane: &mut Lane, role: &mut impl Role, buffer: &mut [u8]) -> io::Result<()> {
    while !role.is_done() && !lane.has_ended() {
        let stuck = lane.is_stuck();
        if stuck {
            wait_both_ways(lane)?;
            lane.flush()?;
        }
        if let Read::Units(units) = lane.read(buffer, !stuck)? {
            let answer = role.arrived(0, units);
            lane.send(answer)?;
        }
    }
    Ok(())
}

fn wait_both_ways(lane: &Lane) -> io::Result<()> {
    let mut fds = [PollFd::new(lane, PollFlags::IN | PollFlags::OUT)];
    match poll(&mut fds, None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Waits for all of them together.
fn drive_many(lanes: &mut [Lane], role: &mut impl Role, buffer: &mut [u8]) -> io::Result<()> {
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    for (index, lane) in lanes.iter().enumerate() {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::ET;
        epoll::add(&epoll, lane, EventData::new_u64(index as u64), flags)?;
    }
    let mut events = Vec::with_capacity(EVENTS);
    while !role.is_done() && !lanes.iter().all(Lane::has_ended) {
        events.clear();
        match epoll::wait(&epoll, spare_capacity(&mut events), None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            let index = event.data.u64() as usize;
            exhaust(index, &mut lanes[index], role, buffer)?;
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
