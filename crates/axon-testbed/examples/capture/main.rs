//! Captures `vectors/` anew from real daemons: `cargo xtask vectors`.
//!
//! Each scenario makes real peers talk through a recording proxy and returns what they said, with the keys to
//! understand it. What the files look like and which frames they hold: `vectors/README.md`.

mod clients;
mod peers;
mod probe;
mod refusals;

use axon_testbed::{
    Cluster, Conversation, Direction, Mode, Release, Tap, TestbedError, Tree, Vector, prepare,
};
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

type Captured = Result<Vector, Box<dyn Error>>;

/// What the tap keeps: more than any file gets.
const TAP_LIMIT: usize = 1 << 20;

/// Captures the vectors whose names contain the first argument.
fn main() -> ExitCode {
    let filter = std::env::args().nth(1).unwrap_or_default();
    let mut code = ExitCode::SUCCESS;
    for (name, scenario) in scenarios().into_iter().filter(|(name, _)| name.contains(&filter)) {
        match store(name, scenario) {
            Ok(remark) => eprintln!("{name}: {remark}"),
            Err(error) => {
                eprintln!("{name}: FAILED\n{error}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

type Scenario = fn() -> Captured;

fn scenarios() -> Vec<(&'static str, Scenario)> {
    use Release::{Nautilus, Pacific, Reef, Tentacle};
    vec![
        ("mon-secure-nautilus", || clients::monitor(Nautilus, Mode::Secure)),
        ("mon-crc-pacific", || clients::monitor(Pacific, Mode::Crc)),
        ("mon-secure-pacific", || clients::monitor(Pacific, Mode::Secure)),
        ("mon-secure-reef", || clients::monitor(Reef, Mode::Secure)),
        ("mon-secure-tentacle", || clients::monitor(Tentacle, Mode::Secure)),
        ("mon-keepalive-pacific", || clients::keepalive(Pacific)),
        ("osd-crc-pacific", || clients::objects(Pacific, Mode::Crc)),
        ("osd-secure-tentacle", || clients::objects(Tentacle, Mode::Secure)),
        ("osd-secure-reef", || clients::objects(Reef, Mode::Secure)),
        ("rev0-pacific", || clients::revision_0(Pacific)),
        ("wrong-key-pacific", || clients::wrong_key(Pacific)),
        ("wrong-method-reef", || clients::wrong_method(Reef)),
        ("osd-peers-pacific", || peers::osds(Pacific)),
        ("osd-peers-reef", || peers::osds(Reef)),
        ("mds-session-pacific", || peers::file_system(Pacific)),
        ("refusals-reef", || refusals::all(Reef)),
    ]
}

fn store(name: &str, scenario: Scenario) -> Result<String, Box<dyn Error>> {
    let vector = scenario()?;
    if vector.conversations.is_empty() {
        return Err("nothing was captured".into());
    }
    vector.store(name)?;
    Ok(format!("{} connections, {} KiB", vector.conversations.len(), vector.to_text().len() >> 10))
}

/// An empty vector with the notes that every vector has.
fn vector(tree: &Tree, how: &str) -> Result<Vector, TestbedError> {
    Ok(Vector::default().with_note("captured", how).with_note("peers", prepare::version(tree)?))
}

/// Adds the throw-away keys of entities that exist in the cluster.
fn with_keys(mut vector: Vector, cluster: &Cluster, entities: &[&str]) -> Result<Vector, TestbedError> {
    for entity in entities {
        vector = vector.with_note(&format!("key {entity}"), cluster.key(entity)?);
    }
    Ok(vector)
}

/// What the tap recorded, each at most `limit` bytes per direction, without connections that carried nothing.
fn said(tap: &Tap, limit: usize) -> Vec<Conversation> {
    let all = tap.conversations();
    let something = |said: &&Conversation| said.len(Direction::ToClient) > 0;
    all.iter().filter(something).map(|said| said.trim(limit)).collect()
}

/// Gives the destinations in titles names: `127.0.0.1:PORT` becomes what `names` says, connections to other
/// ports are dropped.
fn name_destinations(said: Vec<Conversation>, names: &[(u16, &str)]) -> Vec<Conversation> {
    let named = |mut said: Conversation| {
        let (from, to) = said.title.split_once(" -> ")?;
        let port: u16 = to.rsplit(':').next()?.parse().ok()?;
        let (_, name) = names.iter().find(|(p, _)| *p == port)?;
        said.title = format!("{from} -> {name}");
        Some(said)
    };
    said.into_iter().filter_map(named).collect()
}

/// Waits until `done`, at most 30 seconds.
fn wait_until(what: &str, mut done: impl FnMut() -> bool) -> Result<(), Box<dyn Error>> {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done() {
        if Instant::now() > deadline {
            return Err(format!("no {what} within 30 seconds").into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
