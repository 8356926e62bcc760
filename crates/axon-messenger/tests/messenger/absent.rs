//! Sessions whose peers do not come back, or take their time.

use crate::probe::{Probe, numbered, stays};
use crate::raw::{Claim, RawClient};
use crate::town::{MOMENT, Town, dial, socket_of, start, wait_until};
use axon_messenger::{Builder, Connection, Fault, Messenger, Policy, State, Timeouts};
use axon_proto::WakeReason;
use std::sync::Arc;
use std::time::Duration;

/// A server that keeps the sessions of its clients.
fn keeper(town: &Town, probe: &Arc<Probe>, configure: impl FnOnce(Builder) -> Builder) -> Messenger {
    start(configure(town.server("osd.3").default_policy(Policy::stateful_server())), probe)
}

/// Client number `n`, with an open session.
fn client(town: &Town, n: u64, server: &Messenger) -> (Messenger, Connection) {
    let probe = Probe::new();
    let timeouts = Timeouts { ready: Duration::from_secs(1), ..Timeouts::default() };
    let client = town.builder(&format!("client.{n}")).default_policy(Policy::lossless_client());
    let client = start(client.timeouts(timeouts), &probe);
    let connection = dial(&client, server);
    probe.wait_connect(&connection);
    (client, connection)
}

over_each! {
    fn an_abandoned_session_ends_with_what_it_had_to_say(town) {
        let probe = Probe::new();
        let server = keeper(town, &probe, |builder| builder.abandon_after(Some(MOMENT * 20)));
        drop(client(town, 1, &server));
        let there = probe.wait_accept();
        wait_until("the loss of the socket", || there.state() == State::Standby);
        there.send(numbered(5)).unwrap();
        let (fault, not_sent) = probe.wait_reset(&there);
        assert_eq!(fault, Fault::TimedOut(WakeReason::Abandoned));
        assert_eq!(not_sent.iter().map(|message| message.header.tid).collect::<Vec<_>>(), [5]);
        wait_until("nothing to be left", || server.connections() == 0 && there.queued_bytes() == 0);
    }

    fn the_one_that_has_waited_longest_makes_room(town) {
        let probe = Probe::new();
        let server = keeper(town, &probe, |builder| builder.max_absent(2));
        let mut there = Vec::new();
        for n in 1..=4 {
            let client = client(town, n, &server);
            there.push(probe.wait_accepts(n as usize).pop().unwrap());
            drop(client);
            let last = there.last().unwrap();
            wait_until("the loss of the socket", || last.state() == State::Standby);
        }
        assert_eq!(probe.wait_reset(&there[0]).0, Fault::Crowded);
        assert_eq!(probe.wait_reset(&there[1]).0, Fault::Crowded);
        assert!(stays(MOMENT, || probe.resets()) && probe.resets() == 2);
        assert_eq!((there[2].state(), there[3].state()), (State::Standby, State::Standby));
    }
}

/// Nobody can mend the session of a peer that cannot be dialled but that peer.
#[test]
fn who_cannot_be_dialled_is_not_waited_for_without_end() {
    let probe = Probe::new();
    let town = Town::tcp();
    let builder = town.server("osd.3").default_policy(Policy::lossless_peer());
    let server = start(builder.abandon_after(Some(MOMENT * 5)), &probe);
    let claim = Claim { policy: Policy::lossless_peer(), ..Claim::client(1) };
    let (peer, _) = RawClient::dial(server.addrs().first(), claim).unwrap();
    let there = probe.wait_accept();
    there.send(numbered(5)).unwrap();
    drop(peer);
    let (fault, _) = probe.wait_reset(&there);
    assert_eq!(fault, Fault::TimedOut(WakeReason::Abandoned));
    wait_until("nothing to be left", || server.connections() == 0 && there.queued_bytes() == 0);
}

/// The time begins anew with each loss, and sessions with a socket are not counted.
#[test]
fn who_comes_back_is_neither_late_nor_in_the_way() {
    let town = Town::mem();
    let probe = Probe::new();
    let limit = Duration::from_secs(3);
    let server = keeper(&town, &probe, |builder| builder.abandon_after(Some(limit)).max_absent(2));
    let clients = [1, 2].map(|n| client(&town, n, &server));
    for round in 1..=20 {
        town.network().links().iter().for_each(|link| link.cut());
        for (_, connection) in &clients {
            connection.send(numbered(round)).unwrap();
        }
        probe.wait_messages(2 * round as usize);
        std::thread::sleep(limit / 10);
    }
    assert_eq!(probe.resets(), 0);
    assert!(server.counters().reconnects >= 40, "{}", server.counters());
}

/// The server does not know the session any more; the client hears that, and the next one works.
#[test]
fn who_comes_back_too_late_is_told() {
    let town = Town::mem();
    let probe = Probe::new();
    let server = keeper(&town, &probe, |builder| builder.abandon_after(Some(MOMENT)));
    let (client, connection) = client(&town, 1, &server);
    connection.send(numbered(1)).unwrap();
    probe.wait_messages(1);
    town.network().set_unreachable(socket_of(&server), true);
    town.network().links().iter().for_each(|link| link.cut());
    probe.wait_reset(&probe.wait_accept());
    town.network().set_unreachable(socket_of(&server), false);
    wait_until("the bad news", || client.counters().resets == 1);
    connection.send(numbered(2)).unwrap();
    assert_eq!(probe.wait_messages(2)[1].header.tid, 2);
    assert_eq!((probe.resets(), connection.state()), (1, State::Open));
}
