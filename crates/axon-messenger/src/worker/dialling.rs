//! Whom a connection dials, attempt after attempt.

use super::command::Dial;
use crate::Connection;
use crate::messenger::dialable;
use axon_denc::{AddrVec, EntityAddr, EntityType};
use axon_proto::{Ident, Policy};

/// How a connection dials.
pub(super) struct Dialling {
    dial: Dial,
    attempt: usize,
    policy: Policy,
}

impl Dialling {
    pub(super) fn new(dial: Dial, policy: Policy) -> Self {
        Self { dial, attempt: 0, policy }
    }

    /// How to dial a peer that dialled us, if the session allows it and the peer listens anywhere.
    pub(super) fn back(
        handle: &Connection,
        policy: Policy,
        ident: &Ident,
        registered: Option<AddrVec>,
    ) -> Option<Self> {
        let targets = dialable(ident.addrs());
        if policy.server || policy.lossy || targets.is_empty() {
            return None;
        }
        let dial = Dial { peer: handle.peer_type(), targets, registered };
        Some(Self::new(dial, policy))
    }

    /// The address of this attempt.
    pub(super) fn target(&self) -> EntityAddr {
        self.dial.targets[self.attempt % self.dial.targets.len()]
    }

    /// The attempt failed: the next one tries the next address.
    pub(super) fn failed(&mut self) {
        self.attempt += 1;
    }

    pub(super) fn peer(&self) -> EntityType {
        self.dial.peer
    }

    pub(super) fn policy(&self) -> Policy {
        self.policy
    }
}
