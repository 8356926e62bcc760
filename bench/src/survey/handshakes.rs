//! Connections opened and closed.
//!
//! The client is Axon's and the same for both servers, and limits the rates; what a server could do with a core for itself
//! is what its processor time per handshake allows. Both are judged. Without keys the other server is that of the C++
//! benchmark. That one knows no keys, so with cephx it is a real OSD, which does more than a handshake: it makes a session
//! for the client, with its capabilities. Bare sockets exchange as many bytes in the same order: what is the kernel's.

use super::{Measured, Strictness, Survey, watch};
use crate::bar::{Verdict, Want};
use crate::drive::Report;
use crate::error::BenchError;
use crate::fleet::Fleet;
use crate::pair::Server;
use crate::probe::What;
use crate::probe::findings::Handshakes;
use crate::rados::Bed;
use crate::sample::Spread;
use crate::scenario::{Mode, Scenario};
use axon_testbed::Release;
use std::time::Duration;

/// Connections that are being opened at the same time.
const AT_ONCE: usize = 16;

/// How long a client may take beyond the measurement.
const PATIENCE: Duration = Duration::from_secs(20);

/// Handshakes with one server.
struct Dialled {
    per_second: f64,
    /// Cores the server used.
    server: f64,
}

/// What is judged.
type Rate = (&'static str, fn(Rates) -> Spread);

const RATES: [Rate; 2] = [
    ("handshakes per second", |rates| rates.per_second),
    ("handshakes per second and core of the server", |rates| rates.per_core),
];

/// The same over the rounds.
#[derive(Clone, Copy)]
struct Rates {
    per_second: Spread,
    /// And core of the server.
    per_core: Spread,
}

impl Survey {
    pub(super) fn handshakes(&mut self, fleet: &Fleet, how: Strictness) {
        let plain = Scenario::requests(64, 1);
        let (mut ours, mut theirs, mut bare) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..how.rounds {
            ours.push(self.measure(how, || dial(fleet, fleet.axon_server(&plain)?, how.span, &[])));
            theirs.push(self.measure(how, || dial(fleet, fleet.cpp_server()?, how.span, &[])));
            bare.push(self.measure(how, || dial_bare(fleet, how.span)));
        }
        let ours = self.dialled("none, Axon's server", ours);
        let theirs = self.dialled("none, C++ server", theirs);
        let bare = self.dialled("none, bare sockets", bare);
        self.compare("none, beside C++ messenger", ours, theirs, bare);
        self.keyed(fleet, how);
    }

    fn keyed(&mut self, fleet: &Fleet, how: Strictness) {
        let keyring = fleet.keyring().display().to_string();
        let keys = ["--keyring", &keyring];
        let bed = Bed::boot(Release::Reef);
        let (mut crc, mut secure, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..how.rounds {
            crc.push(self.measure(how, || dial(fleet, fleet.keyed_server(Mode::Crc)?, how.span, &keys)));
            secure
                .push(self.measure(how, || dial(fleet, fleet.keyed_server(Mode::Secure)?, how.span, &keys)));
            theirs.push(match &bed {
                Ok(bed) => self.measure(how, || dial_osd(fleet, bed, how.span)),
                Err(why) => Err(BenchError::Missing(why.to_string())),
            });
        }
        let ours = self.dialled("cephx and crc mode, Axon's server", crc);
        self.dialled("cephx and secure mode, Axon's server", secure);
        let theirs = self.dialled("cephx and crc mode, a real OSD", theirs);
        self.compare("cephx, beside a real OSD, which does more than a handshake", ours, theirs, None);
    }

    fn compare(&mut self, how: &str, ours: Option<Rates>, theirs: Option<Rates>, bare: Option<Rates>) {
        for (measure, of) in RATES {
            let ratio = |rates: Option<Rates>| Some(of(rates?).median / of(theirs?).median);
            let what = format!("{measure}, {how}");
            let verdict = Verdict::relative(what, Want::AtLeast(3.0), ratio(ours)).beside_bare(ratio(bare));
            let bimodal = [ours, theirs].into_iter().flatten().map(of).any(Spread::is_bimodal);
            self.judged(Verdict { bimodal, ..verdict });
        }
    }

    /// The findings about one server.
    fn dialled(&mut self, who: &str, results: Vec<Result<Dialled, BenchError>>) -> Option<Rates> {
        let dialled = self.good(&format!("handshakes, {who}"), results)?;
        let per_second =
            self.found(format!("handshakes per second, {who}"), dialled.iter().map(|d| d.per_second));
        let per_core = dialled.iter().map(|d| d.per_second / d.server);
        let per_core = self.found(format!("handshakes per second and core of the server, {who}"), per_core);
        Some(Rates { per_second: per_second?, per_core: per_core? })
    }
}

fn dial(fleet: &Fleet, mut server: Server, span: Duration, more: &[&str]) -> Measured<Dialled> {
    let (at_once, seconds) = (AT_ONCE.to_string(), span.as_secs_f64().to_string());
    let args = [&["--connections", &at_once, "--seconds", &seconds], more].concat();
    let client = fleet.probe(What::Handshakes, server.addr(), &args)?;
    let (found, usage): (Handshakes, _) = watch(client, server.id(), span * 3 + PATIENCE, |_| span)?;
    Ok((Dialled { per_second: found.per_second, server: usage.server }, usage))
}

fn dial_osd(fleet: &Fleet, bed: &Bed, span: Duration) -> Measured<Dialled> {
    let osd = bed.cluster().osd_addr(0)?;
    let (at_once, seconds) = (AT_ONCE.to_string(), span.as_secs_f64().to_string());
    let (conf, nonce) = (bed.cluster().conf().display().to_string(), osd.nonce.to_string());
    let args = ["--connections", &at_once, "--seconds", &seconds, "--conf", &conf, "--nonce", &nonce];
    let client = fleet.probe(What::Handshakes, osd.addr, &args)?;
    let (found, usage): (Handshakes, _) = watch(client, bed.osd(), span * 3 + PATIENCE, |_| span)?;
    Ok((Dialled { per_second: found.per_second, server: usage.server }, usage))
}

fn dial_bare(fleet: &Fleet, span: Duration) -> Measured<Dialled> {
    let (mut server, client) = fleet.bare_handshakes(AT_ONCE, span)?;
    let (found, usage): (Report, _) = watch(client, server.id(), span * 3 + PATIENCE, |_| span)?;
    Ok((Dialled { per_second: found.messages_per_second, server: usage.server }, usage))
}
