//! Two peers, each of which may dial the other, and between which nothing is lost: a socket that breaks is replaced, and the
//! stream of messages goes on where it was.
//!
//! ```console
//! $ cargo run --example lossless_peers -p axon-messenger
//! ```

use axon_messenger::{
    BindSpec, Connection, Dispatcher, EntityType, Message, Messenger, Policy, Received, StartError,
};
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

const NUMBER: u16 = 0x7001;
const COUNT: u64 = 1000;

/// Passes on what arrives.
struct Collect(Sender<u64>);

impl Dispatcher for Collect {
    fn dispatch(&self, _: &Connection, message: Received) {
        let number = message.front.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let _ = self.0.send(number); // the program may have ended
    }

    fn handle_remote_reset(&self, connection: &Connection, _: axon_messenger::Undelivered) {
        eprintln!("{connection:?} forgot the session");
    }
}

fn peer(name: &str, collect: Sender<u64>) -> Result<Messenger, StartError> {
    let anywhere = BindSpec::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let name = name.parse().expect("a name");
    let builder = Messenger::builder(name).bind(anywhere);
    builder.policy(EntityType::Osd, Policy::lossless_peer()).start(Collect(collect))
}

fn main() -> Result<(), Box<dyn Error>> {
    let (to_first, first_hears) = channel();
    let (to_second, second_hears) = channel();
    let (first, second) = (peer("osd.1", to_first)?, peer("osd.2", to_second)?);
    // Both dial, and both mean the same session.
    let there = first.connect(EntityType::Osd, &second.addrs())?;
    let back = second.connect(EntityType::Osd, &first.addrs())?;
    for number in 0..COUNT {
        for connection in [&there, &back] {
            connection.send(Message::new(NUMBER, number.to_le_bytes().to_vec()))?;
        }
    }
    for (name, hears) in [("osd.1", first_hears), ("osd.2", second_hears)] {
        for expected in 0..COUNT {
            let number = hears.recv_timeout(Duration::from_secs(30))?;
            assert_eq!(number, expected, "once, and in order");
        }
        println!("{name} has all {COUNT}");
    }
    first.shutdown(Duration::from_secs(1));
    second.shutdown(Duration::from_secs(1));
    Ok(())
}
