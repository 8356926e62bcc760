//! How much memory a map takes, whatever its bytes say. A binary of its own, as it counts every allocation of the process.

use axon_denc::Decoder;
use axon_rados::crush::CrushMap;
use axon_rados::msg::{MOSDMap, TypedMessage};
use axon_rados::osdmap::{Incremental, OsdMap};
use axon_testbed::unhex;
use axon_wire::default_provider;
use peak_alloc::PeakAlloc;

const RECORDED: [&str; 3] = [
    include_str!("../../../vectors/messages/pacific.txt"),
    include_str!("../../../vectors/messages/reef.txt"),
    include_str!("../../../vectors/messages/tentacle.txt"),
];

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Bytes of memory for each byte of a map. The worst are lists of things that are small on the wire and take a node of
/// a tree here.
const FACTOR: usize = 64;
/// What reading takes anyway.
const BASE: usize = 16 << 10;

/// The OSD maps in a file of recorded messages.
fn recorded(text: &str) -> impl Iterator<Item = MOSDMap> {
    let blocks = text.split("\n\n").filter(|block| block.starts_with("osd_map "));
    let fronts = blocks.filter_map(|block| block.lines().find_map(|line| line.strip_prefix("front ")));
    fronts.map(|front| {
        let front = unhex(front).unwrap();
        MOSDMap::read_front(MOSDMap::HEAD_VERSION, &mut Decoder::new(&front)).unwrap()
    })
}

/// What `read` allocates at most at one time.
fn peak(read: impl FnOnce()) -> usize {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    read();
    MEMORY.peak_usage().saturating_sub(before)
}

fn check(bytes: &[u8], what: &str) {
    let limit = BASE + FACTOR * bytes.len();
    for taken in [
        peak(|| drop(OsdMap::decode(bytes))),
        peak(|| drop(Incremental::decode(bytes))),
        peak(|| drop(CrushMap::decode(bytes))),
    ] {
        assert!(taken <= limit, "{taken} bytes for {} bytes, {what}", bytes.len());
    }
}

/// Makes the checksum right, `after` bytes before the end.
fn seal(bytes: &mut [u8], after: usize) {
    let at = bytes.len() - 4 - after;
    let provider = default_provider();
    let crc = provider.crc32c(provider.crc32c(!0, &bytes[..at]), &bytes[at + 4..]);
    bytes[at..at + 4].copy_from_slice(&crc.to_le_bytes());
}

#[test]
fn memory_is_bounded_by_the_bytes() {
    let maps: Vec<_> = RECORDED.into_iter().flat_map(recorded).collect();
    assert!(maps.iter().any(|maps| !maps.full.is_empty()));
    let full = maps.iter().flat_map(|maps| maps.full.values()).map(|bytes| (bytes, 0));
    let changes = maps.iter().flat_map(|maps| maps.incremental.values()).map(|bytes| (bytes, 4));
    for (bytes, after) in full.chain(changes) {
        check(bytes, "as recorded");
        // Every count and length there is, made as large as it can say, and somewhat too large.
        for at in 0..bytes.len() - 4 {
            for value in [u32::MAX, 0x0000_1000] {
                let mut damaged = bytes.to_vec();
                damaged[at..at + 4].copy_from_slice(&value.to_le_bytes());
                seal(&mut damaged, after);
                check(&damaged, &format!("{value:#x} at {at}"));
            }
        }
    }
    zeros();
}

/// Buckets and rules that are not there are the cheapest things a map can hold.
fn zeros() {
    let n = 100_000u32;
    for (buckets, rules) in [(n, 0), (0, n)] {
        let head = [0x10000, buckets, rules, 0];
        let mut bytes: Vec<u8> = head.iter().flat_map(|word: &u32| word.to_le_bytes()).collect();
        bytes.resize(16 + 4 * n as usize + 12, 0);
        assert!(CrushMap::decode(&bytes).is_ok());
        check(&bytes, "nothing many times");
    }
}
