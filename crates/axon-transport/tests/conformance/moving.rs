//! Sockets that change their reactor.

use crate::harness::{Duo, Pattern, Site, closed, filled, received};
use axon_transport::{Completion, Detached, SocketId, Transport};
use bytes::{Bytes, BytesMut};
use std::any::Any;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

pub(crate) fn a_stream_moves_between_threads(transport: &dyn Transport) {
    const TOTAL: usize = 16 << 20;
    const STAGES: usize = 8;
    let mut duo = Duo::new(transport);
    let pattern = Pattern::new();
    let mut buffers = (0..TOTAL >> 20).map(|i| pattern.at(i << 20, 1 << 20)).collect();
    duo.client.reactor.send(duo.here, &mut buffers);
    let mut socket = duo.server.reactor.detach(duo.there).unwrap();
    thread::scope(|scope| {
        let mut heard = 0;
        for stage in 1..=STAGES {
            let (done, wait) = mpsc::channel();
            let pattern = &pattern;
            scope.spawn(move || {
                let mut site = Site::new(transport);
                let there = site.reactor.adopt(socket).unwrap();
                site.reactor.receive(there);
                while heard < TOTAL * stage / STAGES {
                    let data = received(site.next(), there);
                    pattern.check(heard, &data);
                    heard += data.len();
                }
                for late in std::mem::take(&mut site.news) {
                    let data = received(late, there);
                    pattern.check(heard, &data);
                    heard += data.len();
                }
                let socket = site.reactor.detach(there).unwrap();
                done.send((socket, heard)).unwrap();
            });
            loop {
                duo.client.poll(Duration::from_millis(1));
                match wait.try_recv() {
                    Ok(next) => break (socket, heard) = next,
                    Err(mpsc::TryRecvError::Empty) => (),
                    Err(error) => panic!("stage {stage}: {error}"),
                }
            }
        }
        assert_eq!(heard, TOTAL);
    });
}

pub(crate) fn a_pending_fill_and_unsent_bytes_move_along(transport: &dyn Transport) {
    const LENGTH: usize = 32 << 20;
    let mut duo = Duo::new(transport);
    let pattern = Pattern::new();
    let mut buffers = (0..LENGTH >> 20).map(|i| pattern.at(i << 20, 1 << 20)).collect();
    duo.client.reactor.send(duo.here, &mut buffers);
    let mut destination = BytesMut::with_capacity(LENGTH + 4);
    destination.extend_from_slice(b"head");
    duo.server.reactor.receive_into(duo.there, destination, LENGTH);
    duo.until(|duo| duo.client.reactor.unsent(duo.here) < LENGTH * 3 / 4);
    // Both ends move in the middle of it.
    assert!(duo.client.reactor.unsent(duo.here) > 0 && duo.server.news.is_empty());
    duo.here = swap(transport, &mut duo.client, duo.here);
    duo.there = swap(transport, &mut duo.server, duo.there);
    assert!(duo.client.reactor.unsent(duo.here) > 0);
    let data = filled(duo.next_of_server(), duo.there);
    assert_eq!(&data[..4], b"head");
    pattern.check(0, &data[4..]);
    assert_eq!(data.len(), LENGTH + 4);
    duo.until(|duo| duo.client.reactor.unsent(duo.here) == 0);
}

/// Moves a socket to a new reactor, which takes the place of the old.
fn swap(transport: &dyn Transport, site: &mut Site, socket: SocketId) -> SocketId {
    let detached = site.reactor.detach(socket).unwrap();
    assert!(site.reactor.detach(socket).is_none());
    assert_eq!(site.reactor.unsent(socket), 0);
    *site = Site::new(transport);
    site.reactor.adopt(detached).unwrap()
}

pub(crate) fn a_dropped_socket_is_closed(transport: &dyn Transport) {
    let mut duo = Duo::new(transport);
    duo.client.reactor.receive(duo.here);
    drop(duo.server.reactor.detach(duo.there).unwrap());
    assert!(closed(duo.next_of_client(), duo.here).is_none());

    // The same for one that was never adopted.
    let (_, addr) = duo.server.listen();
    let here = duo.client.reactor.connect(addr).unwrap();
    duo.client.reactor.receive(here);
    assert!(matches!(duo.next_of_server(), Completion::Accepted { .. }));
    assert!(matches!(duo.next_of_client(), Completion::Connected { .. }));
    assert!(closed(duo.next_of_client(), here).is_none());
}

#[derive(Debug)]
struct Stranger;

impl Detached for Stranger {
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

pub(crate) fn a_socket_of_another_kind_is_not_adopted(transport: &dyn Transport) {
    let mut site = Site::new(transport);
    let error = site.reactor.adopt(Box::new(Stranger)).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

pub(crate) fn an_accepted_socket_is_adopted_by_another_reactor(transport: &dyn Transport) {
    let (mut listening, mut working) = (Site::new(transport), Site::new(transport));
    let mut client = Site::new(transport);
    let (_, addr) = listening.listen();
    let here = client.reactor.connect(addr).unwrap();
    client.reactor.receive(here);
    let Completion::Accepted { socket, .. } = listening.next() else {
        panic!("not accepted");
    };
    let there = working.reactor.adopt(socket).unwrap();
    drop(listening);
    let mut words = vec![Bytes::from_static(b"hello")];
    working.reactor.send(there, &mut words);
    working.poll(Duration::ZERO);
    assert!(matches!(client.next(), Completion::Connected { .. }));
    let mut heard = Vec::new();
    while heard.len() < 5 {
        working.poll(Duration::ZERO);
        client.poll(Duration::from_millis(1));
        for completion in client.news.drain(..) {
            heard.extend_from_slice(&received(completion, here));
        }
    }
    assert_eq!(heard, b"hello");
}
