//! A server that answers every message with its own bytes, and a client that asks it a few times.
//!
//! ```console
//! $ cargo run --example echo -p axon-messenger
//! ```

use axon_messenger::{
    BindSpec, Connection, Dispatcher, EntityType, Expect, Message, Messenger, Nonce, Received, incoming,
};
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Message types are the application's own business; Ceph's go up to a few hundred.
const ECHO: u16 = 0x7001;

struct Echo;

impl Dispatcher for Echo {
    /// Answering is quick, so it may happen on the thread that read the request.
    fn can_fast_dispatch(&self, message: &Message) -> bool {
        message.header.kind == ECHO
    }

    fn dispatch(&self, connection: &Connection, message: Received) {
        let mut answer = message.into_message();
        answer.header.seq = 0;
        if let Err(error) = connection.send(answer) {
            eprintln!("cannot answer: {error}");
        }
    }

    fn handle_accept(&self, connection: &Connection) {
        println!("accepted {connection:?}");
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let anywhere = BindSpec::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let server = Messenger::builder("osd.0".parse()?).nonce(Nonce::MONITOR).bind(anywhere).start(Echo)?;
    println!("listening on {}", server.addrs());

    // The client has no dispatcher of its own: replies are awaited, and anything else would be in the queue.
    let (dispatcher, _queue) = incoming();
    let client = Messenger::builder("client.?".parse()?).start(dispatcher)?;
    let connection = client.connect(EntityType::Osd, &server.addrs())?;
    for text in ["never", "lose", "a", "message"] {
        let request = Message::new(ECHO, text.as_bytes().to_vec());
        let reply = connection.call_within(request, Expect::Kind(ECHO), Duration::from_secs(5))?.wait()?;
        println!("{}", String::from_utf8_lossy(&reply.front));
    }
    let session = connection.established().ok_or("the connection was not open")?;
    println!("in {} mode with {}", session.mode, session.peer);

    client.shutdown(Duration::from_secs(1));
    server.shutdown(Duration::from_secs(1));
    Ok(())
}
