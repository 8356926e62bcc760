use super::*;
use std::net::Ipv4Addr;
use std::time::Instant;

/// What epoll costs, counted: the promises of the module page.
struct Pair {
    reactor: TcpReactor,
    here: SocketId,
    there: SocketId,
}

impl Pair {
    fn new() -> Self {
        let mut reactor = TcpReactor::new(monotonic()).unwrap();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (_, addr) = reactor.listen(any, &ListenOptions::default()).unwrap();
        let here = reactor.connect(addr).unwrap();
        let mut there = None;
        let mut connected = false;
        while there.is_none() || !connected {
            for completion in poll(&mut reactor) {
                match completion {
                    Completion::Accepted { socket, .. } => {
                        there = Some(reactor.adopt(socket).unwrap());
                    }
                    Completion::Connected { .. } => connected = true,
                    other => panic!("{other:?}"),
                }
            }
        }
        let there = there.unwrap();
        Self { reactor, here, there }
    }

    fn until<T>(&mut self, mut wanted: impl FnMut(Completion) -> Option<T>) -> T {
        loop {
            if let Some(found) = poll(&mut self.reactor).into_iter().find_map(&mut wanted) {
                return found;
            }
        }
    }
}

fn poll(reactor: &mut TcpReactor) -> Vec<Completion> {
    let mut completions = Vec::new();
    reactor.poll(Some(Duration::from_secs(3600)), &mut completions).unwrap();
    completions
}

fn received(completion: Completion) -> Option<BytesMut> {
    match completion {
        Completion::Received { data, .. } => Some(data),
        other => panic!("{other:?}"),
    }
}

fn filled(completion: Completion) -> Option<BytesMut> {
    match completion {
        Completion::Filled { data, .. } => Some(data),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_small_message_costs_one_send_one_wait_and_one_receive() {
    let mut pair = Pair::new();
    pair.reactor.receive(pair.there);
    pair.reactor.poll(Some(Duration::ZERO), &mut Vec::new()).unwrap();
    let before = pair.reactor.counters();
    for _ in 0..100 {
        let mut message = vec![Bytes::from_static(b"head"), Bytes::from_static(b"body")];
        pair.reactor.send(pair.here, &mut message);
        assert_eq!(pair.until(received), b"headbody"[..]);
    }
    let after = pair.reactor.counters();
    assert_eq!(after.sends - before.sends, 100);
    assert_eq!(after.waits - before.waits, 100);
    assert_eq!(after.receives - before.receives, 100);
    assert_eq!(after.controls - before.controls, 0);
    assert_eq!(after.bytes_in - before.bytes_in, 800);
    assert_eq!(after.bytes_out - before.bytes_out, 800);
}

#[test]
fn changing_between_receiving_and_filling_costs_no_control() {
    let mut pair = Pair::new();
    pair.reactor.receive(pair.there);
    pair.reactor.poll(Some(Duration::ZERO), &mut Vec::new()).unwrap();
    let before = pair.reactor.counters();
    for _ in 0..100 {
        pair.reactor.receive_into(pair.there, BytesMut::with_capacity(3), 3);
        pair.reactor.send(pair.here, &mut vec![Bytes::from_static(b"abcdef")]);
        assert_eq!(pair.until(filled), b"abc"[..]);
        pair.reactor.receive(pair.there);
        assert_eq!(pair.until(received), b"def"[..]);
    }
    assert_eq!(pair.reactor.counters().controls, before.controls);
}

#[test]
fn bytes_for_a_paused_socket_disturb_once() {
    let mut pair = Pair::new();
    pair.reactor.receive(pair.there);
    pair.reactor.poll(Some(Duration::ZERO), &mut Vec::new()).unwrap();
    pair.reactor.pause(pair.there);
    pair.reactor.send(pair.here, &mut vec![Bytes::from_static(b"wait")]);
    let before = pair.reactor.counters();
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(50) {
        let mut completions = Vec::new();
        pair.reactor.poll(Some(Duration::from_millis(20)), &mut completions).unwrap();
        assert!(completions.is_empty(), "{completions:?}");
    }
    let after = pair.reactor.counters();
    assert!(after.waits - before.waits <= 5, "{before:?} {after:?}");
    assert_eq!(after.controls - before.controls, 1);
    pair.reactor.receive(pair.there);
    assert_eq!(pair.until(received), b"wait"[..]);
}

#[test]
fn consecutive_receives_of_a_socket_are_contiguous() {
    let mut pair = Pair::new();
    pair.reactor.receive(pair.there);
    pair.reactor.send(pair.here, &mut vec![Bytes::from_static(b"first")]);
    let mut first = pair.until(received);
    pair.reactor.send(pair.here, &mut vec![Bytes::from_static(b"second")]);
    let second = pair.until(received);
    let start = first.as_ptr();
    first.unsplit(second);
    assert_eq!(first.as_ptr(), start, "joined without a copy");
    assert_eq!(first, b"firstsecond"[..]);
}

#[test]
fn a_sleeper_is_woken_by_one_event_however_often_it_is_rung() {
    let mut reactor = TcpReactor::new(monotonic()).unwrap();
    let waker = reactor.waker();
    for _ in 0..1000 {
        waker.wake();
    }
    assert!(poll(&mut reactor).is_empty());
    assert_eq!(reactor.counters().wakes, 0);
}

/// Sends one message and looks for it without sleeping. Returns how often that took a look.
fn look_for_one(pair: &mut Pair) -> u64 {
    pair.reactor.send(pair.here, &mut vec![Bytes::from_static(b"message")]);
    let (mut completions, mut looks) = (Vec::new(), 0);
    while completions.is_empty() {
        pair.reactor.poll(Some(Duration::ZERO), &mut completions).unwrap();
        looks += 1;
    }
    assert_eq!(completions.pop().and_then(received).unwrap(), b"message"[..]);
    looks
}

#[test]
fn who_only_looks_seldom_asks_epoll() {
    let mut pair = Pair::new();
    pair.reactor.receive(pair.there);
    look_for_one(&mut pair);
    let before = pair.reactor.counters();
    let looks: u64 = (0..100).map(|_| look_for_one(&mut pair)).sum();
    let waits = pair.reactor.counters().waits - before.waits;
    assert!(waits <= looks / 2 + 1, "{waits} waits in {looks} looks");
    let before = pair.reactor.counters();
    for _ in 0..1600 {
        pair.reactor.poll(Some(Duration::ZERO), &mut Vec::new()).unwrap();
    }
    let after = pair.reactor.counters();
    assert_eq!((after.waits - before.waits, after.receives - before.receives), (100, 1500));
}

#[test]
fn sockets_that_are_not_hot_are_heard_all_the_same() {
    let mut pair = Pair::new();
    pair.reactor.receive(pair.there);
    pair.reactor.receive(pair.here);
    look_for_one(&mut pair);
    // Now only `there` is hot. It has something new before each look.
    pair.reactor.send(pair.there, &mut vec![Bytes::from_static(b"other")]);
    let start = Instant::now();
    let mut completions = Vec::new();
    loop {
        assert!(start.elapsed() < Duration::from_secs(60), "nobody asks epoll any more");
        pair.reactor.send(pair.here, &mut vec![Bytes::from_static(b"hot")]);
        pair.reactor.poll(Some(Duration::ZERO), &mut completions).unwrap();
        let heard = |completion: Completion| matches!(completion, Completion::Received { socket, .. } if socket == pair.here);
        if completions.drain(..).any(heard) {
            break;
        }
    }
}

#[test]
fn a_look_at_a_hot_socket_respects_its_pause() {
    let mut pair = Pair::new();
    pair.reactor.receive(pair.there);
    look_for_one(&mut pair);
    pair.reactor.pause(pair.there);
    pair.reactor.send(pair.here, &mut vec![Bytes::from_static(b"wait")]);
    let mut completions = Vec::new();
    for _ in 0..100 {
        pair.reactor.poll(Some(Duration::ZERO), &mut completions).unwrap();
    }
    assert!(completions.is_empty(), "{completions:?}");
    pair.reactor.receive(pair.there);
    assert_eq!(pair.until(received), b"wait"[..]);
}

#[test]
fn what_others_send_while_it_is_parked_ends_the_wait_if_it_stays_unsent() {
    let mut pair = Pair::new();
    let mut parked = pair.reactor.park(Some(Duration::from_secs(120))).expect("there is nothing to do");
    while pair.reactor.unsent(pair.here) == 0 {
        pair.reactor.send(pair.here, &mut vec![Bytes::from(vec![7; 1 << 20])]);
    }
    let start = Instant::now();
    parked.wait();
    assert!(start.elapsed() < Duration::from_secs(60), "nobody told the reactor's thread");
    pair.reactor.unpark(parked, &mut Vec::new()).unwrap();
}

#[test]
fn what_leaves_at_once_does_not_end_the_wait() {
    let mut pair = Pair::new();
    pair.reactor.receive(pair.there);
    pair.reactor.poll(Some(Duration::ZERO), &mut Vec::new()).unwrap();
    pair.reactor.pause(pair.there);
    let mut parked = pair.reactor.park(Some(Duration::from_secs(120))).expect("there is nothing to do");
    pair.reactor.send(pair.there, &mut vec![Bytes::from_static(b"reply")]);
    assert_eq!(pair.reactor.counters().wakes, 0);
    pair.reactor.waker().wake();
    parked.wait();
    pair.reactor.unpark(parked, &mut Vec::new()).unwrap();
    pair.reactor.receive(pair.here);
    assert_eq!(pair.until(received), b"reply"[..]);
}
