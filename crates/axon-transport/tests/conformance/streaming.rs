//! Sending and receiving in bulk.

use crate::harness::{Duo, Pattern, Sizes, received};
use axon_transport::Transport;
use bytes::Bytes;
use std::time::Duration;

pub(crate) fn order_and_content_survive(transport: &dyn Transport) {
    let mut duo = Duo::new(transport);
    let pattern = Pattern::new();
    let mut sizes = Sizes(0x5eed);
    duo.server.reactor.receive(duo.there);
    let (mut sent, mut heard) = (0, 0);
    for _ in 0..300 {
        let mut buffers = Vec::new();
        for _ in 0..sizes.below(40) {
            let buffer = pattern.at(sent, sizes.below(3000));
            sent += buffer.len();
            buffers.push(buffer);
        }
        duo.client.reactor.send(duo.here, &mut buffers);
        heard += drain(&mut duo, &pattern, heard);
    }
    while heard < sent {
        duo.until(|duo| !duo.server.news.is_empty());
        heard += drain(&mut duo, &pattern, heard);
    }
    assert_eq!(heard, sent);
}

/// Checks what has arrived, from `offset` on.
fn drain(duo: &mut Duo, pattern: &Pattern, offset: usize) -> usize {
    duo.client.poll(Duration::ZERO);
    duo.server.poll(Duration::ZERO);
    let mut heard = 0;
    while let Some(completion) = duo.server.news.pop_front() {
        let data = received(completion, duo.there);
        pattern.check(offset + heard, &data);
        heard += data.len();
    }
    heard
}

pub(crate) fn sending_empties_the_list_and_keeps_its_room(transport: &dyn Transport) {
    let mut duo = Duo::new(transport);
    let mut buffers = Vec::with_capacity(100);
    for _ in 0..10 {
        buffers.extend((0..100).map(|_| Bytes::from(vec![1; 50_000])));
        duo.client.reactor.send(duo.here, &mut buffers);
        assert!(buffers.is_empty());
        assert_eq!(buffers.capacity(), 100);
    }
    assert!(duo.client.reactor.unsent(duo.here) > 0, "50 MB are too many");
}

pub(crate) fn nothing_to_send_is_nothing_sent(transport: &dyn Transport) {
    let mut duo = Duo::new(transport);
    duo.server.reactor.receive(duo.there);
    duo.client.reactor.send(duo.here, &mut Vec::new());
    duo.client.reactor.send(duo.here, &mut vec![Bytes::new(), Bytes::new()]);
    duo.rest();
    assert!(duo.client.news.is_empty() && duo.server.news.is_empty());
    let mut buffers = vec![Bytes::new(), Bytes::from_static(b"word"), Bytes::new()];
    duo.client.reactor.send(duo.here, &mut buffers);
    assert_eq!(duo.receive(4), b"word");
}

pub(crate) fn a_hundred_mebibytes_pass_through_back_pressure(transport: &dyn Transport) {
    const TOTAL: usize = 100 << 20;
    let mut duo = Duo::new(transport);
    let pattern = Pattern::new();
    let mut sizes = Sizes(0xb16);
    let mut buffers = Vec::new();
    let mut queued = 0;
    while queued < TOTAL {
        // Thousands of buffers, small ones and large ones, in a single list.
        let most = [10, 300, 5000, 200_000][sizes.below(4)];
        let length = sizes.below(most).min(TOTAL - queued);
        buffers.push(pattern.at(queued, length));
        queued += length;
    }
    assert!(buffers.len() > 2000);
    duo.client.reactor.send(duo.here, &mut buffers);
    assert!(duo.client.reactor.unsent(duo.here) > 0);

    duo.server.reactor.receive(duo.there);
    let mut heard = 0;
    duo.until(|duo| {
        while let Some(completion) = duo.server.news.pop_front() {
            let data = received(completion, duo.there);
            pattern.check(heard, &data);
            heard += data.len();
        }
        heard == TOTAL
    });
    duo.until(|duo| duo.client.drained > 0);
    assert_eq!(duo.client.reactor.unsent(duo.here), 0);
    assert_eq!(duo.client.drained, 1);
    assert!(duo.client.news.is_empty());
}

pub(crate) fn sockets_start_paused(transport: &dyn Transport) {
    let mut duo = Duo::new(transport);
    duo.client.send(duo.here, b"for whom?");
    duo.server.send(duo.there, b"for whom?");
    duo.rest();
    assert!(duo.client.news.is_empty() && duo.server.news.is_empty());
    duo.server.reactor.receive(duo.there);
    assert_eq!(duo.receive(9), b"for whom?");
}

pub(crate) fn pausing_pushes_back(transport: &dyn Transport) {
    let mut duo = Duo::new(transport);
    let pattern = Pattern::new();
    duo.server.reactor.receive(duo.there);
    duo.client.send(duo.here, b"!");
    assert_eq!(duo.receive(1), b"!");
    duo.server.reactor.pause(duo.there);

    let mut buffers: Vec<Bytes> = (0..64).map(|i| pattern.at(i << 20, 1 << 20)).collect();
    duo.client.reactor.send(duo.here, &mut buffers);
    duo.rest();
    assert!(duo.server.news.is_empty());
    let unsent = duo.client.reactor.unsent(duo.here);
    assert!(unsent > 32 << 20, "only {unsent} bytes wait");

    let mut heard = 0;
    let mut sizes = Sizes(7);
    while heard < 64 << 20 {
        duo.server.reactor.receive(duo.there);
        let data = received(duo.next_of_server(), duo.there);
        pattern.check(heard, &data);
        heard += data.len();
        if sizes.below(8) == 0 {
            duo.server.reactor.pause(duo.there);
        }
    }
}

/// Each send fits into what the device takes at once; all together do not.
pub(crate) fn many_small_sends_meet_back_pressure(transport: &dyn Transport) {
    const SENDS: usize = 3_200;
    const LENGTH: usize = 10_000;
    let mut duo = Duo::new(transport);
    let pattern = Pattern::new();
    for number in 0..SENDS {
        duo.client.reactor.send(duo.here, &mut vec![pattern.at(number * LENGTH, LENGTH)]);
        duo.client.poll(Duration::ZERO);
    }
    assert!(duo.client.reactor.unsent(duo.here) > 0, "32 MB are too many");
    duo.server.reactor.receive(duo.there);
    let mut heard = 0;
    while heard < SENDS * LENGTH {
        let data = received(duo.next_of_server(), duo.there);
        pattern.check(heard, &data);
        heard += data.len();
    }
    duo.until(|duo| duo.client.reactor.unsent(duo.here) == 0);
    duo.client.poll(Duration::ZERO);
    assert!(duo.client.drained > 0);
}

pub(crate) fn drained_comes_once_for_each_time_unsent_was_not_zero(transport: &dyn Transport) {
    let mut duo = Duo::new(transport);
    duo.server.reactor.receive(duo.there);
    let (mut sent, mut heard, mut waits) = (0, 0, 0);
    for round in 0..40 {
        let length = if round % 2 == 0 { 100 } else { 16 << 20 };
        duo.client.send(duo.here, &vec![7; length]);
        sent += length;
        waits += usize::from(duo.client.reactor.unsent(duo.here) > 0);
        duo.until(|duo| {
            while let Some(completion) = duo.server.news.pop_front() {
                heard += received(completion, duo.there).len();
            }
            heard == sent && duo.client.reactor.unsent(duo.here) == 0
        });
        duo.client.poll(Duration::ZERO);
        assert_eq!(duo.client.drained, waits);
    }
    assert!(waits >= 20, "16 MiB must not fit");
}
