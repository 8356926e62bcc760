//! A peer that follows no rule: each way to waste time, memory or keys has its bound and its name.

use crate::fakes::Fake;
use crate::rig::{BANNER, Rig, client_config, example, server_config};
use axon_auth::{AuthError, Method, Mode};
use axon_proto::{Blame, Demand, Fault, Modes, Verdict};
use axon_wire::{
    AuthBadMethod, AuthDone, AuthReplyMore, AuthRequest, AuthRequestMore, Control, Frame, SessionReset,
    SessionRetry, SessionRetryGlobal, Tag, WireError, default_provider,
};

const ROUNDS: u32 = 10;

/// Says the same until the link breaks; how often it took it.
fn repeat(rig: &mut Rig, control: impl Into<Control>) -> u32 {
    let frame = Frame::Control(control.into());
    let mut taken = 0;
    while rig.fault.is_none() {
        rig.say(&frame);
        taken += 1;
        assert!(taken < 1000, "it goes on for ever");
    }
    taken - 1
}

#[test]
fn a_server_cannot_ask_for_more_for_ever() {
    let mut rig = Rig::client_in("awaiting the answer to AUTH_REQUEST");
    assert_eq!(repeat(&mut rig, AuthReplyMore { payload: Vec::new() }), ROUNDS);
    assert_eq!(rig.fault, Some(Fault::TooManyAuthRounds { limit: ROUNDS }));
}

#[test]
fn a_server_cannot_refuse_for_ever() {
    let tries: Vec<Method> = (2..100).map(Method).collect();
    let mut rig = Rig::client(client_config(), &Fake { tries, ..Fake::new() });
    rig.say_bytes(&BANNER.emit());
    rig.say(&example(Tag::Hello));
    for method in 2.. {
        let bad = AuthBadMethod { method, result: -95, allowed_methods: vec![1], allowed_modes: vec![1] };
        rig.say(&Frame::Control(bad.into()));
        if rig.fault.is_some() {
            assert_eq!(method - 2, ROUNDS);
            break;
        }
    }
    assert_eq!(rig.fault, Some(Fault::TooManyAuthRounds { limit: ROUNDS }));
}

#[test]
fn a_client_cannot_try_for_ever() {
    let mut rig = Rig::server(server_config(), &Fake::new());
    rig.say_bytes(&BANNER.emit());
    rig.say(&example(Tag::Hello));
    let request = AuthRequest { method: 77, preferred_modes: vec![1], payload: Vec::new() };
    assert_eq!(repeat(&mut rig, request), ROUNDS);
    assert_eq!(rig.fault, Some(Fault::TooManyAuthRounds { limit: ROUNDS }));
    assert_eq!(rig.heard_tags()[1..], [Tag::AuthBadMethod; ROUNDS as usize]);
}

#[test]
fn a_client_cannot_answer_for_ever() {
    let mut rig = Rig::server(server_config(), &Fake::rounds(1000));
    rig.say_bytes(&BANNER.emit());
    rig.say(&example(Tag::Hello));
    rig.say(&example(Tag::AuthRequest));
    assert_eq!(repeat(&mut rig, AuthRequestMore { payload: Vec::new() }), ROUNDS - 1);
    assert_eq!(rig.fault, Some(Fault::TooManyAuthRounds { limit: ROUNDS }));
}

#[test]
fn a_client_cannot_ask_for_sessions_for_ever() {
    let mut ident = crate::rig::client_ident();
    ident.features_supported = axon_denc::Features(0);
    let mut rig = Rig::server_in("awaiting CLIENT_IDENT");
    assert_eq!(repeat(&mut rig, ident), ROUNDS);
    assert_eq!(rig.fault, Some(Fault::TooManySessionRounds { limit: ROUNDS }));

    let mut rig = Rig::server_in("awaiting CLIENT_IDENT");
    let mut refused = 0;
    while rig.fault.is_none() {
        rig.say(&example(Tag::SessionReconnect));
        refused += u32::from(rig.fault.is_none());
        assert!(refused < 1000, "it goes on for ever");
        rig.link.verdict(rig.now, Verdict::Retry { connect_seq: 1 });
    }
    assert_eq!(refused, ROUNDS);
    assert_eq!(rig.fault, Some(Fault::TooManySessionRounds { limit: ROUNDS }));
}

#[test]
fn a_server_cannot_ask_to_retry_for_ever() {
    for control in [
        Control::SessionRetry(SessionRetry { connect_seq: u64::MAX }),
        Control::SessionRetryGlobal(SessionRetryGlobal { global_seq: u64::MAX }),
    ] {
        let mut rig = Rig::client_in("awaiting SESSION_RECONNECT_OK");
        assert_eq!(repeat(&mut rig, control), ROUNDS);
        assert_eq!(rig.fault, Some(Fault::TooManySessionRounds { limit: ROUNDS }));
    }
    // A reset is followed by an ident on the same socket, which cannot be reset again.
    let mut rig = Rig::client_in("awaiting SESSION_RECONNECT_OK");
    assert_eq!(repeat(&mut rig, SessionReset { full: true }), 1);
    assert!(matches!(rig.fault, Some(Fault::Unexpected { got: Tag::SessionReset, .. })));
}

/// After a refusal in the middle of a method there is nothing left to say.
#[test]
fn a_refused_challenge_ends_the_attempt() {
    let refuses = Some(AuthError::ChallengeUnanswered);
    for next in [Tag::AuthRequestMore, Tag::AuthRequest, Tag::AuthSignature] {
        let mut rig =
            Rig::server(server_config(), &Fake { rounds: 1, refuses: refuses.clone(), ..Fake::new() });
        rig.say_bytes(&BANNER.emit());
        for tag in [Tag::Hello, Tag::AuthRequest, Tag::AuthRequestMore] {
            rig.say(&example(tag));
        }
        assert_eq!(*rig.heard_tags().last().unwrap(), Tag::AuthBadMethod);
        assert_eq!((rig.link.state(), &rig.fault), ("refused, awaiting the end", &None));
        rig.say(&example(next));
        let state = "refused, awaiting the end";
        assert_eq!(rig.fault, Some(Fault::Unexpected { state, got: next }));
    }
}

/// Frames of legal size and number, together longer than any honest handshake.
#[test]
fn a_handshake_cannot_grow_for_ever() {
    let payload = vec![0; 60 << 10];
    let mut client = Rig::client_in("awaiting the answer to AUTH_REQUEST");
    assert_eq!(repeat(&mut client, AuthReplyMore { payload: payload.clone() }), 4);
    assert_eq!(client.fault, Some(Fault::HandshakeTooLong { limit: 256 << 10 }));

    let mut server = Rig::server(server_config(), &Fake::rounds(1000));
    server.say_bytes(&BANNER.emit());
    server.say(&example(Tag::Hello));
    server.say(&example(Tag::AuthRequest));
    assert_eq!(repeat(&mut server, AuthRequestMore { payload }), 4);
    assert_eq!(server.fault, Some(Fault::HandshakeTooLong { limit: 256 << 10 }));
}

/// A preamble with these lengths and a right checksum.
fn preamble(tag: Tag, segments: u8, lengths: [u32; 4], flags: u8) -> Vec<u8> {
    let mut out = vec![0; 32];
    out[0] = tag as u8;
    out[1] = segments;
    for (i, length) in lengths.iter().enumerate() {
        out[2 + 6 * i..6 + 6 * i].copy_from_slice(&length.to_le_bytes());
        out[6 + 6 * i..8 + 6 * i].copy_from_slice(&u16::MAX.to_le_bytes());
    }
    out[26] = flags;
    let crc = default_provider().crc32c(0, &out[..28]);
    out[28..].copy_from_slice(&crc.to_le_bytes());
    out
}

/// The fault of the preamble alone, before anything it announces is read or held.
fn fault_of(state: &str, preamble: &[u8]) -> Option<Fault> {
    let mut rig = Rig::server_in(state);
    rig.say_bytes(preamble);
    assert!(rig.fault.is_none() || matches!(rig.link.demand(), Demand::Nothing));
    rig.fault
}

#[test]
fn announced_lengths_are_judged_before_they_are_believed() {
    let control = |length| preamble(Tag::Hello, 1, [length, 0, 0, 0], 0);
    let too_long = |tag, segment, length, limit| {
        Some(Fault::Wire(WireError::SegmentTooLong { tag, segment, length, limit }))
    };
    let stranger = "awaiting HELLO";
    assert_eq!(fault_of(stranger, &control(64 << 10)), None);
    for length in [(64 << 10) + 1, u32::MAX] {
        assert_eq!(fault_of(stranger, &control(length)), too_long(Tag::Hello, 0, length, 64 << 10));
    }
    let message = |lengths| preamble(Tag::Message, 4, lengths, 0);
    let early = Some(Fault::Wire(WireError::EarlyMessage));
    assert_eq!(fault_of(stranger, &message([41, 1, 1, 1])), early);
    assert_eq!(fault_of("awaiting CLIENT_IDENT", &message([41, 1, 1, 1])), early);
    let ack = |length| preamble(Tag::Ack, 1, [length, 0, 0, 0], 0);
    assert_eq!(fault_of("open", &ack(64 << 10)), None);
    let longer = (64 << 10) + 1;
    assert_eq!(fault_of("open", &ack(longer)), too_long(Tag::Ack, 0, longer, 64 << 10));
    for (segment, limit) in (1u8..).zip([16 << 20, 16 << 20, 256 << 20]) {
        let mut lengths = [41, 1, 1, 1];
        lengths[usize::from(segment)] = limit;
        assert_eq!(fault_of("open", &message(lengths)), None);
        lengths[usize::from(segment)] = limit + 1;
        assert_eq!(fault_of("open", &message(lengths)), too_long(Tag::Message, segment, limit + 1, limit));
    }
}

#[test]
fn frames_of_impossible_shape_are_refused() {
    let wire = |error| Some(Fault::Wire(error));
    let tag = Tag::Hello;
    let state = "awaiting HELLO";
    for count in [0, 2, 4, 5, 255] {
        let expected = wire(WireError::SegmentCount { tag, count });
        assert_eq!(fault_of(state, &preamble(tag, count, [1, 1, 1, 1], 0)), expected);
    }
    let tag = Tag::Message;
    for count in [0, 5] {
        let expected = wire(WireError::SegmentCount { tag, count });
        assert_eq!(fault_of("open", &preamble(tag, count, [41, 1, 1, 1], 0)), expected);
    }
    let hollow = preamble(tag, 2, [41, 0, 0, 0], 0);
    assert_eq!(fault_of("open", &hollow), wire(WireError::EmptyLastSegment { tag }));
    // A longer header is memory that no budget counts.
    for length in [0, 40, 42, 64 << 10] {
        let other = preamble(tag, 2, [length, 1, 0, 0], 0);
        assert_eq!(fault_of("open", &other), wire(WireError::HeaderLength { length }));
    }
    for (state, tag) in [("awaiting HELLO", Tag::Hello), ("open", Tag::Message)] {
        let compressed = preamble(tag, 1, [41, 0, 0, 0], 1);
        assert_eq!(fault_of(state, &compressed), wire(WireError::Compressed { tag }));
    }
}

#[test]
fn banners_of_impossible_length_are_refused() {
    for length in [0u16, 15, 1025, u16::MAX] {
        let mut rig = Rig::server_in("awaiting the banner");
        let mut banner = BANNER.emit();
        banner[8..10].copy_from_slice(&length.to_le_bytes());
        rig.say_bytes(&banner);
        assert_eq!(rig.fault, Some(Fault::Wire(WireError::BannerLength { length })));
    }
}

#[test]
fn a_stranger_is_recognised_by_his_first_byte() {
    for hello in [&b"GET / HTTP/1.1\r\n"[..], b"SSH-2.0", b"\x16\x03\x01", b"\0"] {
        for mut rig in [Rig::server_in("awaiting the banner"), Rig::client_in("awaiting the banner")] {
            rig.say_bytes(hello);
            assert!(matches!(rig.fault, Some(Fault::Wire(WireError::NotMsgr2 { .. }))));
        }
    }
}

#[test]
fn a_mode_that_was_not_offered_is_refused() {
    let answers = |modes: Modes, tries: Vec<Method>, mode: u32| {
        let mut config = client_config();
        config.modes = modes;
        let secret = Some(vec![7; 40]);
        let mut rig = Rig::client(config, &Fake { tries, connection_secret: secret, ..Fake::new() });
        rig.say_bytes(&BANNER.emit());
        rig.say(&example(Tag::Hello));
        let done = AuthDone { global_id: 1, mode, payload: Vec::new() };
        rig.say(&Frame::Control(done.into()));
        rig.fault
    };
    let refused = |mode| Some(Fault::ModeNotOffered { mode: Mode(mode) });
    let cephx = vec![Method::CEPHX];
    assert_eq!(answers(Modes::only(Mode::SECURE), cephx.clone(), 1), refused(1));
    assert_eq!(answers(Modes::only(Mode::CRC), cephx.clone(), 2), refused(2));
    assert_eq!(answers(Modes::crc_preferred(), cephx.clone(), 0), refused(0));
    assert_eq!(answers(Modes::crc_preferred(), cephx.clone(), 3), refused(3));
    assert_eq!(answers(Modes::crc_preferred(), vec![Method::NONE], 2), refused(2));
    assert_eq!(answers(Modes::crc_preferred(), cephx, 2), None);
}

/// What was offered with one method is not offered with the next.
#[test]
fn a_mode_belongs_to_the_method_it_was_offered_with() {
    let tries = vec![Method::CEPHX, Method::NONE];
    let secret = Some(vec![7; 40]);
    let mut rig = Rig::client(client_config(), &Fake { tries, connection_secret: secret, ..Fake::new() });
    rig.say_bytes(&BANNER.emit());
    for tag in [Tag::Hello, Tag::AuthBadMethod] {
        rig.say(&example(tag));
    }
    rig.say(&Frame::Control(AuthDone { global_id: 1, mode: 2, payload: Vec::new() }.into()));
    assert_eq!(rig.fault, Some(Fault::ModeNotOffered { mode: Mode::SECURE }));
}

/// Secure mode without enough secret must not fall back to anything.
#[test]
fn a_short_connection_secret_ends_the_attempt() {
    for length in [0, 16, 39] {
        let secret = if length == 0 { None } else { Some(vec![1; length]) };
        let fake = Fake { connection_secret: secret, ..Fake::new() };
        let expected = Some(Fault::Auth(AuthError::NoConnectionSecret { length }));
        let mut config = client_config();
        config.modes = Modes::only(Mode::SECURE);
        let mut client = Rig::client(config, &fake);
        client.say_bytes(&BANNER.emit());
        client.say(&example(Tag::Hello));
        client.say(&Frame::Control(AuthDone { global_id: 1, mode: 2, payload: Vec::new() }.into()));
        assert_eq!(client.fault, expected, "client, {length} bytes");

        let mut server = Rig::server(server_config(), &fake);
        server.say_bytes(&BANNER.emit());
        server.say(&example(Tag::Hello));
        let request = AuthRequest { method: 2, preferred_modes: vec![2], payload: Vec::new() };
        server.say(&Frame::Control(request.into()));
        assert_eq!(server.fault, expected, "server, {length} bytes");
    }
}

/// Each end encrypts with its own nonces: what a peer says with the right key and the wrong ones is noise.
#[test]
fn nonces_belong_to_directions() {
    let secret: [u8; 40] = core::array::from_fn(|i| i as u8);
    let fake = Fake { connection_secret: Some(secret.to_vec()), ..Fake::new() };
    for dialled in [true, false] {
        let mut server = Rig::server(server_config(), &fake);
        server.say_bytes(&BANNER.emit());
        server.say(&example(Tag::Hello));
        server.heard();
        let request = AuthRequest { method: 2, preferred_modes: vec![2], payload: Vec::new() };
        server.say(&Frame::Control(request.into()));
        server.secure(&secret, dialled);
        server.say(&example(Tag::AuthSignature));
        let unauthentic = Some(Fault::Wire(WireError::Unauthentic { block: 0 }));
        assert_eq!(server.fault, if dialled { None } else { unauthentic });
    }
}

/// A signature where there is no key, none where there is one, and a wrong one.
#[test]
fn a_wrong_signature_is_refused() {
    for (key, signature) in [(None, [1; 32]), (Some(vec![1; 16]), [0; 32]), (Some(vec![1; 16]), [1; 32])] {
        let fake = Fake { session_key: key, ..Fake::new() };
        let mut client = Rig::client(client_config(), &fake);
        client.say_bytes(&BANNER.emit());
        for tag in [Tag::Hello, Tag::AuthDone] {
            client.say(&example(tag));
        }
        let signature = axon_wire::AuthSignature { signature };
        client.say(&Frame::Control(signature.into()));
        assert_eq!(client.fault, Some(Fault::BadSignature));
        let mut server = Rig::server(server_config(), &fake);
        server.say_bytes(&BANNER.emit());
        for tag in [Tag::Hello, Tag::AuthRequest] {
            server.say(&example(tag));
        }
        server.say(&Frame::Control(signature.into()));
        assert_eq!(server.fault, Some(Fault::BadSignature));
    }
}

/// Nothing of a session is told or taken before the peer's signature was verified.
#[test]
fn no_ident_before_the_signature() {
    let mut client = Rig::client_in("awaiting AUTH_SIGNATURE");
    assert!(!client.heard_tags().contains(&Tag::ClientIdent));
    let mut server = Rig::server_in("awaiting AUTH_SIGNATURE");
    server.say(&example(Tag::ClientIdent));
    assert!(matches!(server.fault, Some(Fault::Unexpected { got: Tag::ClientIdent, .. })));
    assert!(server.outputs.is_empty());
}

#[test]
fn a_broken_link_is_deaf_and_dumb() {
    for mut rig in [Rig::server_in("open"), Rig::client_in("open"), Rig::server_in("awaiting HELLO")] {
        rig.heard();
        rig.say(&example(Tag::Wait));
        assert!(rig.fault.is_some());
        rig.say(&example(Tag::Keepalive2));
        rig.disconnect();
        rig.wake_at(axon_proto::Instant(u64::MAX));
        rig.link.keepalive(rig.now);
        rig.link.admit();
        assert!(rig.link.verdict(rig.now, Verdict::Wait).is_none());
        assert!(rig.heard().is_empty() && rig.messages.is_empty());
        assert!(matches!(rig.link.demand(), Demand::Nothing));
        assert_eq!((rig.link.deadline(), rig.link.state()), (None, "broken"));
    }
}

/// Whoever reads the fault knows whom to blame.
#[test]
fn misbehaviour_is_blamed_on_the_peer() {
    let blames = |fault: Option<Fault>| fault.map(|fault| fault.blame());
    let oversized = preamble(Tag::Hello, 1, [u32::MAX, 0, 0, 0], 0);
    assert_eq!(blames(fault_of("awaiting HELLO", &oversized)), Some(Blame::PeerMisbehaved));
    let mut rig = Rig::server_in("open");
    rig.say(&example(Tag::Hello));
    assert_eq!(blames(rig.fault), Some(Blame::PeerMisbehaved));
    let mut rig = Rig::server_in("open");
    rig.disconnect();
    assert_eq!(blames(rig.fault), Some(Blame::Network));
}
