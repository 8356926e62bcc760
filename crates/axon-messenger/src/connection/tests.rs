//! What nobody can arrange from outside: a thread that stands in a gate, and how many hold a handle.

use super::*;
use crate::testing::{PATIENCE, Silent, builder, server, wait_until};
use crate::{Dispatcher, Permit, Received, Reset};
use axon_wire::Message;
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// Tells of resets.
struct Resets(Mutex<Sender<Reset>>);

impl Dispatcher for Resets {
    fn dispatch(&self, _: &Connection, _: Received) {}

    fn handle_reset(&self, _: &Connection, reset: Reset) {
        self.0.lock().unwrap().send(reset).unwrap();
    }
}

#[test]
fn a_reset_that_waits_for_a_sender_survives_the_shutdown() {
    let (resets, told) = channel();
    let server = server();
    let client = builder("client.7").start(Arc::new(Resets(Mutex::new(resets)))).unwrap();
    let connection = client.connect(EntityType::Osd, &server.addrs()).unwrap();
    wait_until("the session", || connection.state() == State::Open);
    let sender = connection.0.gate.enter().expect("it is open");
    drop(server);
    wait_until("the end of the session", || connection.fault().is_some());
    let closing = thread::spawn(move || client.shutdown(PATIENCE));
    thread::sleep(Duration::from_millis(100)); // for the shutdown to get to it
    let message = Message::new(7, &b"late"[..]);
    connection.command(|connection| Command::Send(connection, message, Permit::empty()));
    drop(sender);
    closing.join().unwrap();
    let reset = told.recv_timeout(PATIENCE).expect("the reset is told");
    assert_eq!(reset.undelivered.not_sent.len(), 1, "and the message goes back");
}

/// A command holds the connection, which holds the mailbox.
#[test]
fn a_handle_that_outlives_its_messenger_keeps_nothing() {
    let server = server();
    let client = builder("client.7").start(Arc::new(Silent)).unwrap();
    let connection = client.connect(EntityType::Osd, &server.addrs()).unwrap();
    wait_until("the session", || connection.state() == State::Open);
    drop(client);
    let (sender, permit) = (connection.0.gate.enter(), connection.0.budget.try_acquire(1000));
    assert!(sender.is_none() && connection.queued_bytes() == 1000);
    connection.keepalive();
    connection.mark_disposable();
    connection.mark_down();
    // Somebody was let in a moment before the end.
    let permit = permit.unwrap().unwrap();
    connection.command(|connection| Command::Send(connection, Message::default(), permit));
    assert_eq!((Arc::strong_count(&connection.0), connection.queued_bytes()), (1, 0));
}
