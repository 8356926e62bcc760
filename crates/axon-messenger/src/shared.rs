//! What all threads of a messenger share.

use crate::Connection;
use crate::counters::Counters;
use crate::dispatch_queue::{Class, DispatchQueue};
use crate::dispatcher::{Dispatcher, Reset};
use crate::dump::Inquiries;
use crate::mailbox::Mailbox;
use crate::received::{Held, Received};
use crate::registry::Registry;
use crate::reply::{Lookout, Replies};
use crate::throttle::{Permit, Throttle};
use crate::upcall::{Item, guarded};
use crate::worker::{Command, Desk, Worker};
use axon_auth::{ClientAuth, Entropy, ServerAuth};
use axon_denc::{AddrVec, EntityType};
use axon_proto::{BackOff, Config, Policies, Policy, Undelivered};
use axon_wire::Message;
use rustc_hash::FxHashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

/// What all threads of a messenger share.
pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    pub(crate) policies: Arc<Policies>,
    pub(crate) client_auth: Arc<dyn ClientAuth>,
    pub(crate) server_auth: Arc<dyn ServerAuth>,
    pub(crate) dispatcher: Arc<dyn Dispatcher>,
    pub(crate) queue: DispatchQueue<Item>,
    pub(crate) replies: Replies,
    lookout: Lookout,
    pub(crate) inquiries: Inquiries,
    pub(crate) registry: Registry,
    pub(crate) budgets: Budgets,
    pub(crate) back_off: BackOff,
    pub(crate) limits: Limits,
    pub(crate) workers: Vec<WorkerPort>,
    pub(crate) closing: AtomicBool,
    addrs: RwLock<AddrVec>,
    entropy: Mutex<Box<dyn Entropy>>,
    global_seq: AtomicU64,
    connection_id: AtomicU64,
    started: Instant,
}

/// How other threads reach a worker.
pub(crate) struct WorkerPort {
    pub(crate) mailbox: Mailbox<Command>,
    pub(crate) desk: Desk<Worker>,
    /// Connections it owns; new ones go to the least loaded.
    pub(crate) load: AtomicUsize,
    pub(crate) counters: Arc<Counters>,
}

/// Bounds of a worker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Sockets per worker whose handshake is not over.
    pub(crate) unauthenticated: usize,
    /// Accepted sessions per worker that wait for their peers.
    pub(crate) absent: usize,
    /// How long a busy worker looks for more before it sleeps.
    pub(crate) spin: Duration,
}

/// Budgets for received messages.
pub(crate) struct Budgets {
    /// Bytes of all messages received and not yet dropped by the application: their costs.
    pub(crate) dispatch_bytes: Throttle,
    /// Per type of peer: messages, bytes. Looked at for each message; the types are the application's.
    pub(crate) by_type: FxHashMap<EntityType, (Throttle, Throttle)>,
}

impl Budgets {
    /// Whether messages have to be admitted at all.
    pub(crate) fn any(&self) -> bool {
        self.dispatch_bytes.limit() != 0 || !self.by_type.is_empty()
    }
}

/// What a message to oneself is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The request of a call, which awaits another message with the same transaction id.
    Request,
    /// Any other, replies too.
    Any,
}

/// What a messenger is made of, before its threads exist.
pub(crate) struct Parts {
    pub(crate) config: Arc<Config>,
    pub(crate) policies: Arc<Policies>,
    pub(crate) client_auth: Arc<dyn ClientAuth>,
    pub(crate) server_auth: Arc<dyn ServerAuth>,
    pub(crate) dispatcher: Arc<dyn Dispatcher>,
    pub(crate) queue: DispatchQueue<Item>,
    pub(crate) budgets: Budgets,
    pub(crate) back_off: BackOff,
    pub(crate) limits: Limits,
    pub(crate) workers: Vec<WorkerPort>,
    pub(crate) addrs: AddrVec,
    pub(crate) entropy: Box<dyn Entropy>,
    /// Where `global_seq` starts: wall-clock seconds, so that a restarted process is never taken for an older one.
    pub(crate) global_seq: u64,
}

impl Shared {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { config, policies, client_auth, server_auth, dispatcher, queue, .. } = parts;
        Self {
            config,
            policies,
            client_auth,
            server_auth,
            dispatcher,
            queue,
            replies: Replies::default(),
            lookout: Lookout::default(),
            inquiries: Inquiries::default(),
            registry: Registry::default(),
            budgets: parts.budgets,
            back_off: parts.back_off,
            limits: parts.limits,
            workers: parts.workers,
            closing: AtomicBool::new(false),
            addrs: RwLock::new(parts.addrs),
            entropy: Mutex::new(parts.entropy),
            global_seq: AtomicU64::new(parts.global_seq),
            connection_id: AtomicU64::new(1),
            started: Instant::now(),
        }
    }

    /// This process's addresses as known so far.
    pub(crate) fn addrs(&self) -> AddrVec {
        self.addrs.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// Takes over addresses whose blanks were filled in, once.
    pub(crate) fn learn_addrs(&self, learned: &AddrVec) {
        let mut addrs = self.addrs.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if addrs.first().is_blank_ip() && *addrs != *learned {
            tracing::debug!(from = %addrs, to = %learned, "learned own address");
            addrs.clone_from(learned);
        }
    }

    pub(crate) fn set_addrs(&self, bound: AddrVec) {
        *self.addrs.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = bound;
    }

    pub(crate) fn next_global_seq(&self) -> u64 {
        self.global_seq.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Later attempts get higher numbers than `seen`.
    pub(crate) fn raise_global_seq(&self, seen: u64) {
        self.global_seq.fetch_max(seen, Ordering::Relaxed);
    }

    pub(crate) fn next_connection_id(&self) -> u64 {
        self.connection_id.fetch_add(1, Ordering::Relaxed)
    }

    /// `limit` from now on the clock of [`Shared::expire_calls`].
    pub(crate) fn call_deadline(&self, limit: Duration) -> Duration {
        self.started.elapsed().saturating_add(limit)
    }

    /// Sees to it that a call that is registered ends at its deadline: the first worker is told to look then, unless somebody
    /// looks by then anyway.
    pub(crate) fn watch_deadline(&self, deadline: Duration) {
        if self.lookout.must_be_told(deadline)
            && let Some(first) = self.workers.first()
        {
            let left = deadline.saturating_sub(self.started.elapsed());
            first.mailbox.push(Command::ExpireCalls(left));
        }
    }

    /// Ends overdue calls; returns how long until the next is due.
    pub(crate) fn expire_calls(&self) -> Option<Duration> {
        let now = self.started.elapsed();
        self.lookout.looking();
        let next = self.replies.expire(now)?;
        self.lookout.again_at(next);
        Some(next.saturating_sub(now))
    }

    pub(crate) fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        self.entropy.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// The worker that owns the fewest connections.
    pub(crate) fn least_loaded(&self) -> usize {
        let loads = self.workers.iter().map(|w| w.load.load(Ordering::Relaxed));
        loads.enumerate().min_by_key(|(_, load)| *load).map_or(0, |(index, _)| index)
    }

    pub(crate) fn policy(&self, peer: EntityType) -> Policy {
        self.policies.get(peer)
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// A message to oneself: no encoding, no socket, the same dispatcher. A request goes to the dispatcher, everything
    /// else to the call that awaits it if there is one. The message comes back when the dispatch threads have ended.
    pub(crate) fn deliver_locally(
        &self,
        connection: &Connection,
        message: Message,
        permit: Permit,
        role: Role,
    ) -> Result<(), Box<Message>> {
        let message = match role {
            Role::Request => Some(message),
            Role::Any => self.replies.complete(connection.id(), message),
        };
        let Some(message) = message else { return Ok(()) };
        let enqueued = self.enqueue(connection, Received::new(message, Held::from_iter([permit])));
        enqueued.map_err(|received| Box::new(received.into_message()))
    }

    /// A message that arrived on the calling worker, taken out of `parcel`: in one place all the way, as it is some 190
    /// bytes long. Whether it was handled on that worker.
    pub(crate) fn deliver(&self, connection: &Connection, parcel: &mut Option<Received>) -> bool {
        let mut fast = false;
        let handed = guarded(connection, || {
            if !self.replies.is_empty() {
                *parcel = parcel.take().and_then(|received| self.unclaimed(connection, received));
            }
            let is_fast = parcel.as_ref().is_some_and(|received| self.dispatcher.can_fast_dispatch(received));
            if connection.is_marked_down() {
                *parcel = None; // by the question: nothing comes of it then
            } else if is_fast && let Some(received) = parcel.take() {
                fast = true;
                self.dispatcher.fast_dispatch(connection, received);
            }
        });
        if handed.is_some()
            && let Some(received) = parcel.take()
        {
            drop(self.enqueue(connection, received));
        }
        fast
    }

    /// What no call of this side awaits.
    fn unclaimed(&self, connection: &Connection, received: Received) -> Option<Received> {
        let (message, held) = received.into_parts();
        let message = self.replies.complete(connection.id(), message)?;
        Some(Received::new(message, held))
    }

    /// News for the dispatch threads, ahead of queued messages.
    pub(crate) fn announce(&self, connection: &Connection, item: Item) {
        if self.queue.push(connection.id(), Class::Event, item).is_err() {
            tracing::debug!(?connection, "shut down: news for dispatch is dropped");
        }
    }

    /// The end of a session, after what it still has queued: a message that arrived is not lost because its
    /// connection broke a moment later, and none comes after the reset.
    pub(crate) fn announce_reset(&self, connection: &Connection, reset: Reset) {
        let before = self.queue.discard(connection.id());
        self.announce(connection, Item::Reset(connection.clone(), before, reset));
    }

    /// The peer lost the session; what had arrived in it comes first.
    pub(crate) fn announce_remote_reset(&self, connection: &Connection, undelivered: Undelivered) {
        let before = self.queue.discard(connection.id());
        self.announce(connection, Item::RemoteReset(connection.clone(), before, undelivered));
    }

    /// Drops what is queued of a connection that was marked down.
    pub(crate) fn discard(&self, connection: &Connection) {
        drop(self.queue.discard(connection.id()));
    }

    /// The message comes back after the shutdown.
    fn enqueue(&self, connection: &Connection, received: Received) -> Result<(), Box<Received>> {
        let class = Class::of(&received);
        match self.queue.push(connection.id(), class, Item::Message(connection.clone(), received)) {
            Err(Item::Message(_, received)) => Err(Box::new(received)),
            _ => Ok(()),
        }
    }
}
