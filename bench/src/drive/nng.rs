//! nng: libnng over TCP.
//!
//! Requests: `pair0` on each side, as nng's own latency test uses it; it pipelines and adds no header. Streams: `push0`
//! to `pull0`. The queues of the sockets hold what is in flight; messages are handed over without a copy
//! (`nng_sendmsg`).

mod library;

use super::{DriveError, Job, REPLY, Report, announce};
use library::{Nng, Protocol, Socket};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

/// Messages that a socket of a stream may queue.
const STREAM_QUEUE: usize = 128;

/// The library's version.
pub(super) fn version() -> Result<String, DriveError> {
    Nng::load()?.version()
}

/// Serves until killed.
pub(super) fn serve(addr: SocketAddr, job: &Job) -> Result<(), DriveError> {
    let library = Nng::load()?;
    let socket = library.socket(if job.stream { Protocol::Push } else { Protocol::Pair }, queue(job))?;
    socket.listen(addr)?;
    announce(addr)?;
    let size = if job.stream { job.size } else { REPLY };
    loop {
        if !job.stream {
            socket.receive()?;
        }
        socket.send(size)?;
    }
}

/// Loads one connection.
pub(super) fn load(addr: SocketAddr, job: &Job) -> Result<Report, DriveError> {
    let library = Nng::load()?;
    let socket = library.socket(if job.stream { Protocol::Pull } else { Protocol::Pair }, queue(job))?;
    socket.dial(addr)?;
    if job.stream { drink(&socket, job) } else { ask(&socket, job) }
}

fn queue(job: &Job) -> usize {
    if job.stream { STREAM_QUEUE } else { job.depth }
}

fn ask(socket: &Socket<'_>, job: &Job) -> Result<Report, DriveError> {
    let mut recorder = job.recorder();
    let mut sent = VecDeque::with_capacity(job.depth);
    for _ in 0..job.depth {
        sent.push_back(Instant::now());
        socket.send(job.size)?;
    }
    loop {
        socket.receive()?;
        let now = Instant::now();
        recorder.reply(sent.pop_front().unwrap_or(now), now);
        if recorder.is_over(now) {
            return Ok(recorder.report());
        }
        sent.push_back(now);
        socket.send(job.size)?;
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
