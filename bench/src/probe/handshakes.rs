//! Connections opened and closed, as many as go.

use super::ProbeArgs;
use super::findings::Handshakes;
use crate::drive::DriveError;
use crate::drive::axon::{client, failed};
use axon_auth::{
    AuthError, AuthName, ClientAuth, ClientExchange, Entropy, Keyring, Principal, Surroundings, TicketStore,
};
use axon_messenger::{Builder, Connection, Dispatcher, EntityType, Messenger, OsEntropy, Policy, Received};
use axon_rados::conf::{Conf, Host};
use axon_rados::mon::{MonClient, MonConfig};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long one may take to open.
const PATIENCE: Duration = Duration::from_secs(10);
/// Whose key the keyring of the benchmark holds.
const OWNER: &str = "osd.0";

/// Opens and closes connections, some at the same time, and counts those that opened in the second nine tenths.
pub(super) fn count(args: &ProbeArgs) -> Result<Handshakes, DriveError> {
    let (sender, opened) = channel();
    match &args.conf {
        None => {
            let messenger =
                authenticated(args)?.start(Door(sender)).map_err(failed("starting a messenger"))?;
            tally(args, &messenger, &opened)
        }
        Some(conf) => {
            let lossy = |builder: Builder| builder.policy(EntityType::Osd, Policy::lossy_client());
            let mon =
                MonClient::connect_with(admin(conf)?, Door(sender), lossy).map_err(failed("logging in"))?;
            tally(args, mon.messenger(), &opened)
        }
    }
}

/// Who may connect to OSDs.
fn admin(conf: &Path) -> Result<MonConfig, DriveError> {
    let conf = Conf::read(conf, Host::current()).map_err(failed("reading the configuration"))?;
    let name = "client.admin".parse().map_err(failed("a name"))?;
    MonConfig::from_conf(&conf.of(&name)).map_err(failed("reading the configuration"))
}

fn tally(
    args: &ProbeArgs,
    messenger: &Messenger,
    opened: &Receiver<Connection>,
) -> Result<Handshakes, DriveError> {
    let addrs = format!("v2:{}/{}", args.addr, args.nonce).parse().map_err(failed("an address"))?;
    let dial = || messenger.connect_anonymous(EntityType::Osd, &addrs).map_err(failed("connecting"));
    let begin = Instant::now() + args.span() / 10;
    let end = begin + args.span();
    for _ in 0..args.connections {
        dial()?;
    }
    let mut count = 0;
    loop {
        let connection: Connection = opened.recv_timeout(PATIENCE).map_err(|_| DriveError::Gone)?;
        connection.mark_down();
        let now = Instant::now();
        if now >= end {
            return Ok(Handshakes { per_second: f64::from(count) / args.span().as_secs_f64() });
        }
        count += u32::from(now >= begin);
        dial()?;
    }
}

fn authenticated(args: &ProbeArgs) -> Result<Builder, DriveError> {
    match &args.keyring {
        None => Ok(client()),
        Some(path) => Ok(client().client_auth(Arc::new(KeyHolder(principal(path)?)))),
    }
}

/// A client that holds the service's own key makes its own tickets, as monitors do for each other.
fn principal(keyring: &Path) -> Result<Principal, DriveError> {
    let name: AuthName = OWNER.parse().map_err(failed("a name"))?;
    let keys: Keyring = fs::read_to_string(keyring)?.parse().map_err(failed("reading the keyring"))?;
    let key = keys.get(&name).ok_or(DriveError::Gone)?.key.clone();
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let entropy = || Box::new(OsEntropy) as Box<dyn Entropy>;
    let principal = Principal::new(name, TicketStore::default(), Surroundings::new(clock, entropy));
    Ok(principal.with_mon_secret(key))
}

/// Shows the tickets of monitors to everybody.
struct KeyHolder(Principal);

impl ClientAuth for KeyHolder {
    fn start(&self, _peer: EntityType) -> Result<Box<dyn ClientExchange>, AuthError> {
        self.0.start(EntityType::Mon)
    }
}

/// Hands on each connection that opens.
struct Door(Sender<Connection>);

impl Dispatcher for Door {
    fn dispatch(&self, _connection: &Connection, _message: Received) {}

    fn handle_fast_connect(&self, connection: &Connection) {
        if connection.peer_type() == EntityType::Osd {
            // Nobody listens once the time is over.
            let _ = self.0.send(connection.clone());
        }
    }
}
