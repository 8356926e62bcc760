//! The worlds that are explored.

use super::Small;
use crate::Kind;

/// Them, by name.
pub fn worlds() -> Vec<(String, Small)> {
    let mut worlds = Vec::new();
    for kind in [Kind::Peer, Kind::PeerReuse, Kind::Stateful] {
        let base = Small::new(kind);
        let mut add = |messages: [u8; 2], cuts, restarts: [u8; 2], mark_downs| {
            let [a, b] = messages;
            let [ra, rb] = restarts;
            let name =
                format!("{kind:?} {a}+{b} messages {cuts} cuts {ra}+{rb} restarts {mark_downs} closed");
            worlds.push((name, Small { messages, cuts, restarts, mark_downs, ..base.clone() }));
        };
        add([1, 1], 0, [0, 0], 0);
        add([1, 1], 1, [0, 0], 0);
        add([1, 1], 2, [0, 0], 0);
        add([1, 1], 0, [1, 0], 0);
        add([1, 1], 0, [0, 1], 0);
        add([1, 1], 1, [1, 0], 0);
        add([1, 1], 1, [0, 1], 0);
        add([1, 1], 0, [0, 0], 1);
        add([1, 1], 1, [0, 0], 1);
        add([3, 3], 0, [0, 0], 0);
        add([2, 2], 1, [0, 0], 0);
        add([3, 3], 1, [0, 0], 0);
    }
    worlds
}
