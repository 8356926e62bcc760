//! OSD maps of Ceph's tools and of real clusters: read, changed, and asked where things are.

mod clusters;
mod features;
mod hostile;
mod offline;
mod sealed;

use axon_rados::osd::PgId;
use axon_rados::osdmap::{OsdId, OsdMap, UpActing};
use axon_testbed::MapTools;

/// What `osdmaptool` prints for "no OSD".
const NONE: &str = "2147483647";

/// Compares where each placement group is with what `osdmaptool` says; returns how many there were.
fn check_groups(tools: &MapTools, bytes: &[u8], map: &OsdMap) -> usize {
    let groups = groups(tools, bytes);
    for (pg, expected) in &groups {
        assert_eq!(&map.pg_to_up_acting(*pg), expected, "{pg} at epoch {}", map.epoch());
        assert_eq!(map.primary(*pg), expected.acting_primary, "{pg} at epoch {}", map.epoch());
    }
    groups.len()
}

/// Where `osdmaptool` says that each placement group is.
fn groups(tools: &MapTools, bytes: &[u8]) -> Vec<(PgId, UpActing)> {
    let (output, _) = tools.osdmaptool(bytes, &["--test-map-pgs-dump-all"]).unwrap();
    output.lines().filter(|line| line.contains(" raw (")).map(|line| parse_group(line).expect(line)).collect()
}

/// `1.1f raw ([17,5,1], p17) up ([17,5,1], p17) acting ([17,5,1], p17)`
fn parse_group(line: &str) -> Option<(PgId, UpActing)> {
    let (pg, rest) = line.split_once(" raw (")?;
    let (_, rest) = rest.split_once(" up (")?;
    let (up, acting) = rest.split_once(" acting (")?;
    let (up, up_primary) = parse_osds(up)?;
    let (acting, acting_primary) = parse_osds(acting)?;
    Some((parse_pg(pg)?, UpActing { up, up_primary, acting, acting_primary }))
}

fn parse_pg(text: &str) -> Option<PgId> {
    let (pool, seed) = text.split_once('.')?;
    Some(PgId { pool: pool.parse().ok()?, seed: u32::from_str_radix(seed, 16).ok()? })
}

/// `[17,5,1], p17)`
fn parse_osds(text: &str) -> Option<(Vec<Option<OsdId>>, Option<OsdId>)> {
    let (list, primary) = text.strip_prefix('[')?.split_once("], p")?;
    let osds = list.split(',').filter(|osd| !osd.is_empty());
    let osds = osds.map(|osd| if osd == NONE { Some(None) } else { osd.parse().ok().map(Some) });
    // Nobody leads: p-1.
    Some((osds.collect::<Option<_>>()?, primary.strip_suffix(')')?.parse().ok()))
}
