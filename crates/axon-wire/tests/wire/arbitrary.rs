//! Bytes from anybody.

use crate::link::*;
use axon_wire::{Banner, Control, Frame, MessageHeader, Received, Revision, Tag, default_provider};
use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;

fn any_bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..max)
}

fn any_message() -> impl Strategy<Value = Frame> {
    let header = any::<[u8; MessageHeader::LEN]>().prop_map(|b| MessageHeader::parse(&b));
    (header, any_bytes(300), any_bytes(40), any_bytes(5000)).prop_map(|(header, f, m, d)| {
        Frame::Message(axon_wire::Message { header, front: f.into(), middle: m.into(), data: d.into() })
    })
}

proptest! {
    #[test]
    fn banners_never_panic(start in 0..11usize, bytes in any_bytes(40)) {
        let real = Banner::default().emit();
        let bytes = [&real[..start], &bytes].concat();
        if let Ok(Some((_, consumed))) = Banner::parse(&bytes) {
            prop_assert!((Banner::LEN..=bytes.len()).contains(&consumed));
        }
    }

    #[test]
    fn controls_never_panic(tag in 0..22usize, payload in any_bytes(300)) {
        let tag = Tag::ALL[tag];
        if let Ok(control) = Control::decode(tag, &payload) {
            let mut again = Vec::new();
            control.encode(&mut again);
            prop_assert_eq!(Control::decode(tag, &again), Ok(control));
        }
    }

    #[test]
    fn readers_never_panic(format in 0..4usize, bytes in any_bytes(400)) {
        prop_assert!(FORMATS[format].read(&bytes).is_err());
    }

    /// With a right preamble the body is reached; in crc mode its content is anything.
    #[test]
    fn bodies_never_panic(
        revision in 0..2usize,
        tag in 0..22usize,
        lengths in any::<[u8; 4]>(),
        content in any::<u8>(),
    ) {
        let revision = [Revision::One, Revision::Zero][revision];
        let mut reader = Format::new(revision, false).reader(default_provider());
        let preamble = axon_wire::Preamble::new(Tag::ALL[tag], lengths.map(u32::from));
        if let Ok(head) = reader.open_head(&mut preamble.emit(default_provider())) {
            let body = BytesMut::from(&vec![content; head.body_len()][..]);
            let _ = reader.open_body(head, body);
        }
    }

    #[test]
    fn messages_read_back(format in 0..4usize, frames in vec(any_message(), 1..4)) {
        let mut writer = FORMATS[format].writer(default_provider());
        let mut reader = FORMATS[format].reader(default_provider());
        for frame in frames {
            let bytes = write(&mut writer, &frame);
            let (received, rest) = read(&mut reader, &bytes).unwrap();
            prop_assert_eq!(received, Received::Frame(frame));
            prop_assert!(rest.is_empty());
        }
    }
}
