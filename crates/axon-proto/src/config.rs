//! What every connection of a messenger has in common.

use crate::Tables;
use alloc::vec;
use alloc::vec::Vec;
use axon_auth::{Method, Mode};
use axon_denc::{EntityName, EntityType};
use axon_wire::Provider;
use core::fmt;
use core::time::Duration;

/// Which connection modes are acceptable, best first.
///
/// As client this is the list offered; an answer outside it is refused, so a list of `SECURE` alone cannot be talked
/// down. As server the client's first acceptable preference is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modes(Vec<Mode>);

impl Modes {
    /// crc preferred, secure accepted: Ceph's default between daemons and clients.
    pub fn crc_preferred() -> Self {
        Self(vec![Mode::CRC, Mode::SECURE])
    }

    /// secure preferred, crc accepted: Ceph's default towards monitors.
    pub fn secure_preferred() -> Self {
        Self(vec![Mode::SECURE, Mode::CRC])
    }

    /// Exactly one mode.
    pub fn only(mode: Mode) -> Self {
        Self(vec![mode])
    }

    /// All of them, best first.
    pub fn all(&self) -> Vec<Mode> {
        self.0.clone()
    }

    /// The modes usable with `method`: encryption needs the keys that only cephx agrees on.
    pub fn usable_with(&self, method: Method) -> Vec<Mode> {
        self.0.iter().copied().filter(|mode| *mode == Mode::CRC || method != Method::NONE).collect()
    }

    /// The first of the client's `preferred` modes that is acceptable here.
    pub fn choose(&self, method: Method, preferred: &[u32]) -> Option<Mode> {
        let usable = self.usable_with(method);
        preferred.iter().map(|m| Mode(*m)).find(|m| usable.contains(m))
    }

    /// Whether an answer is one of those offered.
    pub fn allows(&self, mode: Mode) -> bool {
        self.0.contains(&mode)
    }
}

/// How long a connection waits for what. `None` switches a time-out off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// From dial or accept to an agreed session. Ceph: `ms_connection_ready_timeout`.
    pub ready: Duration,
    /// Without a byte from the peer, nor anything that moves while a keepalive waits for its answer. More than three times
    /// `keepalive`, as that is how long a side that only listens may say nothing. Ceph: `ms_connection_idle_timeout`.
    pub idle: Option<Duration>,
    /// Between keepalives on a link that is otherwise silent, at most: each link has an interval of its own, of seven
    /// eighths of this or more, so that those opened together do not ask together. Only the side that dialled sends them
    /// by itself: kernel clients, which only dial, take a keepalive for a protocol error. If only the peer has something to
    /// say, that side sends one after twice to three times this, so that the peer hears it. Either side repeats its last
    /// acknowledgement as often while it holds a message of the peer back, and does not read the peer's keepalives.
    ///
    /// The default, with that of the answer, gives a silent peer the 30 s that Ceph's clients give a monitor
    /// (`mon_client_ping_timeout`); asked twice as often, ten thousand idle connections cost 1.5 % of a core.
    pub keepalive: Option<Duration>,
    /// From a keepalive to its acknowledgement, or any other sign of life. A keepalive behind a large message counts from
    /// when it has left this process; before, this is how long bytes may stop leaving. While a large body arrives, its
    /// acknowledgement is behind that; then this is how long bytes may stop arriving.
    pub keepalive_ack: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            ready: Duration::from_secs(10),
            idle: Some(Duration::from_secs(900)),
            keepalive: Some(Duration::from_secs(20)),
            keepalive_ack: Duration::from_secs(10),
        }
    }
}

/// What every connection of a messenger has in common.
#[derive(Clone)]
pub struct Config {
    /// This process.
    pub name: EntityName,
    /// Modes acceptable to monitors and managers, where Ceph's defaults differ from those for everybody else.
    pub mon_modes: Modes,
    /// Modes acceptable to everybody else.
    pub modes: Modes,
    /// Time-outs.
    pub timeouts: Timeouts,
    /// Whether a peer that only speaks revision 0 of the framing (before Ceph 15.2) is refused.
    pub require_revision_1: bool,
    /// Whether revision 1 is announced. Off only to talk to, or test against, the old framing.
    pub offer_revision_1: bool,
    /// How long a broken session that only the peer may mend waits for it; `None`: for ever. Sessions that this side may
    /// mend as well are not concerned: idle ones have nothing to lose, the others dial.
    pub abandon: Option<Duration>,
    /// What a session queues for sending, counted by [`cost`](crate::cost), before it counts as full.
    pub send_queue_bytes: usize,
    /// Whether messages wait for [`crate::Input::Admitted`] between their preamble and their body.
    pub admission: bool,
    /// The rules of sessions.
    pub tables: Tables,
    /// Checksums and ciphers.
    pub provider: &'static dyn Provider,
}

impl Config {
    /// Defaults for `name`: Ceph's modes and time-outs.
    pub fn new(name: EntityName, provider: &'static dyn Provider) -> Self {
        Self {
            name,
            mon_modes: Modes::secure_preferred(),
            modes: Modes::crc_preferred(),
            timeouts: Timeouts::default(),
            require_revision_1: false,
            offer_revision_1: true,
            abandon: None,
            send_queue_bytes: 64 << 20,
            admission: false,
            tables: Tables::default(),
            provider,
        }
    }

    /// The modes acceptable between this process and a peer of type `peer`.
    pub fn modes_for(&self, peer: EntityType) -> &Modes {
        let central = |kind| matches!(kind, EntityType::Mon | EntityType::Mgr);
        if central(peer) || central(self.name.kind) { &self.mon_modes } else { &self.modes }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("name", &self.name)
            .field("mon_modes", &self.mon_modes)
            .field("modes", &self.modes)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secure_alone_cannot_be_talked_down() {
        let secure = Modes::only(Mode::SECURE);
        assert_eq!(secure.choose(Method::CEPHX, &[1]), None);
        assert_eq!(secure.choose(Method::CEPHX, &[1, 2]), Some(Mode::SECURE));
        assert_eq!(secure.choose(Method::NONE, &[2, 1]), None);
        assert!(!secure.allows(Mode::CRC));
    }

    #[test]
    fn the_client_s_order_decides() {
        let both = Modes::crc_preferred();
        assert_eq!(both.choose(Method::CEPHX, &[2, 1]), Some(Mode::SECURE));
        assert_eq!(both.choose(Method::CEPHX, &[7, 1, 2]), Some(Mode::CRC));
        assert_eq!(both.choose(Method::NONE, &[2, 1]), Some(Mode::CRC));
        assert_eq!(both.choose(Method::CEPHX, &[]), None);
    }
}
