//! The messengers of one round: a client, and a responder unless it is elsewhere.

use super::conduct::{Run, conduct};
use super::load::Load;
use super::responder::Responder;
use super::stage::Plan;
use super::{BenchArgs, TransportArg};
use crate::attempt::Attempt;
use crate::auth;
use crate::error::CliError;
use crate::options::ModeArg;
use crate::target;
use axon_auth::{ClientAuth, CryptoKey};
use axon_denc::{AddrVec, EntityName, EntityType};
use axon_messenger::{BindSpec, Connection, Messenger, Nonce, Policy};
use axon_rados::mon::MonClient;
use axon_transport::{MemNetwork, TcpTransport, Transport};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long the messengers may take to close.
const CLOSE: Duration = Duration::from_secs(2);
/// What a connection may have queued beyond what the load keeps in flight.
const SEND_BUDGET: usize = 64 << 20;

/// The messengers of one round, connected.
pub(super) struct Bed {
    client: Messenger,
    responder: Option<Messenger>,
    /// Keeps the tickets fresh.
    _mon: Option<MonClient>,
    connections: Vec<Connection>,
    load: Arc<Load>,
    news: Receiver<super::conduct::News<CliError>>,
    plan: Plan,
}

impl Bed {
    /// Starts them and opens the sessions.
    ///
    /// # Errors
    /// When they do not start, or a session does not open in time.
    pub(super) fn start(args: &BenchArgs, plan: Plan) -> Result<Self, CliError> {
        let transport = transport(args.transport);
        let Far { addrs, auth, responder, mon } = match &args.connect {
            Some(text) => Far::remote(args, text)?,
            None => Far::local(args, &transport)?,
        };
        let peer = addrs.to_string();
        let (attempt, outcome) = Attempt::new();
        let (sender, news) = channel();
        let workers = args.workers as usize;
        let load = Arc::new(Load::new(peer.clone(), args.shape(plan.span), workers, attempt, sender));
        let client = client(args, transport, auth, load.clone())?;
        let connections = connect(&client, &addrs, args.connections)?;
        outcome.wait(&peer, connections.len(), args.timeout)?;
        Ok(Self { client, responder, _mon: mon, connections, load, news, plan })
    }

    /// Runs the load and closes everything.
    ///
    /// # Errors
    /// When the load cannot start; what breaks it later is part of the result.
    pub(super) fn run(self) -> Result<Run<CliError>, CliError> {
        let Self { client, responder, _mon, connections, load, news, plan } = self;
        let mut run = conduct(load.recorder(), plan, &news, "axon", || load.start(connections))?;
        let mishaps = load.mishaps();
        run.sample.lost = mishaps.lost;
        run.sample.duplicated = mishaps.duplicated;
        run.sample.reordered = mishaps.reordered;
        client.shutdown(CLOSE);
        if let Some(responder) = responder {
            responder.shutdown(CLOSE);
        }
        Ok(run)
    }
}

/// The far end, and how to get in there.
struct Far {
    addrs: AddrVec,
    auth: Arc<dyn ClientAuth>,
    responder: Option<Messenger>,
    mon: Option<MonClient>,
}

impl Far {
    /// In this process, with a key for this run alone if one is needed.
    fn local(args: &BenchArgs, transport: &Arc<dyn Transport>) -> Result<Self, CliError> {
        let key = (args.mode == ModeArg::Secure).then(auth::throwaway_key);
        let auth = match &key {
            Some(key) => auth::service_key_client(args.cluster.name(), key.clone()),
            None => auth::nameless(),
        };
        let responder = responder(args, transport, key)?;
        Ok(Self { addrs: responder.addrs(), auth, responder: Some(responder), mon: None })
    }

    /// Elsewhere.
    fn remote(args: &BenchArgs, text: &str) -> Result<Self, CliError> {
        let addrs = target::parse(text)?;
        let (auth, mon) = remote_auth(args)?;
        Ok(Self { addrs, auth, responder: None, mon })
    }
}

fn transport(arg: TransportArg) -> Arc<dyn Transport> {
    match arg {
        TransportArg::Tcp => Arc::new(TcpTransport::new()),
        TransportArg::Mem => Arc::new(MemNetwork::new()),
    }
}

/// With a ticket from the monitors, or with the service's own key from the keyring on the command line.
fn remote_auth(args: &BenchArgs) -> Result<(Arc<dyn ClientAuth>, Option<MonClient>), CliError> {
    if args.cluster.names_cluster() {
        let mut config = args.cluster.mon_config(&args.cluster.name())?;
        config.connect_within = args.timeout;
        let principal = config.principal();
        return Ok((Arc::new(principal), Some(MonClient::connect(config)?)));
    }
    match (args.cluster.keyring(), args.mode) {
        (Some(path), _) => {
            let name = args.cluster.name_or(EntityType::Osd, "0");
            let key = auth::key_in(path, &name)?;
            Ok((auth::service_key_client(name, key), None))
        }
        (None, ModeArg::Crc) => Ok((auth::nameless(), None)),
        (None, ModeArg::Secure) => Err(CliError::Usage {
            what: "--mode secure against another process needs a key",
            help: "give the key that `axon serve --auth cephx` was given, --keyring FILE, or a cluster, --mon-host ADDRS",
        }),
    }
}

fn responder(
    args: &BenchArgs,
    transport: &Arc<dyn Transport>,
    key: Option<CryptoKey>,
) -> Result<Messenger, CliError> {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut builder = Messenger::builder(EntityName::new(EntityType::Osd, 0))
        .bind(BindSpec::from(anywhere))
        .nonce(Nonce::fixed(0))
        .modes(args.mode.modes())
        .transport(transport.clone())
        .workers(args.workers as usize);
    if let Some(key) = key {
        builder = builder.server_auth(auth::service_key_server(key));
    }
    Ok(builder.start(Responder::default())?)
}

fn client(
    args: &BenchArgs,
    transport: Arc<dyn Transport>,
    auth: Arc<dyn ClientAuth>,
    load: Arc<Load>,
) -> Result<Messenger, CliError> {
    let in_flight = args.depth as usize * (args.size as usize + 4096);
    let builder = Messenger::builder(EntityName::new(EntityType::Client, -1))
        .default_policy(Policy::lossy_client())
        .client_auth(auth)
        .modes(args.mode.modes())
        .transport(transport)
        .workers(args.workers as usize)
        .send_budget(SEND_BUDGET + in_flight);
    Ok(builder.start(load)?)
}

fn connect(client: &Messenger, addrs: &AddrVec, count: u32) -> Result<Vec<Connection>, CliError> {
    let no_target = |source| CliError::NoTarget { peer: addrs.to_string(), source };
    (0..count).map(|_| client.connect_anonymous(EntityType::Osd, addrs).map_err(no_target)).collect()
}
