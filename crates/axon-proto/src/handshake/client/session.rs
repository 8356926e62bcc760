//! The dialling side asks for a session.

use super::super::{Established, Next, Phase, Wires, ident_flags, is_lossy};
use super::{Client, ClientStart, Step};
use crate::{Fault, Policy};
use alloc::boxed::Box;
use axon_auth::Mode;
use axon_denc::EntityName;
use axon_wire::{ClientIdent, Control, ServerIdent};

pub(crate) struct AwaitIdent {
    start: ClientStart,
    global_id: u64,
    mode: Mode,
}

impl AwaitIdent {
    pub(super) fn begin(start: ClientStart, global_id: u64, mode: Mode, wires: Wires<'_>) -> Step {
        wires.send.control(&Control::ClientIdent(client_ident(&start, wires.config.name, global_id)))?;
        Ok(Next::Await(Client::Ident(Box::new(Self { start, global_id, mode }))))
    }

    pub(super) fn on_ident(self, ident: ServerIdent, wires: Wires<'_>) -> Step {
        let Self { start, global_id, mode } = self;
        if !ident.addrs.contains(&start.target) {
            return Err(Fault::WrongAddress { target: start.target, actual: ident.addrs });
        }
        check_features(&start.policy, &ident)?;
        wires.timeline.reached(Phase::Ident, wires.now);
        wires.receive.begin_session();
        Ok(Next::Established(Box::new(Established {
            peer: EntityName::new(start.peer, ident.gid),
            peer_addrs: ident.addrs,
            my_addrs: start.my_addrs,
            features: ident.features_supported.intersect(start.policy.features_supported),
            mode,
            revision: wires.send.revision(),
            lossy: is_lossy(ident.flags),
            global_id,
            peer_global_seq: ident.global_seq,
            identity: None,
            timeline: wires.timeline.finish(),
        })))
    }
}

fn client_ident(start: &ClientStart, name: EntityName, global_id: u64) -> ClientIdent {
    let policy = &start.policy;
    ClientIdent {
        addrs: start.my_addrs.clone(),
        target_addr: start.target,
        gid: own_number(name, global_id),
        global_seq: start.global_seq,
        features_supported: policy.features_supported,
        features_required: policy.features_required,
        flags: ident_flags(policy.lossy),
        client_cookie: start.cookie,
    }
}

/// A client that was given no number of its own is numbered by its global id, as Ceph's clients are.
fn own_number(name: EntityName, global_id: u64) -> i64 {
    if name.num == -1 && global_id != 0 { global_id.cast_signed() } else { name.num }
}

/// Both ends have what the other requires. Ceph's connector leaves the first half to the acceptor.
fn check_features(policy: &Policy, ident: &ServerIdent) -> Result<(), Fault> {
    let missing = policy.features_supported.missing(ident.features_required);
    if !missing.is_empty() {
        return Err(Fault::WeLackFeatures(missing));
    }
    let missing = ident.features_supported.missing(policy.features_required);
    if !missing.is_empty() {
        return Err(Fault::PeerLacksFeatures(missing));
    }
    Ok(())
}
