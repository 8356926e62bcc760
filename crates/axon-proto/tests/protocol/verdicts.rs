//! The acceptor's answers to who asks for a session.

use crate::rig::{Rig, example};
use axon_proto::{Demand, Fault, Verdict};
use axon_wire::Tag;

/// The acceptor stays on the socket after every refusal, and takes another ident.
#[test]
fn refusals_of_a_session_keep_the_socket() {
    let refusals = [
        (Verdict::Reset { full: true }, Tag::SessionReset),
        (Verdict::Retry { connect_seq: 3 }, Tag::SessionRetry),
        (Verdict::RetryGlobal { global_seq: 3 }, Tag::SessionRetryGlobal),
        (Verdict::Wait, Tag::Wait),
    ];
    for (verdict, answer) in refusals {
        for ident in [Tag::ClientIdent, Tag::SessionReconnect] {
            let mut rig = Rig::server_in("awaiting CLIENT_IDENT");
            rig.heard();
            rig.say(&example(ident));
            assert!(rig.link.verdict(rig.now, verdict).is_none());
            assert_eq!(rig.heard_tags(), [answer]);
            rig.say(&example(Tag::ClientIdent));
            rig.accept();
            assert_eq!(rig.link.state(), "open");
        }
    }
}

#[test]
fn a_reconnect_cannot_be_accepted_without_a_session() {
    for (ident, verdict) in [
        (Tag::SessionReconnect, Verdict::Accept { global_seq: 1, cookie: 0 }),
        (Tag::SessionReconnect, Verdict::Drop),
        (Tag::ClientIdent, Verdict::Drop),
    ] {
        let mut rig = Rig::server_in("awaiting CLIENT_IDENT");
        rig.say(&example(ident));
        assert!(rig.link.verdict(rig.now, verdict).is_none());
        rig.say_bytes(&[]);
        assert_eq!(rig.fault, Some(Fault::Stale));
    }
}

/// What came with the ident is read after the verdict, not lost and not before.
#[test]
fn nothing_is_read_while_a_verdict_is_awaited() {
    let mut rig = Rig::server_in("awaiting CLIENT_IDENT");
    let mut bytes = rig.write(&example(Tag::ClientIdent));
    bytes.extend(rig.write(&example(Tag::Message)));
    rig.say_bytes(&bytes);
    assert_eq!(rig.link.state(), "deciding about a session");
    assert!(matches!(rig.link.demand(), Demand::Nothing));
    assert!(rig.messages.is_empty());
    rig.accept();
    assert_eq!(rig.messages.len(), 1);
}

/// A verdict that nobody asked for changes nothing.
#[test]
fn a_verdict_out_of_turn_is_ignored() {
    for mut rig in [Rig::server_in("open"), Rig::server_in("awaiting CLIENT_IDENT"), Rig::client_in("open")] {
        let state = rig.link.state();
        assert!(rig.link.verdict(rig.now, Verdict::Wait).is_none());
        assert_eq!(rig.link.state(), state);
    }
}
