//! The fuzz targets on real captures that are flipped, cut, extended and spliced: the same ones in every run, in bounded
//! time. A binary of its own, as it counts every allocation of the process.

#[path = "../../../fuzz/src/memory.rs"]
#[expect(unreachable_pub, reason = "it is a module of the fuzz crate")]
mod memory;
#[path = "../../../fuzz/src/seal.rs"]
#[expect(unreachable_pub, reason = "it is a module of the fuzz crate")]
mod seal;
#[path = "../../../fuzz/src/seeds.rs"]
#[expect(unreachable_pub, reason = "it is a module of the fuzz crate")]
mod seeds;
#[path = "../../../fuzz/src/targets.rs"]
#[expect(unreachable_pub, reason = "it is a module of the fuzz crate")]
mod targets;

use std::collections::BTreeMap;

/// Damaged inputs of each target.
const ROUNDS: usize = 4000;

/// A sequence of numbers that a seed repeats (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % n.max(1)
    }
}

/// Bytes that counts, lengths, versions and signs are damaged by.
const TELLING: [u8; 8] = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff, b'['];

/// One to four changes.
fn damage(seed: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(7) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 if !bytes.is_empty() => bytes[at] = TELLING[random.below(TELLING.len())],
            2 => bytes.truncate(at),
            3 => bytes.extend((0..random.below(40)).map(|n| (n * 37) as u8)),
            4 => {
                let (from, length) = (random.below(other.len()), random.below(200));
                let end = other.len().min(from + length);
                bytes.splice(at..at, other[from..end].iter().copied());
            }
            5 => drop(bytes.drain(at..bytes.len().min(at + 1 + random.below(16)))),
            _ if bytes.len() >= at + 4 => {
                let value = [u32::MAX, 0x7fff_ffff, 0x1000, 0][random.below(4)];
                bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
            }
            _ => {}
        }
    }
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One test, as the memory counted is that of the whole process.
#[test]
fn damaged_captures_are_refused_or_read() {
    let seeds = seeds::all();
    the_captures_are_what_they_should_be(&seeds);
    for (name, target) in targets::ALL {
        let seeds = &seeds[name];
        assert!(!seeds.is_empty(), "{name} has no seeds");
        seeds.iter().for_each(|seed| target(seed));
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for round in 0..ROUNDS {
            let seed = &seeds[round % seeds.len()];
            let other = &seeds[random.below(seeds.len())];
            let bytes = damage(seed, other, &mut random);
            let run = || std::panic::catch_unwind(|| target(&bytes));
            let mut outcome = Ok(());
            let taken = memory::peak(|| outcome = run());
            let limit = memory::limit(name, bytes.len());
            assert!(outcome.is_ok(), "{name}, round {round} panics: {}", hex(&bytes));
            assert!(
                taken <= limit,
                "{name}, round {round}: {taken} bytes for {}: {}",
                bytes.len(),
                hex(&bytes)
            );
        }
    }
}

fn the_captures_are_what_they_should_be(seeds: &BTreeMap<&'static str, Vec<Vec<u8>>>) {
    let all =
        |name: &str, fine: fn(&[u8]) -> bool| assert!(seeds[name].iter().all(|seed| fine(seed)), "{name}");
    all("osd_map", |bytes| axon_rados::osdmap::OsdMap::decode(bytes).is_ok());
    all("osd_map_change", |bytes| axon_rados::osdmap::Incremental::decode(bytes).is_ok());
    all("crush", |bytes| axon_rados::crush::CrushMap::decode(bytes).is_ok());
    all("frames", |bytes| matches!(axon_wire::Banner::parse(bytes), Ok(Some(_))));
    assert!(seeds["crush"].len() >= 3 && seeds["osd_map_change"].len() >= 3 && seeds["frames"].len() >= 4);
}
