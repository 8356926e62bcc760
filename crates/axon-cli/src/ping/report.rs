//! The result of a ping: as JSON for programs, in lines for people.

use crate::units::{as_micros, micros};
use axon_auth::Mode;
use axon_messenger::{Connection, Timeline};
use axon_proto::Established;
use axon_wire::Revision;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What the handshake came to.
#[derive(Debug, Serialize)]
pub(super) struct Handshake {
    /// The peer's name, `mon.0`.
    peer: String,
    /// The peer's addresses, as it says itself.
    addrs: String,
    mode: &'static str,
    cipher: &'static str,
    /// Of the framing: `msgr2.0` or `msgr2.1`.
    protocol: &'static str,
    /// Features both ends have.
    features: String,
    lossy: bool,
    global_id: u64,
    handshake_us: Phases,
}

/// Times of the handshake's parts, in microseconds.
#[derive(Debug, Serialize)]
struct Phases {
    /// Until the socket was there.
    connect: f64,
    /// Each phase after the one before it.
    #[serde(flatten)]
    phases: BTreeMap<String, f64>,
    /// All of it.
    total: f64,
    /// The phases in their order.
    #[serde(skip)]
    order: Vec<String>,
}

/// Round trips of keepalives, in microseconds.
#[derive(Debug, Serialize)]
pub(super) struct Keepalives(Vec<f64>);

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    #[serde(flatten)]
    handshake: Handshake,
    keepalive_us: Keepalives,
}

impl Handshake {
    /// Of a connection whose session is open since `total` after the call to dial.
    pub(super) fn of(connection: &Connection, total: Duration) -> Self {
        // The session is open, so all of it is there.
        let agreed = connection.established();
        let established = agreed.as_deref();
        Self {
            peer: established.map_or_else(String::new, |e| e.peer.to_string()),
            addrs: connection.peer_addrs().to_string(),
            mode: if is_secure(established) { "secure" } else { "crc" },
            cipher: if is_secure(established) { "aes-128-gcm" } else { "none" },
            protocol: match established.map(|e| e.revision) {
                Some(Revision::Zero) => "msgr2.0",
                _ => "msgr2.1",
            },
            features: established.map_or_else(String::new, |e| e.features.to_string()),
            lossy: established.is_none_or(|e| e.lossy),
            global_id: established.map_or(0, |e| e.global_id),
            handshake_us: Phases::of(established.map(|e| &e.timeline), total),
        }
    }

    /// The whole report.
    pub(super) fn with(self, keepalives: Keepalives) -> Report {
        Report { handshake: self, keepalive_us: keepalives }
    }
}

fn is_secure(established: Option<&Established>) -> bool {
    established.is_some_and(|e| e.mode == Mode::SECURE)
}

impl Phases {
    fn of(timeline: Option<&Timeline>, total: Duration) -> Self {
        let mut phases = BTreeMap::new();
        let mut order = Vec::new();
        let mut taken = Duration::ZERO;
        if let Some(timeline) = timeline {
            let mut before = timeline.start;
            for (phase, end) in &timeline.phases {
                let name = phase.to_string();
                phases.insert(name.clone(), as_micros(end.since(before)));
                order.push(name);
                before = *end;
            }
            taken = before.since(timeline.start);
        }
        Self { connect: as_micros(total.saturating_sub(taken)), phases, total: as_micros(total), order }
    }
}

impl Keepalives {
    pub(super) fn new(times: &[Duration]) -> Self {
        Self(times.iter().copied().map(as_micros).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { peer, addrs, mode, cipher, protocol, features, global_id, .. } = self;
        writeln!(f, "{peer} at {addrs} is there")?;
        write!(f, "  mode       {mode}")?;
        if *cipher != "none" {
            write!(f, " ({cipher})")?;
        }
        writeln!(f, ", {protocol}")?;
        writeln!(f, "  features   {features}")?;
        writeln!(f, "  global id  {global_id}")?;
        write!(f, "  handshake  {}", self.handshake_us)
    }
}

impl fmt::Display for Phases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: connect {}", micros(self.total), micros(self.connect))?;
        self.order.iter().try_for_each(|name| write!(f, ", {name} {}", micros(self.phases[name])))
    }
}

impl fmt::Display for Keepalives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let min = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let max = self.0.iter().copied().fold(0.0, f64::max);
        let mean = self.0.iter().sum::<f64>() / self.0.len() as f64;
        let (min, mean, max) = (micros(min), micros(mean), micros(max));
        write!(f, "  keepalive  {} answered: min {min}, mean {mean}, max {max}", self.0.len())
    }
}
