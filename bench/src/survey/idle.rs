//! What connections cost that do nothing.

use super::{Measured, Strictness, Survey};
use crate::bar::{Verdict, Want};
use crate::fleet::Fleet;
use crate::meter::Meter;
use crate::pair::wait_for;
use crate::probe::What;
use crate::scenario::Scenario;
use std::fs;
use std::thread;
use std::time::Duration;

/// Idle connections.
const IDLE: usize = 10_000;
/// How long they are watched: two of the intervals at which each end is asked whether it lives, 20 s at most.
const WATCH: Duration = Duration::from_secs(40);
/// How long opening them may take.
const OPENING: Duration = Duration::from_secs(60);

/// What idle connections cost one end.
struct Cost {
    resident: f64,
    threads: f64,
    cores: f64,
}

impl Survey {
    pub(super) fn idle(&mut self, fleet: &Fleet, how: Strictness) {
        let costs = match self.measure(how, || hold(fleet)) {
            Ok(costs) => costs,
            Err(error) => return self.failed(&format!("{IDLE} idle connections"), &error),
        };
        for (end, cost) in costs {
            let bars = [
                ("resident bytes each", cost.resident, 4096.0),
                ("more threads", cost.threads, 0.0),
                ("cores used", cost.cores, 0.01),
            ];
            for (what, value, most) in bars {
                let what = format!("{IDLE} idle connections, {end}: {what}");
                self.judged(Verdict::absolute(what.clone(), Want::AtMost(most), value));
                self.found(what, [value]);
            }
        }
    }
}

/// Opens the connections and watches both ends.
fn hold(fleet: &Fleet) -> Measured<[(&'static str, Cost); 2]> {
    let mut server = fleet.axon_server(&Scenario::requests(64, 1))?;
    let mut client = fleet.probe(What::Idle, server.addr(), &["--connections", &IDLE.to_string()])?;
    wait_for(&mut client, "ready", OPENING)?;
    let before = [status(client.id()), status(server.id())];
    wait_for(&mut client, "open", OPENING)?;
    // What opening them left to do is done.
    thread::sleep(Duration::from_secs(1));
    let meter = Meter::new(client.id(), server.id())?;
    let start = meter.read()?;
    thread::sleep(WATCH);
    let usage = meter.read()?.since(&start);
    let after = [status(client.id()), status(server.id())];
    let cost = |index: usize, cores| Cost {
        resident: (after[index].0 - before[index].0) / IDLE as f64,
        threads: after[index].1 - before[index].1,
        cores,
    };
    Ok(([("client", cost(0, usage.client)), ("server", cost(1, usage.server))], usage))
}

/// Resident bytes and threads of a process (proc_pid_status(5)).
fn status(id: u32) -> (f64, f64) {
    let text = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let number = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(f64::NAN)
    };
    (number("VmRSS:") * 1024.0, number("Threads:"))
}
