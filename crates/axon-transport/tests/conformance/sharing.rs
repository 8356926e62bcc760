//! Sending on another thread while the reactor's own waits.

use crate::harness::{PATIENCE, Site, loopback};
use axon_transport::{Completion, ListenOptions, Transport};
use bytes::Bytes;
use std::sync::{Mutex, PoisonError};
use std::thread;

pub(crate) fn only_reactors_that_can_be_shared_are(transport: &dyn Transport) {
    assert_eq!(transport.shared_reactor().is_some(), transport.capabilities().foreign_send);
}

/// Another thread sends on the sockets of a reactor whose own thread waits, hundreds of times; all arrives in order.
pub(crate) fn others_send_while_its_thread_waits(transport: &dyn Transport) {
    const SENDS: u32 = 500;
    let Some(shared) = transport.shared_reactor() else { return };
    let mut server = Site::new(transport);
    let (_, addr) = server.reactor.listen(loopback(), &ListenOptions::default()).unwrap();
    let mut client = shared.unwrap();
    let here = client.connect(addr).unwrap();
    let waker = client.waker();
    let client = Mutex::new((client, Vec::new(), false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut seat = client.lock().unwrap();
            while !seat.2 {
                let (reactor, completions, _) = &mut *seat;
                let Some(mut parked) = reactor.park(Some(PATIENCE)) else {
                    reactor.poll(Some(PATIENCE), completions).unwrap();
                    continue;
                };
                drop(seat);
                parked.wait();
                seat = client.lock().unwrap();
                let (reactor, completions, _) = &mut *seat;
                reactor.unpark(parked, completions).unwrap();
            }
        });
        // Also when the test fails: else it would wait for the thread.
        let _over = OnDrop(|| {
            client.lock().unwrap_or_else(PoisonError::into_inner).2 = true;
            waker.wake();
        });
        for number in 0..SENDS {
            let large = if number % 50 == 0 { 1 << 20 } else { 0 };
            let mut buffers =
                vec![Bytes::copy_from_slice(&number.to_be_bytes()), Bytes::from(vec![7; large])];
            client.lock().unwrap().0.send(here, &mut buffers);
        }
        let Completion::Accepted { socket, .. } = server.next() else { panic!("expected a socket") };
        let there = server.reactor.adopt(socket).unwrap();
        server.reactor.receive(there);
        let wanted = SENDS as usize * 4 + (SENDS as usize).div_ceil(50) * (1 << 20);
        let heard = server.receive(there, wanted);
        let numbers: Vec<u8> = (0..SENDS).flat_map(u32::to_be_bytes).collect();
        let without_filler: Vec<u8> = drop_filler(&heard);
        assert_eq!(without_filler, numbers);
    });
}

/// Does something in the end.
struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// The numbers alone.
fn drop_filler(heard: &[u8]) -> Vec<u8> {
    let (mut numbers, mut at) = (Vec::new(), 0);
    for number in 0.. {
        let Some(bytes) = heard.get(at..at + 4) else { break };
        numbers.extend_from_slice(bytes);
        at += 4 + if number % 50 == 0 { 1 << 20 } else { 0 };
    }
    numbers
}
