//! Pools behind a cache tier: requests go to the tier that the map names, or where the tier sends them, and listings to
//! the pool itself.

use super::bed::{Bed, command, everywhere};
use super::watching::take;
use crate::monitors::{SECOND, eventually};
use axon_rados::IoCtx;
use axon_rados::mon::PoolSpec;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Requests on one object under way at a time. When an object moves into a cache, Ceph takes along which ten requests
/// were done last, to know them when they are sent again; earlier ones would be done twice. Ceph:
/// `PrimaryLogPG::do_copy_get`.
const AT_ONCE: usize = 8;

/// A pool and one that is to be its cache.
struct Tiers<'a> {
    bed: &'a Bed,
    base: IoCtx,
    cache: IoCtx,
}

impl<'a> Tiers<'a> {
    /// Two new pools; the second one is the first one's tier, in this mode, but not yet its overlay.
    fn new(bed: &'a Bed, mode: &str) -> Self {
        let spec = PoolSpec { placement_groups: Some(4), ..PoolSpec::default() };
        let pool = |kind: &str| bed.rados.create_pool(&bed.named(&format!("{kind}-{mode}")), &spec).unwrap();
        let tiers = Self { bed, base: pool("base"), cache: pool("cache") };
        let (base, cache) = (tiers.base.pool_name(), tiers.cache.pool_name());
        tiers.command(&json!({"prefix": "osd tier add", "pool": base, "tierpool": cache}));
        tiers.set_mode(mode);
        let set = json!({"prefix": "osd pool set", "pool": cache, "var": "hit_set_type", "val": "bloom"});
        tiers.command(&set);
        tiers
    }

    /// From now on clients go to the tier.
    fn set_overlay(&self) {
        let (base, cache) = (self.base.pool_name(), self.cache.pool_name());
        self.command(&json!({"prefix": "osd tier set-overlay", "pool": base, "overlaypool": cache}));
    }

    /// From now on they go to the pool again.
    fn remove_overlay(&self) {
        self.command(&json!({"prefix": "osd tier remove-overlay", "pool": self.base.pool_name()}));
    }

    fn set_mode(&self, mode: &str) {
        let cache = self.cache.pool_name();
        let sure = "yes_i_really_mean_it";
        self.command(&json!({"prefix": "osd tier cache-mode", "pool": cache, "mode": mode, sure: true}));
    }

    fn command(&self, what: &Value) {
        command(&self.bed.rados, what);
    }

    /// The names in both pools as the real tool lists them.
    fn their_names(&self) -> [Vec<String>; 2] {
        [&self.base, &self.cache].map(|io| {
            let listed = self.bed.rados_in(io.pool_name(), &["ls"]);
            sorted(listed.lines().map(str::to_owned))
        })
    }

    fn our_names(&self) -> [Vec<String>; 2] {
        [&self.base, &self.cache].map(|io| sorted(io.list().map(|object| object.unwrap().name.to_string())))
    }
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn an_overlay_is_followed() {
    for bed in everywhere() {
        let tiers = Tiers::new(bed, "writeback");
        let base = &tiers.base;
        base.write_full("old", "of the base").wait().unwrap();
        let letters = appended_meanwhile(base, || tiers.set_overlay());
        assert_eq!(base.read("letters", 0, 0).wait().unwrap(), letters, "each letter once, in order");
        assert_eq!(base.read("old", 0, 0).wait().unwrap(), "of the base");
        base.write_full("new", "of the cache").wait().unwrap();
        assert_eq!(base.read("new", 0, 0).wait().unwrap(), "of the cache");
        let names = tiers.their_names();
        assert!(!names[0].contains(&"new".into()) && names[1].contains(&"new".into()), "{names:?}");
        // What was read may be on its way into the cache.
        eventually("the same names", 60 * SECOND, || tiers.our_names() == tiers.their_names());
        watched(base);

        tiers.set_mode("proxy");
        bed.rados_in(tiers.cache.pool_name(), &["cache-flush-evict-all"]);
        tiers.remove_overlay();
        bed.rados.wait_for_latest_map().unwrap();
        assert_eq!(base.read("new", 0, 0).wait().unwrap(), "of the cache");
        assert_eq!(base.read("letters", 0, 0).wait().unwrap(), letters);
        assert_eq!(tiers.our_names()[0], ["letters", "new", "old"]);
    }
}

/// Appends letters, a few at a time, while something is done and a little longer; returns all of them.
fn appended_meanwhile(io: &IoCtx, meanwhile: impl FnOnce()) -> String {
    let done = AtomicBool::new(false);
    let began = Instant::now();
    std::thread::scope(|scope| {
        let appending = scope.spawn(|| {
            let mut letters = String::new();
            let mut longer = 5;
            while longer > 0 && began.elapsed() < 120 * SECOND {
                longer -= u32::from(done.load(Ordering::Relaxed));
                let few: Vec<_> = ('a'..='z').cycle().skip(letters.len()).take(AT_ONCE).collect();
                let under_way: Vec<_> =
                    few.iter().map(|letter| io.append("letters", letter.to_string())).collect();
                under_way.into_iter().for_each(|op| op.wait().unwrap());
                letters.extend(few);
            }
            letters
        });
        meanwhile();
        io.rados().wait_for_latest_map().unwrap();
        done.store(true, Ordering::Relaxed);
        appending.join().unwrap()
    })
}

/// A watch stands at the tier's object, and ends there.
fn watched(io: &IoCtx) {
    let watch = io.watch_blocking("new").unwrap();
    std::thread::scope(|scope| {
        let telling = scope.spawn(|| io.notify("new", "news", 120 * SECOND).wait().unwrap());
        let (id, text) = take(&watch);
        assert_eq!(text, "news");
        watch.ack(id, "heard").wait().unwrap();
        assert_eq!(telling.join().unwrap().answers.len(), 1);
    });
    drop(watch);
    eventually("no watcher", 60 * SECOND, || io.watchers("new").wait().unwrap().is_empty());
}

/// A cache that takes no writes answers them with the place where they belong.
#[test]
fn redirections_are_followed() {
    for bed in everywhere() {
        let tiers = Tiers::new(bed, "readonly");
        let base = &tiers.base;
        base.write_full("o", "before").wait().unwrap();
        tiers.set_overlay();
        bed.rados.wait_for_latest_map().unwrap();
        let pools = bed.cluster.ceph_json(&["osd", "pool", "ls", "detail"]).unwrap();
        let is_base = |pool: &&Value| pool["pool_name"] == base.pool_name();
        let base_pool = pools.as_array().unwrap().iter().find(is_base).unwrap();
        assert_eq!(base_pool["write_tier"].as_i64(), Some(tiers.cache.pool_id()), "writes go to the cache");

        base.append("new", "written ").wait().unwrap();
        base.append("new", "once").wait().unwrap();
        base.append("o", ", and after").wait().unwrap();
        let names = |pool| bed.rados_in(pool, &["ls"]);
        assert_eq!(names(tiers.cache.pool_name()), "", "the cache took nothing");
        assert_eq!(base.read("new", 0, 0).wait().unwrap(), "written once");
        assert_eq!(base.read("o", 0, 0).wait().unwrap(), "before, and after");
    }
}
