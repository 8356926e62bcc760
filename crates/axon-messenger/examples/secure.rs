//! Processes that have a key in common: each proves with it who it is, and whatever they say is encrypted. Who has another
//! key is not let in.
//!
//! Monitors do it this way, which need nobody to give them tickets. Where there are monitors, clients and daemons show
//! the tickets these gave them: see docs/messenger.md.
//!
//! ```console
//! $ cargo run --example secure -p axon-messenger
//! ```

use axon_messenger::auth::{AuthName, CryptoKey, KeyType, Principal, RotatingStore, TicketStore, Verifier};
use axon_messenger::{
    BindSpec, Builder, Connection, Dispatcher, EntityType, Expect, Fault, Incoming, Message, Messenger, Mode,
    Modes, Nonce, Received, Receiver, incoming, system_surroundings,
};
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

const QUESTION: u16 = 0x7001;
const ANSWER: u16 = 0x7002;
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells who asks what it knows of them.
struct WhoAmI;

impl Dispatcher for WhoAmI {
    fn dispatch(&self, connection: &Connection, message: Received) {
        let name = connection.identity().map_or("nobody".to_owned(), |identity| identity.name.to_string());
        let mut answer = Message::new(ANSWER, name.into_bytes());
        answer.header.tid = message.header.tid;
        if let Err(error) = connection.send(answer) {
            eprintln!("cannot answer: {error}");
        }
    }
}

/// The monitor `id`, number `rank`, which proves its name by `key`, believes who has the same, and talks in secret or not
/// at all.
fn monitor(id: &str, rank: u64, key: &CryptoKey) -> Result<Builder, Box<dyn Error>> {
    let name = AuthName::new(EntityType::Mon, id);
    let principal = Principal::new(name, TicketStore::default(), system_surroundings());
    let verifier = Verifier::new(EntityType::Mon, RotatingStore::default(), system_surroundings());
    let builder = Messenger::builder(format!("mon.{rank}").parse()?)
        .client_auth(Arc::new(principal.with_mon_secret(key.clone())))
        .server_auth(Arc::new(verifier.with_mon_secret(key.clone())))
        .modes(Modes::only(Mode::SECURE));
    Ok(builder)
}

fn new_key() -> CryptoKey {
    let surroundings = system_surroundings();
    CryptoKey::generate(KeyType::Aes256k, &*surroundings.clock, &mut *surroundings.entropy.entropy())
}

fn main() -> Result<(), Box<dyn Error>> {
    let shared = new_key(); // mostly from a keyring: `Keyring`, or `text.parse::<CryptoKey>()`
    let anywhere = BindSpec::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let server = monitor("a", 0, &shared)?.nonce(Nonce::MONITOR).bind(anywhere).start(WhoAmI)?;

    let (dispatcher, _news) = incoming();
    let friend = monitor("b", 1, &shared)?.start(dispatcher)?;
    let connection = friend.connect(EntityType::Mon, &server.addrs())?;
    let question = Message::new(QUESTION, &b""[..]);
    let answer = connection.call_within(question, Expect::Kind(ANSWER), PATIENCE)?.wait()?;
    assert_eq!(connection.mode(), Some(Mode::SECURE));
    println!("known as {}, and nobody else can read it", answer.front.escape_ascii());

    let (dispatcher, news) = incoming();
    let stranger = monitor("c", 2, &new_key())?.start(dispatcher)?;
    stranger.connect(EntityType::Mon, &server.addrs())?;
    println!("with another key: {}", refusal(&news)?);

    for messenger in [stranger, friend, server] {
        messenger.shutdown(Duration::from_secs(1));
    }
    Ok(())
}

/// Why the attempt failed. More would follow.
fn refusal(news: &Receiver<Incoming>) -> Result<Fault, Box<dyn Error>> {
    match news.recv_timeout(PATIENCE)? {
        Incoming::Refused(_, fault) => Ok(fault),
        other => Err(format!("not refused but {other:?}").into()),
    }
}
