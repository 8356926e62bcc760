use super::*;
use alloc::vec::Vec;

const OURS: Banner = Banner { supported: Msgr2Features::REVISION_1, required: Msgr2Features::NONE };

#[test]
fn the_first_26_bytes() {
    let bytes = OURS.emit();
    assert_eq!(&bytes[..], b"ceph v2\n\x10\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    assert_eq!(Banner::parse(&bytes), Ok(Some((OURS, 26))));
}

#[test]
fn every_prefix_waits_for_more() {
    let bytes = OURS.emit();
    for cut in 0..bytes.len() {
        assert_eq!(Banner::parse(&bytes[..cut]), Ok(None), "{cut} bytes");
    }
}

#[test]
fn what_newer_peers_append_is_skipped() {
    let mut bytes = OURS.emit().to_vec();
    bytes[8] = 19;
    bytes.extend_from_slice(b"newHELLO");
    for cut in 0..29 {
        assert_eq!(Banner::parse(&bytes[..cut]), Ok(None));
    }
    assert_eq!(Banner::parse(&bytes), Ok(Some((OURS, 29))));
}

#[test]
fn payload_lengths_have_bounds() {
    for (length, fine) in [(0u16, false), (15, false), (16, true), (1024, true), (1025, false)] {
        let mut bytes = OURS.emit().to_vec();
        bytes[8..10].copy_from_slice(&length.to_le_bytes());
        bytes.resize(2000, 0);
        let parsed = Banner::parse(&bytes);
        match fine {
            true => assert_eq!(parsed, Ok(Some((OURS, 10 + usize::from(length))))),
            false => assert_eq!(parsed, Err(WireError::BannerLength { length })),
        }
    }
}

#[test]
fn strangers_are_recognised_at_once() {
    assert_eq!(Banner::parse(b"ceph v0"), Err(WireError::LegacyPeer));
    assert_eq!(Banner::parse(b"ceph v027\0\0"), Err(WireError::LegacyPeer));
    assert_eq!(Banner::parse(b"ceph v"), Ok(None));
    assert_eq!(Banner::parse(b"GET / HTTP/1.1\r\n"), Err(WireError::NotMsgr2 { prefix: *b"GET / HT" }));
    assert_eq!(Banner::parse(b"S"), Err(WireError::NotMsgr2 { prefix: *b"S\0\0\0\0\0\0\0" }));
}

#[test]
fn any_flipped_bit_of_the_prefix_is_noticed() {
    for bit in 0..64 {
        let mut bytes: Vec<u8> = OURS.emit().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(Banner::parse(&bytes).is_err(), "bit {bit}");
    }
}

#[test]
fn agreement() {
    let all = Msgr2Features::REVISION_1.with(Msgr2Features::COMPRESSION);
    let kernel = Banner { supported: Msgr2Features::REVISION_1, required: Msgr2Features::REVISION_1 };
    let userspace = Banner { supported: all, required: Msgr2Features::NONE };
    let old = Banner::default();
    assert_eq!(userspace.agree(&kernel), Ok(Msgr2Features::REVISION_1));
    assert_eq!(userspace.agree(&old), Ok(Msgr2Features::NONE));
    let missing = Msgr2Features::REVISION_1;
    assert_eq!(kernel.agree(&old), Err(WireError::PeerLacks { missing }));
    assert_eq!(old.agree(&kernel), Err(WireError::PeerRequires { missing }));
}
