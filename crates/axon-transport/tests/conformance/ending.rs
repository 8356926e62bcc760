//! How sockets end.

use crate::harness::{Duo, Pattern, Site, closed, join};
use axon_transport::{Completion, ListenerId, SocketId, Transport};
use bytes::{Bytes, BytesMut};
use std::time::Duration;

pub(crate) fn the_end_comes_after_all_data(transport: &dyn Transport) {
    let mut duo = Duo::new(transport);
    let pattern = Pattern::new();
    duo.server.reactor.receive(duo.there);
    duo.client.reactor.send(duo.here, &mut vec![pattern.at(0, 1 << 20)]);
    duo.until(|duo| duo.client.reactor.unsent(duo.here) == 0);
    duo.client.reactor.close(duo.here);
    let mut heard = 0;
    loop {
        match duo.next_of_server() {
            Completion::Received { data, .. } => {
                pattern.check(heard, &data);
                heard += data.len();
            }
            end => {
                assert!(closed(end, duo.there).is_none());
                break;
            }
        }
    }
    assert_eq!(heard, 1 << 20);
    duo.rest();
    assert!(duo.server.news.is_empty());
}

pub(crate) fn the_end_comes_after_a_late_receive(transport: &dyn Transport) {
    let mut duo = Duo::new(transport);
    duo.client.send(duo.here, b"read me later");
    duo.until(|duo| duo.client.reactor.unsent(duo.here) == 0);
    duo.client.reactor.close(duo.here);
    duo.rest();
    assert!(duo.server.news.is_empty(), "an orderly end waits");
    duo.server.reactor.receive(duo.there);
    assert_eq!(duo.receive(13), b"read me later");
    assert!(closed(duo.next_of_server(), duo.there).is_none());
}

pub(crate) fn closing_with_unsent_bytes_ends_the_stream_early(transport: &dyn Transport) {
    let mut duo = Duo::new(transport);
    let pattern = Pattern::new();
    let mut buffers = (0..64).map(|i| pattern.at(i << 20, 1 << 20)).collect();
    duo.client.reactor.send(duo.here, &mut buffers);
    assert!(duo.client.reactor.unsent(duo.here) > 0);
    duo.client.reactor.close(duo.here);
    assert_eq!(duo.client.reactor.unsent(duo.here), 0);
    duo.server.reactor.receive(duo.there);
    let mut heard = 0;
    while let Completion::Received { data, .. } = duo.next_of_server() {
        pattern.check(heard, &data);
        heard += data.len();
    }
    assert!(heard < 64 << 20);
    duo.rest();
    assert!(duo.client.news.is_empty() && duo.server.news.is_empty());
}

pub(crate) fn what_is_not_unsent_leaves_before_the_end(transport: &dyn Transport) {
    for words in [&b"a few"[..], &[b'x'; 20_000]] {
        let mut duo = Duo::new(transport);
        duo.server.reactor.receive(duo.there);
        duo.client.send(duo.here, words);
        duo.until_sent();
        duo.client.reactor.close(duo.here);
        assert_eq!(duo.receive(words.len()), words);
        assert!(closed(duo.next_of_server(), duo.there).is_none());
    }
}

pub(crate) fn no_completion_comes_after_close(transport: &dyn Transport) {
    let mut duo = Duo::new(transport);
    duo.server.reactor.receive(duo.there);
    duo.client.send(duo.here, b"too late");
    // Whatever the reactor may have noted meanwhile.
    duo.client.rest();
    duo.server.reactor.close(duo.there);
    duo.rest();
    assert!(duo.server.news.is_empty());

    let mut site = Site::new(transport);
    let (_, addr) = duo.server.listen();
    let connecting = site.reactor.connect(addr).unwrap();
    site.reactor.close(connecting);
    site.rest();
    assert!(site.news.is_empty());
}

pub(crate) fn sending_to_a_closed_peer_ends_in_one_closed(transport: &dyn Transport) {
    let mut duo = Duo::new(transport);
    duo.server.reactor.close(duo.there);
    duo.until(|duo| {
        duo.client.send(duo.here, b"anybody there?");
        !duo.client.news.is_empty()
    });
    let end = duo.client.news.pop_front().unwrap();
    assert!(closed(end, duo.here).is_some());
    duo.client.send(duo.here, b"nobody.");
    assert_eq!(duo.client.reactor.unsent(duo.here), 0);
    duo.rest();
    assert!(duo.client.news.is_empty());
}

pub(crate) fn last_words_are_heard(transport: &dyn Transport) {
    let mut duo = Duo::new(transport);
    duo.client.reactor.receive(duo.here);
    duo.server.send(duo.there, b"go away");
    duo.until(|duo| duo.server.reactor.unsent(duo.there) == 0);
    duo.server.reactor.close(duo.there);
    // The first may still leave; its answer makes the others fail.
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(5));
        duo.client.send(duo.here, b"but");
    }
    let mut heard = Vec::new();
    loop {
        match duo.next_of_client() {
            Completion::Received { data, .. } => heard.extend_from_slice(&data),
            end => {
                closed(end, duo.here);
                break;
            }
        }
    }
    assert_eq!(heard, b"go away");
}

pub(crate) fn an_end_in_the_middle_of_filling_fills_nothing(transport: &dyn Transport) {
    let mut duo = Duo::new(transport);
    duo.server.reactor.receive_into(duo.there, BytesMut::with_capacity(100), 100);
    duo.client.send(duo.here, b"far less");
    duo.until(|duo| duo.client.reactor.unsent(duo.here) == 0);
    duo.client.reactor.close(duo.here);
    assert!(closed(duo.next_of_server(), duo.there).is_none());
}

pub(crate) fn dead_ids_are_harmless(transport: &dyn Transport) {
    let mut duo = Duo::new(transport);
    let (_, addr) = duo.server.listen();
    duo.client.reactor.close(duo.here);
    // The next socket may well take the place of the dead one.
    let (alive, there) = join(&mut duo.client, &mut duo.server, addr);
    assert_ne!(alive, duo.here);
    let reactor = &mut duo.client.reactor;
    for dead in [duo.here, SocketId(0), SocketId(u64::MAX)] {
        let mut buffers = vec![Bytes::from_static(b"lost")];
        reactor.send(dead, &mut buffers);
        assert!(buffers.is_empty());
        assert_eq!(reactor.unsent(dead), 0);
        reactor.receive(dead);
        reactor.receive_into(dead, BytesMut::new(), 10);
        reactor.pause(dead);
        reactor.close(dead);
        assert!(reactor.detach(dead).is_none());
        reactor.unlisten(ListenerId(dead.0));
    }
    duo.client.send(alive, b"still here");
    duo.server.reactor.receive(there);
    duo.there = there;
    // The end of the first connection was not asked for: its other side is paused.
    assert_eq!(duo.receive(10), b"still here");
}

pub(crate) fn a_dropped_reactor_closes_its_sockets(transport: &dyn Transport) {
    let duo = Duo::new(transport);
    let (mut server, there) = (duo.server, duo.there);
    server.reactor.receive(there);
    drop(duo.client);
    closed(server.next(), there);
}

impl Duo {
    /// Until nothing is unsent, and not a poll longer.
    fn until_sent(&mut self) {
        while self.client.reactor.unsent(self.here) > 0 {
            self.client.poll(Duration::from_millis(1));
            self.server.poll(Duration::ZERO);
        }
    }
}

impl Site {
    fn rest(&mut self) {
        let start = std::time::Instant::now();
        while start.elapsed() < crate::harness::QUIET {
            self.poll(Duration::from_millis(5));
        }
    }
}
