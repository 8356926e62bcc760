//! What is done to a cluster while objects are worked on.

use super::work::Draw;
use crate::monitors::eventually;
use axon_testbed::Cluster;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long the cluster may take to notice, or to be whole again, on a slow machine.
const WITHIN: Duration = Duration::from_secs(180);
/// What an OSD logs for every socket that it breaks because it was told to.
const BROKEN: &str = "injecting socket failure";
/// The OSDs, by number.
const OSDS: u64 = 3;

/// Something to do to a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    /// An OSD is killed, and starts again before or after the monitors notice.
    Kill,
    /// An OSD's groups move to others, and back.
    OutAndIn,
    /// Groups are split or merged; the manager does it, step by step.
    Groups,
    /// There are to be more copies, or fewer.
    Copies,
}

/// One round. At least one is done, however slow the machine.
const ROUND: [Deed; 8] = [
    Deed::Groups,
    Deed::Kill,
    Deed::OutAndIn,
    Deed::Kill,
    Deed::Copies,
    Deed::Kill,
    Deed::OutAndIn,
    Deed::Kill,
];
/// Numbers of groups, one after the other.
const GROUPS: [u32; 4] = [16, 32, 20, 12];

/// Does things to a cluster, and remembers what came of them.
pub(super) struct Harasser<'a> {
    cluster: &'a mut Cluster,
    pools: &'a [&'a str],
    draw: Draw,
    done: BTreeMap<Deed, usize>,
    slowest: (Duration, Deed),
    /// The numbers of groups and of copies that the pools had.
    groups: BTreeSet<u64>,
    copies: BTreeSet<u64>,
}

impl<'a> Harasser<'a> {
    pub(super) fn new(cluster: &'a mut Cluster, pools: &'a [&'a str], seed: u64) -> Self {
        let (done, groups, copies) = Default::default();
        let slowest = (Duration::ZERO, Deed::Kill);
        Self { cluster, pools, draw: Draw::new(seed), done, slowest, groups, copies }
    }

    /// Goes on until then, at least for one round, and until groups were split or merged. Says what was done.
    pub(super) fn harass(mut self, until: Instant) -> String {
        self.inject("300");
        self.look();
        'rounds: for round in 0.. {
            for (place, deed) in ROUND.into_iter().enumerate() {
                if round > 0 && Instant::now() >= until {
                    break 'rounds;
                }
                let began = Instant::now();
                self.perform(deed, round * 2 + place / 4);
                *self.done.entry(deed).or_default() += 1;
                self.slowest = self.slowest.max((began.elapsed(), deed));
                self.look();
            }
        }
        eventually("pools with another number of groups", WITHIN, || {
            self.look();
            self.groups.len() > 1
        });
        self.inject("0");
        self.report()
    }

    fn report(&self) -> String {
        let broken: Vec<_> = (0..OSDS).map(|osd| self.log(osd).matches(BROKEN).count()).collect();
        assert!(broken.iter().all(|count| *count > 0), "no sockets were broken: {broken:?}");
        assert!(self.copies.len() > 1, "{:?}", self.copies);
        let Self { done, slowest, groups, copies, .. } = self;
        format!(
            "{done:?}, slowest {slowest:?}, groups {groups:?}, copies {copies:?}, broken sockets {broken:?}"
        )
    }

    fn perform(&mut self, deed: Deed, number: usize) {
        let osd = self.draw.below(OSDS);
        match deed {
            Deed::Kill => self.kill(osd),
            Deed::OutAndIn => {
                self.ceph(&["osd", "out", &osd.to_string()]);
                sleep(Duration::from_secs(2));
                self.ceph(&["osd", "in", &osd.to_string()]);
            }
            Deed::Groups => self.set("pg_num", GROUPS[number / 2 % GROUPS.len()]),
            Deed::Copies => self.set("size", 3 - number as u32 / 2 % 2),
        }
        sleep(Duration::from_millis(500));
    }

    fn kill(&mut self, osd: u64) {
        let noticed = self.draw.below(2) == 0;
        let before = self.boots(osd);
        self.cluster.kill(&format!("osd.{osd}"));
        if noticed {
            eventually("monitors that notice", WITHIN, || !is_up(self.cluster, osd));
        } else {
            sleep(Duration::from_millis(self.draw.below(1000)));
        }
        self.cluster.start(&format!("osd.{osd}")).unwrap();
        eventually("an OSD that is back", WITHIN, || self.boots(osd) > before);
        sleep(Duration::from_secs(1));
    }

    /// How often an OSD has become a part of the cluster.
    fn boots(&self, osd: u64) -> usize {
        self.log(osd).matches("state: booting -> active").count()
    }

    fn log(&self, osd: u64) -> String {
        self.cluster.log(&format!("osd.{osd}"))
    }

    /// Remembers what the pools are like.
    fn look(&mut self) {
        let pools = self.cluster.ceph_json(&["osd", "pool", "ls", "detail"]).unwrap();
        let of = |key: &str| pools[0][key].as_u64().unwrap();
        self.groups.insert(of("pg_num"));
        self.copies.insert(of("size"));
    }

    fn set(&self, option: &str, value: u32) {
        for pool in self.pools {
            self.ceph(&["osd", "pool", "set", pool, option, &value.to_string()]);
        }
    }

    /// Each OSD breaks one socket operation in so many.
    fn inject(&self, one_in: &str) {
        self.ceph(&["config", "set", "osd", "ms_inject_socket_failures", one_in]);
    }

    fn ceph(&self, args: &[&str]) {
        self.cluster.ceph(args).unwrap();
    }
}

/// Whether the monitors take an OSD to be alive.
pub(super) fn is_up(cluster: &Cluster, osd: u64) -> bool {
    let map = cluster.ceph_json(&["osd", "dump"]).unwrap();
    let is_it = |entry: &&Value| entry["osd"] == osd;
    map["osds"].as_array().unwrap().iter().find(is_it).is_some_and(|entry| entry["up"] == 1)
}
