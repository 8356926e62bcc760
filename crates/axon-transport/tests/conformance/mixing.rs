//! Calls in any legal order, from a seed.

use crate::harness::{Pattern, Site, Sizes, join};
use axon_transport::{Completion, SocketId, Transport};
use bytes::BytesMut;
use std::time::{Duration, Instant};

const STREAMS: usize = 12;
const STEPS: usize = 6_000;
/// Bytes on the way per stream at most.
const ON_THE_WAY: usize = 1 << 20;

/// What the receiving end of a stream was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    Lend,
    Fill(usize),
}

/// One stream, from a client's socket to a server's.
struct Flow {
    here: SocketId,
    there: SocketId,
    sent: usize,
    heard: usize,
    asked: Asked,
    closed: bool,
}

/// All of it.
struct Mix {
    client: Site,
    server: Site,
    flows: Vec<Flow>,
    pattern: Pattern,
    dice: Sizes,
    /// Memory taken right after a destination in use was given up; nobody may write to it.
    canaries: Vec<Vec<u8>>,
}

pub(crate) fn any_order_of_calls_keeps_streams_whole(transport: &dyn Transport) {
    for seed in [0x0dd, 0xc0ffee, 0xbad5eed] {
        let mut mix = Mix::new(transport, seed);
        for _ in 0..STEPS {
            mix.step();
        }
        mix.finish();
    }
}

impl Mix {
    fn new(transport: &dyn Transport, seed: u64) -> Self {
        let (mut client, mut server) = (Site::new(transport), Site::new(transport));
        let (_, addr) = server.listen();
        let mut flow = || {
            let (here, there) = join(&mut client, &mut server, addr);
            Flow { here, there, sent: 0, heard: 0, asked: Asked::Nothing, closed: false }
        };
        let flows = (0..STREAMS).map(|_| flow()).collect();
        Self { flows, client, server, pattern: Pattern::new(), dice: Sizes(seed), canaries: Vec::new() }
    }

    fn step(&mut self) {
        let index = self.dice.below(STREAMS);
        if self.flows[index].closed {
            return;
        }
        match self.dice.below(1000) {
            0..300 => self.send(index),
            300..450 => self.receive(index),
            450..550 => self.pause(index),
            550..700 => self.fill(index),
            700..750 => self.move_over(index),
            750..752 => self.close(index),
            _ => self.poll(),
        }
    }

    fn length(&mut self) -> usize {
        let most = [10, 3_000, 40_000, 300_000][self.dice.below(4)];
        1 + self.dice.below(most)
    }

    fn send(&mut self, index: usize) {
        let length = self.length();
        let flow = &mut self.flows[index];
        if flow.sent - flow.heard + length < ON_THE_WAY {
            self.client.reactor.send(flow.here, &mut vec![self.pattern.at(flow.sent, length)]);
            flow.sent += length;
        }
    }

    fn receive(&mut self, index: usize) {
        let flow = &mut self.flows[index];
        self.server.reactor.receive(flow.there);
        if flow.asked == Asked::Nothing {
            flow.asked = Asked::Lend;
        }
    }

    fn pause(&mut self, index: usize) {
        let flow = &mut self.flows[index];
        self.server.reactor.pause(flow.there);
        if flow.asked == Asked::Lend {
            flow.asked = Asked::Nothing;
        }
    }

    fn fill(&mut self, index: usize) {
        let length = self.length();
        let flow = &mut self.flows[index];
        if !matches!(flow.asked, Asked::Fill(_)) {
            self.server.reactor.receive_into(flow.there, BytesMut::with_capacity(length), length);
            flow.asked = Asked::Fill(length);
        }
    }

    /// Takes the receiving end out of its reactor and back in.
    fn move_over(&mut self, index: usize) {
        let flow = &mut self.flows[index];
        let socket = self.server.reactor.detach(flow.there).unwrap();
        flow.there = self.server.reactor.adopt(socket).unwrap();
        if flow.asked == Asked::Lend {
            flow.asked = Asked::Nothing;
        }
    }

    /// Closes the receiving end, and puts something into the memory that is free then.
    fn close(&mut self, index: usize) {
        let flow = &mut self.flows[index];
        self.server.reactor.close(flow.there);
        flow.closed = true;
        if let Asked::Fill(length) = flow.asked {
            self.canaries.extend((0..4).map(|_| vec![0xca; length]));
        }
        self.client.reactor.close(flow.here);
    }

    fn poll(&mut self) {
        self.client.poll(Duration::ZERO);
        self.server.poll(Duration::ZERO);
        assert!(self.client.news.is_empty(), "{:?}", self.client.news);
        while let Some(completion) = self.server.news.pop_front() {
            self.take(completion);
        }
    }

    fn take(&mut self, completion: Completion) {
        let (socket, data) = match completion {
            Completion::Received { socket, data } => (socket, data),
            Completion::Filled { socket, data } => (socket, data),
            other => panic!("{other:?}"),
        };
        let flow = self.flows.iter_mut().find(|flow| flow.there == socket && !flow.closed);
        let flow = flow.expect("nothing comes of a socket that is not there");
        match flow.asked {
            Asked::Nothing => panic!("nobody asked"),
            Asked::Lend => assert!(!data.is_empty()),
            Asked::Fill(length) => {
                assert_eq!(data.len(), length);
                flow.asked = Asked::Nothing;
            }
        }
        self.pattern.check(flow.heard, &data);
        flow.heard += data.len();
    }

    fn finish(mut self) {
        let start = Instant::now();
        while self.flows.iter().any(|flow| !flow.closed && flow.heard < flow.sent) {
            assert!(start.elapsed() < crate::harness::PATIENCE, "bytes are missing");
            for index in 0..STREAMS {
                let Flow { sent, heard, asked, closed, .. } = self.flows[index];
                match asked {
                    _ if closed => {}
                    // Enough for what it waits for.
                    Asked::Fill(length) if sent - heard < length => self.send_more(index, length),
                    _ => self.receive(index),
                }
            }
            self.poll();
        }
        assert!(self.canaries.iter().flatten().all(|&byte| byte == 0xca), "written to after it was given up");
        assert!(self.flows.iter().any(|flow| flow.closed) && self.flows.iter().any(|flow| !flow.closed));
    }

    fn send_more(&mut self, index: usize, length: usize) {
        let flow = &mut self.flows[index];
        self.client.reactor.send(flow.here, &mut vec![self.pattern.at(flow.sent, length)]);
        flow.sent += length;
    }
}
