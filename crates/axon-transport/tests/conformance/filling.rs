//! Receiving into a named destination.

use crate::harness::{Duo, Pattern, Sizes, filled, received};
use axon_transport::Transport;
use bytes::{Buf, Bytes, BytesMut};

pub(crate) fn the_destination_gets_exactly_what_was_asked_for(transport: &dyn Transport) {
    let mut duo = Duo::new(transport);
    let mut destination = BytesMut::with_capacity(4096);
    destination.extend_from_slice(b"kept:");
    duo.server.reactor.receive_into(duo.there, destination, 6);
    duo.client.send(duo.here, b"wanted and more");
    let data = filled(duo.next_of_server(), duo.there);
    assert_eq!(data, b"kept:wanted"[..]);
    assert_eq!(data.capacity(), 4096);
    duo.server.reactor.receive(duo.there);
    assert_eq!(duo.receive(9), b" and more");
}

pub(crate) fn headers_lent_and_bodies_filled(transport: &dyn Transport) {
    const MESSAGES: usize = 200;
    let mut duo = Duo::new(transport);
    let pattern = Pattern::new();
    let mut sizes = Sizes(0xf111);
    let lengths: Vec<usize> = (0..MESSAGES)
        .map(|_| {
            let most = [1, 100, 10_000, 700_000][sizes.below(4)];
            sizes.below(most)
        })
        .collect();
    let mut buffers = Vec::new();
    for (number, &length) in lengths.iter().enumerate() {
        let header = (length as u32).to_le_bytes();
        buffers.push(Bytes::copy_from_slice(&header));
        buffers.push(pattern.at(number, length));
    }
    duo.client.reactor.send(duo.here, &mut buffers);

    let mut lent = BytesMut::new();
    for (number, &length) in lengths.iter().enumerate() {
        while lent.len() < 4 {
            duo.server.reactor.receive(duo.there);
            let next = duo.next_of_server();
            lent.unsplit(received(next, duo.there));
            // Whatever else arrived in this round is not lost either.
            while let Some(more) = duo.server.news.pop_front() {
                lent.unsplit(received(more, duo.there));
            }
            duo.server.reactor.pause(duo.there);
        }
        assert_eq!(lent.get_u32_le() as usize, length);
        let mut body = BytesMut::with_capacity(length);
        body.extend_from_slice(&lent.split_to(length.min(lent.len())));
        let missing = length - body.len();
        if missing > 0 {
            duo.server.reactor.receive_into(duo.there, body, missing);
            body = filled(duo.next_of_server(), duo.there);
        }
        assert!(body == pattern.at(number, length), "message {number}");
    }
}

pub(crate) fn nothing_is_filled_at_once(transport: &dyn Transport) {
    let mut duo = Duo::new(transport);
    let destination = BytesMut::from(&b"all there"[..]);
    duo.server.reactor.receive_into(duo.there, destination, 0);
    assert_eq!(filled(duo.server.next(), duo.there), b"all there"[..]);
}

pub(crate) fn a_filled_socket_is_paused(transport: &dyn Transport) {
    let mut duo = Duo::new(transport);
    duo.server.reactor.receive(duo.there);
    duo.server.reactor.receive_into(duo.there, BytesMut::with_capacity(3), 3);
    duo.client.send(duo.here, b"onetwo");
    assert_eq!(filled(duo.next_of_server(), duo.there), b"one"[..]);
    duo.rest();
    assert!(duo.server.news.is_empty());
    duo.server.reactor.receive(duo.there);
    assert_eq!(duo.receive(3), b"two");
}

pub(crate) fn filling_cannot_be_paused(transport: &dyn Transport) {
    let mut duo = Duo::new(transport);
    duo.server.reactor.receive_into(duo.there, BytesMut::with_capacity(3), 3);
    duo.server.reactor.pause(duo.there);
    duo.client.send(duo.here, b"one");
    assert_eq!(filled(duo.next_of_server(), duo.there), b"one"[..]);
}

pub(crate) fn receiving_waits_for_filling(transport: &dyn Transport) {
    let mut duo = Duo::new(transport);
    duo.server.reactor.receive_into(duo.there, BytesMut::with_capacity(6), 6);
    duo.client.send(duo.here, b"one");
    duo.rest();
    duo.server.reactor.receive(duo.there);
    duo.client.send(duo.here, b"twothree");
    assert_eq!(filled(duo.next_of_server(), duo.there), b"onetwo"[..]);
}

pub(crate) fn filling_does_not_move_the_destination(transport: &dyn Transport) {
    const LENGTH: usize = 8 << 20;
    let mut duo = Duo::new(transport);
    let pattern = Pattern::new();
    let mut buffers = (0..8).map(|i| pattern.at(i << 20, 1 << 20)).collect();
    duo.client.reactor.send(duo.here, &mut buffers);
    let destination = BytesMut::with_capacity(LENGTH);
    let place = destination.as_ptr();
    duo.server.reactor.receive_into(duo.there, destination, LENGTH);
    let data = filled(duo.next_of_server(), duo.there);
    assert_eq!(data.as_ptr(), place);
    assert_eq!(data.len(), LENGTH);
    pattern.check(0, &data);
}

/// Of a destination that is not full nobody is told; whether the peer goes on sending can be asked.
pub(crate) fn what_arrives_while_filling_can_be_seen(transport: &dyn Transport) {
    const PART: usize = 1000;
    let mut duo = Duo::new(transport);
    let pattern = Pattern::new();
    duo.server.reactor.receive_into(duo.there, BytesMut::with_capacity(4 * PART), 4 * PART);
    duo.rest();
    let before = duo.server.reactor.arrived(duo.there);
    for part in 1..=3 {
        duo.client.reactor.send(duo.here, &mut vec![pattern.at((part - 1) * PART, PART)]);
        let expected = before + (part * PART) as u64;
        duo.until(|duo| duo.server.reactor.arrived(duo.there) == expected);
        duo.rest();
        assert_eq!(duo.server.reactor.arrived(duo.there), expected, "nothing more came");
        assert!(duo.server.news.is_empty());
        let moving = duo.server.reactor.detach(duo.there).unwrap();
        assert_eq!(duo.server.reactor.arrived(duo.there), 0, "a dead id");
        duo.there = duo.server.reactor.adopt(moving).unwrap();
        assert_eq!(duo.server.reactor.arrived(duo.there), expected, "it comes along");
    }
    duo.client.reactor.send(duo.here, &mut vec![pattern.at(3 * PART, PART)]);
    pattern.check(0, &filled(duo.next_of_server(), duo.there));
}
