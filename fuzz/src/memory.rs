//! What a target may take: memory in proportion to its bytes. Counted for the whole process, so that nothing else may
//! allocate while a target runs.

use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Bytes of memory for each byte of input: the bytes themselves a few times, and what is made of them.
const FACTOR: usize = 96;
/// What reading anything takes.
const BASE: usize = 64 << 10;

/// The bytes of memory that may be taken at one time for `length` bytes of input.
pub fn limit(length: usize) -> usize {
    BASE + FACTOR * length
}

/// The bytes of memory that `read` takes at most at one time.
pub fn peak(read: impl FnOnce()) -> usize {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    read();
    MEMORY.peak_usage().saturating_sub(before)
}
