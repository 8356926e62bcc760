//! What a daemon's messenger says of its sessions, with `debug ms = 5`.

use axon_testbed::Cluster;
use std::collections::BTreeSet;

/// The options that make a daemon say it.
pub(super) const DEBUG_MS: (&str, &str) = ("debug_ms", "5");

/// Logged for every socket that a daemon breaks because it was told to.
pub(super) const INJECTED: &str = "injecting socket failure";

/// What would mean that a daemon fell over.
const CRASHES: [&str; 4] = ["Caught signal", "ceph_assert", "terminate called", "ceph_abort"];

/// A daemon's log at one moment.
pub(super) struct DaemonLog(String);

impl DaemonLog {
    pub(super) fn of(cluster: &Cluster, daemon: &str) -> Self {
        Self(cluster.log(daemon))
    }

    /// The lines of its messenger that hold `text`.
    pub(super) fn lines<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.lines().filter(move |line| line.contains(text))
    }

    pub(super) fn count(&self, text: &str) -> usize {
        self.lines(text).count()
    }

    /// Fails if the daemon crashed or its messenger had anything to complain about: what a broken socket causes is
    /// logged at level 1 and above, what a broken protocol causes (sequence numbers, checksums, frames out of place,
    /// bytes that decode to nothing) at 0 and -1.
    pub(super) fn assert_clean(&self) {
        let bad: Vec<_> = self.0.lines().filter(|line| is_crash(line) || is_complaint(line)).collect();
        assert!(bad.is_empty(), "{} lines, among them:\n{}", bad.len(), bad[..bad.len().min(20)].join("\n"));
    }

    /// The clients' cookies of all sessions that were established or resumed with `peer` (`mon.1`).
    pub(super) fn cookies(&self, peer: &str) -> BTreeSet<&str> {
        let ready = format!("ready entity={peer} ");
        let lines = self.0.lines().filter(|line| line.contains(&ready));
        lines.filter_map(|line| after(line, "client_cookie=")).collect()
    }

    /// Sequence number and text of every message that came from `peer` and whose text has `kind` in it, in the order
    /// of dispatch: `<== mon.1 ADDRS SEQ ==== TEXT ==== ..`.
    pub(super) fn received<'a>(&'a self, peer: &str, kind: &'a str) -> impl Iterator<Item = (u64, &'a str)> {
        let from = format!("<== {peer} ");
        self.0.lines().filter_map(move |line| {
            let mut parts = line.split_once(&from)?.1.split(" ==== ");
            let seq = parts.next()?.rsplit(' ').next()?.parse().ok()?;
            let text = parts.next()?;
            text.contains(kind).then_some((seq, text))
        })
    }
}

/// The word that follows `key`.
pub(super) fn after<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.split_once(key)?.1.split_ascii_whitespace().next()
}

fn is_crash(line: &str) -> bool {
    CRASHES.iter().any(|crash| line.contains(crash))
}

/// `DATE THREAD LEVEL --2- ..` or `DATE THREAD LEVEL -- ..`, with a level below 1.
fn is_complaint(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let (level, source) = (words.nth(2), words.next());
    // The fault was ordered.
    let ordered = line.contains(INJECTED);
    !ordered
        && matches!(source, Some("--2-" | "--"))
        && level.and_then(|l| l.parse::<i32>().ok()).is_some_and(|l| l < 1)
}

#[test]
fn complaints_are_seen() {
    let old = "2026-01-01T00:00:00.000+0000 7f00 0 --2- [v2:1.2.3.4:5/0] >> v2:1.2.3.4:6/0 conn(0x1).handle_message \
               got old message 7 <= 9 0x2 mon_probe(..), discarding";
    let cut = old.replace("7f00 0 ", "7f00 1 ");
    assert!(is_complaint(old) && !is_complaint(&cut));
    assert!(is_complaint(&old.replace("7f00 0 ", "7f00 -1 ")));
}
