//! Connections that are opened, exchange as many bytes as a handshake of msgr2 without keys, and are closed: what the
//! kernel takes of a handshake, whatever the bytes mean.

use super::super::{DriveError, Job, Report};
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::net::{SocketFlags, accept_with, sockopt};
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Instant;

/// Events taken at once.
const EVENTS: usize = 256;
/// More than any part of a handshake.
const BUFFER: usize = 1024;
/// The listener among the descriptors.
const DOOR: u64 = u64::MAX;

/// A part of a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// So many bytes from the server, by one send.
    Server(usize),
    /// So many bytes from the client, by one send.
    Client(usize),
}

/// Who sends how much when: what `strace` shows of `axon serve` in crc mode without keys.
const SCRIPT: [Part; 8] = [
    Part::Server(26),  // banner
    Part::Client(26),  // banner
    Part::Server(72),  // HELLO
    Part::Client(72),  // HELLO
    Part::Client(71),  // AUTH_REQUEST, once the server's HELLO is there
    Part::Server(120), // AUTH_DONE, AUTH_SIGNATURE
    Part::Client(227), // AUTH_SIGNATURE, CLIENT_IDENT
    Part::Server(124), // SERVER_IDENT
];

/// An end of a connection.
struct Talk {
    stream: TcpStream,
    is_server: bool,
    /// The next part.
    next: usize,
    /// Bytes that have come for parts from `next` on.
    come: usize,
    begun: Instant,
}

impl Talk {
    /// Begins, and says what is to be said at once.
    fn begin(stream: TcpStream, is_server: bool, begun: Instant) -> Result<Self, DriveError> {
        let mut talk = Self { stream, is_server, next: 0, come: 0, begun };
        talk.go_on()?;
        Ok(talk)
    }

    /// Something has come; `false` once the other end has closed the connection.
    fn hear(&mut self) -> Result<bool, DriveError> {
        match self.stream.read(&mut [0; BUFFER]) {
            Ok(0) => return Ok(false),
            Ok(count) => self.come += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        self.go_on()?;
        Ok(true)
    }

    /// Goes through the script as far as what has come allows.
    fn go_on(&mut self) -> Result<(), DriveError> {
        while let Some(part) = SCRIPT.get(self.next) {
            match (*part, self.is_server) {
                (Part::Server(bytes), true) | (Part::Client(bytes), false) => {
                    // A new socket has room for that.
                    self.stream.write_all(&[0; BUFFER][..bytes])?;
                }
                (Part::Server(bytes) | Part::Client(bytes), _) if self.come >= bytes => self.come -= bytes,
                _ => return Ok(()),
            }
            self.next += 1;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.next == SCRIPT.len()
    }
}

/// Connections, and epoll to tell which of them have something.
struct Hall {
    epoll: OwnedFd,
    talks: HashMap<u64, Talk>,
    events: Vec<Event>,
}

impl Hall {
    fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        Ok(Self { epoll, talks: HashMap::new(), events: Vec::with_capacity(EVENTS) })
    }

    fn watch(&self, what: impl AsFd, key: u64) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, what, EventData::new_u64(key), EventFlags::IN)?)
    }

    fn admit(&mut self, talk: Talk) -> io::Result<()> {
        let key = talk.stream.as_raw_fd() as u64;
        self.watch(&talk.stream, key)?;
        self.talks.insert(key, talk);
        Ok(())
    }

    /// Waits, and says who has something.
    fn wait(&mut self) -> io::Result<Vec<u64>> {
        self.events.clear();
        epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut self.events), None)?;
        Ok(self.events.iter().map(|event| event.data.u64()).collect())
    }
}

/// Accepts, answers, and closes after the other end.
pub(super) fn answer(listener: &TcpListener) -> Result<(), DriveError> {
    let mut hall = Hall::new()?;
    hall.watch(listener, DOOR)?;
    loop {
        for key in hall.wait()? {
            if key == DOOR {
                // A client that is gone already is nobody to talk to.
                if let Ok(talk) = Talk::begin(accept(listener)?, true, Instant::now()) {
                    hall.admit(talk)?;
                }
            } else if let Some(talk) = hall.talks.get_mut(&key)
                // One that breaks off is as good as closed.
                && !talk.hear().unwrap_or(false)
            {
                hall.talks.remove(&key);
            }
        }
    }
}

fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    let stream = accept_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)?;
    sockopt::set_tcp_nodelay(&stream, true)?;
    Ok(stream.into())
}

/// Opens connections, some at the same time, and counts those whose script came to its end.
pub(super) fn ask(addr: SocketAddr, job: &Job) -> Result<Report, DriveError> {
    let mut hall = Hall::new()?;
    let mut recorder = job.recorder();
    for _ in 0..job.connections {
        hall.admit(dial(addr)?)?;
    }
    while !recorder.is_over(Instant::now()) {
        for key in hall.wait()? {
            let Some(talk) = hall.talks.get_mut(&key) else { continue };
            if !talk.hear()? {
                return Err(DriveError::Gone);
            }
            if talk.is_over() {
                recorder.reply(talk.begun, Instant::now());
                hall.talks.remove(&key);
                hall.admit(dial(addr)?)?;
            }
        }
    }
    Ok(recorder.report())
}

fn dial(addr: SocketAddr) -> Result<Talk, DriveError> {
    let begun = Instant::now();
    let stream = TcpStream::connect(addr)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Talk::begin(stream, false, begun)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn handshakes_are_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        // It serves until this process ends.
        thread::spawn(move || answer(&listener).map_err(|error| eprintln!("{error}")));
        let job = Job {
            size: 64,
            depth: 1,
            connections: 3,
            stream: false,
            handshakes: true,
            warm_up: 0.0,
            seconds: 1.0,
            spin: false,
            checksum: false,
        };
        let report = ask(addr, &job).unwrap();
        assert!(report.messages > 0 && report.latency_us.is_some(), "{report:?}");
    }
}
