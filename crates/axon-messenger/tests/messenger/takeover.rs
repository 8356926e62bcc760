//! Who may carry a session on: its owner, whose present socket says what holds, and nobody else.

use crate::probe::{News, Probe, filled, numbered};
use crate::raw::{Claim, RawClient};
use crate::town::{Town, dial, start, unused_addr, wait_until};
use axon_auth::Identity;
use axon_messenger::{
    AddrVec, Connection, EntityAddr, EntityName, EntityType, Features, Messenger, Nonce, Policy, State,
};
use axon_proto::{Established, Resume};
use std::sync::Arc;

/// A server that keeps the sessions of its clients, or at least knows who they are.
fn server(town: &Town, policy: Policy) -> (Messenger, Arc<Probe>, EntityAddr) {
    let probe = Probe::new();
    let server = start(town.server("osd.3").default_policy(policy), &probe);
    let target = server.addrs().first();
    (server, probe, target)
}

/// Client 1, in its `attempt`th life.
fn owner(policy: Policy, attempt: u64) -> Claim {
    Claim { policy, global_seq: attempt, cookie: 10 * attempt, ..Claim::client(1) }
}

/// Client 2, which says that it is where client 1 is.
fn impostor(policy: Policy) -> Claim {
    let name = EntityName::new(EntityType::Client, 2);
    Claim { name, ..owner(policy, 1000) }
}

fn question(established: &Established) -> Option<Resume> {
    Some(Resume { server_cookie: established.server_cookie, connect_seq: 1, in_seq: 0 })
}

fn name_of(connection: &Connection) -> String {
    let Identity { name, .. } = connection.identity().expect("it was accepted");
    assert_eq!(connection.peer_name().map(|peer| peer.to_string()), Some(name.to_string()));
    name.to_string()
}

#[test]
fn another_entity_does_not_get_a_session() {
    for (theirs, ours) in [
        (Policy::lossless_client(), Policy::stateful_server()),
        (Policy::lossless_peer(), Policy::lossless_peer()),
        (Policy::lossy_client(), Policy::stateless_registered_server()),
    ] {
        let (_server, probe, target) = server(&Town::tcp(), ours);
        let (mut rightful, established) = RawClient::dial(target, owner(theirs, 1)).unwrap();
        let there = probe.wait_accept();
        there.send(numbered(9)).unwrap();
        assert!(RawClient::dial(target, impostor(theirs)).is_err(), "the name is another");
        if !theirs.lossy {
            let again = Claim { cookie: 10, resume: question(&established), ..impostor(theirs) };
            assert!(RawClient::resume(target, again).is_err(), "even who knows the session's name");
        }
        rightful.send(filled(1, 1000)).unwrap();
        assert_eq!(probe.wait_messages(1)[0].header.tid, 1);
        assert_eq!((name_of(&there), there.state(), probe.resets()), ("client.1".into(), State::Open, 0));
    }
}

/// Of whom this side dials it knows the type.
#[test]
fn a_session_with_a_daemon_is_not_for_a_client() {
    let (server, probe, target) = server(&Town::tcp(), Policy::lossless_peer());
    let addrs = AddrVec(vec![EntityAddr::msgr2(unused_addr(), 1)]);
    let mine = server.connect(EntityType::Mds, &addrs).unwrap();
    probe.wait_refused(|_| true);
    let claim = Claim { addrs, ..owner(Policy::lossless_peer(), 1000) };
    assert!(RawClient::dial(target, claim).is_err(), "the type is another");
    assert!(mine.state() != State::Open && mine.established().is_none());
}

/// Who answered this side's dial is a daemon, though nobody knows which: what waits for it is not for a client that says it is
/// one and has its address.
#[test]
fn a_session_that_this_side_dialled_is_for_daemons_only() {
    let town = Town::tcp();
    let (server, probe, target) = server(&town, Policy::lossless_peer());
    let at_peer = Probe::new();
    let peer = town.server("osd.4").default_policy(Policy::lossless_peer());
    let peer = start(peer, &at_peer);
    let mine = dial(&server, &peer);
    probe.wait_connect(&mine);
    let claim = || Claim {
        name: EntityName::new(EntityType::Osd, 4),
        addrs: peer.addrs(),
        ..owner(Policy::lossless_peer(), u64::MAX >> 8)
    };
    assert!(RawClient::dial(target, claim()).is_err(), "the name it proves is a client's");
    mine.send(numbered(7)).unwrap();
    assert_eq!(at_peer.wait_messages(1)[0].header.tid, 7);
    assert_eq!((mine.state(), probe.resets()), (State::Open, 0));
}

/// It is turned away at first, as its name is not the session's, which ends when this side has asked at the address.
#[test]
fn who_gets_the_address_of_a_daemon_that_is_gone_gets_in() {
    let town = Town::tcp();
    let (server, probe, _) = server(&town, Policy::lossless_peer());
    let address = unused_addr();
    for (round, name) in (1..).zip(["osd.1", "osd.2", "osd.1"]) {
        let at_peer = Probe::new();
        let peer = town.builder(name).bind(address).nonce(Nonce::fixed(5));
        let peer = start(peer.default_policy(Policy::lossless_peer()), &at_peer);
        dial(&peer, &server).send(numbered(round)).unwrap();
        assert_eq!(probe.wait_messages(round as usize).last().unwrap().header.tid, round);
        drop(peer);
        let there = server.connect(EntityType::Osd, &probe.wait_accept().peer_addrs()).unwrap();
        wait_until("the loss of the socket", || there.state() != State::Open);
        assert_eq!(there.peer_name().unwrap().to_string(), name);
    }
}

/// A restarted peer may be of another version, and what it can read is what holds.
#[test]
fn its_owner_gets_it_and_what_was_agreed_is_new() {
    let (_server, probe, target) = server(&Town::tcp(), Policy::stateful_server());
    let first = RawClient::dial(target, owner(Policy::lossless_client(), 1)).unwrap();
    let there = probe.wait_accept();
    let before = there.features().unwrap();
    let older = Policy::lossless_client().support(Features::NONE);
    let (mut second, established) =
        RawClient::dial(target, Claim { global_id: 7, ..owner(older, 2) }).unwrap();
    assert_eq!(probe.wait_accepts(2)[1], there, "the session is the application's all along");
    assert_ne!(before, established.features);
    assert_eq!((there.features(), there.global_id()), (Some(established.features), Some(7)));
    assert_eq!(name_of(&there), "client.1");
    second.send(numbered(1)).unwrap();
    probe.wait_messages(1);
    drop(first);
}

#[test]
fn a_resumed_session_has_the_identity_of_its_new_socket() {
    let (server, probe, target) = server(&Town::tcp(), Policy::stateful_server());
    let older = Policy::lossless_client().support(Features::NONE);
    let (_first, established) = RawClient::dial(target, owner(older, 1)).unwrap();
    let there = probe.wait_accept();
    let again = Claim { resume: question(&established), cookie: 10, global_id: 7, ..owner(older, 2) };
    let mut second = RawClient::resume(target, again).unwrap();
    second.send(numbered(1)).unwrap();
    probe.wait_messages(1);
    assert_eq!(server.counters().reconnects, 1);
    let told = probe.log();
    let at = |wanted: fn(&News) -> bool| told.iter().position(|entry| wanted(&entry.news)).expect("news");
    assert!(at(|news| matches!(news, News::FastResumed(7))) < at(|news| matches!(news, News::Message(_))));
    assert_eq!((there.global_id(), there.identity().unwrap().global_id), (Some(7), 7));
    assert_eq!(there.features(), Some(established.features), "the process is the same");
    assert_eq!((there.state(), there.peer_addrs()), (State::Open, Claim::client(1).addrs));
}
