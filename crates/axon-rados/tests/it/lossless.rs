//! Sessions that outlive their sockets, or end with them and are begun anew, with real daemons at the other end.

mod client_session;
mod daemon_log;
mod file_system;
mod held_back;
mod injected;
mod mon_peer;
mod monitors;
mod our_log;
mod probe;

use axon_auth::Mode;
use axon_denc::{AddrType, AddrVec, EntityAddr};
use axon_transport::{Faults, Faulty, TcpTransport};
use std::env;
use std::time::Duration;

/// How long daemons may take for anything: they share two cores with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long sockets are cut: a few seconds, or as many as `AXON_CUT_SECONDS` says.
fn cut_for() -> Duration {
    let told = env::var("AXON_CUT_SECONDS").ok();
    let told = told.map(|text| text.parse().expect("AXON_CUT_SECONDS is a number of seconds"));
    Duration::from_secs(told.unwrap_or(12))
}

/// TCP whose every socket breaks after up to `bytes` bytes, in the middle of a handshake or of a frame.
fn cutting(seed: u64, bytes: u64) -> Faulty<TcpTransport> {
    let faults =
        Faults { seed, piece: 1..=8192, cuts_per_mille: 1000, cut_after: 1..=bytes, ..Faults::default() };
    Faulty::new(TcpTransport::new(), faults)
}

fn testbed_mode(mode: Mode) -> axon_testbed::Mode {
    if mode == Mode::SECURE { axon_testbed::Mode::Secure } else { axon_testbed::Mode::Crc }
}

/// Both addresses of a daemon, as daemons compare them.
fn addrs(v2: EntityAddr, v1: Option<EntityAddr>) -> AddrVec {
    let legacy = v1.map(|addr| EntityAddr { kind: AddrType::Legacy, ..addr });
    AddrVec([v2].into_iter().chain(legacy).collect())
}
