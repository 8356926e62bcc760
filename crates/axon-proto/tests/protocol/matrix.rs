//! Every frame in every state, on both sides: the whole state machine on one page.

use crate::rig::{Rig, example, name, tag_of};
use axon_proto::Fault;
use axon_wire::Tag;
use expect_test::expect;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What became of the link: its next state, or the fault.
fn outcome(mut rig: Rig, tag: Tag) -> String {
    rig.heard();
    let before = rig.link.state();
    rig.say(&example(tag));
    let answers: Vec<String> = rig.heard().iter().map(|frame| tag_of(frame).to_string()).collect();
    let answers = if answers.is_empty() { String::new() } else { format!(", {}", answers.join(" ")) };
    match &rig.fault {
        Some(Fault::Unexpected { state, got }) => {
            assert_eq!((*state, *got), (before, tag), "the fault names the state and the frame");
            assert_eq!(answers, "");
            ".".into()
        }
        Some(fault) => format!("{}{answers}", name(fault)),
        None => format!("-> {}{answers}", rig.link.state()),
    }
}

/// One line per state and outcome; frames that are simply not legal in a state (fault `Unexpected`) are left out and
/// counted in the end.
fn table(states: &[&str], rig: fn(&str) -> Rig) -> String {
    let mut out = String::new();
    for state in states {
        let mut cells: BTreeMap<String, Vec<Tag>> = BTreeMap::new();
        for tag in Tag::ALL {
            cells.entry(outcome(rig(state), tag)).or_default().push(tag);
        }
        writeln!(out, "{state}").unwrap();
        let unexpected = cells.remove(".").map_or(0, |tags| tags.len());
        for (outcome, tags) in cells {
            let tags: Vec<&str> = tags.iter().map(|tag| tag.as_str()).collect();
            let tags = if tags.len() == Tag::ALL.len() { "every frame".into() } else { tags.join(" ") };
            writeln!(out, "    {tags:34} {outcome}").unwrap();
        }
        if unexpected > 0 {
            writeln!(out, "    {:34} Unexpected", format!("the other {unexpected}")).unwrap();
        }
    }
    out
}

#[test]
fn client() {
    let states = [
        "awaiting the banner",
        "awaiting HELLO",
        "awaiting the answer to AUTH_REQUEST",
        "awaiting AUTH_SIGNATURE",
        "awaiting SERVER_IDENT",
        "awaiting SESSION_RECONNECT_OK",
        "open",
    ];
    expect![[r#"
        awaiting the banner
            every frame                        Wire NotMsgr2
        awaiting HELLO
            HELLO                              -> awaiting the answer to AUTH_REQUEST, AUTH_REQUEST
            MESSAGE                            Wire EarlyMessage
            the other 20                       Unexpected
        awaiting the answer to AUTH_REQUEST
            AUTH_DONE                          -> awaiting AUTH_SIGNATURE, AUTH_SIGNATURE
            AUTH_REPLY_MORE                    -> awaiting the answer to AUTH_REQUEST, AUTH_REQUEST_MORE
            AUTH_BAD_METHOD                    Auth MethodRefused
            MESSAGE                            Wire EarlyMessage
            the other 18                       Unexpected
        awaiting AUTH_SIGNATURE
            AUTH_SIGNATURE                     -> awaiting SERVER_IDENT, CLIENT_IDENT
            MESSAGE                            Wire EarlyMessage
            the other 20                       Unexpected
        awaiting SERVER_IDENT
            SERVER_IDENT                       -> open
            WAIT                               ToldToWait
            IDENT_MISSING_FEATURES             WeLackFeatures
            MESSAGE                            Wire EarlyMessage
            the other 18                       Unexpected
        awaiting SESSION_RECONNECT_OK
            SESSION_RESET                      -> awaiting SERVER_IDENT, CLIENT_IDENT
            SESSION_RETRY SESSION_RETRY_GLOBAL -> awaiting SESSION_RECONNECT_OK, SESSION_RECONNECT
            SESSION_RECONNECT_OK               -> open
            WAIT                               ToldToWait
            MESSAGE                            Wire EarlyMessage
            the other 16                       Unexpected
        open
            MESSAGE KEEPALIVE2_ACK ACK         -> open
            KEEPALIVE2                         -> open, KEEPALIVE2_ACK
            the other 18                       Unexpected
    "#]]
    .assert_eq(&table(&states, Rig::client_in));
}

#[test]
fn server() {
    let states = [
        "awaiting the banner",
        "awaiting HELLO",
        "awaiting AUTH_REQUEST",
        "awaiting AUTH_REQUEST_MORE",
        "awaiting AUTH_SIGNATURE",
        "awaiting CLIENT_IDENT",
        "deciding about a session",
        "open",
    ];
    expect![[r#"
        awaiting the banner
            every frame                        Wire NotMsgr2
        awaiting HELLO
            HELLO                              -> awaiting AUTH_REQUEST
            MESSAGE                            Wire EarlyMessage
            the other 20                       Unexpected
        awaiting AUTH_REQUEST
            AUTH_REQUEST                       -> awaiting AUTH_REQUEST_MORE, AUTH_REPLY_MORE
            MESSAGE                            Wire EarlyMessage
            the other 20                       Unexpected
        awaiting AUTH_REQUEST_MORE
            AUTH_REQUEST_MORE                  -> awaiting AUTH_SIGNATURE, AUTH_DONE AUTH_SIGNATURE
            MESSAGE                            Wire EarlyMessage
            the other 20                       Unexpected
        awaiting AUTH_SIGNATURE
            AUTH_SIGNATURE                     -> awaiting CLIENT_IDENT
            MESSAGE                            Wire EarlyMessage
            the other 20                       Unexpected
        awaiting CLIENT_IDENT
            CLIENT_IDENT SESSION_RECONNECT     -> deciding about a session
            MESSAGE                            Wire EarlyMessage
            the other 19                       Unexpected
        deciding about a session
            every frame                        -> deciding about a session
        open
            MESSAGE KEEPALIVE2_ACK ACK         -> open
            KEEPALIVE2                         -> open, KEEPALIVE2_ACK
            the other 18                       Unexpected
    "#]]
    .assert_eq(&table(&states, Rig::server_in));
}
