//! `axon serve`: the responder alone.

use crate::auth;
use crate::bench::responder::{Responder, Served};
use crate::cluster::ClusterArgs;
use crate::error::CliError;
use crate::options::{ModeArg, PolicyArg, RedialArgs, SpinArgs};
use crate::output::LiveLine;
use crate::transport::TransportArg;
use crate::{output, units};
use axon_auth::{AuthName, ClientAuth, RotatingStore, ServerAuth};
use axon_denc::{EntityName, EntityType};
use axon_messenger::{BindSpec, Dumper, Messenger, Modes, Nonce};
use axon_rados::mon::MonClient;
use axon_transport::Transport;
use clap::{Args, ValueEnum};
use serde::Serialize;
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

const EXAMPLES: &str = "\
Examples:
  axon serve 127.0.0.1:6800      for `axon bench --connect` and ceph_perf_msgr_client
  axon serve 0.0.0.0:0 --json    any free port, which the first line of output names
  axon serve 127.0.0.1:6800 --policy lossless     for `axon bench --policy lossless --connect`
  axon serve 127.0.0.1:6800 --auth cephx --keyring service.keyring --mode secure
  axon serve 127.0.0.1:6800 --auth cephx --name osd.7 --mon-host 10.0.0.1
  kill -USR1 PID                 what every connection of that process is doing, on its standard error

With --auth cephx and a keyring alone, the keyring's key of NAME (osd.0 unless said) is the service's own: whoever \
holds it as well is let in, such as `axon bench --connect ADDR --keyring service.keyring`. With --conf or --mon-host \
the server logs in to the monitors as NAME, and lets in whoever they gave a ticket for services of its type.

The first line of output is `listening on ADDR`, or with --json an object with the key `listening`; the last one says \
what was served. SIGINT and SIGTERM end it in good order. SIGUSR1 prints on standard error, as one line of JSON, what the \
messenger is doing: its addresses and policies; each connection with its state, session, sequence numbers and queues; \
budgets, threads and counters. docs/command-line.md lists the keys.";

const SECOND: Duration = Duration::from_secs(1);
/// How long connections may take to send what they have queued.
const CLOSE: Duration = Duration::from_secs(5);
/// How long workers may take to say what they do, before they are said to be held up.
const DUMP: Duration = Duration::from_secs(10);
/// How long logging in to the monitors may take, and getting the secrets from them.
const LOG_IN: Duration = Duration::from_secs(30);

/// Options of `axon serve`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ServeArgs {
    /// Where to listen: IP, IP:PORT or IP:FIRST-LAST; port 0 is any, no port the first free one from 6800 on.
    #[arg(value_name = "ADDR")]
    addr: BindSpec,

    /// The only way to protect connections that is accepted [default: any that the client prefers].
    #[arg(long, value_enum)]
    mode: Option<ModeArg>,

    /// What connections promise; clients have to be told the same.
    #[arg(long, value_enum, default_value_t = PolicyArg::Lossy)]
    policy: PolicyArg,

    #[command(flatten)]
    redial: RedialArgs,

    #[command(flatten)]
    spin: SpinArgs,

    /// How bytes move; auto is tcp, as nothing is known of the load.
    #[arg(long, value_enum, default_value_t = TransportArg::Auto)]
    transport: TransportArg,

    /// How clients authenticate.
    #[arg(long, value_enum, default_value_t = AuthArg::None)]
    auth: AuthArg,

    /// Worker threads: 1 to 1024.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    workers: u32,

    /// Stop after this time.
    #[arg(long, value_name = "SECONDS", value_parser = units::parse_seconds)]
    seconds: Option<Duration>,

    /// Print JSON, one object per line.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    cluster: ClusterArgs,
}

/// How clients authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AuthArg {
    /// Everybody is believed.
    None,
    /// By tickets.
    Cephx,
}

/// The first line of output.
#[derive(Serialize)]
struct Listening {
    listening: String,
}

/// The last line of output.
#[derive(Serialize)]
struct Summary {
    served: Served,
}

impl ServeArgs {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<(), CliError> {
        self.check()?;
        // Before the first line of output: who has read it may send a signal.
        let signals = Signals::new([SIGINT, SIGTERM, SIGUSR1]).map_err(CliError::Signals)?;
        let responder = Arc::new(Responder::default());
        let gate = self.gate()?;
        let messenger = self.start(responder.clone(), &gate)?;
        self.announce(&messenger)?;
        wait(signals, self.seconds, &responder, messenger.dumper());
        messenger.shutdown(CLOSE);
        drop(gate);
        self.summarise(responder.served())
    }

    fn check(&self) -> Result<(), CliError> {
        if self.redial.is_given() && self.policy != PolicyArg::Peer {
            return Err(CliError::Usage {
                what: "--back-off has no effect: of the sides that listen only peers dial",
                help: "give it to `axon bench`, or add --policy peer",
            });
        }
        Ok(())
    }

    fn start(&self, responder: Arc<Responder>, gate: &Gate) -> Result<Messenger, CliError> {
        let mut builder = Messenger::builder(gate.name)
            .default_policy(self.policy.server())
            .bind(self.addr)
            .nonce(Nonce::fixed(0))
            .transport(self.transport()?)
            .modes(self.modes()?)
            .workers(self.workers as usize);
        if let Some(pass) = &gate.pass {
            builder = builder.client_auth(pass.clone());
        }
        if let Some(auth) = &gate.auth {
            builder = builder.server_auth(auth.clone());
        }
        let builder = self.spin.configure(builder);
        Ok(self.redial.configure(builder).start(responder)?)
    }

    fn transport(&self) -> Result<Arc<dyn Transport>, CliError> {
        if self.transport == TransportArg::Mem {
            return Err(CliError::Usage {
                what: "nobody elsewhere reaches memory of this process",
                help: "give another --transport",
            });
        }
        self.transport.start()
    }

    /// Who is let in.
    fn gate(&self) -> Result<Gate, CliError> {
        let name = self.cluster.name_or(EntityType::Osd, "0");
        match self.auth {
            AuthArg::None if self.cluster.keyring().is_some() || self.cluster.names_cluster() => {
                Err(CliError::Usage {
                    what: "the cluster options have no effect with --auth none",
                    help: "add --auth cephx",
                })
            }
            AuthArg::None => Ok(Gate::open()),
            AuthArg::Cephx if self.cluster.names_cluster() && self.policy == PolicyArg::Peer => {
                Err(CliError::PEER_WITH_CLUSTER)
            }
            AuthArg::Cephx if self.cluster.names_cluster() => self.cluster_gate(&name),
            AuthArg::Cephx => self.keyring_gate(&name),
        }
    }

    /// Whoever the monitors gave a ticket: the service's secrets are fetched from them and kept up to date.
    fn cluster_gate(&self, name: &AuthName) -> Result<Gate, CliError> {
        let secrets = RotatingStore::default();
        let mut config = self.cluster.mon_config(name)?.with_secrets(secrets.clone());
        config.connect_within = LOG_IN;
        let mon = MonClient::connect(config)?;
        mon.rotating_keys(LOG_IN)?;
        let auth = auth::rotating_key_server(name.kind, secrets);
        Ok(Gate { name: entity(name), pass: None, auth: Some(auth), _mon: Some(mon) })
    }

    /// Whoever holds the service's own key.
    fn keyring_gate(&self, name: &AuthName) -> Result<Gate, CliError> {
        let Some(path) = self.cluster.keyring() else {
            return Err(CliError::Usage {
                what: "--auth cephx needs the service's key",
                help: "give a keyring that holds it, --keyring FILE, or a cluster whose monitors know it, --mon-host ADDRS",
            });
        };
        let key = auth::key_in(path, name)?;
        let pass = auth::service_key_client(name.clone(), key.clone());
        Ok(Gate {
            name: entity(name),
            pass: Some(pass),
            auth: Some(auth::service_key_server(key)),
            _mon: None,
        })
    }

    fn modes(&self) -> Result<Modes, CliError> {
        match (self.mode, self.auth) {
            (Some(ModeArg::Secure), AuthArg::None) => Err(CliError::Usage {
                what: "--mode secure needs keys, and --auth none has none",
                help: "add --auth cephx --keyring FILE",
            }),
            (Some(mode), _) => Ok(mode.modes()),
            (None, _) => Ok(Modes::crc_preferred()),
        }
    }

    fn announce(&self, messenger: &Messenger) -> Result<(), CliError> {
        let listening = messenger.addrs().to_string();
        match self.json {
            true => output::print_json(&Listening { listening }),
            false => output::print(format_args!("listening on {listening}")),
        }
    }

    fn summarise(&self, served: Served) -> Result<(), CliError> {
        if self.json {
            return output::print_json(&Summary { served });
        }
        let messages = units::counted(served.messages, "message");
        let connections = units::counted(served.connections, "connection");
        output::print(format_args!(
            "served {messages}, {} on {connections}",
            units::bytes(served.bytes as f64)
        ))
    }
}

/// Who is let in, and as whom the server presents itself.
struct Gate {
    name: EntityName,
    /// How it gets in where it dials: only to peers. Without it, it says its name.
    pass: Option<Arc<dyn ClientAuth>>,
    /// `None` lets everybody in.
    auth: Option<Arc<dyn ServerAuth>>,
    /// Keeps the secrets up to date as long as it lives.
    _mon: Option<MonClient>,
}

impl Gate {
    fn open() -> Self {
        Self { name: EntityName::new(EntityType::Osd, 0), pass: None, auth: None, _mon: None }
    }
}

/// The name for the wire; daemons whose names have no number are told apart by other means.
fn entity(name: &AuthName) -> EntityName {
    EntityName::new(name.kind, name.id.parse().unwrap_or(0))
}

/// Waits for a signal that ends it, at most for `limit`, showing once a second what is served.
fn wait(signals: Signals, limit: Option<Duration>, responder: &Responder, dumper: Dumper) {
    let (sender, signalled) = channel();
    let handle = signals.handle();
    let listener = thread::spawn(move || obey(signals, &dumper, &sender));
    watch(&signalled, limit, responder);
    handle.close();
    // It only ends by a panic otherwise, which it has reported.
    let _ = listener.join();
}

/// Does what signals ask for, until one of them asks for the end.
fn obey(mut signals: Signals, dumper: &Dumper, end: &Sender<()>) {
    for signal in signals.forever() {
        if signal == SIGUSR1 {
            match dumper.dump(DUMP) {
                Ok(dump) => output::note_json(&dump),
                Err(error) => tracing::info!(%error, "there is nothing to dump"),
            }
            continue;
        }
        tracing::info!(signal, "shutting down");
        // Nobody listens once the time is over.
        let _ = end.send(());
        return;
    }
}

fn watch(signalled: &Receiver<()>, limit: Option<Duration>, responder: &Responder) {
    let start = Instant::now();
    let mut line = LiveLine::new();
    let mut before = 0;
    loop {
        let left = limit.map_or(SECOND, |limit| limit.saturating_sub(start.elapsed()));
        match signalled.recv_timeout(left.min(SECOND)) {
            Err(RecvTimeoutError::Timeout) if !left.is_zero() => {}
            Ok(()) | Err(_) => return,
        }
        let now = responder.served().messages;
        let rate = units::grouped(now - before);
        line.show(format_args!("{:>3} s  {rate} messages/s", start.elapsed().as_secs()));
        before = now;
    }
}
