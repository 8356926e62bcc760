//! Which part of everything is measured: `--only`.

use crate::error::BenchError;
use crate::peer::{PROFILES, Peer};
use crate::scenario::{ROWS, Row};
use serde::{Deserialize, Serialize};

/// What is not messages per second between two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Part {
    /// Connections that do nothing.
    Idle,
    /// Connections that are opened and closed.
    Handshakes,
    /// Small requests beside large ones.
    Mixed,
    /// Clients of a real Ceph cluster.
    Rados,
}

impl Part {
    /// All of them, in the order in which they are measured.
    pub(crate) const ALL: [Self; 4] = [Self::Idle, Self::Handshakes, Self::Mixed, Self::Rados];

    /// Its word on the command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Handshakes => "handshakes",
            Self::Mixed => "mixed",
            Self::Rados => "rados",
        }
    }
}

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Only {
    scenarios: Vec<String>,
    peers: Vec<Peer>,
    parts: Vec<Part>,
}

impl Only {
    /// By the words of the command line: the name of a part, or some of the name of peers, or of scenarios.
    ///
    /// # Errors
    /// [`BenchError::Nothing`] for a word that is none of these.
    pub(crate) fn parse(words: &[String]) -> Result<Self, BenchError> {
        let mut only = Self::default();
        for word in words {
            let peers: Vec<Peer> =
                PROFILES.iter().map(|p| p.peer).filter(|peer| named(*peer, word)).collect();
            if let Some(part) = Part::ALL.into_iter().find(|part| part.word() == word) {
                only.parts.push(part);
            } else if !peers.is_empty() {
                only.peers.extend(peers);
            } else if ROWS.iter().any(|row| row.scenario.to_string().contains(word)) {
                only.scenarios.push(word.clone());
            } else {
                return Err(BenchError::Nothing(word.clone()));
            }
        }
        Ok(only)
    }

    /// Whether everything is asked for.
    pub(crate) fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the scenario of a row is.
    pub(crate) fn wants_row(&self, row: &Row) -> bool {
        let name = row.scenario.to_string();
        let some = !self.scenarios.is_empty() || !self.peers.is_empty();
        (self.is_all() || some)
            && (self.scenarios.is_empty() || self.scenarios.iter().any(|word| name.contains(word)))
    }

    /// Whether a peer is. Axon always is: all bars compare with it, and that has to be in the same run.
    pub(crate) fn wants_peer(&self, peer: Peer) -> bool {
        self.peers.is_empty() || peer == Peer::Axon || self.peers.contains(&peer)
    }

    /// Whether somebody in this row is, besides Axon.
    pub(crate) fn wants_somebody_of(&self, row: &Row) -> bool {
        self.peers.is_empty() || self.peers.iter().any(|peer| peer.takes_part(row))
    }

    /// Whether a part is.
    pub(crate) fn wants_part(&self, part: Part) -> bool {
        self.is_all() || self.parts.contains(&part)
    }
}

fn named(peer: Peer, word: &str) -> bool {
    peer.profile().title.to_lowercase().contains(&word.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(words: &[&str]) -> Only {
        Only::parse(&words.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn nothing_said_is_everything() {
        let all = only(&[]);
        assert!(ROWS.iter().all(|row| all.wants_row(row) && all.wants_somebody_of(row)));
        assert!(PROFILES.iter().all(|profile| all.wants_peer(profile.peer)));
        assert!(Part::ALL.into_iter().all(|part| all.wants_part(part)));
    }

    #[test]
    fn a_part_alone() {
        let rados = only(&["rados"]);
        assert!(rados.wants_part(Part::Rados) && !rados.wants_part(Part::Idle));
        assert!(!ROWS.iter().any(|row| rados.wants_row(row)));
    }

    #[test]
    fn a_peer_beside_axon() {
        let nng = only(&["nng"]);
        assert!(nng.wants_peer(Peer::Nng) && nng.wants_peer(Peer::Axon) && !nng.wants_peer(Peer::Cpp));
        let rows: Vec<_> =
            ROWS.iter().filter(|row| nng.wants_row(row) && nng.wants_somebody_of(row)).collect();
        assert!(!rows.is_empty() && rows.iter().all(|row| Peer::Nng.takes_part(row)));
        assert!(!nng.wants_part(Part::Rados));
    }

    #[test]
    fn a_scenario_with_all_its_peers() {
        let one = only(&["64 KiB, 16 in flight"]);
        assert!(ROWS.iter().any(|row| one.wants_row(row)) && !ROWS.iter().all(|row| one.wants_row(row)));
        assert!(one.wants_peer(Peer::Cpp));
    }

    #[test]
    fn an_unknown_word_is_an_error() {
        assert!(matches!(Only::parse(&["pigeons".into()]), Err(BenchError::Nothing(_))));
    }
}
