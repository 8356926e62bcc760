use super::*;
use std::task::Waker;
use std::thread;

fn reply(tid: u64, kind: u16) -> Message {
    let mut message = Message::new(kind, &b"reply"[..]);
    message.header.tid = tid;
    message
}

/// A call that awaits kind 42.
fn register(replies: &Replies, connection: u64, tid: u64) -> ReplyFuture {
    replies.register((connection, tid), Expect::Kind(42), None)
}

fn register_until(replies: &Replies, connection: u64, tid: u64, deadline: Duration) -> ReplyFuture {
    replies.register((connection, tid), Expect::Kind(42), Some(deadline))
}

fn poll(future: &mut ReplyFuture) -> Poll<Outcome> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_reply_goes_to_its_call_and_only_there() {
    let replies = Replies::default();
    assert_eq!(replies.complete(1, reply(7, 42)), Some(reply(7, 42)), "nobody waits");
    let mut call = register(&replies, 1, 7);
    assert_eq!((call.call(), replies.len(), replies.is_empty()), ((1, 7), 1, false));
    assert_eq!(replies.complete(2, reply(7, 42)), Some(reply(7, 42)), "another connection");
    assert_eq!(replies.complete(1, reply(8, 42)), Some(reply(8, 42)), "another transaction");
    assert_eq!(replies.complete(1, reply(7, 43)), Some(reply(7, 43)), "another type");
    assert!(poll(&mut call).is_pending());
    assert_eq!(replies.complete(1, reply(7, 42)), None);
    assert!(replies.is_empty());
    assert_eq!(replies.complete(1, reply(7, 42)), Some(reply(7, 42)), "one reply per call");
    assert_eq!(poll(&mut call), Poll::Ready(Ok(reply(7, 42))));
}

#[test]
fn a_reply_may_be_told_from_a_request_of_its_type() {
    let replies = Replies::default();
    let call = replies.register((1, 7), Expect::Matching(|message| message.front == "reply"), None);
    let mut request = reply(7, 42);
    request.front = "request".into();
    assert_eq!(replies.complete(1, request.clone()), Some(request));
    assert_eq!(replies.complete(1, reply(7, 42)), None);
    assert_eq!(call.wait(), Ok(reply(7, 42)));
}

#[test]
fn a_dropped_call_is_forgotten() {
    let replies = Replies::default();
    drop(register(&replies, 1, 7));
    drop(register_until(&replies, 1, 8, Duration::from_secs(1)));
    assert!(replies.is_empty());
    assert_eq!(replies.expire(Duration::ZERO), None);
    assert_eq!(replies.complete(1, reply(7, 42)), Some(reply(7, 42)));
}

#[test]
fn a_reused_id_ends_the_first_call_only() {
    let replies = Replies::default();
    let first = register_until(&replies, 1, 7, Duration::from_secs(1));
    let second = register(&replies, 1, 7);
    assert_eq!(first.wait(), Err(CallError::IdReused));
    assert_eq!((replies.len(), replies.expire(Duration::MAX)), (1, None));
    assert_eq!(replies.complete(1, reply(7, 42)), None);
    assert_eq!(second.wait(), Ok(reply(7, 42)));
}

#[test]
fn calls_end_with_their_connection() {
    let replies = Replies::default();
    // 17 is of the same shard as 1.
    let (a, b, other) =
        (register(&replies, 1, 0), register(&replies, 1, u64::MAX), register(&replies, 17, 0));
    replies.fail_connection(1, CallError::Reset);
    assert_eq!((a.wait(), b.wait()), (Err(CallError::Reset), Err(CallError::Reset)));
    assert_eq!(replies.len(), 1);
    replies.fail_all(CallError::ShutDown);
    assert_eq!(other.wait(), Err(CallError::ShutDown));
    assert!(replies.is_empty());
}

#[test]
fn deadlines_pass_in_order() {
    let replies = Replies::default();
    let seconds = Duration::from_secs;
    let early = register_until(&replies, 1, 1, seconds(10));
    let late = register_until(&replies, 2, 1, seconds(20));
    let never = register(&replies, 3, 1);
    assert_eq!(replies.expire(seconds(9)), Some(seconds(10)));
    assert_eq!(replies.len(), 3);
    assert_eq!(replies.expire(seconds(10)), Some(seconds(20)));
    assert_eq!(early.wait(), Err(CallError::TimedOut));
    assert_eq!(replies.complete(2, reply(1, 42)), None);
    assert_eq!(replies.expire(seconds(30)), None, "an answered call has no deadline");
    assert_eq!(late.wait(), Ok(reply(1, 42)));
    assert_eq!(replies.len(), 1);
    drop(never);
}

#[test]
fn waiting_ends_with_the_reply_or_the_limit() {
    let replies = Replies::default();
    let call = register(&replies, 1, 7);
    let there = replies.clone();
    let thread = thread::spawn(move || {
        thread::sleep(Duration::from_millis(3));
        there.complete(1, reply(7, 42))
    });
    assert_eq!(call.wait_timeout(Duration::MAX), Ok(reply(7, 42)));
    assert_eq!(thread.join().expect("no panic"), None);
    let silent = register(&replies, 1, 8);
    assert_eq!(silent.wait_timeout(Duration::from_millis(3)), Err(CallError::TimedOut));
    assert!(replies.is_empty(), "a call that timed out is forgotten");
}

#[test]
fn under_stress_every_reply_is_either_taken_or_returned() {
    const CALLS: u64 = 20_000;
    let replies = Replies::default();
    let there = replies.clone();
    let (send, receive) = std::sync::mpsc::channel();
    let peer = thread::spawn(move || {
        receive.iter().filter(|tid| there.complete(5, reply(*tid, 42)).is_some()).count()
    });
    let mut lost = 0;
    for tid in 0..CALLS {
        let mut call = register(&replies, 5, tid);
        send.send(tid).expect("the peer lives");
        match tid % 3 {
            0 => assert_eq!(call.wait().expect("a reply").header.tid, tid),
            1 => lost += usize::from(poll(&mut call).is_pending()),
            _ => drop(call),
        }
    }
    drop(send);
    assert!(peer.join().expect("no panic") <= lost + CALLS.div_ceil(3) as usize);
    assert!(replies.is_empty());
}
