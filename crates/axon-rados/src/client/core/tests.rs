//! What is done under the objecter's lock, and what is not.

use super::*;
use crate::client::RadosError;
use crate::client::answer::To;
use crate::client::slot::{Taker, slot};
use crate::objecter::{OpId, Request};
use crate::ops::Answer;
use crate::osd::{ObjectLocator, OsdFlags, OsdOp};
use axon_denc::EntityAddr;
use axon_messenger::{Dispatcher, Received};
use bytes::Bytes;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Uses the objecter as soon as it is woken, in the thread that wakes.
struct Eager {
    core: Arc<Core>,
    done: Mutex<Sender<()>>,
}

impl Wake for Eager {
    fn wake(self: Arc<Self>) {
        self.core.with(|_, _| ());
        self.done.lock().unwrap().send(()).unwrap();
    }
}

/// A request for which a task waits that goes on as soon as it is woken.
fn awaited(core: &Arc<Core>) -> (OpId, Taker<Answer>, Receiver<()>) {
    let (giver, taker) = slot();
    let token = Token { to: To::Answer(giver), pool: Arc::from("pool") };
    let object = Bytes::from_static(b"o");
    let request =
        Request::new(object, ObjectLocator::pool(1), vec![OsdOp::stat()], Bytes::new(), OsdFlags::READ);
    let id = core.with(|objecter, now| objecter.submit(request, token, now));
    let (done, is_done) = channel();
    let waker = Waker::from(Arc::new(Eager { core: core.clone(), done: Mutex::new(done) }));
    assert!(taker.poll(&mut Context::from_waker(&waker)).is_pending());
    (id, taker, is_done)
}

#[test]
fn who_is_woken_may_use_the_objecter_at_once() {
    let cancel: fn(&Core, OpId) = |core, id| core.with(|objecter, now| objecter.cancel(id, now));
    let close: fn(&Core, OpId) = |core, _| core.close();
    for end in [cancel, close] {
        let core = Arc::new(Core::new(Budget::new(1, 1), None));
        let (id, taker, is_done) = awaited(&core);
        std::thread::spawn(move || end(&core, id));
        is_done.recv_timeout(Duration::from_secs(60)).expect("the lock is free");
        assert!(!taker.is_awaited());
    }
}

/// Hears nothing.
struct Deaf;

impl Dispatcher for Deaf {
    fn dispatch(&self, _: &Connection, _: Received) {}
}

#[test]
fn a_request_that_no_connection_takes_ends_and_the_connection_stays() {
    let messenger = Messenger::builder("client.?".parse().unwrap()).send_budget(1).start(Deaf).unwrap();
    let nobody = AddrVec::from(EntityAddr::msgr2(([127, 0, 0, 1], 1).into(), 1));
    let connection = messenger.connect_anonymous(EntityType::Osd, &nobody).unwrap();
    let core = Arc::new(Core::new(Budget::new(1, 1), None));
    let (id, taker, is_done) = awaited(&core);
    let (link, now) = (LinkId(1), Instant::now());
    let mut message = Message::new(MOSDOp::KIND, &b"long"[..]);
    message.header.tid = id.0;
    let mut state = core.lock();
    state.links.insert(link, connection);
    state.send(link, message, now);
    core.finish(state, now);
    is_done.recv_timeout(Duration::from_secs(60)).expect("it is over");
    let Poll::Ready(Err(error)) = taker.poll(&mut Context::from_waker(Waker::noop())) else { panic!() };
    assert!(matches!(&error, RadosError::Unsendable { .. }), "{error}");
    assert!(core.lock().links.contains_key(&link));
}
