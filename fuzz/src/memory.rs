//! What a target may take: memory in proportion to its bytes. Counted for the whole process, so that nothing else may
//! allocate while a target runs.

use axon_rados::osdmap::{OsdInfo, OsdMap};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Bytes of memory for each byte of input: the bytes themselves a few times, and what is made of them.
const FACTOR: usize = 96;
/// What reading anything takes.
const BASE: usize = 64 << 10;

/// What a change of an OSD map takes whatever its length: it says with four bytes how many OSDs there are from now on.
const OSDS: usize = 2 * OsdMap::MAX_OSDS as usize * size_of::<OsdInfo>();

/// What a configuration takes whatever its length: its variables' values come to 16 KiB, in a string that grows by doubling.
const VARIABLES: usize = 2 * BASE;

/// The bytes of memory that a target may take at one time for `length` bytes of input.
pub fn limit(name: &str, length: usize) -> usize {
    let base = match name {
        "osd_map_change" => OSDS,
        "conf" => VARIABLES,
        _ => BASE,
    };
    base + FACTOR * length
}

/// The bytes of memory that `read` takes at most at one time.
pub fn peak(read: impl FnOnce()) -> usize {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    read();
    MEMORY.peak_usage().saturating_sub(before)
}
