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

/// Messages each way, cuts, late ends, restarts of either node, connections closed; whether it takes minutes.
type Bounds = ([u8; 2], u8, u8, [u8; 2], u8, bool);

const QUICK: bool = false;
const LONG: bool = true;

/// Between lossless peers.
const PEERS: [Bounds; 19] = [
    ([1, 1], 0, 0, [0, 0], 0, QUICK),
    ([1, 1], 1, 0, [0, 0], 0, QUICK),
    ([1, 1], 2, 0, [0, 0], 0, QUICK),
    ([1, 1], 0, 1, [0, 0], 0, QUICK),
    ([1, 1], 1, 1, [0, 0], 0, LONG),
    ([1, 1], 0, 0, [1, 0], 0, QUICK),
    ([1, 1], 0, 0, [0, 1], 0, QUICK),
    ([1, 1], 1, 0, [1, 0], 0, QUICK),
    ([1, 1], 1, 0, [0, 1], 0, QUICK),
    ([1, 1], 0, 0, [0, 0], 1, QUICK),
    ([1, 1], 1, 0, [0, 0], 1, QUICK),
    ([1, 1], 0, 1, [0, 0], 1, QUICK),
    ([3, 3], 0, 0, [0, 0], 0, QUICK),
    ([2, 2], 1, 0, [0, 0], 0, QUICK),
    ([3, 3], 0, 0, [1, 0], 0, QUICK),
    ([3, 3], 0, 0, [0, 1], 0, QUICK),
    ([3, 3], 1, 0, [0, 0], 0, LONG),
    ([2, 2], 1, 0, [1, 0], 0, LONG),
    ([3, 3], 1, 0, [1, 0], 0, LONG),
];

/// Between a stateful server and its client: the server never dials, so there is less to happen.
const SERVER: [Bounds; 10] = [
    ([1, 1], 0, 0, [0, 0], 0, QUICK),
    ([1, 1], 2, 1, [0, 0], 0, QUICK),
    ([1, 1], 1, 1, [1, 0], 0, QUICK),
    ([1, 1], 1, 1, [0, 1], 0, QUICK),
    ([1, 1], 1, 1, [0, 0], 1, QUICK),
    ([2, 2], 2, 0, [0, 0], 0, QUICK),
    ([3, 3], 1, 0, [1, 0], 0, QUICK),
    ([3, 3], 1, 0, [0, 1], 0, QUICK),
    ([3, 3], 2, 0, [0, 0], 0, QUICK),
    ([3, 3], 1, 0, [0, 0], 1, QUICK),
];

/// Them.
pub fn worlds() -> Vec<Named> {
    let kinds = [(Kind::Peer, &PEERS[..]), (Kind::PeerReuse, &PEERS), (Kind::Stateful, &SERVER)];
    kinds.into_iter().flat_map(|(kind, all)| all.iter().map(move |bounds| named(kind, bounds))).collect()
}

fn named(kind: Kind, &(messages, cuts, late, restarts, mark_downs, is_long): &Bounds) -> Named {
    let ([a, b], [ra, rb]) = (messages, restarts);
    let name = format!(
        "{kind:?} {a}+{b} messages, {cuts} cut, {late} late, {ra}+{rb} restarted, {mark_downs} closed"
    );
    Named { name, small: Small { messages, cuts, late, restarts, mark_downs, ..Small::new(kind) }, is_long }
}
