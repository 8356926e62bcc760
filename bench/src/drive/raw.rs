//! Bare TCP sockets: what this machine allows.
//!
//! At depth 1 a blocking ping-pong; at greater depth all that may be sent leaves by one gathering write, and all that
//! has come is read at once. Large messages are read in their final place, by a reader that sleeps until a good part of
//! what is missing has come. Several connections are one thread's, which asks epoll. The same number of bytes of data as
//! everybody moves, without headers. With a checksum each message's crc32c is computed where it is sent and where it is
//! received, as msgr2's crc mode does.
//!
//! ```text
//! axon-bench drive raw serve 127.0.0.1:7000 --size 1048576 --depth 16                        # and load, the same
//! axon-bench drive raw serve 127.0.0.1:7000 --size 4096 --depth 1000 --connections 1000      # one request on each
//! axon-bench drive raw serve 127.0.0.1:7000 --handshakes --connections 16                    # opened and closed
//! ```

mod crowd;
mod handshakes;
mod intake;
mod socket;

use super::{DriveError, Job, REPLY, Report, announce};
use crowd::Crowd;
use intake::Intake;
use socket::Socket;
use std::collections::VecDeque;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Instant;

/// Messages of a stream that leave by one gathering write: as many bytes as sockets hold, within the kernel's limit.
const STREAM_BATCH: usize = 64;

/// Serves as many connections as the load opens.
pub(super) fn serve(addr: SocketAddr, job: &Job) -> Result<(), DriveError> {
    let listener = TcpListener::bind(addr)?;
    announce(listener.local_addr()?)?;
    if job.handshakes {
        return handshakes::answer(&listener);
    }
    if job.connections > 1 {
        let accept = |_| Socket::new(listener.accept()?.0, job.spin);
        return answer_all((0..job.connections).map(accept).collect::<Result<_, _>>()?, job);
    }
    let (stream, _) = listener.accept()?;
    let socket = Socket::new(stream, job.spin)?;
    if job.stream { pour(&socket, job) } else { answer(&socket, job) }
}

fn answer(socket: &Socket, job: &Job) -> Result<(), DriveError> {
    let reply = vec![0; REPLY];
    let mut intake = Intake::new(job.size, job.checksum);
    loop {
        let units = socket.receive(&mut intake)?;
        socket.send(&reply, units, job.checksum)?;
    }
}

fn answer_all(sockets: Vec<Socket>, job: &Job) -> Result<(), DriveError> {
    let reply = vec![0; REPLY];
    let mut crowd = Crowd::new(sockets, job.size, job.checksum)?;
    loop {
        crowd.turn(|_, socket, units| socket.send(&reply, units, job.checksum))?;
    }
}

fn pour(socket: &Socket, job: &Job) -> Result<(), DriveError> {
    let message = vec![0; job.size];
    loop {
        socket.send(&message, STREAM_BATCH, job.checksum)?;
    }
}

/// Loads the connections.
pub(super) fn load(addr: SocketAddr, job: &Job) -> Result<Report, DriveError> {
    if job.handshakes {
        return handshakes::ask(addr, job);
    }
    if job.connections > 1 {
        let connect = |_| Socket::new(TcpStream::connect(addr)?, job.spin);
        return ask_all((0..job.connections).map(connect).collect::<Result<_, _>>()?, job);
    }
    let socket = Socket::new(TcpStream::connect(addr)?, job.spin)?;
    if job.stream { drink(&socket, job) } else { ask(&socket, job) }
}

fn ask(socket: &Socket, job: &Job) -> Result<Report, DriveError> {
    let request = vec![0; job.size];
    let mut intake = Intake::new(REPLY, job.checksum);
    let mut recorder = job.recorder();
    let mut sent = VecDeque::from(vec![Instant::now(); job.depth]);
    socket.send(&request, job.depth, job.checksum)?;
    loop {
        let units = socket.receive(&mut intake)?;
        let now = Instant::now();
        for left in sent.drain(..units.min(sent.len())) {
            recorder.reply(left, now);
        }
        if recorder.is_over(now) {
            return Ok(recorder.report());
        }
        sent.extend(std::iter::repeat_n(now, units));
        socket.send(&request, units, job.checksum)?;
    }
}

fn ask_all(sockets: Vec<Socket>, job: &Job) -> Result<Report, DriveError> {
    let request = vec![0; job.size];
    let depth = (job.depth / sockets.len()).max(1);
    let mut sent = vec![VecDeque::from(vec![Instant::now(); depth]); sockets.len()];
    let mut crowd = Crowd::new(sockets, REPLY, job.checksum)?;
    let mut recorder = job.recorder();
    crowd.sockets().try_for_each(|socket| socket.send(&request, depth, job.checksum))?;
    while !recorder.is_over(Instant::now()) {
        crowd.turn(|index, socket, units| {
            let now = Instant::now();
            for left in sent[index].drain(..units) {
                recorder.reply(left, now);
            }
            sent[index].extend(std::iter::repeat_n(now, units));
            socket.send(&request, units, job.checksum)
        })?;
    }
    Ok(recorder.report())
}

fn drink(socket: &Socket, job: &Job) -> Result<Report, DriveError> {
    let mut intake = Intake::new(job.size, job.checksum);
    let mut recorder = job.recorder();
    loop {
        let units = socket.receive(&mut intake)?;
        let now = Instant::now();
        recorder.arrived(units, now);
        if recorder.is_over(now) {
            return Ok(recorder.report());
        }
    }
}
