//! What a connection promises, by the type of the peer.

use axon_denc::{EntityType, Features};

/// How sessions with one type of peer behave (Ceph: `src/msg/Policy.h`). Use the named constructors; the fields are
/// what the wire rules ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// A broken connection ends the session; nothing is kept for a resend.
    pub lossy: bool,
    /// This side never dials.
    pub server: bool,
    /// A broken session with nothing to send waits for a reason to dial instead of dialling at once.
    pub standby: bool,
    /// A peer that lost the session is told so, and so is the application.
    pub resetcheck: bool,
    /// Accepted lossy peers are registered by their address, so that a newer connection replaces the older.
    pub register_lossy_clients: bool,
    /// Features offered to this type of peer.
    pub features_supported: Features,
    /// Features without which this type of peer is refused.
    pub features_required: Features,
}

impl Policy {
    const fn new(lossy: bool, server: bool, standby: bool, resetcheck: bool, register: bool) -> Self {
        Self {
            lossy,
            server,
            standby,
            resetcheck,
            register_lossy_clients: register,
            features_supported: Features::ALL_REEF,
            features_required: Features::MSG_ADDR2,
        }
    }

    /// Dials; a broken session is gone. librados to an OSD, anything to a monitor.
    pub const fn lossy_client() -> Self {
        Self::new(true, false, false, false, true)
    }

    /// Accepts; every connection stands for itself. Monitors and managers towards clients.
    pub const fn stateless_server() -> Self {
        Self::new(true, true, false, false, false)
    }

    /// Accepts; a newer connection from the same address replaces the older. OSDs towards clients.
    pub const fn stateless_registered_server() -> Self {
        Self::new(true, true, false, false, true)
    }

    /// Dials; a broken session is resumed where it broke. CephFS clients to metadata servers.
    pub const fn lossless_client() -> Self {
        Self::new(false, false, false, true, true)
    }

    /// Accepts; keeps a broken session for its client to come back to, for as long as [`Config::abandon`](crate::Config)
    /// says. Metadata servers towards CephFS clients.
    pub const fn stateful_server() -> Self {
        Self::new(false, true, true, true, true)
    }

    /// Either side dials; a peer that restarted goes on silently. OSDs among each other.
    pub const fn lossless_peer() -> Self {
        Self::new(false, false, true, false, true)
    }

    /// Either side dials; a peer that restarted is noticed. Monitors among each other.
    pub const fn lossless_peer_reuse() -> Self {
        Self::new(false, false, true, true, true)
    }

    /// Requires `features` besides what msgr2 itself requires.
    pub const fn require(mut self, features: Features) -> Self {
        self.features_required = Features(self.features_required.0 | features.0);
        self
    }

    /// Offers exactly `features`, and what msgr2 itself requires.
    pub const fn support(mut self, features: Features) -> Self {
        self.features_supported = Features(features.0 | Features::MSG_ADDR2.0);
        self
    }
}

/// The policy for each type of peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policies {
    default: Policy,
    by_type: [Option<Policy>; EntityType::ALL.len()],
}

impl Policies {
    /// `default` for every type.
    pub const fn new(default: Policy) -> Self {
        Self { default, by_type: [None; EntityType::ALL.len()] }
    }

    /// Another policy for peers of type `kind`.
    pub fn set(&mut self, kind: EntityType, policy: Policy) {
        self.by_type[Self::index(kind)] = Some(policy);
    }

    /// The policy for peers of type `kind`.
    pub fn get(&self, kind: EntityType) -> Policy {
        self.by_type[Self::index(kind)].unwrap_or(self.default)
    }

    fn index(kind: EntityType) -> usize {
        (kind as u8).trailing_zeros() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The columns of Ceph's table of named policies: lossy, server, standby, resetcheck, register.
    #[test]
    fn named_policies_are_ceph_s() {
        let flags =
            |p: Policy| [p.lossy, p.server, p.standby, p.resetcheck, p.register_lossy_clients].map(u8::from);
        assert_eq!(flags(Policy::lossy_client()), [1, 0, 0, 0, 1]);
        assert_eq!(flags(Policy::stateless_server()), [1, 1, 0, 0, 0]);
        assert_eq!(flags(Policy::stateless_registered_server()), [1, 1, 0, 0, 1]);
        assert_eq!(flags(Policy::stateful_server()), [0, 1, 1, 1, 1]);
        assert_eq!(flags(Policy::lossless_client()), [0, 0, 0, 1, 1]);
        assert_eq!(flags(Policy::lossless_peer()), [0, 0, 1, 0, 1]);
        assert_eq!(flags(Policy::lossless_peer_reuse()), [0, 0, 1, 1, 1]);
    }

    #[test]
    fn each_type_has_its_own_policy() {
        let mut policies = Policies::new(Policy::stateless_server());
        policies.set(EntityType::Mon, Policy::lossy_client());
        assert_eq!(policies.get(EntityType::Mon), Policy::lossy_client());
        assert_eq!(policies.get(EntityType::Auth), Policy::stateless_server());
    }

    #[test]
    fn msgr2_s_own_feature_cannot_be_dropped() {
        let p = Policy::lossy_client().support(Features(0)).require(Features(1));
        assert_eq!(p.features_supported, Features::MSG_ADDR2);
        assert_eq!(p.features_required, Features(Features::MSG_ADDR2.0 | 1));
    }
}
