//! How long a placement takes, here and in Ceph's tools, on the same maps in the same run.
//!
//! `crushtool --test` and `osdmaptool --test-map-pgs` are timed twice, for few and for many inputs; the difference is what the
//! inputs cost without starting the program. All times are those of the processor, so that a busy machine disturbs little.
//! Prints a table in Markdown, and ends with an error if anything is placed more slowly than there.

use axon_rados::crush::CrushMap;
use axon_rados::osd::PgId;
use axon_rados::osdmap::OsdMap;
use axon_testbed::{MapTools, Release};
use std::fs;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

/// Inputs placed in each round.
const INPUTS: u32 = 100_000;
const ROUNDS: usize = 3;
const SIZE: usize = 3;
const WHOLE: u32 = 0x10000;

/// One map and both ways to place by it.
struct Race {
    name: String,
    ours: Duration,
    theirs: Duration,
}

fn main() -> ExitCode {
    let tools = MapTools::new(Release::Tentacle).expect("the peers");
    println!("| nanoseconds per placement of 3 | Axon | Ceph | Ceph / Axon |\n|---|---|---|---|");
    let mut slower = false;
    for algorithm in ["straw2", "straw", "list", "tree", "uniform"] {
        for osds in [50, 1000] {
            for mode in ["firstn", "indep"] {
                slower |= report(&crush(&tools, Map { algorithm, osds, mode, uneven: false }));
            }
        }
    }
    slower |= report(&crush(&tools, Map { algorithm: "straw2", osds: 1000, mode: "firstn", uneven: true }));
    slower |= report(&groups(&tools));
    ExitCode::from(u8::from(slower))
}

/// Prints a line; returns whether Axon was slower.
fn report(race: &Race) -> bool {
    let [ours, theirs] = [race.ours, race.theirs].map(|time| time.as_nanos() as f64 / f64::from(INPUTS));
    println!("| {} | {ours:.0} | {theirs:.0} | {:.2} |", race.name, theirs / ours);
    ours > theirs
}

/// A hierarchy of hosts and racks of ten.
#[derive(Clone, Copy)]
struct Map {
    algorithm: &'static str,
    osds: u32,
    /// How its rule chooses a device in each of three hosts.
    mode: &'static str,
    /// Whether all weights are different, rather than equal.
    uneven: bool,
}

/// The number of the rule that is added; the map comes with one.
const RULE: u32 = 1;

fn crush(tools: &MapTools, made: Map) -> Race {
    let Map { algorithm, osds, mode, uneven } = made;
    let layers = [["host", algorithm, "10"], ["rack", algorithm, "10"], ["root", algorithm, "0"]];
    let built = tools.write("built", &tools.build_crush(osds, &layers).expect("a map")).expect("a file");
    let out = format!("{built}.ruled");
    let rule = ["-i", &built, "-o", &out, "--create-simple-rule", mode, "root", "host", mode];
    tools.run("crushtool", &rule).expect("a rule");
    let mut bytes = fs::read(&out).expect("the map");
    if uneven {
        bytes = unevenly(tools, &bytes);
    }
    let map = CrushMap::decode(&bytes).expect("the map");
    let weights = vec![WHOLE; map.max_devices() as usize];
    let ours = best(|| {
        let start = own_time();
        for x in 0..INPUTS {
            black_box(map.do_rule(RULE, x, SIZE, &weights, None).expect("a placement"));
        }
        own_time().saturating_sub(start)
    });
    let theirs = best(|| {
        let time = |inputs: u32| {
            let last = inputs.to_string();
            let args = ["--rule", "1", "--num-rep", "3", "--min-x", "1", "--max-x", &last];
            let start = tools_time();
            tools.crush_test(&bytes, &args).expect("a run of crushtool");
            tools_time().saturating_sub(start)
        };
        let few = time(INPUTS / 10);
        time(INPUTS + INPUTS / 10).saturating_sub(few)
    });
    let weights = if uneven { "different" } else { "equal" };
    Race { name: format!("{algorithm}, {mode}, {osds} OSDs, {weights} weights"), ours, theirs }
}

/// The same map with other weights for all devices.
fn unevenly(tools: &MapTools, bytes: &[u8]) -> Vec<u8> {
    let file = tools.write("even", bytes).expect("a file");
    let text = tools.run("crushtool", &["-d", &file]).expect("its text");
    let mut n = 0u32;
    let lines = text.lines().map(|line| match line.trim_start().starts_with("item ") {
        true => {
            n += 1;
            let (item, weight) = line.rsplit_once(' ').expect("a weight");
            let weight: f64 = weight.parse().expect("a number");
            format!("{item} {:.5}\n", weight * (1.0 + f64::from(n * 7919 % 100) / 100.0))
        }
        false => format!("{line}\n"),
    });
    tools.compile_crush(&lines.collect::<String>()).expect("a map")
}

/// From placement groups to acting sets, upmaps and all.
fn groups(tools: &MapTools) -> Race {
    let created = tools.create_osdmap(1000, &["--with-default-pool", "--pg-bits", "7"]).expect("a map");
    let layers = [["host", "straw2", "10"], ["rack", "straw2", "10"], ["root", "straw2", "0"]];
    let crush = tools.write("hierarchy", &tools.build_crush(1000, &layers).expect("a map")).expect("a file");
    let (_, bytes) = tools.osdmaptool(&created, &["--mark-up-in", "--import-crush", &crush]).expect("a map");
    let map = OsdMap::decode(&bytes).expect("the map");
    let (pool, info) = map.pools().next().expect("a pool");
    assert!(info.pg_num > INPUTS);
    let ours = best(|| {
        let start = own_time();
        for seed in 0..INPUTS {
            black_box(map.pg_to_up_acting(PgId { pool: pool.cast_unsigned(), seed }));
        }
        own_time().saturating_sub(start)
    });
    let theirs = best(|| {
        let time = |groups: u32| {
            let last = groups.to_string();
            let start = tools_time();
            tools.osdmaptool(&bytes, &["--test-map-pgs", "--pg_num", &last]).expect("a run of osdmaptool");
            tools_time().saturating_sub(start)
        };
        let few = time(INPUTS / 10);
        time(INPUTS + INPUTS / 10).saturating_sub(few)
    });
    Race { name: "placement groups of an OSD map, 1000 OSDs".into(), ours, theirs }
}

/// What this thread has used of the processor.
fn own_time() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    Duration::from_nanos(text.split(' ').next().and_then(|time| time.parse().ok()).expect("nanoseconds"))
}

/// What programs that were started and have ended have used of the processor, in hundredths of a second.
fn tools_time() -> Duration {
    let text = fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, fields) = text.rsplit_once(") ").expect("a name in parentheses");
    let ticks: u64 = fields.split(' ').nth(13).and_then(|time| time.parse().ok()).expect("ticks");
    Duration::from_millis(ticks * 10)
}

fn best(run: impl FnMut() -> Duration) -> Duration {
    std::iter::repeat_with(run).take(ROUNDS).min().unwrap_or_default()
}
