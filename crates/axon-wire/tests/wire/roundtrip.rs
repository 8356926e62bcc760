//! What was written is what is read.

use crate::link::*;
use axon_denc::{AddrVec, EntityType, Features, UTime};
use axon_wire::*;
use bytes::BytesMut;

/// One of each control frame, with every field different from zero.
pub(crate) fn every_control() -> Vec<Control> {
    let addrs: AddrVec = "[v2:10.0.0.1:3300/5,v1:10.0.0.1:6789/6]".parse().unwrap();
    let payload = vec![1, 2, 3];
    vec![
        Hello { entity_type: EntityType::Osd, peer_addr: addrs.first() }.into(),
        AuthRequest { method: 2, preferred_modes: vec![2, 1], payload: payload.clone() }.into(),
        AuthBadMethod { method: 1, result: -95, allowed_methods: vec![2], allowed_modes: vec![2, 1] }.into(),
        AuthReplyMore { payload: payload.clone() }.into(),
        AuthRequestMore { payload: payload.clone() }.into(),
        AuthDone { global_id: 4123, mode: 2, payload }.into(),
        AuthSignature { signature: [9; 32] }.into(),
        ClientIdent {
            addrs: addrs.clone(),
            target_addr: addrs.first(),
            gid: -1,
            global_seq: 3,
            features_supported: Features::ALL_REEF,
            features_required: Features::MSG_ADDR2,
            flags: IDENT_LOSSY,
            client_cookie: 4,
        }
        .into(),
        ServerIdent {
            addrs: addrs.clone(),
            gid: 5,
            global_seq: 6,
            features_supported: Features::ALL_TENTACLE,
            features_required: Features::OSDREPLYMUX,
            flags: IDENT_LOSSY,
            server_cookie: 7,
        }
        .into(),
        IdentMissingFeatures { features: Features::CEPHX_V2 }.into(),
        SessionReconnect {
            addrs,
            client_cookie: 1,
            server_cookie: 2,
            global_seq: 3,
            connect_seq: 4,
            msg_seq: 5,
        }
        .into(),
        SessionReset { full: true }.into(),
        SessionRetry { connect_seq: 1 }.into(),
        SessionRetryGlobal { global_seq: 2 }.into(),
        SessionReconnectOk { msg_seq: 3 }.into(),
        Wait.into(),
        Keepalive2 { timestamp: UTime::new(1, 2) }.into(),
        Keepalive2Ack { timestamp: UTime::new(3, 4) }.into(),
        Ack { seq: 4 }.into(),
        CompressionRequest { is_compress: true, preferred_methods: vec![1, 3] }.into(),
        CompressionDone { is_compress: true, method: 1 }.into(),
    ]
}

#[test]
fn every_frame_in_every_format_on_one_connection() {
    let mut frames: Vec<Frame> = every_control().into_iter().map(Frame::Control).collect();
    let lengths = [0, 1, 15, 16, 17, 2047, 2048, 4096, 70_000];
    for (i, a) in lengths.into_iter().enumerate() {
        let b = lengths[(i + 3) % lengths.len()];
        let shapes = [(a, 0, 0), (a, 0, b), (0, a, b), (a, b, 0), (0, 0, a), (b, a, a)];
        frames.extend(shapes.map(|(front, middle, data)| message(front, middle, data)));
    }
    for format in FORMATS {
        for (sender, receiver) in [(0, 0), (0, 1), (1, 0)] {
            let providers = providers();
            let [sender, receiver] = [sender, receiver].map(|i: usize| providers[i % providers.len()]);
            let mut writer = format.writer(sender);
            let mut reader = format.reader(receiver);
            for frame in &frames {
                let bytes = write(&mut writer, frame);
                let (received, rest) = read(&mut reader, &bytes).unwrap();
                assert_eq!(received, Received::Frame(frame.clone()), "{format:?}");
                assert!(rest.is_empty());
            }
        }
    }
}

#[test]
fn all_tags_are_covered() {
    let mut tags: Vec<Tag> = every_control().iter().map(Control::tag).collect();
    tags.push(Tag::Message);
    tags.sort();
    assert_eq!(tags, Tag::ALL);
}

#[test]
fn controls_ignore_what_newer_peers_append() {
    for control in every_control() {
        let mut payload = Vec::new();
        control.encode(&mut payload);
        for cut in 0..payload.len() {
            let error = Control::decode(control.tag(), &payload[..cut]).unwrap_err();
            assert!(matches!(error, WireError::Malformed { .. }), "{error}");
        }
        payload.extend_from_slice(b"more");
        assert_eq!(Control::decode(control.tag(), &payload), Ok(control));
    }
}

#[test]
fn many_small_frames_leave_in_one_buffer() {
    for format in FORMATS {
        let mut writer = format.writer(default_provider());
        let mut out = FrameBuf::new();
        for _ in 0..16 {
            write_to(&mut writer, &message(100, 0, 0), &mut out);
            write_to(&mut writer, &control(Ack { seq: 1 }), &mut out);
        }
        let mut pieces = Vec::new();
        out.drain_into(&mut pieces);
        assert_eq!(pieces.len(), 1, "{format:?}");
    }
}

#[test]
fn large_segments_are_sent_from_where_they_are() {
    let Frame::Message(large) = message(100, 0, 100_000) else { unreachable!() };
    for format in FORMATS.into_iter().filter(|f| !f.secure) {
        let mut out = FrameBuf::new();
        let mut writer = format.writer(default_provider());
        writer.message(&large, &mut out).unwrap();
        let mut pieces = Vec::new();
        out.drain_into(&mut pieces);
        assert_eq!(pieces.len(), 3, "what is before, the data, what is after");
        assert_eq!(pieces[1].as_ptr(), large.data.as_ptr());
    }
}

#[test]
fn received_segments_are_slices_of_the_body() {
    for format in FORMATS.into_iter().filter(|f| *f != Format::new(Revision::Zero, true)) {
        let bytes = format.bytes(&message(100, 50, 5000));
        let mut reader = format.reader(default_provider());
        let (block, body) = bytes.split_at(reader.first_block_len());
        let head = reader.open_head(&mut block.to_vec()).unwrap();
        assert_eq!(head.payload_len(), 5150);
        let body = BytesMut::from(body);
        let range = body.as_ptr_range();
        let Ok(Received::Frame(Frame::Message(m))) = reader.open_body(head, body) else {
            panic!("no message")
        };
        for segment in [m.front, m.middle, m.data] {
            assert!(range.contains(&segment.as_ptr()), "{format:?}");
        }
    }
}

#[test]
fn a_body_of_another_length_is_refused() {
    for format in FORMATS {
        let bytes = format.bytes(&message(100, 0, 0));
        for change in [-1isize, 1] {
            let mut reader = format.reader(default_provider());
            let (block, body) = bytes.split_at(reader.first_block_len());
            assert!(reader.open_head(&mut block[1..].to_vec()).is_err());
            let head = reader.open_head(&mut block.to_vec()).unwrap();
            let mut body = BytesMut::from(body);
            body.resize(body.len().strict_add_signed(change), 0);
            let error = reader.open_body(head, body).unwrap_err();
            assert_eq!(error.blame(), Blame::Local, "{error}");
        }
    }
}
