//! Maps that are cut or damaged: refused or read, and nothing else.

use super::sealed::{Kind, recorded, seal};
use axon_rados::crush::CrushMap;
use axon_rados::osd::{ObjectLocator, PgId};
use axon_rados::osdmap::{Incremental, MapError, OsdMap};
use proptest::prelude::*;

fn decode(kind: Kind, bytes: &[u8]) -> Result<OsdMap, MapError> {
    match kind {
        Kind::Full => OsdMap::decode(bytes),
        Kind::Change => Incremental::decode(bytes).and_then(|change| {
            let mut map = OsdMap::default();
            map.apply(&change).map(|()| map)
        }),
    }
}

/// Asks a map for everything.
fn use_map(map: &OsdMap) {
    for (id, pool) in map.pools().take(4) {
        let object = map.object_to_pg(&ObjectLocator::pool(id), b"name");
        for seed in [0, 1, pool.pg_num, u32::MAX].into_iter().chain(object.map(|found| found.raw.seed)) {
            let pg = PgId { pool: id.cast_unsigned(), seed };
            let placed = map.pg_to_up_acting(pg);
            assert_eq!(placed.acting_primary, map.primary(pg));
        }
    }
    map.osds().for_each(|(_, osd)| assert!(osd.exists()));
}

#[test]
fn there_are_maps_and_changes() {
    let all = recorded();
    assert!(all.iter().filter(|(kind, _)| *kind == Kind::Full).count() >= 3);
    for (kind, bytes) in all {
        let decoded = decode(kind, &bytes);
        assert!(matches!(decoded, Ok(_) | Err(MapError::WrongEpoch { .. })), "{decoded:?}");
        let mut again = bytes.clone();
        seal(kind, &mut again);
        assert_eq!(again, bytes, "the checksum is where it is");
    }
}

#[test]
fn every_cut_is_refused() {
    for (kind, bytes) in recorded() {
        for cut in 0..bytes.len() {
            let error = decode(kind, &bytes[..cut]).unwrap_err();
            assert!(matches!(error, MapError::Malformed { .. }), "cut at {cut}: {error}");
        }
    }
}

#[test]
fn damage_is_seen_by_the_checksum() {
    for (kind, bytes) in recorded() {
        for at in (6..bytes.len()).step_by(7) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            assert!(decode(kind, &damaged).is_err(), "at {at}");
        }
        let mut damaged = bytes.clone();
        let last = damaged.len() - 1;
        damaged[last] ^= 1;
        assert!(matches!(decode(kind, &damaged), Err(MapError::BadCrc { .. })));
    }
}

#[test]
fn older_encodings_are_named() {
    let mut bytes = recorded()[0].1.clone();
    bytes[0] = 6;
    let error = OsdMap::decode(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "OSD map has version 6, the oldest one read is 8: the cluster is too old");
}

/// Bytes that are where the damage is, rather than in the text of a profile.
fn any_damage() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    let byte = prop_oneof![Just(0), Just(1), Just(0x7f), Just(0x80), Just(0xff), any::<u8>()];
    prop::collection::vec((any::<prop::sample::Index>(), byte), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn damage_with_a_right_checksum(which: prop::sample::Index, damage in any_damage()) {
        let all = recorded();
        let (kind, bytes) = which.get(&all);
        let mut bytes = bytes.clone();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        seal(*kind, &mut bytes);
        if let Ok(map) = decode(*kind, &bytes) {
            use_map(&map);
        }
    }

    #[test]
    fn made_up_bytes(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = CrushMap::decode(&bytes);
        let _ = OsdMap::decode(&bytes);
        bytes.splice(0..0, [0, 0, 1, 0]);
        let _ = CrushMap::decode(&bytes);
    }
}
