//! Maps made by hand: what real tools never make.

use super::mapper::Placement;
use super::*;

/// Writes a CRUSH map: buckets by index, then rules. Everything that may be missing is missing.
#[derive(Default)]
struct Wire {
    buckets: Vec<Vec<u8>>,
    rules: Vec<Vec<u8>>,
    tail: Vec<u8>,
}

const STRAW2: u8 = 5;
const TREE: u8 = 3;
const WHOLE: u32 = 0x10000;

impl Wire {
    /// A straw2 bucket of a type, with items that all weigh 1.
    fn bucket(self, kind: u16, items: &[Item]) -> Self {
        let weights = vec![WHOLE; items.len()];
        self.any_bucket(STRAW2, kind, items, &words(&weights))
    }

    fn any_bucket(mut self, algorithm: u8, kind: u16, items: &[Item], rest: &[u8]) -> Self {
        let id = -1 - self.buckets.len() as i32;
        let mut bytes = words(&[algorithm.into(), id.cast_unsigned()]);
        bytes.extend(kind.to_le_bytes());
        bytes.extend([algorithm, 0]);
        bytes.extend(words(&[WHOLE, items.len() as u32]));
        bytes.extend(items.iter().flat_map(|item| item.to_le_bytes()));
        bytes.extend(rest);
        self.buckets.push(bytes);
        self
    }

    /// A rule of a kind, each step a code and two arguments.
    fn rule(mut self, kind: u8, steps: &[[i32; 3]]) -> Self {
        let mut bytes = words(&[1, steps.len() as u32]);
        bytes.extend([self.rules.len() as u8, kind, 1, 100]);
        bytes.extend(steps.iter().flatten().flat_map(|word| word.to_le_bytes()));
        self.rules.push(bytes);
        self
    }

    /// Tunables: local tries, fallback tries, total tries.
    fn tunables(mut self, tries: [u32; 3]) -> Self {
        self.tail = words(&tries);
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = words(&[0x10000, self.buckets.len() as u32, self.rules.len() as u32, 0]);
        bytes.extend(self.buckets.concat());
        bytes.extend(self.rules.concat());
        bytes.extend(words(&[0, 0, 0]));
        bytes.extend(&self.tail);
        bytes
    }

    fn map(&self) -> CrushMap {
        CrushMap::decode(&self.bytes()).unwrap()
    }
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

const TAKE: i32 = 1;
const CHOOSE_FIRSTN: i32 = 2;
const CHOOSE_INDEP: i32 = 3;
const EMIT: i32 = 4;
const CHOOSELEAF_FIRSTN: i32 = 6;
const CHOOSELEAF_INDEP: i32 = 7;
const SET_CHOOSE_TRIES: i32 = 8;
const CHOOSE_MSR: i32 = 16;
const SET_MSR_DESCENTS: i32 = 14;

const REPLICATED: u8 = 1;
const MSR_INDEP: u8 = 5;

/// Where `x` is placed by the first rule.
fn place(map: &CrushMap, x: u32, size: usize, weights: &[u32]) -> Vec<Item> {
    map.do_rule(0, x, size, weights, None).unwrap()
}

/// The same with few draws, which takes less time to use up.
fn place_within(
    map: &CrushMap,
    size: usize,
    weights: &[u32],
    draws_left: u64,
) -> Result<Vec<Item>, CrushError> {
    Placement { map, weights, args: None, x: 1, known: Default::default(), draws_left }.place(0, size)
}

/// Draws that are too few for those who never stop.
const FEW: u64 = 1 << 14;

#[test]
fn a_small_map_places() {
    let wire = Wire::default()
        .bucket(1, &[0, 1, 2])
        .rule(REPLICATED, &[[TAKE, -1, 0], [CHOOSE_FIRSTN, 0, 0], [EMIT, 0, 0]]);
    let map = wire.map();
    assert_eq!(map.max_devices(), 3);
    let mut placed = place(&map, 7, 3, &[WHOLE; 3]);
    placed.sort_unstable();
    assert_eq!(placed, [0, 1, 2]);
    assert_eq!(place(&map, 7, 3, &[0, 0, WHOLE]), [2]);
    assert!(place(&map, 7, 3, &[]).is_empty());
    assert!(place(&map, 7, 0, &[WHOLE; 3]).is_empty());
    assert!(map.do_rule(1, 7, 3, &[WHOLE; 3], None).unwrap().is_empty(), "no such rule");
}

#[test]
fn buckets_that_contain_themselves_are_refused() {
    for (wire, stuck) in [
        (Wire::default().bucket(1, &[-1]), -1),
        (Wire::default().bucket(2, &[-2]).bucket(1, &[-1, 0]), -1),
        (Wire::default().bucket(1, &[0]).bucket(3, &[-3, -1]).bucket(2, &[-2]), -2),
    ] {
        assert_eq!(CrushMap::decode(&wire.bytes()), Err(CrushError::Cycle(stuck)));
    }
    let diamond = Wire::default().bucket(3, &[-2, -3, -2]).bucket(2, &[-4]).bucket(2, &[-4]).bucket(1, &[0]);
    assert_eq!(diamond.map().buckets().count(), 4);
}

#[test]
fn buckets_that_are_elsewhere_are_refused() {
    let mut wire = Wire::default().bucket(1, &[0]).bucket(1, &[1]);
    wire.buckets.swap(0, 1);
    assert_eq!(CrushMap::decode(&wire.bytes()), Err(CrushError::WrongId { expected: -1, found: -2 }));
}

#[test]
fn endless_searches_end() {
    // Nothing can be found: one device that is out, an empty bucket, a hole.
    let hopeless: [&[Item]; 3] = [&[0], &[-2], &[-9]];
    for items in hopeless {
        for choose in [CHOOSE_FIRSTN, CHOOSE_INDEP, CHOOSELEAF_FIRSTN, CHOOSELEAF_INDEP] {
            let forever =
                [[SET_CHOOSE_TRIES, i32::MAX, 0], [TAKE, -1, 0], [choose, i32::MAX, 0], [EMIT, 0, 0]];
            let wire = Wire::default().bucket(2, items).bucket(1, &[]).rule(REPLICATED, &forever);
            let placed = place_within(&wire.map(), 255, &[0], FEW);
            let given_up = matches!(placed, Err(CrushError::TooMuchWork { rule: 0, .. }));
            let empty =
                matches!(&placed, Ok(items) if items.iter().all(|item| *item == ITEM_NONE || *item == 0));
            assert!(given_up || empty, "{items:?}, {choose}: {placed:?}");
        }
        let forever = [[SET_MSR_DESCENTS, -1, 0], [TAKE, -1, 0], [CHOOSE_MSR, 0, 0], [EMIT, 0, 0]];
        let wire = Wire::default().bucket(2, items).bucket(1, &[]).rule(MSR_INDEP, &forever);
        let placed = place_within(&wire.map(), 255, &[0], FEW);
        assert!(matches!(placed, Err(CrushError::TooMuchWork { .. })), "{items:?}: {placed:?}");
    }
}

#[test]
fn legacy_tunables_end_too() {
    let forever = [[TAKE, -1, 0], [CHOOSELEAF_FIRSTN, 0, 1], [EMIT, 0, 0]];
    let hosts =
        Wire::default().bucket(2, &[-2, -3]).bucket(1, &[0]).bucket(1, &[1]).rule(REPLICATED, &forever);
    let map = hosts.tunables([u32::MAX, u32::MAX, u32::MAX]).map();
    assert!(matches!(place_within(&map, 3, &[0, 0], FEW), Err(CrushError::TooMuchWork { .. })));
}

#[test]
fn trees_that_are_none_place_nothing() {
    for nodes in [0u8, 1, 3, 6, 64, 255] {
        let rest = [vec![nodes], words(&vec![WHOLE; nodes.into()])].concat();
        let steps = [[TAKE, -1, 0], [CHOOSE_FIRSTN, 0, 0], [EMIT, 0, 0]];
        let wire = Wire::default().any_bucket(TREE, 1, &[0, 1, 2], &rest).rule(REPLICATED, &steps);
        for x in 0..50 {
            let placed = place(&wire.map(), x, 3, &[WHOLE; 3]);
            assert!(placed.iter().all(|item| (0..3).contains(item)), "{nodes} nodes: {placed:?}");
        }
    }
}

#[test]
fn msr_rules_in_the_wrong_form_place_nothing() {
    let wrong: [&[[i32; 3]]; 6] = [
        &[[CHOOSE_MSR, 1, 0], [EMIT, 0, 0]],
        &[[TAKE, -1, 0], [CHOOSE_MSR, 1, 0]],
        &[[TAKE, -1, 0], [CHOOSE_FIRSTN, 1, 0], [EMIT, 0, 0]],
        &[[TAKE, -1, 0], [CHOOSE_MSR, -4, 0], [EMIT, 0, 0]],
        &[[TAKE, -1, 0], [CHOOSE_MSR, i32::MAX, 1], [CHOOSE_MSR, i32::MAX, 0], [EMIT, 0, 0]],
        &[[TAKE, 0, 0], [CHOOSE_MSR, 1, 0], [EMIT, 0, 0]],
    ];
    for steps in wrong {
        let map = Wire::default().bucket(1, &[0, 1, 2]).rule(MSR_INDEP, steps).map();
        assert!(place(&map, 1, 3, &[WHOLE; 3]).is_empty(), "{steps:?}");
    }
    let device = Wire::default().bucket(1, &[0, 1]).rule(MSR_INDEP, &[[TAKE, 1, 0], [EMIT, 0, 0]]).map();
    assert_eq!(place(&device, 1, 2, &[WHOLE; 2]), [1, ITEM_NONE]);
}

#[test]
fn cuts_are_refused_or_leave_out_what_is_optional() {
    let wire =
        Wire::default().bucket(2, &[-2]).bucket(1, &[0, 1]).rule(REPLICATED, &[[TAKE, -1, 0], [EMIT, 0, 0]]);
    let bytes = wire.tunables([1, 2, 3]).bytes();
    let optional = bytes.len() - 12;
    for cut in 0..bytes.len() {
        assert_eq!(CrushMap::decode(&bytes[..cut]).is_ok(), cut == optional, "cut at {cut}");
    }
}
