use super::*;
use alloc::vec;

fn drain(buf: &mut FrameBuf) -> Vec<Bytes> {
    let mut out = Vec::new();
    buf.drain_into(&mut out);
    out
}

#[test]
fn small_pieces_become_one_buffer() {
    let mut buf = FrameBuf::new();
    assert!(buf.is_empty());
    buf.put(b"ab");
    buf.put_bytes(&Bytes::from_static(b"cd"));
    buf.put_contiguous(2, |out, start| {
        assert_eq!(start, 4);
        out.extend_from_slice(b"ef");
    });
    assert_eq!(buf.len(), 6);
    assert_eq!(drain(&mut buf), [&b"abcdef"[..]]);
    assert!(buf.is_empty());
    assert!(drain(&mut buf).is_empty());
}

#[test]
fn large_pieces_are_referenced_in_order() {
    let mut buf = FrameBuf::new();
    let large = Bytes::from(vec![7; FrameBuf::REFERENCE_FROM]);
    buf.put(b"before");
    buf.put_bytes(&large);
    buf.put(b"after");
    assert_eq!(buf.len(), 11 + large.len());
    let pieces = drain(&mut buf);
    assert_eq!(pieces.len(), 3);
    assert_eq!(pieces[0], b"before"[..]);
    assert_eq!(pieces[1].as_ptr(), large.as_ptr());
    assert_eq!(pieces[2], b"after"[..]);
    buf.put_bytes(&large.slice(1..));
    assert_ne!(drain(&mut buf)[0].as_ptr(), large[1..].as_ptr(), "one byte less is copied");
}

#[test]
fn memory_is_used_again_once_it_is_dropped() {
    let mut buf = FrameBuf::with_chunk(1024);
    let mut seen: Vec<*const u8> = Vec::new();
    for round in 0..100 {
        buf.put(&[round; 600]);
        let pieces = drain(&mut buf);
        assert_eq!(pieces[0], vec![round; 600]);
        seen.push(pieces[0].as_ptr());
    }
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.len() <= 2, "{} places used", seen.len());
}

#[test]
fn memory_still_in_use_is_left_alone() {
    let mut buf = FrameBuf::with_chunk(1024);
    let held: Vec<Bytes> = (0..20u8)
        .map(|round| {
            buf.put(&[round; 600]);
            drain(&mut buf).remove(0)
        })
        .collect();
    for (round, bytes) in held.iter().enumerate() {
        assert_eq!(bytes, &vec![round as u8; 600]);
    }
}

#[test]
fn contiguous_regions_may_exceed_a_chunk() {
    let mut buf = FrameBuf::with_chunk(1024);
    buf.put(b"x");
    buf.put_contiguous(5000, |out, start| out.resize(start + 5000, 1));
    buf.put(b"y");
    let pieces = drain(&mut buf);
    let lens: Vec<usize> = pieces.iter().map(Bytes::len).collect();
    assert_eq!(lens, [1, 5000, 1]);
}
