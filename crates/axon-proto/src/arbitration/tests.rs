//! Each row by name, each with the rows before it not matching.

use super::*;
use alloc::string::String;
use core::fmt::Write;
use expect_test::expect;

const DIALLING: Existing = Existing {
    closed: false,
    replacing: false,
    lossy: false,
    server: false,
    settled: false,
    asking: false,
    mutual: false,
    client_cookie: 7,
    server_cookie: 0,
    peer_global_seq: 5,
    connect_seq: 2,
    sent: 10,
};

const IDENT: IncomingIdent = IncomingIdent {
    global_seq: 5,
    cookie: 8,
    registered: true,
    resetcheck: false,
    foreign: false,
    peer_to_mine: Ordering::Greater,
};

const RECONNECT: IncomingReconnect = IncomingReconnect {
    client_cookie: 7,
    server_cookie: 9,
    in_seq: 10,
    global_seq: 5,
    connect_seq: 2,
    resetcheck: false,
    foreign: false,
    peer_to_mine: Ordering::Greater,
};

#[test]
fn every_row_of_client_ident() {
    let ex = DIALLING;
    let open = Existing { settled: true, server_cookie: 9, ..ex };
    let rows = [
        ("unregistered", Some(open), IncomingIdent { registered: false, ..IDENT }),
        ("nobody", None, IDENT),
        (
            "closed",
            Some(Existing { closed: true, replacing: true, ..ex }),
            IncomingIdent { foreign: true, ..IDENT },
        ),
        ("foreign", Some(Existing { replacing: true, ..ex }), IncomingIdent { foreign: true, ..IDENT }),
        ("replacing", Some(Existing { replacing: true, peer_global_seq: 6, ..ex }), IDENT),
        ("stale", Some(Existing { peer_global_seq: 6, lossy: true, ..ex }), IDENT),
        ("lossy", Some(Existing { lossy: true, ..open }), IDENT),
        ("restarted", Some(open), IDENT),
        ("restarted, checked", Some(open), IncomingIdent { resetcheck: true, ..IDENT }),
        ("late", Some(Existing { mutual: true, ..open }), IncomingIdent { cookie: 7, ..IDENT }),
        ("resumed", Some(open), IncomingIdent { cookie: 7, resetcheck: true, ..IDENT }),
        ("settled", Some(Existing { settled: true, ..ex }), IDENT),
        ("race-lost by address", Some(ex), IncomingIdent { peer_to_mine: Ordering::Less, ..IDENT }),
        ("race-lost as server", Some(Existing { server: true, ..ex }), IDENT),
        ("race-won", Some(ex), IDENT),
    ];
    let mut table = String::new();
    for (name, existing, incoming) in rows {
        writeln!(table, "{name:20} {:?}", decide_client_ident(existing.as_ref(), &incoming)).unwrap();
    }
    expect![[r#"
        unregistered         Begin
        nobody               Begin
        closed               Begin
        foreign              Refuse
        replacing            Wait { kick: false }
        stale                Stale
        lossy                Replace
        restarted            Reuse { reset: false }
        restarted, checked   Reuse { reset: true }
        late                 Stale
        resumed              Reuse { reset: false }
        settled              Reuse { reset: false }
        race-lost by address Reuse { reset: false }
        race-lost as server  Reuse { reset: false }
        race-won             Wait { kick: true }
    "#]]
    .assert_eq(&table);
}

#[test]
fn every_row_of_reconnect() {
    let ex = Existing { server_cookie: 9, settled: true, ..DIALLING };
    let rows = [
        ("nobody", None, RECONNECT),
        ("closed", Some(Existing { closed: true, ..ex }), IncomingReconnect { foreign: true, ..RECONNECT }),
        (
            "foreign",
            Some(Existing { replacing: true, ..ex }),
            IncomingReconnect { foreign: true, ..RECONNECT },
        ),
        ("replacing", Some(Existing { replacing: true, client_cookie: 1, ..ex }), RECONNECT),
        ("other-session", Some(Existing { client_cookie: 1, ..ex }), RECONNECT),
        (
            "other, checked",
            Some(Existing { client_cookie: 1, ..ex }),
            IncomingReconnect { resetcheck: true, ..RECONNECT },
        ),
        ("asking", Some(Existing { server_cookie: 0, asking: true, ..ex }), RECONNECT),
        ("half-open", Some(Existing { server_cookie: 0, peer_global_seq: 6, ..ex }), RECONNECT),
        ("other-beginning", Some(Existing { server_cookie: 8, ..ex }), RECONNECT),
        ("other, at stake", Some(Existing { server_cookie: 8, mutual: true, ..ex }), RECONNECT),
        ("beyond", Some(Existing { sent: 9, ..ex }), RECONNECT),
        ("stale", Some(Existing { peer_global_seq: 6, connect_seq: 3, ..ex }), RECONNECT),
        ("behind", Some(Existing { connect_seq: 3, ..ex }), RECONNECT),
        ("race-won", Some(ex), RECONNECT),
        ("race-lost", Some(ex), IncomingReconnect { peer_to_mine: Ordering::Less, ..RECONNECT }),
        ("race as server", Some(Existing { server: true, ..ex }), RECONNECT),
        ("ahead", Some(ex), IncomingReconnect { connect_seq: 3, ..RECONNECT }),
    ];
    let mut table = String::new();
    for (name, existing, incoming) in rows {
        writeln!(table, "{name:15} {:?}", decide_reconnect(existing.as_ref(), &incoming)).unwrap();
    }
    expect![[r#"
        nobody          Reset { full: true }
        closed          Reset { full: true }
        foreign         Refuse
        replacing       RetryGlobal { global_seq: 5 }
        other-session   Reset { full: false }
        other, checked  Reset { full: true }
        asking          Wait
        half-open       Reset { full: false }
        other-beginning Reset { full: false }
        other, at stake Reset { full: true }
        beyond          Reset { full: true }
        stale           RetryGlobal { global_seq: 6 }
        behind          Retry { connect_seq: 3 }
        race-won        Wait
        race-lost       Resume
        race as server  Resume
        ahead           Resume
    "#]]
    .assert_eq(&table);
}

/// Of two ends that dial each other at once, exactly one accepts the other's socket.
#[test]
fn mirrored_races_have_one_winner() {
    let race = |peer_to_mine| decide_client_ident(Some(&DIALLING), &IncomingIdent { peer_to_mine, ..IDENT });
    assert_eq!(race(Ordering::Less), IdentVerdict::Reuse { reset: false });
    assert_eq!(race(Ordering::Greater), IdentVerdict::Wait { kick: true });
}
