//! Maps made by `osdmaptool`, of every release.

use super::{check_groups, groups, parse_pg};
use crate::crush::shape::{JEWEL, Shape};
use axon_rados::osd::{ObjectLocator, PgId};
use axon_rados::osdmap::{OsdMap, UpActing};
use axon_testbed::{MapTools, Release};
use std::collections::HashMap;

/// The rule new pools have.
const BY_HOST: &[&str] =
    &["type replicated\n step take root\n step chooseleaf firstn 0 type host\n step emit"];

/// The name and id of the pool `osdmaptool` makes.
const POOL: (&str, i64) = ("rbd", 1);

/// A map whose OSDs are up and in, with a hierarchy; `args` say what else is done.
fn make(tools: &MapTools, shape: &Shape, pg_bits: u32, args: &[&str]) -> Vec<u8> {
    let text = shape.text();
    let osds = text.lines().filter(|line| line.starts_with("device ")).count() as u32;
    let created =
        tools.create_osdmap(osds, &["--with-default-pool", "--pg-bits", &pg_bits.to_string()]).unwrap();
    let crush = tools.write("crush.in", &tools.compile_crush(&text).unwrap()).unwrap();
    let args = [&["--mark-up-in"], args, &["--import-crush", &crush]].concat();
    tools.osdmaptool(&created, &args).unwrap().1
}

/// The same, balanced by upmaps.
fn balance(tools: &MapTools, map: &[u8]) -> Vec<u8> {
    let commands = tools.write("upmaps", b"").unwrap();
    let save =
        if tools.release() == Release::Nautilus { &["--upmap-save", &commands][..] } else { &["--save"] };
    let args = ["--upmap", &commands, "--upmap-max", "1000", "--upmap-deviation", "1"];
    tools.osdmaptool(map, &[&args, save].concat()).unwrap().1
}

#[test]
fn groups_of_every_release() {
    for release in Release::ALL {
        let tools = MapTools::new(release).unwrap();
        let shape = Shape { rules: BY_HOST, classes: true, ..Shape::default() };
        let bytes = make(&tools, &shape, 5, &["--mark-out", "3"]);
        let map = OsdMap::decode(&bytes).unwrap();
        assert_eq!(map.pool_by_name(POOL.0).unwrap().0, POOL.1);
        assert!(map.osd(3).unwrap().is_up() && !map.osd(3).unwrap().is_in());
        assert_eq!(map.crush().device_class(0), Some("ssd"), "{release}");
        assert_eq!(check_groups(&tools, &bytes, &map), map.pool(POOL.1).unwrap().pg_num as usize);
        let balanced = balance(&tools, &bytes);
        let map = OsdMap::decode(&balanced).unwrap();
        check_groups(&tools, &balanced, &map);
        assert_ne!(groups(&tools, &bytes), groups(&tools, &balanced), "{release}: nothing was balanced");
    }
}

#[test]
fn a_hundred_thousand_objects() {
    let tools = MapTools::new(Release::Reef).unwrap();
    let shape = Shape { racks: 5, hosts: 4, devices: 6, rules: BY_HOST, tunables: JEWEL, ..Shape::default() };
    let bytes = balance(&tools, &make(&tools, &shape, 5, &["--mark-out", "42"]));
    let map = OsdMap::decode(&bytes).unwrap();
    let expected: HashMap<PgId, UpActing> = groups(&tools, &bytes).into_iter().collect();
    assert!(expected.len() > 2000, "{}", expected.len());
    let locator = ObjectLocator::pool(POOL.1);
    let mut seen = HashMap::new();
    for n in 0..100_000 {
        let name = format!("object-{n:x}");
        let found = map.object_to_pg(&locator, name.as_bytes()).unwrap();
        assert_eq!(map.pg_to_up_acting(found.raw), expected[&found.pg], "{name}");
        *seen.entry(found.pg).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), expected.len(), "every group has objects");
}

#[test]
fn names_hash_as_ceph_hashes_them() {
    let tools = MapTools::new(Release::Reef).unwrap();
    let bytes = make(&tools, &Shape { rules: BY_HOST, ..Shape::default() }, 10, &[]);
    let map = OsdMap::decode(&bytes).unwrap();
    let long = "a long name, ".repeat(40);
    let names =
        (1..26).map(|n| &long[..n]).chain([&long[..], "rbd_data.1f2a.0000000000000042", "größe", "\u{1}"]);
    for name in names {
        let (output, _) = tools.osdmaptool(&bytes, &["--test-map-object", name]).unwrap();
        let line = output.lines().find(|line| line.contains("-> ")).expect(&output);
        let expected = line.rsplit(" -> ").nth(1).and_then(parse_pg).expect(line);
        let found = map.object_to_pg(&ObjectLocator::pool(POOL.1), name.as_bytes()).unwrap();
        assert_eq!(found.pg, expected, "{name}");
    }
}

/// Up to Pacific a rule that is not for pools of this size places nothing.
#[test]
fn rules_for_pools_of_other_sizes() {
    for (release, places) in [(Release::Nautilus, false), (Release::Pacific, false), (Release::Reef, true)] {
        let tools = MapTools::new(release).unwrap();
        let text = Shape { rules: BY_HOST, ..Shape::default() }.text();
        for (sizes, fits) in [("min_size 4\n max_size 10", false), ("min_size 2\n max_size 3", true)] {
            let text = text.replace("min_size 1\n max_size 20", sizes);
            let crush = tools.write("crush.in", &tools.compile_crush(&text).unwrap()).unwrap();
            let created = tools.create_osdmap(24, &["--with-default-pool", "--pg-bits", "2"]).unwrap();
            let args = ["--mark-up-in", "--import-crush", &crush];
            let (_, bytes) = tools.osdmaptool(&created, &args).unwrap();
            let map = OsdMap::decode(&bytes).unwrap();
            assert_eq!(map.pool(POOL.1).unwrap().size, 3);
            assert!(check_groups(&tools, &bytes, &map) > 50);
            let up = map.pg_to_up_acting(PgId { pool: 1, seed: 0 }).up.len();
            assert_eq!(up, if fits || places { 3 } else { 0 }, "{release}: {sizes}");
        }
    }
}
