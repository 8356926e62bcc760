//! `axon ping`: is the daemon there, and how long does it take?

mod report;

use crate::attempt::{Attempt, Outcome};
use crate::auth;
use crate::cluster::ClusterArgs;
use crate::error::CliError;
use crate::options::ModeArg;
use crate::{output, target, units};
use axon_auth::{AuthError, Principal};
use axon_denc::{AddrVec, EntityName, EntityType};
use axon_messenger::{Connection, Dispatcher, Fault, Messenger, Policy, Received, Reset, Timeouts};
use axon_rados::conf::ConfError;
use axon_rados::mon::MonClient;
use clap::{Args, ValueEnum};
use report::{Handshake, Keepalives};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const EXAMPLES: &str = "\
Examples:
  axon ping 10.0.0.1                      a monitor, with the key ceph.conf leads to
  axon ping 10.0.0.1:3300 --keyring admin.keyring --mode secure
  axon ping v2:10.0.0.7:6800/2871         an OSD: address and nonce as in the OSD map
  axon ping 10.0.0.7:6800 --count 0 --json

Without --peer a monitor is expected at port 3300 and an OSD elsewhere; whoever answers instead is dialled again as \
what it says it is. An OSD, MDS or manager with cephx wants a ticket, which the monitors give: the configuration or \
--mon-host says where they are.";

/// How often the time of a keepalive is looked for.
const LOOK: Duration = Duration::from_micros(200);
const CLOSE: Duration = Duration::from_millis(200);
const MON_PORT: u16 = 3300;

/// Options of `axon ping`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PingArgs {
    /// Whom: IP, IP:PORT, v2:IP:PORT/NONCE or HOST:PORT; port 3300 unless said.
    #[arg(value_name = "ADDR")]
    addr: String,

    /// What is expected there [default: mon at port 3300, osd elsewhere, or whoever answers].
    #[arg(long, value_enum)]
    peer: Option<PeerArg>,

    /// The only way to protect the connection that is acceptable [default: secure preferred with mon and mgr, crc else].
    #[arg(long, value_enum)]
    mode: Option<ModeArg>,

    /// Keepalives to send once the session is open.
    #[arg(long, value_name = "N", default_value_t = 3)]
    count: u32,

    /// Pause between keepalives.
    #[arg(long, value_name = "SECONDS", default_value = "0.2", value_parser = units::parse_seconds)]
    interval: Duration,

    /// How long the handshake, and each keepalive, may take.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = units::parse_seconds)]
    timeout: Duration,

    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    cluster: ClusterArgs,
}

/// A type of daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PeerArg {
    Mon,
    Osd,
    Mgr,
    Mds,
    Client,
}

impl From<PeerArg> for EntityType {
    fn from(peer: PeerArg) -> Self {
        match peer {
            PeerArg::Mon => Self::Mon,
            PeerArg::Osd => Self::Osd,
            PeerArg::Mgr => Self::Mgr,
            PeerArg::Mds => Self::Mds,
            PeerArg::Client => Self::Client,
        }
    }
}

impl PingArgs {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<(), CliError> {
        let addrs = target::parse(&self.addr)?;
        let name = self.cluster.name()?;
        let principal = auth::principal(name.clone(), self.cluster.key_if_any(&name)?);
        let session = self.reach(&addrs, &principal)?;
        let handshake = Handshake::of(&session.connection, session.opened_after);
        if !self.json {
            output::print(format_args!("{handshake}"))?;
        }
        let keepalives = self.keepalives(&session)?;
        session.messenger.shutdown(CLOSE);
        self.print(handshake, keepalives)
    }

    fn print(&self, handshake: Handshake, keepalives: Keepalives) -> Result<(), CliError> {
        if self.json {
            return output::print_json(&handshake.with(keepalives));
        }
        if keepalives.is_empty() { Ok(()) } else { output::print(keepalives) }
    }

    /// A session with whoever is there, as what it says it is unless the command line says what it must be.
    fn reach(&self, addrs: &AddrVec, principal: &Principal) -> Result<Session, CliError> {
        let guess = if addrs.first().port() == MON_PORT { EntityType::Mon } else { EntityType::Osd };
        let peer = self.peer.map_or(guess, EntityType::from);
        match self.dial_with_ticket(peer, addrs, principal) {
            Err(CliError::Unconnected { fault: Fault::WrongPeerType { got, .. }, .. })
                if self.peer.is_none() =>
            {
                self.dial_with_ticket(got, addrs, principal)
            }
            Err(CliError::Unconnected { peer, fault: fault @ Fault::WrongPeerType { got, .. } }) => {
                Err(CliError::OtherPeer { peer, fault, got })
            }
            session => session,
        }
    }

    /// A daemon may want a ticket; then a monitor is asked for one.
    fn dial_with_ticket(
        &self,
        peer: EntityType,
        addrs: &AddrVec,
        principal: &Principal,
    ) -> Result<Session, CliError> {
        match self.dial(peer, addrs, principal) {
            Err(error) if wants_ticket(&error) => {
                self.fetch_tickets(principal, error)?;
                self.dial(peer, addrs, principal)
            }
            session => session,
        }
    }

    /// Logs in to a monitor, which gives tickets for the rest of the cluster. `wanted` is why, and what remains to be said
    /// if nobody knows where the monitors are.
    fn fetch_tickets(&self, principal: &Principal, wanted: CliError) -> Result<(), CliError> {
        let mut config = match self.cluster.mon_config(principal.name()) {
            Err(CliError::Conf(ConfError::NoMonHost { .. })) => return Err(wanted),
            config => config?,
        };
        config.tickets = principal.tickets().clone();
        config.connect_within = self.timeout;
        MonClient::connect(config)?;
        Ok(())
    }

    fn dial(&self, peer: EntityType, addrs: &AddrVec, principal: &Principal) -> Result<Session, CliError> {
        let (attempt, outcome) = Attempt::new();
        let timeouts = Timeouts { ready: self.timeout, keepalive_ack: self.timeout, ..Timeouts::default() };
        let mut builder = Messenger::builder(EntityName::new(EntityType::Client, -1))
            .default_policy(Policy::lossy_client())
            .client_auth(Arc::new(principal.clone()))
            .timeouts(timeouts);
        if let Some(mode) = self.mode {
            builder = builder.modes(mode.modes());
        }
        let messenger = builder.start(Listener(attempt))?;
        let text = addrs.to_string();
        let start = Instant::now();
        let connected = messenger.connect_anonymous(peer, addrs);
        let connection = connected.map_err(|source| CliError::NoTarget { peer: text.clone(), source })?;
        // The handshake's own time-out says more about where it got stuck.
        let opened = outcome.wait(&text, 1, self.timeout + Duration::from_millis(500))?;
        Ok(Session { messenger, connection, outcome, peer: text, opened_after: opened.duration_since(start) })
    }

    fn keepalives(&self, session: &Session) -> Result<Keepalives, CliError> {
        let mut times = Vec::new();
        for n in 0..self.count {
            if n > 0 {
                thread::sleep(self.interval);
            }
            let time = session.keepalive(self.timeout)?;
            tracing::info!(n, ?time, "keepalive answered");
            times.push(time);
        }
        Ok(Keepalives::new(&times))
    }
}

/// Whether there was nothing to show to a daemon, as no monitor was asked yet.
fn wants_ticket(error: &CliError) -> bool {
    matches!(error, CliError::Unconnected { fault: Fault::Auth(AuthError::NoMonSession { .. }), .. })
}

/// An open session.
struct Session {
    messenger: Messenger,
    connection: Connection,
    outcome: Outcome,
    peer: String,
    /// From the call to dial to the open session.
    opened_after: Duration,
}

impl Session {
    /// The round trip of a keepalive.
    fn keepalive(&self, timeout: Duration) -> Result<Duration, CliError> {
        let before = self.connection.last_round_trip();
        let deadline = Instant::now() + timeout;
        self.connection.keepalive();
        loop {
            match self.connection.last_round_trip() {
                Some(time) if before != Some(time) => return Ok(time),
                _ => thread::sleep(LOOK),
            }
            if let Some(fault) = self.outcome.fault() {
                return Err(CliError::Lost { peer: self.peer.clone(), fault });
            }
            if Instant::now() >= deadline {
                return Err(CliError::NoAnswer { peer: self.peer.clone(), after: timeout });
            }
        }
    }
}

/// Hears of the session and ignores what is said in it: monitors send maps to everybody who logs in.
struct Listener(Attempt);

impl Dispatcher for Listener {
    fn dispatch(&self, connection: &Connection, message: Received) {
        tracing::debug!(?connection, kind = message.header.kind, "ignored a message");
    }

    fn handle_fast_connect(&self, _connection: &Connection) {
        self.0.opened();
    }

    fn handle_refused(&self, _connection: &Connection, fault: &Fault) {
        self.0.failed(fault);
    }

    fn handle_reset(&self, _connection: &Connection, reset: Reset) {
        self.0.failed(&reset.fault);
    }
}
