//! The worlds that are explored.

use super::Small;
use crate::Kind;

/// A world: its name, its bounds, and whether it takes minutes.
pub struct Named {
    /// What it is called.
    pub name: String,
    /// Its bounds.
    pub small: Small,
    /// Whether it is left to those who ask for it.
    pub is_long: bool,
}

/// Messages each way, cuts, late ends, restarts of either node, connections closed; whether questions wait for their
/// owners, whether there is an impostor, and whether it takes minutes.
type Bounds = ([u8; 2], u8, u8, [u8; 2], u8, How);

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Quick,
    /// Questions of session take a while to their owners.
    Deferred,
    /// An impostor claims a session.
    Imposed,
    Long,
}

use How::{Deferred, Imposed, Long, Quick};

/// Between lossless peers.
const PEERS: [Bounds; 26] = [
    ([1, 1], 0, 0, [0, 0], 0, Quick),
    ([1, 1], 1, 0, [0, 0], 0, Quick),
    ([1, 1], 2, 0, [0, 0], 0, Quick),
    ([1, 1], 0, 1, [0, 0], 0, Quick),
    ([1, 1], 1, 1, [0, 0], 0, Quick),
    ([1, 1], 0, 0, [1, 0], 0, Quick),
    ([1, 1], 0, 0, [0, 1], 0, Quick),
    ([1, 1], 1, 0, [1, 0], 0, Quick),
    ([1, 1], 1, 0, [0, 1], 0, Quick),
    ([1, 1], 0, 0, [0, 0], 1, Quick),
    ([1, 1], 1, 0, [0, 0], 1, Quick),
    ([1, 1], 0, 1, [0, 0], 1, Quick),
    ([1, 1], 1, 0, [0, 0], 1, Deferred),
    ([3, 3], 0, 0, [0, 0], 0, Quick),
    ([2, 2], 1, 0, [0, 0], 0, Quick),
    ([3, 3], 0, 0, [1, 0], 0, Quick),
    ([3, 3], 0, 0, [0, 1], 0, Quick),
    ([3, 3], 1, 0, [0, 0], 0, Long),
    ([2, 2], 1, 0, [1, 0], 0, Long),
    ([2, 2], 1, 0, [0, 1], 0, Long),
    ([3, 3], 1, 0, [1, 0], 0, Long),
    ([3, 3], 1, 0, [0, 1], 0, Long),
    ([1, 1], 0, 0, [0, 0], 0, Imposed),
    ([1, 1], 1, 0, [0, 0], 0, Imposed),
    ([1, 1], 0, 0, [0, 1], 0, Imposed),
    ([1, 1], 0, 0, [0, 0], 1, Imposed),
];

/// Between a stateful server and its client: the server never dials, so there is less to happen.
const SERVER: [Bounds; 13] = [
    ([1, 1], 0, 0, [0, 0], 0, Quick),
    ([1, 1], 2, 1, [0, 0], 0, Quick),
    ([1, 1], 1, 1, [1, 0], 0, Quick),
    ([1, 1], 1, 1, [0, 1], 0, Quick),
    ([1, 1], 1, 1, [0, 0], 1, Quick),
    ([2, 2], 2, 0, [0, 0], 0, Quick),
    ([3, 3], 1, 0, [1, 0], 0, Quick),
    ([3, 3], 1, 0, [0, 1], 0, Quick),
    ([3, 3], 2, 0, [0, 0], 0, Quick),
    ([3, 3], 1, 0, [0, 0], 1, Quick),
    ([1, 1], 1, 1, [0, 0], 0, Imposed),
    ([1, 1], 1, 0, [0, 1], 0, Imposed),
    ([1, 1], 1, 0, [0, 0], 1, Imposed),
];

/// Them.
pub fn worlds() -> Vec<Named> {
    let kinds = [(Kind::Peer, &PEERS[..]), (Kind::PeerReuse, &PEERS), (Kind::Stateful, &SERVER)];
    kinds.into_iter().flat_map(|(kind, all)| all.iter().map(move |bounds| named(kind, bounds))).collect()
}

fn named(kind: Kind, &(messages, cuts, late, restarts, mark_downs, how): &Bounds) -> Named {
    let ([a, b], [ra, rb]) = (messages, restarts);
    let (deferred, is_long, impostors) = (how == Deferred, how == Long, u8::from(how == Imposed));
    let asked = match how {
        Deferred => ", deferred",
        Imposed => ", an impostor",
        Quick | Long => "",
    };
    let name = format!(
        "{kind:?} {a}+{b} messages, {cuts} cut, {late} late, {ra}+{rb} restarted, {mark_downs} closed{asked}"
    );
    let small = Small { messages, cuts, late, restarts, mark_downs, impostors, deferred, ..Small::new(kind) };
    Named { name, small, is_long }
}
