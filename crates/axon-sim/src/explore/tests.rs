use super::{Exploration, Small, explore};
use crate::{Kind, Violation};
use axon_proto::{
    Existing, IdentVerdict, IncomingIdent, IncomingReconnect, ReconnectVerdict, Tables, decide_client_ident,
    decide_reconnect,
};

const LOSSLESS: [Kind; 3] = [Kind::Peer, Kind::PeerReuse, Kind::Stateful];

fn with_impostor(kind: Kind, tables: fn() -> Tables) -> Exploration {
    explore(&Small { messages: [1, 1], impostors: 1, tables, ..Small::new(kind) }, 10_000, 1)
}

fn anybody_begins(existing: Option<&Existing>, incoming: &IncomingIdent) -> IdentVerdict {
    decide_client_ident(existing, &IncomingIdent { foreign: false, ..*incoming })
}

fn anybody_resumes(existing: Option<&Existing>, incoming: &IncomingReconnect) -> ReconnectVerdict {
    decide_reconnect(existing, &IncomingReconnect { foreign: false, ..*incoming })
}

#[test]
fn an_impostor_gets_nothing() {
    for kind in LOSSLESS {
        let found = with_impostor(kind, Tables::default);
        assert_eq!(found.violation, None, "{kind:?}");
        assert!(!found.cut_short, "{kind:?}");
    }
}

#[test]
fn an_impostor_that_is_let_in_is_noticed() {
    let begins = || Tables { client_ident: anybody_begins, ..Tables::default() };
    let resumes = || Tables { reconnect: anybody_resumes, ..Tables::default() };
    for kind in LOSSLESS {
        for tables in [begins, resumes] as [fn() -> Tables; 2] {
            let violation = with_impostor(kind, tables).violation.map(|(violation, _)| violation);
            let is_it = |v: &Violation| {
                matches!(v, Violation::Leaked(_) | Violation::Forged | Violation::NeedlessReset)
            };
            assert!(violation.as_ref().is_some_and(is_it), "{kind:?}: {violation:?}");
        }
    }
}

fn panics(_: Option<&Existing>, _: &IncomingReconnect) -> ReconnectVerdict {
    panic!("nobody may resume")
}

#[test]
fn a_panic_is_a_violation_with_its_story() {
    let tables = || Tables { reconnect: panics, ..Tables::default() };
    let small = Small { messages: [1, 1], cuts: 1, tables, ..Small::new(Kind::Peer) };
    let (violation, story) = explore(&small, 10_000, 2).violation.expect("it panics");
    assert_eq!(violation, Violation::Panicked("nobody may resume".into()));
    let [cut, asks, panic] = ["is cut", "> SESSION_RECONNECT", "a panic: nobody may resume"]
        .map(|line| story.find(line).unwrap_or_else(|| panic!("no {line:?} in\n{story}")));
    assert!(cut < asks && asks < panic, "{story}");
}
