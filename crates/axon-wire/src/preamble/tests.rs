use super::*;
use crate::default_provider;

#[test]
fn fields_are_in_their_places() {
    let preamble = Preamble::new(Tag::Message, [41, 0x0102_0304, 0, 7]);
    let bytes = preamble.emit(default_provider());
    let expected = [17, 4, 41, 0, 0, 0, 8, 0, 4, 3, 2, 1, 8, 0, 0, 0, 0, 0, 8, 0, 7, 0, 0, 0, 0, 16, 0, 0];
    assert_eq!(bytes[..28], expected);
    assert_eq!(Preamble::parse(&bytes, default_provider()), Ok(preamble));
}

#[test]
fn empty_segments_at_the_end_are_dropped_but_not_the_first() {
    for (lengths, segments) in
        [([0, 0, 0, 0], 1), ([1, 0, 0, 0], 1), ([1, 1, 0, 0], 2), ([0, 0, 1, 0], 3), ([1, 0, 0, 1], 4)]
    {
        let preamble = Preamble::new(Tag::Message, lengths);
        assert_eq!(preamble.segments, segments);
        let used = preamble.alignments.iter().filter(|a| **a > 0).count();
        assert_eq!(used, usize::from(segments));
    }
}
