//! Many connections on one thread.

use super::super::DriveError;
use super::intake::Intake;
use super::socket::Socket;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use std::io;
use std::os::fd::OwnedFd;

/// Events taken at once.
const EVENTS: usize = 256;

/// Connections that are looked at when the kernel says so.
pub(super) struct Crowd {
    epoll: OwnedFd,
    members: Vec<Member>,
    events: Vec<Event>,
}

/// One of them.
struct Member {
    socket: Socket,
    intake: Intake,
}

impl Crowd {
    /// Of these connections, over which messages of `unit` bytes come; each one's checksum is computed if wanted.
    pub(super) fn new(sockets: Vec<Socket>, unit: usize, sum: bool) -> Result<Self, DriveError> {
        let epoll = epoll::create(CreateFlags::CLOEXEC).map_err(io::Error::from)?;
        for (index, socket) in sockets.iter().enumerate() {
            epoll::add(&epoll, socket, EventData::new_u64(index as u64), EventFlags::IN)
                .map_err(io::Error::from)?;
        }
        let members = sockets.into_iter().map(|socket| Member { socket, intake: Intake::new(unit, sum) });
        let events = Vec::with_capacity(EVENTS);
        Ok(Self { epoll, members: members.collect(), events })
    }

    /// The connections.
    pub(super) fn sockets(&self) -> impl Iterator<Item = &Socket> {
        self.members.iter().map(|member| &member.socket)
    }

    /// Waits until something has come, and hands over each connection on which messages became whole: its number,
    /// itself, and how many.
    pub(super) fn turn(
        &mut self,
        mut each: impl FnMut(usize, &Socket, usize) -> Result<(), DriveError>,
    ) -> Result<(), DriveError> {
        self.events.clear();
        epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut self.events), None)
            .map_err(io::Error::from)?;
        for event in &self.events {
            let index = event.data.u64() as usize;
            let Some(Member { socket, intake }) = self.members.get_mut(index) else { continue };
            let units = socket.receive(intake)?;
            if units > 0 {
                each(index, socket, units)?;
            }
        }
        Ok(())
    }
}
