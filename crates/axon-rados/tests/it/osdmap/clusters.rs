//! Maps of real clusters: every epoch by changes and whole, and where its groups are.

use super::check_groups;
use crate::monitors::{SECOND, config, eventually};
use axon_denc::AddrVec;
use axon_rados::mon::MonClient;
use axon_rados::osd::ObjectLocator;
use axon_rados::osdmap::{Incremental, MapFlags, OsdMap, PoolFlags, PoolKind};
use axon_testbed::{Cluster, MapTools, Release};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What is done to a cluster: commands, each an epoch or two. First pools are made.
const POOLS: &[&str] = &[
    r#"{"prefix": "osd set-require-min-compat-client", "version": "luminous"}"#,
    r#"{"prefix": "osd pool create", "pool": "rep", "pg_num": 32, "size": 3}"#,
    r#"{"prefix": "osd erasure-code-profile set", "name": "k2m1", "profile": ["k=2", "m=1", "crush-failure-domain=osd"]}"#,
    r#"{"prefix": "osd pool create", "pool": "ec", "pg_num": 16, "pool_type": "erasure", "erasure_code_profile": "k2m1"}"#,
    r#"{"prefix": "osd pool create", "pool": "cache", "pg_num": 8}"#,
    r#"{"prefix": "osd pool create", "pool": "odd", "pg_num": 12, "size": 2}"#,
];

const CHANGES: &[&str] = &[
    r#"{"prefix": "osd reweight", "id": 1, "weight": 0.5}"#,
    r#"{"prefix": "osd primary-affinity", "id": 2, "weight": 0.25}"#,
    r#"{"prefix": "osd pg-upmap-items", "pgid": "1.3", "id": [0, 3]}"#,
    r#"{"prefix": "osd pg-upmap", "pgid": "1.4", "id": [3, 1, 2]}"#,
    r#"{"prefix": "osd set", "key": "noout"}"#,
    r#"{"prefix": "osd tier add", "pool": "rep", "tierpool": "cache", "force_nonempty": "--force-nonempty"}"#,
    r#"{"prefix": "osd tier cache-mode", "pool": "cache", "mode": "writeback", "yes_i_really_mean_it": true}"#,
    r#"{"prefix": "osd tier set-overlay", "pool": "rep", "overlaypool": "cache"}"#,
    r#"{"prefix": "osd pool mksnap", "pool": "odd", "snap": "before"}"#,
    r#"{"prefix": "osd pool set-quota", "pool": "odd", "field": "max_objects", "val": "1000"}"#,
    r#"{"prefix": "osd pool application enable", "pool": "odd", "app": "rbd"}"#,
    r#"{"prefix": "osd blocklist", "blocklistop": "add", "addr": "1.2.3.4:0/0", "expire": 5000.0}"#,
    r#"{"prefix": "osd blocklist", "blocklistop": "add", "addr": "1.2.3.5:6800/77", "expire": 5000.0}"#,
    r#"{"prefix": "osd crush add-bucket", "name": "rack9", "type": "rack"}"#,
    r#"{"prefix": "osd crush reweight", "name": "osd.0", "weight": 2.5}"#,
    r#"{"prefix": "osd crush weight-set create-compat"}"#,
    r#"{"prefix": "osd crush weight-set reweight-compat", "item": "osd.2", "weight": [0.5]}"#,
    r#"{"prefix": "osd pool rename", "srcpool": "odd", "destpool": "even"}"#,
    r#"{"prefix": "osd new", "uuid": "4afec9cc-5e1e-4b2e-a3f5-000000000007", "id": 7}"#,
    r#"{"prefix": "osd pg-temp", "pgid": "1.5", "id": [3, 1]}"#,
    r#"{"prefix": "osd primary-temp", "pgid": "1.6", "id": 3}"#,
    r#"{"prefix": "osd pg-temp", "pgid": "2.1", "id": [0, 1, 2]}"#,
    r#"{"prefix": "osd rm-pg-upmap", "pgid": "1.4"}"#,
    r#"{"prefix": "osd out", "ids": ["3"]}"#,
    r#"{"prefix": "osd blocklist", "blocklistop": "rm", "addr": "1.2.3.5:6800/77"}"#,
    r#"{"prefix": "osd unset", "key": "noout"}"#,
    r#"{"prefix": "osd set", "key": "nodown"}"#,
    r#"{"prefix": "osd unset", "key": "nodown"}"#,
    r#"{"prefix": "osd down", "ids": ["0"]}"#,
    r#"{"prefix": "osd in", "ids": ["3"]}"#,
    r#"{"prefix": "osd purge-actual", "id": 7, "yes_i_really_mean_it": true}"#,
    r#"{"prefix": "osd set", "key": "pause"}"#,
];

/// What only newer releases know.
const REEF_CHANGES: &[&str] = &[
    r#"{"prefix": "osd blocklist", "range": "range", "blocklistop": "add", "addr": "10.0.0.0/8", "expire": 5000.0}"#,
    r#"{"prefix": "osd set-require-min-compat-client", "version": "reef"}"#,
    r#"{"prefix": "osd pg-upmap-primary", "pgid": "1.7", "id": 0}"#,
    r#"{"prefix": "osd pg-upmap-primary", "pgid": "1.7", "id": 1}"#,
    r#"{"prefix": "osd pg-upmap-primary", "pgid": "1.7", "id": 2}"#,
    r#"{"prefix": "osd pg-upmap-primary", "pgid": "1.7", "id": 3}"#,
    r#"{"prefix": "osd pg-upmap-primary", "pgid": "4.1", "id": 0}"#,
    r#"{"prefix": "osd pg-upmap-primary", "pgid": "4.1", "id": 1}"#,
    r#"{"prefix": "osd pg-upmap-primary", "pgid": "4.1", "id": 2}"#,
    r#"{"prefix": "osd pg-upmap-primary", "pgid": "4.1", "id": 3}"#,
];

const TENTACLE_CHANGES: &[&str] = &[
    r#"{"prefix": "osd pool set", "pool": "ec", "var": "allow_ec_optimizations", "val": "true"}"#,
    r#"{"prefix": "osd pg-temp", "pgid": "2.2", "id": [2, 1, 0]}"#,
];

/// A cluster and what its monitor says.
struct Bed {
    release: Release,
    _cluster: Cluster,
    mon: MonClient,
    /// Each change by the epoch it leads to.
    changes: Arc<Mutex<BTreeMap<u32, Bytes>>>,
}

impl Bed {
    fn boot(release: Release) -> Self {
        let cluster = Cluster::builder().release(release).osds(4).boot().unwrap();
        let mon = MonClient::connect(config(&cluster, "client.admin")).unwrap();
        let changes = Arc::new(Mutex::new(BTreeMap::new()));
        let kept = Arc::clone(&changes);
        mon.subscribe_osdmaps(1, move |maps| {
            assert!(maps.full.is_empty(), "whole maps: {:?}", maps.full.keys());
            let mut kept = kept.lock().unwrap();
            kept.extend(maps.incremental);
            *kept.keys().last().unwrap()
        });
        Self { release, _cluster: cluster, mon, changes }
    }

    fn run(&self, command: &str) -> Bytes {
        let answer = self.mon.command(command, Bytes::new()).unwrap();
        assert_eq!(answer.code, 0, "{}: {command}: {}", self.release, answer.status);
        answer.output
    }

    fn json(&self, command: &str) -> Value {
        serde_json::from_slice(&self.run(command)).unwrap()
    }

    fn full(&self, epoch: u32) -> Bytes {
        self.run(&format!(r#"{{"prefix": "osd getmap", "epoch": {epoch}}}"#))
    }

    fn newest(&self) -> u32 {
        self.mon.versions("osdmap").unwrap().newest as u32
    }

    /// Makes all changes; returns what monitors refused, as they may with some, depending on where groups happen to be.
    fn change(&self) -> Vec<String> {
        let mut answers = Vec::new();
        let newer = |release, changes: &'static [&str]| if self.release >= release { changes } else { &[] };
        let all = POOLS.iter().chain(newer(Release::Reef, REEF_CHANGES)).chain(CHANGES);
        for change in all.chain(newer(Release::Tentacle, TENTACLE_CHANGES)) {
            let refusable = ["osd pg-temp", "osd primary-temp", "osd pg-upmap"];
            if refusable.iter().any(|prefix| change.contains(prefix)) {
                answers.push(self.mon.command(change, Bytes::new()).unwrap());
            } else {
                self.run(change);
            }
        }
        let refused = answers.into_iter().filter(|answer| answer.code != 0);
        refused.map(|answer| answer.status).collect()
    }

    /// The map of each epoch, made by changes from nothing.
    fn follow(&self) -> Vec<OsdMap> {
        let newest = self.newest();
        let arrived = || self.changes.lock().unwrap().contains_key(&newest);
        eventually("the newest change", 120 * SECOND, arrived);
        let changes = self.changes.lock().unwrap().clone();
        let mut map = OsdMap::default();
        let mut maps = Vec::new();
        for epoch in 1..=newest {
            let change = Incremental::decode(&changes[&epoch]).unwrap();
            assert_eq!(change.epoch(), epoch);
            map.apply(&change).unwrap();
            maps.push(map.clone());
        }
        maps
    }
}

#[test]
fn every_epoch_of_every_release() {
    for release in [Release::Pacific, Release::Reef, Release::Tentacle] {
        let bed = Bed::boot(release);
        let refused = bed.change();
        let maps = bed.follow();
        check_variety(release, &maps, &refused);
        assert!(maps.len() > 40, "{release}: {} epochs only", maps.len());
        let tools = MapTools::new(release).unwrap();
        for map in &maps {
            let bytes = bed.full(map.epoch());
            let full = OsdMap::decode(&bytes).unwrap();
            assert!(map == &full, "{release}, epoch {}: {}", map.epoch(), first_difference(map, &full));
            if map.epoch() % 3 == 0 || map.epoch() as usize == maps.len() {
                check_groups(&tools, &bytes, &full);
            }
        }
        check_dump(&bed, maps.last().unwrap());
        check_crcs(&bed, &maps);
    }
}

/// The first line in which what is printed of two maps differs.
fn first_difference(changed: &OsdMap, full: &OsdMap) -> String {
    let (changed, full) = (format!("{changed:#?}"), format!("{full:#?}"));
    let mut lines = changed.lines().zip(full.lines()).enumerate();
    let different = lines.find(|(_, (changed, full))| changed != full);
    different
        .map_or_else(|| "in length".into(), |(n, (changed, full))| format!("line {n}: {changed} | {full}"))
}

/// Everything that overrides CRUSH was there at some epoch.
fn check_variety(release: Release, maps: &[OsdMap], refused: &[String]) {
    let seen = |field: &str| maps.iter().any(|map| format!("{map:?}").contains(&format!(" {field}: {{PgId")));
    for field in ["pg_temp", "primary_temp", "pg_upmap", "pg_upmap_items"] {
        assert!(seen(field), "{release}: never any {field}; refused: {refused:?}");
    }
    assert_eq!(seen("pg_upmap_primaries"), release >= Release::Reef, "{release}; refused: {refused:?}");
}

/// The checksum a change announces is that of the whole map.
fn check_crcs(bed: &Bed, maps: &[OsdMap]) {
    let changes = bed.changes.lock().unwrap().clone();
    for epoch in (1..=maps.len() as u32).rev().take(10) {
        let full = bed.full(epoch);
        let crc = u32::from_le_bytes(*full.last_chunk().unwrap());
        assert_eq!(Incremental::decode(&changes[&epoch]).unwrap().full_crc(), crc, "epoch {epoch}");
    }
}

/// What the map says is what the monitor says in words.
fn check_dump(bed: &Bed, map: &OsdMap) {
    let dump = bed.json(&format!(r#"{{"prefix": "osd dump", "epoch": {}, "format": "json"}}"#, map.epoch()));
    assert_eq!(map.epoch(), dump["epoch"]);
    let flags = dump["flags_num"].as_u64().unwrap() as u32;
    assert_eq!(map.flags(), MapFlags(flags));
    assert!(map.flags().contains(MapFlags::PAUSERD) && map.flags().contains(MapFlags::PAUSEWR));
    assert_eq!(u64::from(map.max_osd()), dump["max_osd"].as_u64().unwrap());
    assert_eq!(dump["require_osd_release"], json!(bed.release.as_str()));
    let releases = [(Release::Pacific, 16), (Release::Reef, 18), (Release::Tentacle, 20)];
    assert!(releases.contains(&(bed.release, map.require_osd_release())));
    dump["pools"].as_array().unwrap().iter().for_each(|pool| check_pool(map, pool));
    dump["osds"].as_array().unwrap().iter().for_each(|osd| check_osd(map, osd));
    assert_eq!(map.pools().count(), dump["pools"].as_array().unwrap().len());
    assert_eq!(map.osds().count(), dump["osds"].as_array().unwrap().len());
    check_blocklist(bed, map, &dump);
}

fn check_pool(map: &OsdMap, dump: &Value) {
    let id = dump["pool"].as_i64().unwrap();
    let (by_name, pool) = map.pool_by_name(dump["pool_name"].as_str().unwrap()).unwrap();
    assert_eq!(by_name, id);
    let number = |field: &str| dump[field].as_i64().unwrap_or_else(|| panic!("{field} in {dump}"));
    assert_eq!(pool.kind == PoolKind::Erasure, number("type") == 3);
    for (field, value) in [
        ("size", pool.size.into()),
        ("min_size", pool.min_size.into()),
        ("crush_rule", pool.crush_rule.into()),
        ("pg_num", pool.pg_num.into()),
        ("pg_placement_num", pool.pgp_num.into()),
        ("pg_num_target", pool.pg_num_target.into()),
        ("pg_num_pending", pool.pg_num_pending.into()),
        ("flags", pool.flags.0.cast_signed()),
        ("snap_seq", pool.snap_seq.cast_signed()),
        ("snap_epoch", pool.snap_epoch.into()),
        ("quota_max_bytes", pool.quota_max_bytes.cast_signed()),
        ("quota_max_objects", pool.quota_max_objects.cast_signed()),
        ("tier_of", pool.tier_of.unwrap_or(-1)),
        ("read_tier", pool.read_tier.unwrap_or(-1)),
        ("write_tier", pool.write_tier.unwrap_or(-1)),
        ("stripe_width", pool.stripe_width.into()),
    ] {
        assert_eq!(number(field), value, "{field} of pool {id}");
    }
    let changed: i64 =
        dump["last_change"].as_str().map_or_else(|| number("last_change"), |text| text.parse().unwrap());
    assert_eq!(changed, i64::from(pool.last_change));
    assert_eq!(dump["erasure_code_profile"], json!(pool.erasure_code_profile));
    assert_eq!(dump["application_metadata"], json!(pool.applications));
    let tiers: Vec<u64> = pool.tiers.iter().copied().collect();
    assert_eq!(dump["tiers"], json!(tiers));
    let snaps: Vec<_> = pool.snaps.values().map(|snap| json!(snap.name)).collect();
    let dumped = dump["pool_snaps"].as_array().unwrap().iter().map(|snap| snap["name"].clone());
    assert_eq!(dumped.collect::<Vec<_>>(), snaps);
    let mode = format!("{:?}", pool.cache_mode).to_lowercase();
    assert_eq!(dump["cache_mode"], json!(mode));
    if let Some(shards) = dump["nonprimary_shards"].as_str() {
        let shards = shards.trim_matches(['{', '}']).split(',').filter(|shard| !shard.is_empty());
        let shards: Vec<usize> = shards.map(|shard| shard.trim().parse().unwrap()).collect();
        assert_eq!(pool.flags.contains(PoolFlags::EC_OPTIMIZATIONS), !shards.is_empty());
        assert!(
            (0..128).all(|shard| pool.nonprimary_shards.contains(shard) == shards.contains(&shard)),
            "{dump}"
        );
    }
}

fn check_osd(map: &OsdMap, dump: &Value) {
    let id = dump["osd"].as_u64().unwrap() as u32;
    let osd = map.osd(id).unwrap();
    assert_eq!((dump["up"] == 1, dump["in"] == 1), (osd.is_up(), osd.is_in()), "osd.{id}");
    for (field, value) in [
        ("up_from", osd.up_from),
        ("up_thru", osd.up_thru),
        ("down_at", osd.down_at),
        ("lost_at", osd.lost_at),
    ] {
        assert_eq!(dump[field], value, "{field} of osd.{id}");
    }
    for (field, value) in [("weight", osd.weight), ("primary_affinity", osd.primary_affinity)] {
        let dumped = dump[field].as_f64().unwrap();
        assert!((dumped - f64::from(value) / 65536.0).abs() < 1e-4, "{field} of osd.{id}: {dumped}, {value}");
    }
    for (field, addrs) in [("public_addrs", &osd.client_addrs), ("cluster_addrs", &osd.cluster_addrs)] {
        let dumped = dump[field]["addrvec"].as_array().unwrap().iter().map(|addr| {
            let text = format!("{}:{}/{}", addr["type"], addr["addr"], addr["nonce"]).replace('"', "");
            text.parse().unwrap_or_default()
        });
        assert_eq!(&dumped.collect::<AddrVec>(), addrs, "{field} of osd.{id}");
    }
}

fn check_blocklist(bed: &Bed, map: &OsdMap, dump: &Value) {
    let blocked = |addr: &str| map.blocklist().contains(&addr.parse().unwrap());
    assert!(blocked("v2:1.2.3.4:5/6"));
    assert!(!blocked("v2:1.2.3.5:6800/77"));
    assert_eq!(blocked("v2:10.9.8.7:1/2"), bed.release >= Release::Reef);
    assert_eq!(map.blocklist().hosts.len(), dump["blocklist"].as_object().unwrap().len());
}

/// Namespaces, keys and hashes: the monitor says where such an object is.
#[test]
fn objects_in_namespaces() {
    let bed = Bed::boot(Release::Reef);
    bed.run(r#"{"prefix": "osd pool create", "pool": "p", "pg_num": 128, "size": 2}"#);
    let maps = bed.follow();
    let map = maps.last().unwrap();
    let (pool, _) = map.pool_by_name("p").unwrap();
    for n in 0..100 {
        let (name, space) = (format!("object {n}"), ["", "space", "größer als zwölf Zeichen"][n % 3]);
        let told = bed.json(&format!(
            r#"{{"prefix": "osd map", "pool": "p", "object": "{name}", "nspace": "{space}", "format": "json"}}"#
        ));
        let mut locator = ObjectLocator::pool(pool);
        locator.namespace = Bytes::from(space);
        let found = map.object_to_pg(&locator, name.as_bytes()).unwrap();
        assert_eq!(
            (json!(found.raw.to_string()), json!(found.pg.to_string())),
            (told["raw_pgid"].clone(), told["pgid"].clone())
        );
        let placed = map.pg_to_up_acting(found.raw);
        assert_eq!(told["up"], json!(placed.up), "{name}");
        assert_eq!(told["acting_primary"], json!(placed.acting_primary.unwrap()), "{name}");
        let by_key = ObjectLocator { key: Bytes::from(name), ..locator.clone() };
        assert_eq!(map.object_to_pg(&by_key, b"another name"), Ok(found));
        let by_hash = ObjectLocator { hash: Some(found.raw.seed), ..locator };
        assert_eq!(map.object_to_pg(&by_hash, b"another name"), Ok(found));
    }
    assert!(map.object_to_pg(&ObjectLocator::pool(99), b"name").is_err());
}
