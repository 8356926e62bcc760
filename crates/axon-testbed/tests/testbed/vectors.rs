//! Every recorded frame is read, and written again to the same bytes.

use crate::decode::{Seen, read};
use crate::tickets::Client;
use axon_testbed::Vector;

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
