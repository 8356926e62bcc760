//! Every recorded frame is read, and written again to the same bytes.

use crate::decode::{Seen, read};
use crate::tickets::Client;
use axon_testbed::{Conversation, Vector};

/// Reads a vector's conversations in order, as later ones use the tickets of earlier ones.
pub(crate) fn seen_in(vector: &Vector) -> Vec<Seen> {
    let mut client = Client::of(vector);
    vector.conversations.iter().flat_map(|said| read(said, &mut client)).collect()
}

#[test]
fn recorded_frames_are_written_again_to_the_same_bytes() {
    for (name, vector) in Vector::all().unwrap() {
        let seen = seen_in(&vector);
        println!("{name}: {} frames", seen.len());
        assert!(seen.len() >= 3 * vector.conversations.len(), "{name} has only {} frames", seen.len());
        if name.contains("-secure-") {
            assert!(seen.iter().filter(|seen| seen.secure).count() > 4, "{name} is not encrypted");
        }
    }
}

/// The other test can fail: one bit of one turn is enough, encrypted or not.
#[test]
fn a_changed_bit_is_noticed() {
    // Without keys nobody signs the banners, which are the first two turns of the last one.
    for (name, first) in [("osd-crc-pacific", 0), ("osd-secure-reef", 0), ("rev0-pacific", 2)] {
        let vector = Vector::load(name).unwrap();
        let turns = vector.conversations[0].turns().count();
        for changed in first..turns {
            let mut vector = vector.clone();
            vector.conversations[0] = with_changed_bit(&vector.conversations[0], changed);
            vector.conversations.truncate(1);
            let read = std::panic::catch_unwind(|| seen_in(&vector));
            assert!(read.is_err(), "{name}: nobody noticed a changed bit in turn {changed} of {turns}");
        }
    }
}

/// The middle byte of a turn is in a frame: nothing after it is missing, unless the recording is trimmed there.
fn with_changed_bit(said: &Conversation, changed: usize) -> Conversation {
    let mut copy = Conversation::new(&said.title);
    for (n, (direction, bytes)) in said.turns().enumerate() {
        let mut bytes = bytes.to_vec();
        if n == changed {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x10;
        }
        copy.push(direction, &bytes, usize::MAX);
    }
    copy
}
