//! A server that answers what is quick on the thread that read it, and hands over what is slow: the quick ones do not wait for
//! the slow ones.
//!
//! ```console
//! $ cargo run --example fast_dispatch -p axon-messenger
//! ```

use axon_messenger::{
    BindSpec, Connection, Dispatcher, EntityType, Expect, Message, Messenger, Nonce, Received, incoming,
};
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

const QUICK: u16 = 0x7001;
const SLOW: u16 = 0x7002;

struct Server;

impl Server {
    /// Says which thread answered.
    fn answer(&self, connection: &Connection, message: Received) {
        let by = thread::current().name().unwrap_or("?").to_owned();
        let mut answer = Message::new(message.header.kind, by.into_bytes());
        answer.header.tid = message.header.tid;
        if let Err(error) = connection.send(answer) {
            eprintln!("cannot answer: {error}");
        }
    }
}

impl Dispatcher for Server {
    /// Which messages may be handled where they were read: those whose handler never blocks.
    fn can_fast_dispatch(&self, message: &Message) -> bool {
        message.header.kind == QUICK
    }

    fn fast_dispatch(&self, connection: &Connection, message: Received) {
        self.answer(connection, message);
    }

    /// All others, on threads of their own, in the order of each connection.
    fn dispatch(&self, connection: &Connection, message: Received) {
        thread::sleep(Duration::from_millis(300)); // a disk, say
        self.answer(connection, message);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let anywhere = BindSpec::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let server = Messenger::builder("osd.0".parse()?).nonce(Nonce::MONITOR).bind(anywhere).start(Server)?;
    let (dispatcher, _queue) = incoming();
    let client = Messenger::builder("client.?".parse()?).start(dispatcher)?;
    let connection = client.connect(EntityType::Osd, &server.addrs())?;
    let start = Instant::now();
    let ask = |kind| {
        connection.call_within(Message::new(kind, &b""[..]), Expect::Kind(kind), Duration::from_secs(10))
    };
    let (slow, quick) = (ask(SLOW)?, ask(QUICK)?);
    for (what, reply) in [("quick", quick), ("slow", slow)] {
        let by = reply.wait()?;
        println!("{what}: by the thread {} after {:?}", by.front.escape_ascii(), start.elapsed());
    }
    client.shutdown(Duration::from_secs(1));
    server.shutdown(Duration::from_secs(1));
    Ok(())
}
