//! ZeroMQ: libzmq over TCP.
//!
//! Requests: a DEALER on each side, which pipelines as ROUTER does without its frame of identity. Streams: PUSH to
//! PULL. One thread of I/O, no high-water mark for messages that are counted anyway, data sent without a copy
//! (`zmq_send_const`).

mod library;

use super::{DriveError, Job, REPLY, Report, announce};
use library::{Kind, Socket, Zmq};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

/// The library's version.
pub(super) fn version() -> Result<String, DriveError> {
    Zmq::load()?.version()
}

/// Serves until killed.
pub(super) fn serve(addr: SocketAddr, job: &Job) -> Result<(), DriveError> {
    let library = Zmq::load()?;
    let socket = library.socket(if job.stream { Kind::Push } else { Kind::Dealer })?;
    socket.bind(addr)?;
    announce(addr)?;
    if job.stream { pour(&socket, job) } else { answer(&socket) }
}

fn answer(socket: &Socket<'_>) -> Result<(), DriveError> {
    loop {
        socket.receive()?;
        socket.send(&[0; REPLY])?;
    }
}

fn pour(socket: &Socket<'_>, job: &Job) -> Result<(), DriveError> {
    let message: &'static [u8] = vec![0; job.size].leak();
    loop {
        socket.send(message)?;
    }
}

/// Loads one connection.
pub(super) fn load(addr: SocketAddr, job: &Job) -> Result<Report, DriveError> {
    let library = Zmq::load()?;
    let socket = library.socket(if job.stream { Kind::Pull } else { Kind::Dealer })?;
    socket.connect(addr)?;
    if job.stream { drink(&socket, job) } else { ask(&socket, job) }
}

fn ask(socket: &Socket<'_>, job: &Job) -> Result<Report, DriveError> {
    let request: &'static [u8] = vec![0; job.size].leak();
    let mut recorder = job.recorder();
    let mut sent = VecDeque::with_capacity(job.depth);
    for _ in 0..job.depth {
        sent.push_back(Instant::now());
        socket.send(request)?;
    }
    loop {
        socket.receive()?;
        let now = Instant::now();
        recorder.reply(sent.pop_front().unwrap_or(now), now);
        if recorder.is_over(now) {
            return Ok(recorder.report());
        }
        sent.push_back(now);
        socket.send(request)?;
    }
}

fn drink(socket: &Socket<'_>, job: &Job) -> Result<Report, DriveError> {
    let mut recorder = job.recorder();
    loop {
        socket.receive()?;
        let now = Instant::now();
        recorder.arrived(1, now);
        if recorder.is_over(now) {
            return Ok(recorder.report());
        }
    }
}
