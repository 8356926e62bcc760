//! How long a placement takes, here and in Ceph's tools, on the same maps in the same run.
//!
//! `crushtool --test` and `osdmaptool --test-map-pgs` are timed twice, for few and for many inputs; the difference is what the
//! inputs cost without starting the program. All times are those of the processor, so that a busy machine disturbs little;
//! rounds of both alternate, and the medians are compared. Prints a table in Markdown, and ends with an error if anything is
//! placed more slowly than there. Arguments choose the lines whose names contain one of them.

use axon_rados::crush::CrushMap;
use axon_rados::osd::PgId;
use axon_rados::osdmap::OsdMap;
use axon_testbed::{MapTools, Release};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::fs;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

/// Inputs placed in each round.
const INPUTS: u32 = 1_000_000;
/// Placement groups placed in each round.
const GROUPS: u32 = 100_000;
const ROUNDS: usize = 3;
const SIZE: usize = 3;
const WHOLE: u32 = 0x10000;

/// One map and both ways to place by it.
struct Race {
    name: String,
    inputs: u32,
    ours: Duration,
    theirs: Duration,
}

impl Race {
    /// Runs both ways in turn; the times are for `inputs` inputs.
    fn run(
        name: String,
        inputs: u32,
        mut ours: impl FnMut() -> Duration,
        mut theirs: impl FnMut(u32) -> Duration,
    ) -> Self {
        let mut race = || {
            let few = theirs(inputs / 10);
            (ours(), theirs(inputs + inputs / 10).saturating_sub(few))
        };
        let (ours, theirs) = (0..ROUNDS).map(|_| race()).unzip();
        Self { name, inputs, ours: median(ours), theirs: median(theirs) }
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| name.contains(&word[..]));
    let tools = MapTools::new(Release::Tentacle).expect("the peers");
    println!("| nanoseconds per placement of 3 | Axon | Ceph | Ceph / Axon |\n|---|---|---|---|");
    let mut slower = false;
    for algorithm in ["straw2", "straw", "list", "tree", "uniform"] {
        for osds in [50, 1000] {
            for mode in ["firstn", "indep"] {
                let map = Map { algorithm, osds, mode, uneven: false };
                slower |= wanted(&map.name()) && report(&crush(&tools, map));
            }
        }
    }
    let uneven = Map { algorithm: "straw2", osds: 1000, mode: "firstn", uneven: true };
    slower |= wanted(&uneven.name()) && report(&crush(&tools, uneven));
    slower |= wanted(GROUPS_NAME) && report(&groups(&tools));
    ExitCode::from(u8::from(slower))
}

/// Prints a line; returns whether Axon was slower.
fn report(race: &Race) -> bool {
    let [ours, theirs] = [race.ours, race.theirs].map(|time| time.as_nanos() as f64 / f64::from(race.inputs));
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

impl Map {
    fn name(&self) -> String {
        let weights = if self.uneven { "different" } else { "equal" };
        format!("{}, {}, {} OSDs, {weights} weights", self.algorithm, self.mode, self.osds)
    }
}

/// The line about whole OSD maps.
const GROUPS_NAME: &str = "placement groups of an OSD map, 1000 OSDs";

/// The number of the rule that is added; the map comes with one.
const RULE: u32 = 1;

fn crush(tools: &MapTools, made: Map) -> Race {
    let Map { algorithm, osds, mode, uneven } = made;
    let name = made.name();
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
    let ours = || {
        let start = own_time();
        for x in 0..INPUTS {
            black_box(map.do_rule(RULE, x, SIZE, &weights, None).expect("a placement"));
        }
        own_time().saturating_sub(start)
    };
    let theirs = |inputs: u32| {
        let last = inputs.to_string();
        let args = ["--rule", "1", "--num-rep", "3", "--min-x", "1", "--max-x", &last];
        let start = tools_time();
        tools.crush_test(&bytes, &args).expect("a run of crushtool");
        tools_time().saturating_sub(start)
    };
    Race::run(name, INPUTS, ours, theirs)
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
    assert!(info.pg_num > GROUPS);
    let ours = || {
        let start = own_time();
        for seed in 0..GROUPS {
            black_box(map.pg_to_up_acting(PgId { pool: pool.cast_unsigned(), seed }));
        }
        own_time().saturating_sub(start)
    };
    let theirs = |groups: u32| {
        let last = groups.to_string();
        let start = tools_time();
        tools.osdmaptool(&bytes, &["--test-map-pgs", "--pg_num", &last]).expect("a run of osdmaptool");
        tools_time().saturating_sub(start)
    };
    Race::run(GROUPS_NAME.into(), GROUPS, ours, theirs)
}

/// What this thread has used of the processor.
fn own_time() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    Duration::from_nanos(text.split(' ').next().and_then(|time| time.parse().ok()).expect("nanoseconds"))
}

/// What programs that were started and have ended have used of the processor.
fn tools_time() -> Duration {
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).expect("Linux");
    let micros = used.user_time().num_microseconds() + used.system_time().num_microseconds();
    Duration::from_micros(micros.cast_unsigned())
}
