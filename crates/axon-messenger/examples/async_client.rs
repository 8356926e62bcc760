//! A client that asks a hundred things at a time on one task, with deadlines, and hears when its peer has enough for now.
//!
//! ```console
//! $ cargo run --example async_client -p axon-messenger
//! ```

use axon_messenger::{
    BindSpec, Connection, Dispatcher, EntityType, Expect, Message, Messenger, Nonce, Received, incoming, park,
};
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

const QUESTION: u16 = 0x7001;
const ANSWER: u16 = 0x7002;

/// Says how long each question is.
struct Measure;

impl Dispatcher for Measure {
    fn dispatch(&self, connection: &Connection, message: Received) {
        let mut answer = Message::new(ANSWER, message.front.len().to_string().into_bytes());
        answer.header.tid = message.header.tid; // which question it is for
        if let Err(error) = connection.send(answer) {
            eprintln!("cannot answer: {error}");
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let anywhere = BindSpec::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let server = Messenger::builder("osd.0".parse()?).nonce(Nonce::MONITOR).bind(anywhere).start(Measure)?;
    let (dispatcher, _queue) = incoming();
    let client = Messenger::builder("client.?".parse()?).start(dispatcher)?;
    let connection = client.connect(EntityType::Osd, &server.addrs())?;
    let sum = park::wait(ask(&connection))?; // or any runtime's block_on
    println!("a hundred answers, {sum} bytes");
    client.shutdown(Duration::from_secs(1));
    server.shutdown(Duration::from_secs(1));
    Ok(())
}

/// Asks everything, then awaits the answers: they come while others are awaited.
async fn ask(connection: &Connection) -> Result<usize, Box<dyn Error>> {
    let ask = |size: usize| {
        let question = Message::new(QUESTION, vec![b'x'; size]);
        connection.call_within(question, Expect::Kind(ANSWER), Duration::from_secs(10))
    };
    let questions = (0..100).map(ask).collect::<Result<Vec<_>, _>>()?;
    let mut sum = 0;
    for question in questions {
        sum += String::from_utf8_lossy(&question.await?.front).parse::<usize>()?;
    }
    Ok(sum)
}
