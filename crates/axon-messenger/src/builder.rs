//! Configures and starts a messenger.

use crate::Messenger;
use crate::bind::{BindSpec, Nonce};
use crate::counters::Counters;
use crate::dispatch_queue::DispatchQueue;
use crate::dispatcher::Dispatcher;
use crate::entropy::OsEntropy;
use crate::error::StartError;
use crate::framing::Framing;
use crate::mailbox::{Inbox, mailbox};
use crate::policies;
use crate::shared::{Budgets, Limits, Parts, Shared, WorkerPort};
use crate::throttle::{Oversize, Throttle};
use crate::upcall::{Item, hand_to};
use crate::worker::{Command, Desk, Device, Worker};
use axon_auth::{AuthName, ClientAuth, NoneClient, NoneServer, ServerAuth};
use axon_denc::{AddrType, AddrVec, EntityAddr, EntityName, EntityType};
use axon_proto::{BackOff, Config, Modes, Policy, Timeouts};
use axon_transport::{Transport, Waker};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a worker looks for more work before it sleeps. Waking a core takes about as long in virtual machines.
const SPIN: Duration = Duration::from_micros(50);

/// How long an abandoned session is kept: Ceph's `ms_connection_idle_timeout`.
const ABANDON: Duration = Duration::from_secs(900);

/// Configures a messenger; see each setting for its default.
pub struct Builder {
    config: Config,
    policies: policies::Wanted,
    binds: Vec<BindSpec>,
    advertise: Option<AddrVec>,
    nonce: Option<Nonce>,
    transport: Arc<dyn Transport>,
    workers: usize,
    dispatch_threads: usize,
    dispatch_bytes: usize,
    slow_dispatch: Duration,
    by_type: HashMap<EntityType, (usize, usize)>,
    client_auth: Option<Arc<dyn ClientAuth>>,
    server_auth: Option<Arc<dyn ServerAuth>>,
    back_off: BackOff,
    max_unauthenticated: usize,
    max_absent: usize,
    spin: Duration,
}

impl Builder {
    pub(crate) fn new(name: EntityName) -> Self {
        let mut config = Config::new(name, axon_wire::default_provider());
        config.abandon = Some(ABANDON);
        Self {
            config,
            policies: policies::Wanted::default(),
            binds: Vec::new(),
            advertise: None,
            nonce: None,
            transport: Arc::new(axon_transport::TcpTransport::new()),
            workers: 1,
            dispatch_threads: 1,
            dispatch_bytes: 100 << 20,
            slow_dispatch: DispatchQueue::<Item>::REPORT_AFTER,
            by_type: HashMap::new(),
            client_auth: None,
            server_auth: None,
            back_off: BackOff::default(),
            max_unauthenticated: 1000,
            max_absent: 10_000,
            spin: SPIN,
        }
    }

    /// Listens at these addresses too; default: nowhere, the messenger only dials.
    pub fn bind(mut self, spec: impl Into<BindSpec>) -> Self {
        self.binds.push(spec.into());
        self
    }

    /// Tells peers these addresses instead of those bound, for example behind a service address.
    pub fn advertise(mut self, addrs: AddrVec) -> Self {
        self.advertise = Some(addrs);
        self
    }

    /// Tells this process from an earlier one at the same address; default: random. Monitors, and servers whose
    /// address is given by hand, use [`Nonce::MONITOR`], which is 0.
    pub fn nonce(mut self, nonce: Nonce) -> Self {
        self.nonce = Some(nonce);
        self
    }

    /// The policy towards peers of type `peer`, before [`default_policy`](Self::default_policy). Unless either says
    /// otherwise, it is this, as in most of Ceph's programs; sessions that outlive their sockets have to be asked for:
    ///
    /// | this process | towards | policy |
    /// |---|---|---|
    /// | client | everybody | [`Policy::lossy_client`] |
    /// | monitor | monitors | [`Policy::lossless_peer_reuse`] |
    /// | | everybody else | [`Policy::stateless_server`] |
    /// | manager | monitors | [`Policy::lossy_client`] |
    /// | | everybody else | [`Policy::stateless_server`] |
    /// | OSD, metadata server | monitors, managers | [`Policy::lossy_client`] |
    /// | | everybody else | [`Policy::stateless_server`] |
    pub fn policy(mut self, peer: EntityType, policy: Policy) -> Self {
        self.policies.set(peer, policy);
        self
    }

    /// The policy towards all types that [`policy`](Self::policy) names none for, whichever is called first; default: the
    /// table there.
    pub fn default_policy(mut self, policy: Policy) -> Self {
        self.policies.set_default(policy);
        self
    }

    /// Authenticates outgoing connections; default: method none under the messenger's name.
    pub fn client_auth(mut self, auth: Arc<dyn ClientAuth>) -> Self {
        self.client_auth = Some(auth);
        self
    }

    /// Authenticates incoming connections; default: method none, everybody is believed.
    pub fn server_auth(mut self, auth: Arc<dyn ServerAuth>) -> Self {
        self.server_auth = Some(auth);
        self
    }

    /// Modes acceptable with everybody; default: Ceph's, crc preferred except with monitors and managers.
    pub fn modes(mut self, modes: Modes) -> Self {
        self.config.mon_modes = modes.clone();
        self.config.modes = modes;
        self
    }

    /// Modes acceptable with monitors and managers only; call it after [`modes`](Self::modes).
    pub fn mon_modes(mut self, modes: Modes) -> Self {
        self.config.mon_modes = modes;
        self
    }

    /// How bytes move; default: TCP.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = transport;
        self
    }

    /// Threads that own connections, each with a reactor of its own; default 1, 0 counts as 1.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// How long a worker looks for more work before it sleeps; default 50 us, zero is not at all. Lone round trips are
    /// several times faster where waking a core is slow, as in virtual machines, for a core that is never quite idle while
    /// messages flow. A worker that finds nothing looks ever more seldom, and one without work sleeps.
    pub fn spin(mut self, limit: Duration) -> Self {
        self.spin = limit;
        self
    }

    /// Threads that call [`Dispatcher::dispatch`]; default 1, 0 counts as 1. All of a connection comes from one of them,
    /// whatever the number: its news first, then messages of higher priorities before those of lower ones, in order within a
    /// priority. Priorities from 64 ([`Message::PRIORITY_LOW`](crate::Message::PRIORITY_LOW)) up are strict: while such
    /// messages keep coming, lower ones wait. Those below 64 share, by weight and size.
    pub fn dispatch_threads(mut self, threads: usize) -> Self {
        self.dispatch_threads = threads.max(1);
        self
    }

    /// How long a dispatch handler may run before it is reported in the log and by
    /// [`Messenger::stuck_dispatch`]; default 5 s.
    pub fn report_slow_dispatch(mut self, limit: Duration) -> Self {
        self.slow_dispatch = limit;
        self
    }

    /// What all received messages take that the application has not dropped yet, counted by [`cost`](crate::cost): bytes of
    /// their bodies, and a fixed amount for each, so that empty ones count too; 0 is unlimited; default 100 MiB.
    ///
    /// What is counted is not all the memory they may pin. A body of 32 KiB or more mostly has memory of its own; others are
    /// slices of the chunk that they were received in, of up to 256 KiB, with what came before and after them, from other
    /// peers of the same worker, too. A chunk is free when everything in it was dropped: who keeps a small message for
    /// long, while others are handled and dropped, keeps a copy of it instead.
    ///
    /// While a message waits for this budget or that of its type, nothing behind it on its connection is read: neither
    /// the peer's keepalives nor its answers to ours. This side does not take that silence for death, and repeats its
    /// last acknowledgement at each [`Timeouts::keepalive`], so that a peer that takes any bytes for a sign of life, as
    /// Axon does, goes on as well. Ceph's messenger never cuts for want of an answer; those of its users who do, as
    /// monitor clients after 30 s, want that very answer: let the application be quicker.
    ///
    /// A message that was let in has a minute, and one second more for every 64 KiB, to arrive.
    pub fn dispatch_budget(mut self, bytes: usize) -> Self {
        self.dispatch_bytes = bytes;
        self
    }

    /// The same for one type of peer, and how many messages of it there may be; 0 is unlimited, for either; default: no
    /// such budget.
    pub fn receive_budget(mut self, peer: EntityType, messages: usize, bytes: usize) -> Self {
        self.by_type.insert(peer, (messages, bytes));
        self
    }

    /// What one connection may have queued for sending, in bytes counted by [`cost`](crate::cost); default 64 MiB, 0 is
    /// unlimited. A message that alone takes more is refused.
    pub fn send_budget(mut self, bytes: usize) -> Self {
        self.config.send_queue_bytes = bytes;
        self
    }

    /// Time-outs; default: Ceph's, and a keepalive every 20 s on connections this side dialled.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.config.timeouts = timeouts;
        self
    }

    /// Pauses between attempts to connect; default: of 200 ms at first and twice as much after each failure, up to 15 s, of
    /// which up to half is taken off at random.
    pub fn back_off(mut self, back_off: BackOff) -> Self {
        self.back_off = back_off;
        self
    }

    /// Accepted sockets whose handshake is not over, over all workers; when more come, the oldest go; default 1000, 0 counts
    /// as 1. Each worker has an equal share, rounded up.
    pub fn max_unauthenticated(mut self, sockets: usize) -> Self {
        self.max_unauthenticated = sockets.max(1);
        self
    }

    /// How long a session of a lossless client waits for it after its socket broke; `None`: for ever; default 15 min, as
    /// long as a silent socket lives. Then it ends with a reset that brings back what was not delivered; a client that
    /// comes later is told that its session is lost.
    ///
    /// So do sessions of lossless peers that this side cannot dial, as they told no address. Others do not end that way: idle
    /// ones wait until either side has something to say, which is how they are meant to be, and those with something to say
    /// dial until the application marks them down.
    pub fn abandon_after(mut self, limit: Option<Duration>) -> Self {
        self.config.abandon = limit;
        self
    }

    /// Accepted sessions, of lossless clients and of peers, that wait without a socket, over all workers; when more
    /// come, those that have waited longest end with a reset; default 10,000, 0 counts as 1. Each worker has an equal share,
    /// rounded up.
    pub fn max_absent(mut self, sessions: usize) -> Self {
        self.max_absent = sessions.max(1);
        self
    }

    /// Which revisions of the framing to speak; default: the newest that both ends have.
    pub fn framing(mut self, framing: Framing) -> Self {
        self.config.offer_revision_1 = framing.offers_revision_1();
        self.config.require_revision_1 = framing.requires_revision_1();
        self
    }

    /// Starts the threads and binds the addresses, in the order given. When it returns, peers can connect; `dispatcher` may
    /// be called before it returns.
    ///
    /// # Errors
    /// [`StartError::Transport`] if the transport does not work on this machine, [`StartError::Thread`] if a thread cannot
    /// be started, [`StartError::Bind`] if an address cannot be bound, or all ports of a range are taken. Nothing goes on
    /// running then.
    pub fn start(self, dispatcher: impl Dispatcher) -> Result<Messenger, StartError> {
        let mut entropy = OsEntropy;
        let nonce = self.nonce.map_or_else(|| Nonce::random(&mut entropy).get(), Nonce::get);
        let (seats, threads) = self.spawn_workers()?;
        let binds = self.binds.clone();
        let advertise = self.advertise.clone();
        let (shared, inboxes) = self.share(Arc::new(dispatcher), &seats, nonce)?;
        for (seat, inbox) in seats.into_iter().zip(inboxes) {
            // A thread that is gone has said why to `spawn_workers`.
            let _ = seat.start.send((shared.clone(), inbox));
        }
        let messenger = Messenger::new(shared.clone(), threads);
        let bound = bind_all(&shared, &binds, nonce)?;
        if let Some(addrs) = advertise.or(bound) {
            shared.set_addrs(addrs);
        }
        Ok(messenger)
    }

    fn spawn_workers(&self) -> Result<(Vec<Seat>, Vec<JoinHandle<()>>), StartError> {
        let mut seats = Vec::new();
        let mut threads = Vec::new();
        for index in 0..self.workers {
            let (seat, thread) = spawn_worker(index, self.transport.clone())?;
            seats.push(seat);
            threads.push(thread);
        }
        Ok((seats, threads))
    }

    fn share(
        self,
        dispatcher: Arc<dyn Dispatcher>,
        seats: &[Seat],
        nonce: u32,
    ) -> Result<(Arc<Shared>, Vec<Inbox<Command>>), StartError> {
        let (ports, inboxes) = seats.iter().map(Seat::port).unzip();
        let budgets = Budgets {
            dispatch_bytes: Throttle::new(self.dispatch_bytes, Oversize::Alone),
            by_type: self.by_type.into_iter().map(|(kind, (m, b))| (kind, budget_pair(m, b))).collect(),
        };
        let mut config = self.config;
        config.admission = budgets.any();
        let handler = dispatcher.clone();
        let hand = Arc::new(move |item| hand_to(&*handler, item));
        let queue =
            DispatchQueue::start("axon-dispatch", self.dispatch_threads, hand).map_err(StartError::Thread)?;
        queue.report_after(self.slow_dispatch);
        let name = config.name;
        let policies = self.policies.policies(name.kind);
        let shared = Shared::new(Parts {
            client_auth: self.client_auth.unwrap_or_else(|| nameless(name)),
            server_auth: self.server_auth.unwrap_or_else(|| Arc::new(NoneServer)),
            config: Arc::new(config),
            policies: Arc::new(policies),
            dispatcher,
            queue,
            budgets,
            back_off: self.back_off,
            limits: Limits {
                unauthenticated: self.max_unauthenticated.div_ceil(seats.len()),
                absent: self.max_absent.div_ceil(seats.len()),
                spin: self.spin,
            },
            workers: ports,
            addrs: AddrVec(vec![EntityAddr { kind: AddrType::Any, nonce, socket: None }]),
            entropy: Box::new(OsEntropy),
            global_seq: wall_clock_seconds(),
        });
        Ok((Arc::new(shared), inboxes))
    }
}

/// Method none under the messenger's own name.
fn nameless(name: EntityName) -> Arc<dyn ClientAuth> {
    Arc::new(NoneClient::new(AuthName::new(name.kind, name.num.to_string()), 0))
}

fn budget_pair(messages: usize, bytes: usize) -> (Throttle, Throttle) {
    (Throttle::new(messages, Oversize::Alone), Throttle::new(bytes, Oversize::Alone))
}

/// A worker thread that waits for the rest of the messenger to exist.
struct Seat {
    waker: Waker,
    start: Sender<(Arc<Shared>, Inbox<Command>)>,
}

impl Seat {
    fn port(&self) -> (WorkerPort, Inbox<Command>) {
        let (mailbox, inbox) = mailbox(self.waker.clone(), Command::discard);
        let counters = Arc::new(Counters::default());
        (WorkerPort { mailbox, desk: Desk::new(), load: AtomicUsize::new(0), counters }, inbox)
    }
}

fn spawn_worker(index: usize, transport: Arc<dyn Transport>) -> Result<(Seat, JoinHandle<()>), StartError> {
    let (start, started) = channel();
    let (report, reported) = channel();
    let name = transport.name();
    let thread = std::thread::Builder::new()
        .name(format!("axon-worker-{index}"))
        .spawn(move || work(index, &*transport, &report, &started))
        .map_err(StartError::Thread)?;
    let waker = reported
        .recv()
        .unwrap_or_else(|_| Err(io::Error::other("the worker thread ended")))
        .map_err(|error| StartError::Transport { transport: name, error })?;
    Ok((Seat { waker, start }, thread))
}

/// The body of a worker thread.
fn work(
    index: usize,
    transport: &dyn Transport,
    report: &Sender<io::Result<Waker>>,
    started: &Receiver<(Arc<Shared>, Inbox<Command>)>,
) {
    let reactor = match Device::of(transport) {
        Ok(reactor) => reactor,
        Err(error) => return drop(report.send(Err(error))),
    };
    let _ = report.send(Ok(reactor.waker()));
    // The sender is dropped unused when another worker could not start.
    if let Ok((shared, inbox)) = started.recv() {
        Worker::new(index, shared.clone(), reactor, inbox).run(&shared.workers[index].desk);
    }
}

/// Binds every address; `None` if there is none to bind.
fn bind_all(shared: &Arc<Shared>, binds: &[BindSpec], nonce: u32) -> Result<Option<AddrVec>, StartError> {
    let mut bound = Vec::new();
    for (index, spec) in binds.iter().enumerate() {
        let worker = index % shared.workers.len();
        let addr = bind(shared, worker, spec)?;
        bound.push(EntityAddr::msgr2(addr, nonce));
    }
    Ok(if bound.is_empty() { None } else { Some(AddrVec(bound)) })
}

/// Binds the first free port of `spec`.
fn bind(shared: &Arc<Shared>, worker: usize, spec: &BindSpec) -> Result<SocketAddr, StartError> {
    let mut last = None;
    for addr in spec.candidates(&[]) {
        let (answer, answered) = channel();
        shared.workers[worker].mailbox.push(Command::Listen(addr, answer));
        match answered.recv().unwrap_or_else(|_| Err(io::Error::other("the worker ended"))) {
            Ok(bound) => return Ok(bound),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = Some((addr, error)),
            Err(error) => return Err(StartError::Bind { addr, error }),
        }
    }
    let (addr, error) = last.unwrap_or_else(|| (spec.addr(), io::Error::other("the port range is empty")));
    Err(StartError::Bind { addr, error })
}

fn wall_clock_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs())
}
