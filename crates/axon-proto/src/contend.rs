//! An accepted link meets the session it is meant for, on the thread that owns the session.

use crate::arbitration::{Existing, IdentVerdict, IncomingIdent, IncomingReconnect, ReconnectVerdict};
use crate::session::SessionState;
use crate::{Connection, Fault, Ident, Instant, Link, LinkOutput, Verdict};
use axon_denc::{AddrVec, EntityAddr, EntityType};
use axon_wire::SessionReconnect;
use core::cmp::Ordering;

/// What the driver contributes to a decision.
#[derive(Debug, Clone)]
pub struct Arena {
    /// The type of the peer that the connection is with.
    pub peer: EntityType,
    /// This side's addresses.
    pub my_addrs: AddrVec,
    /// A new number among this process's attempts.
    pub global_seq: u64,
    /// A random number that is not zero.
    pub cookie: u64,
}

/// What became of an accepted link.
pub enum Contended {
    /// The session took it over: its socket is the session's from now on, and the old one has to be closed.
    Taken,
    /// It was answered and goes on by itself; poll it.
    Answered(Link, Option<LinkOutput>),
    /// The existing connection is over; the link begins another.
    Ended(Link),
}

impl Connection {
    /// Decides what `ident`, which arrived over `link`, means for this connection, by the tables
    /// [`decide_client_ident`](crate::decide_client_ident) and [`decide_reconnect`](crate::decide_reconnect).
    pub fn contend(&mut self, now: Instant, link: Link, ident: &Ident, arena: &Arena) -> Contended {
        let existing = self.snapshot();
        let peer_to_mine = race(ident.addrs(), &arena.my_addrs);
        let foreign =
            ident.peer_type() != arena.peer || !self.may_belong_to(&ident.identity().name, arena.peer);
        match ident {
            Ident::Client { policy, global_seq, cookie, .. } => {
                let incoming = IncomingIdent {
                    global_seq: *global_seq,
                    cookie: *cookie,
                    registered: policy.register_lossy_clients || !policy.lossy,
                    resetcheck: policy.resetcheck,
                    foreign,
                    peer_to_mine,
                };
                match (self.tables().client_ident)(existing.as_ref(), &incoming) {
                    // A connection without a past takes the first link that comes.
                    IdentVerdict::Begin if existing.is_none() => {
                        self.begin(now, link, *global_seq, *cookie, arena)
                    }
                    IdentVerdict::Begin => Contended::Ended(link),
                    IdentVerdict::Replace => {
                        self.end(Fault::Replaced);
                        Contended::Ended(link)
                    }
                    IdentVerdict::Reuse { reset } => {
                        if reset {
                            self.lose(true, 0);
                        }
                        self.begin(now, link, *global_seq, *cookie, arena)
                    }
                    IdentVerdict::Refuse => self.refuse(now, link),
                    IdentVerdict::Stale => {
                        // A peer that restarted counts its attempts anew and would be turned away until it caught up.
                        // If nothing carries the session, this side's own dial finds out.
                        self.leave_standby();
                        answer(now, link, Verdict::Drop)
                    }
                    IdentVerdict::Wait { kick } => {
                        if kick {
                            self.hurry();
                        }
                        answer(now, link, Verdict::Wait)
                    }
                }
            }
            Ident::Reconnect { frame, policy, .. } => {
                let incoming = IncomingReconnect {
                    client_cookie: frame.client_cookie,
                    server_cookie: frame.server_cookie,
                    in_seq: frame.msg_seq,
                    global_seq: frame.global_seq,
                    connect_seq: frame.connect_seq,
                    resetcheck: policy.resetcheck,
                    foreign,
                    peer_to_mine,
                };
                match (self.tables().reconnect)(existing.as_ref(), &incoming) {
                    ReconnectVerdict::Resume => self.resume(now, link, frame),
                    ReconnectVerdict::Reset { full } => answer(now, link, Verdict::Reset { full }),
                    ReconnectVerdict::Retry { connect_seq } => {
                        answer(now, link, Verdict::Retry { connect_seq })
                    }
                    ReconnectVerdict::RetryGlobal { global_seq } => {
                        answer(now, link, Verdict::RetryGlobal { global_seq })
                    }
                    ReconnectVerdict::Wait => answer(now, link, Verdict::Wait),
                    ReconnectVerdict::Refuse => self.refuse(now, link),
                }
            }
        }
    }

    /// Turns away who may have the address of the session's owner, but not its name. If that is gone for good and nothing
    /// carries the session, this side's own dial finds out.
    fn refuse(&mut self, now: Instant, link: Link) -> Contended {
        self.leave_standby();
        answer(now, link, Verdict::Refuse)
    }

    /// The session as the tables see it; `None` for a connection without a past.
    fn snapshot(&self) -> Option<Existing> {
        let session = self.session();
        let ids = session.ids();
        if self.is_untouched() {
            return None;
        }
        Some(Existing {
            closed: session.state() == SessionState::Closed,
            // A link is taken over in one step on the thread that owns the session.
            replacing: false,
            lossy: session.policy().lossy,
            server: session.policy().server,
            settled: matches!(session.state(), SessionState::Open | SessionState::Standby),
            asking: session.state() == SessionState::Dialling && self.link_state().is_some(),
            mutual: session.is_mutual(),
            client_cookie: ids.client_cookie,
            server_cookie: ids.server_cookie,
            peer_global_seq: ids.peer_global_seq,
            connect_seq: ids.connect_seq,
            sent: session.sent(),
        })
    }

    /// Takes the link over for a session that begins, or begins again.
    fn begin(&mut self, now: Instant, link: Link, global_seq: u64, cookie: u64, arena: &Arena) -> Contended {
        let server_cookie = if self.session().policy().lossy { 0 } else { arena.cookie };
        self.session_mut().ids_mut().client_cookie = cookie;
        let verdict = Verdict::Accept { global_seq: arena.global_seq, cookie: server_cookie };
        self.take_over(now, link, global_seq, verdict)
    }

    /// Takes the link over for the session as it is.
    fn resume(&mut self, now: Instant, link: Link, frame: &SessionReconnect) -> Contended {
        self.session_mut().ids_mut().connect_seq = frame.connect_seq;
        let verdict = Verdict::Resume { in_seq: self.session().in_seq() };
        self.take_over(now, link, frame.global_seq, verdict)
    }

    fn take_over(&mut self, now: Instant, mut link: Link, global_seq: u64, verdict: Verdict) -> Contended {
        self.drop_link();
        self.session_mut().ids_mut().peer_global_seq = global_seq;
        let output = link.verdict(now, verdict);
        self.set_link(link);
        if let Some(output) = output {
            self.handshake(now, output);
        }
        Contended::Taken
    }
}

fn answer(now: Instant, mut link: Link, verdict: Verdict) -> Contended {
    let output = link.verdict(now, verdict);
    Contended::Answered(link, output)
}

/// The peer's address against ours, as both ends compare them in a race.
fn race(peer: &AddrVec, mine: &AddrVec) -> Ordering {
    let dialled = |addrs: &AddrVec| -> EntityAddr { addrs.msgr2().unwrap_or_else(|| addrs.first()) };
    dialled(peer).race_cmp(&dialled(mine))
}
