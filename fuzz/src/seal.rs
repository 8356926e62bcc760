//! Right checksums over damaged bytes, so that what they protect is read.

use axon_wire::{Banner, Msgr2Features, Revision, default_provider};

/// Bytes of a preamble. Ceph: `preamble_block_t` in `src/msg/async/frames_v2.h`.
const PREAMBLE: usize = 32;
/// What the crc of a segment starts from.
const SEED: u32 = !0;

/// The bytes with a right checksum, `after` bytes before the end.
pub fn map(bytes: &[u8], after: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(at) = bytes.len().checked_sub(4 + after) {
        let crc = default_provider().crc32c(crc(SEED, &bytes[..at]), &bytes[at + 4..]);
        bytes[at..at + 4].copy_from_slice(&crc.to_le_bytes());
    }
    bytes
}

/// What a peer sends, with right checksums in its frames, as far as their lengths lead.
pub fn stream(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Ok(Some((banner, length))) = Banner::parse(&bytes) {
        let mut rest = bytes.get_mut(length..).unwrap_or_default();
        while let Some(after) = frame(rest, revision(banner)) {
            rest = after;
        }
    }
    bytes
}

/// The framing of a peer with this banner.
pub fn revision(banner: Banner) -> Revision {
    match banner.supported.contains(Msgr2Features::REVISION_1) {
        true => Revision::One,
        false => Revision::Zero,
    }
}

/// Seals the first frame, and returns what follows it; `None` if it is not complete.
fn frame(bytes: &mut [u8], revision: Revision) -> Option<&mut [u8]> {
    let (preamble, mut rest) = bytes.split_first_chunk_mut::<PREAMBLE>()?;
    let several = preamble[1] > 1;
    let (head, slot) = preamble.split_at_mut(PREAMBLE - 4);
    slot.copy_from_slice(&crc(0, head).to_le_bytes());
    let mut crcs = Vec::new();
    for (i, length) in lengths(preamble).into_iter().enumerate() {
        let (segment, after) = rest.split_at_mut_checked(length)?;
        crcs.extend(crc(SEED, segment).to_le_bytes());
        rest = after;
        if i == 0 && length > 0 && revision == Revision::One {
            let (slot, after) = rest.split_first_chunk_mut::<4>()?;
            slot.copy_from_slice(&crcs);
            rest = after;
        }
    }
    let slots = match revision {
        Revision::Zero => &crcs[..],
        Revision::One if several => &crcs[4..],
        Revision::One => return Some(rest),
    };
    let (epilogue, after) = rest.split_at_mut_checked(1 + slots.len())?;
    epilogue[1..].copy_from_slice(slots);
    Some(after)
}

fn lengths(preamble: &[u8; PREAMBLE]) -> [usize; 4] {
    let length = |i: usize| preamble[2 + 6 * i..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    std::array::from_fn(|i| length(i) as usize)
}

fn crc(start: u32, bytes: &[u8]) -> u32 {
    default_provider().crc32c(start, bytes)
}
