//! Which policy applies towards which type of peer: what the application said, else Ceph's habits.

use axon_denc::EntityType;
use axon_proto::{Policies, Policy};

/// What the application said, in whatever order.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    default: Option<Policy>,
    by_type: Vec<(EntityType, Policy)>,
}

impl Wanted {
    /// Towards peers of type `peer`; the last word counts.
    pub(crate) fn set(&mut self, peer: EntityType, policy: Policy) {
        self.by_type.push((peer, policy));
    }

    /// Towards all that [`set`](Self::set) does not name.
    pub(crate) fn set_default(&mut self, policy: Policy) {
        self.default = Some(policy);
    }

    /// The policies of a process of type `own`.
    pub(crate) fn policies(&self, own: EntityType) -> Policies {
        let mut policies = self.default.map_or_else(|| habits(own), Policies::new);
        for (peer, policy) in &self.by_type {
            policies.set(*peer, *policy);
        }
        policies
    }
}

/// What processes of type `own` do in Ceph on the network that all can reach. Where daemons of one kind are peers of each
/// other, or clients have sessions that outlive their sockets, the application says so.
fn habits(own: EntityType) -> Policies {
    let mut policies = Policies::new(Policy::stateless_server());
    for peer in EntityType::ALL {
        policies.set(peer, habit(own, peer));
    }
    policies
}

/// Ceph: src/ceph_osd.cc, ceph_mon.cc, mgr/DaemonServer.cc, librados/RadosClient.cc.
fn habit(own: EntityType, peer: EntityType) -> Policy {
    use EntityType::{Client, Mgr, Mon};
    match (own, peer) {
        (Client, _) => Policy::lossy_client(),
        (Mon, Mon) => Policy::lossless_peer_reuse(),
        (Mon, _) | (Mgr, Mgr) => Policy::stateless_server(),
        (_, Mon | Mgr) => Policy::lossy_client(),
        (_, _) => Policy::stateless_server(),
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_default_spares_the_types_that_have_a_policy() {
        let named = (EntityType::Osd, Policy::lossless_peer());
        let mut before = Wanted::default();
        before.set(named.0, named.1);
        before.set_default(Policy::stateful_server());
        let mut after = Wanted::default();
        after.set_default(Policy::stateful_server());
        after.set(named.0, named.1);
        for wanted in [before, after] {
            let policies = wanted.policies(EntityType::Osd);
            assert_eq!(policies.get(EntityType::Osd), Policy::lossless_peer());
            assert_eq!(policies.get(EntityType::Mon), Policy::stateful_server(), "habits give way");
            assert_eq!(policies.get(EntityType::Client), Policy::stateful_server());
        }
    }

    #[test]
    fn the_last_word_counts() {
        let mut wanted = Wanted::default();
        wanted.set(EntityType::Mds, Policy::lossy_client());
        wanted.set(EntityType::Mds, Policy::lossless_client());
        assert_eq!(wanted.policies(EntityType::Client).get(EntityType::Mds), Policy::lossless_client());
    }

    #[test]
    fn without_a_word_it_is_as_in_most_of_ceph() {
        use EntityType::{Client, Mds, Mgr, Mon, Osd};
        let client = Policy::lossy_client();
        let server = Policy::stateless_server();
        let peers = Policy::lossless_peer_reuse();
        for (own, towards) in [
            (Client, [client, client, client, client, client]),
            (Osd, [server, server, server, client, client]),
            (Mds, [server, server, server, client, client]),
            (Mgr, [server, server, server, client, server]),
            (Mon, [server, server, server, peers, server]),
        ] {
            let policies = Wanted::default().policies(own);
            let found = [Client, Osd, Mds, Mon, Mgr].map(|peer| policies.get(peer));
            assert_eq!(found, towards, "{own}");
        }
    }
}
