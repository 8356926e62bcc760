//! The same traffic over bare sockets: what the kernel and the machine can do without a messenger.
//!
//! As many threads and connections as the load under test, requests and replies of the same number of bytes on the wire,
//! the same depth. All that is ready is sent by one gathering write and received by one large read; nobody looks at
//! the bytes. A thread with a single connection blocks in its read; one with several waits with epoll. Before either it
//! looks for more as long as the messenger's workers do.

mod client;
mod drive;
mod lane;
mod server;

use super::conduct::{News, Run, conduct};
use super::recorder::Recorder;
use super::stage::Plan;
use client::Client;
use drive::drive;
use lane::Lane;
use server::Server;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::{Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// What is moved, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pattern {
    /// Bytes of a request on the wire.
    pub(crate) request: usize,
    /// Bytes of a reply on the wire.
    pub(crate) reply: usize,
    /// Requests in flight per connection.
    pub(crate) depth: usize,
    /// Connections.
    pub(crate) connections: usize,
    /// Threads on each side.
    pub(crate) workers: usize,
    /// How long a thread looks for more before it sleeps.
    pub(crate) spin: Duration,
}

/// Moves the bytes over loopback as planned.
///
/// # Errors
/// When a socket or thread cannot be made, or a connection fails.
pub(crate) fn run(pattern: &Pattern, plan: Plan) -> io::Result<Run<io::Error>> {
    let pairs = connect(pattern.connections)?;
    let workers = pattern.workers.min(pattern.connections);
    let recorder = Arc::new(Recorder::new(workers, plan.span.first_phase()));
    let (sender, news) = channel();
    let active = Arc::new(AtomicUsize::new(pattern.connections));
    let mut threads = Vec::new();
    let begin = || -> io::Result<()> {
        for (shard, (clients, servers)) in deal(pairs, pattern, workers).into_iter().enumerate() {
            threads.push(spawn("raw-server", servers, Server, pattern.spin, sender.clone())?);
            let quotas =
                (0..clients.len()).map(|i| plan.span.quota(shard + i * workers, pattern.connections));
            let client =
                Client::new(shard, quotas.collect(), pattern.depth, &recorder, &active, sender.clone());
            threads.push(spawn("raw-client", clients, client, pattern.spin, sender.clone())?);
        }
        Ok(())
    };
    let mut run = conduct(&recorder, plan, &news, "raw", &|| None, begin)?;
    run.sample.lost = threads.into_iter().map(|thread| thread.join().unwrap_or_default()).sum();
    Ok(run)
}

type Pair = (TcpStream, TcpStream);

/// Connected sockets: the client's end, the server's end.
fn connect(connections: usize) -> io::Result<Vec<Pair>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let addr = listener.local_addr()?;
    let pair = || {
        let client = TcpStream::connect(addr)?;
        let (server, _) = listener.accept()?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        Ok((client, server))
    };
    (0..connections).map(|_| pair()).collect()
}

/// Deals the connections out to the threads in turn.
fn deal(pairs: Vec<Pair>, pattern: &Pattern, workers: usize) -> Vec<(Vec<Lane>, Vec<Lane>)> {
    let mut hands: Vec<_> = (0..workers).map(|_| (Vec::new(), Vec::new())).collect();
    for (index, (client, server)) in pairs.into_iter().enumerate() {
        let hand = &mut hands[index % workers];
        hand.0.push(Lane::new(client, pattern.request, pattern.reply));
        hand.1.push(Lane::new(server, pattern.reply, pattern.request));
    }
    hands
}

/// What one side does with the units that come.
trait Role: Send + 'static {
    /// The units to send on connection `lane` before anything came.
    fn opening(&mut self, lane: usize) -> usize;
    /// The units to send in answer to `units` that came on connection `lane`.
    fn arrived(&mut self, lane: usize, units: usize) -> usize;
    /// Whether it has no further use for its connections.
    fn is_done(&self) -> bool;
    /// Units that were asked for and never came.
    fn missing(&self) -> u64;
}

fn spawn(
    name: &str,
    mut lanes: Vec<Lane>,
    mut role: impl Role,
    spin: Duration,
    news: Sender<News<io::Error>>,
) -> io::Result<JoinHandle<u64>> {
    Builder::new().name(name.into()).spawn(move || {
        if let Err(error) = drive(&mut lanes, &mut role, spin) {
            // The conductor may have gone already.
            let _ = news.send(News::Broken(error));
        }
        role.missing()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::stage::Span;

    fn counted(messages: u64) -> Plan {
        Plan { span: Span::Count(messages), patience: Duration::from_secs(60) }
    }

    fn pattern(depth: usize, connections: usize, workers: usize) -> Pattern {
        Pattern { request: 5000, reply: 150, depth, connections, workers, spin: Duration::ZERO }
    }

    #[test]
    fn every_request_is_answered() {
        for (depth, connections, workers) in [(1, 1, 1), (32, 1, 1), (3, 5, 2), (2, 2, 8)] {
            let run = run(&pattern(depth, connections, workers), counted(1003)).unwrap();
            assert!(run.broken.is_none(), "{:?}", run.broken);
            assert_eq!((run.sample.messages(), run.sample.lost), (1003, 0), "depth {depth} x {connections}");
        }
    }

    #[test]
    fn every_request_is_answered_while_threads_look_for_more() {
        for (depth, connections, workers) in [(1, 1, 1), (3, 5, 2)] {
            let pattern = Pattern { spin: Duration::from_micros(50), ..pattern(depth, connections, workers) };
            let run = run(&pattern, counted(1003)).unwrap();
            assert_eq!((run.sample.messages(), run.sample.lost), (1003, 0), "depth {depth} x {connections}");
        }
    }

    #[test]
    fn large_units_and_more_in_flight_than_the_sockets_hold() {
        let pattern = Pattern { request: 4 << 20, ..pattern(8, 1, 1) };
        let run = run(&pattern, counted(40)).unwrap();
        assert_eq!((run.sample.messages(), run.sample.lost), (40, 0));
    }

    #[test]
    fn a_timed_run_drains() {
        let plan = Plan { span: Span::Time(Duration::from_secs(1)), patience: Duration::from_secs(60) };
        let run = run(&pattern(16, 2, 2), plan).unwrap();
        assert!(run.broken.is_none() && run.sample.messages() > 0);
        assert_eq!(run.sample.lost, 0);
        assert!(run.sample.elapsed >= Duration::from_secs(1));
    }
}
