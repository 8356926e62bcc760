//! Lone round trips between two messengers of one process, for counting what one costs outside of the kernel.
//!
//! ```text
//! round_trip --list                                     the case that `cargo xtask instructions` counts, and its rounds
//! round_trip round-trip-64 ROUNDS                       the case with so many rounds
//! round_trip tcp|mem ROUNDS [SPIN_US [CONNECTIONS]]     what the case is one of; prints the time of a round
//! ```
//!
//! The client sends the next request from the handler of a reply, so that two threads take turns: its worker and that of the
//! server, which answers in fast dispatch. Workers sleep between messages (no spinning), so that of two runs the difference
//! in instructions is that of their rounds. Each of several connections has one request in flight. Good for `strace -f -c`, too.
#![forbid(unsafe_code)]

use axon_messenger::{
    BindSpec, Connection, Dispatcher, EntityType, Message, Messenger, Nonce, Received, State,
};
use axon_transport::{MemNetwork, TcpTransport, Transport};
use bytes::Bytes;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

const KIND: u16 = 0x7000;
/// A lone connection over TCP whose workers sleep between messages of 64 bytes of data.
const CASE: &str = "round-trip-64";
/// Rounds that are counted.
const COUNTED: u64 = 10_000;
/// Bytes of a front of a request and of a reply, as those of a small read from an OSD.
const REQUEST: usize = 200;
const REPLY: usize = 136;
/// Bytes of data of both.
const DATA: usize = 64;

fn message(front: usize, tid: u64) -> Message {
    let mut message = Message::new(KIND, Bytes::from_static(&[7; REQUEST]).slice(..front));
    message.data = Bytes::from_static(&[9; DATA]);
    message.header.tid = tid;
    message
}

struct Server;

impl Dispatcher for Server {
    fn can_fast_dispatch(&self, _: &Message) -> bool {
        true
    }

    fn dispatch(&self, connection: &Connection, request: Received) {
        // One that cannot be answered ends the program, which waits for the reply.
        let _ = connection.send(message(REPLY, request.header.tid));
    }
}

struct Client {
    left: AtomicU64,
    done: SyncSender<()>,
}

impl Dispatcher for Client {
    fn can_fast_dispatch(&self, _: &Message) -> bool {
        true
    }

    fn dispatch(&self, connection: &Connection, reply: Received) {
        // Below one, those of the other connections are still on their way.
        let left = self.left.fetch_sub(1, Ordering::Relaxed) as i64;
        if left == 1 {
            let _ = self.done.send(());
        } else if left > 1 {
            let _ = connection.send(message(REQUEST, reply.header.tid + 1));
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds --bench.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let number = |place: usize, default: u64| args.get(place).map_or(Ok(default), |number| number.parse());
    let transport: Arc<dyn Transport> = match args.first().map_or(CASE, String::as_str) {
        "--list" => {
            println!("{CASE} {COUNTED}");
            return Ok(());
        }
        CASE | "tcp" => Arc::new(TcpTransport::new()),
        "mem" => Arc::new(MemNetwork::new()),
        other => return Err(format!("no transport {other}").into()),
    };
    run(transport, number(1, COUNTED)?, Duration::from_micros(number(2, 0)?), number(3, 1)?)
}

/// `rounds` in all, over `connections` connections, by workers that look for work for `spin` before they sleep.
fn run(
    transport: Arc<dyn Transport>,
    rounds: u64,
    spin: Duration,
    connections: u64,
) -> Result<(), Box<dyn Error>> {
    let anywhere: BindSpec = "127.0.0.1:0".parse()?;
    let server = Messenger::builder("osd.0".parse()?).nonce(Nonce::MONITOR).bind(anywhere);
    let server = server.transport(Arc::clone(&transport)).workers(1).spin(spin).start(Server)?;
    let (done, finished) = sync_channel(1);
    let dispatcher = Client { left: AtomicU64::new(rounds), done };
    let client = Messenger::builder("client.?".parse()?).transport(transport).workers(1).spin(spin);
    let client = client.start(dispatcher)?;
    let addrs = server.addrs();
    let connect = |_| client.connect_anonymous(EntityType::Osd, &addrs);
    let connections = (0..connections).map(connect).collect::<Result<Vec<_>, _>>()?;
    while connections.iter().any(|connection| connection.state() != State::Open) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let begin = Instant::now();
    for connection in &connections {
        connection.send(message(REQUEST, 1)).map_err(|error| error.why)?;
    }
    finished.recv_timeout(Duration::from_secs(600))?;
    println!("{rounds} rounds, {:?} each", begin.elapsed() / rounds as u32);
    client.shutdown(Duration::from_secs(1));
    server.shutdown(Duration::from_secs(1));
    Ok(())
}
