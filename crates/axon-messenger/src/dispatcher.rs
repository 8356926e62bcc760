//! What the application provides: where messages and news of connections go.

use crate::{Connection, Received};
use axon_proto::{Fault, Undelivered};
use axon_wire::Message;
use std::sync::Arc;

/// The application's side of a messenger.
///
/// Fast calls run on the worker thread that read the message: they must not block, as every connection of that worker
/// waits for them. The others run on the dispatch threads: news of a connection before its queued messages, but for the end
/// of a session, which comes after them. Sending, calling and marking down from any of them is fine. After
/// [`Connection::mark_down`] no handler is called for that connection any more. One that panics is logged; what it was called
/// for is lost, nothing else.
pub trait Dispatcher: Send + Sync + 'static {
    /// Whether `message` is safe and cheap enough to be handled on the reading thread. Asked for every message but those
    /// that a [call](Connection::call) awaits, and answered on that thread: it must be quick itself.
    ///
    /// Messages of the [loopback](crate::Messenger::loopback) connection were read by no thread: for those it is asked on
    /// a dispatch thread.
    fn can_fast_dispatch(&self, message: &Message) -> bool {
        let _ = message;
        false
    }

    /// Handles a message for which [`can_fast_dispatch`](Self::can_fast_dispatch) is true, on the thread that asked: the
    /// reading thread, or for messages of the loopback connection a dispatch thread. On the reading thread it overtakes
    /// what its connection has queued for [`dispatch`](Self::dispatch). Default: calls that.
    fn fast_dispatch(&self, connection: &Connection, message: Received) {
        self.dispatch(connection, message);
    }

    /// Handles a message on a dispatch thread. Those of one connection come in order within a priority, those of higher
    /// priorities first; see [`Builder::dispatch_threads`](crate::Builder::dispatch_threads).
    fn dispatch(&self, connection: &Connection, message: Received);

    /// A session this side dialled is open; on the worker thread, before any message of it.
    fn handle_fast_connect(&self, connection: &Connection) {
        let _ = connection;
    }

    /// A session somebody else dialled is open; on the worker thread, before any message of it.
    fn handle_fast_accept(&self, connection: &Connection) {
        let _ = connection;
    }

    /// A session goes on over another socket that the peer dialled; on the worker thread, before any message of that socket.
    /// Whoever judges messages by capabilities looks here at those of [`Connection::identity`]: the peer has authenticated
    /// anew, and they may be others.
    fn handle_fast_resumed(&self, connection: &Connection) {
        let _ = connection;
    }

    /// A session this side dialled is open.
    fn handle_connect(&self, connection: &Connection) {
        let _ = connection;
    }

    /// A session somebody else dialled is open. Once per session: what the peer may do can change while it goes on; see
    /// [`handle_fast_resumed`](Self::handle_fast_resumed).
    fn handle_accept(&self, connection: &Connection) {
        let _ = connection;
    }

    /// The session is over and will not come back. Once per session, after all its messages; with it comes everything
    /// that was accepted for sending and not delivered, whoever sent it in whatever moment.
    fn handle_reset(&self, connection: &Connection, reset: Reset) {
        let _ = (connection, reset);
    }

    /// An attempt to connect failed. More attempts follow until `mark_down`, or until a reset.
    fn handle_refused(&self, connection: &Connection, fault: &Fault) {
        let _ = (connection, fault);
    }

    /// The peer lost the session's state, and a new session begins on the same connection. What was queued for the old
    /// one comes back here.
    fn handle_remote_reset(&self, connection: &Connection, undelivered: Undelivered) {
        let _ = (connection, undelivered);
    }
}

/// How a session ended.
#[derive(Debug)]
pub struct Reset {
    /// Why.
    pub fault: Fault,
    /// What was accepted for sending and will not be delivered. A lossy session keeps nothing that was written: it may
    /// or may not have arrived.
    pub undelivered: Undelivered,
}

impl<D: Dispatcher + ?Sized> Dispatcher for Arc<D> {
    fn can_fast_dispatch(&self, message: &Message) -> bool {
        (**self).can_fast_dispatch(message)
    }

    fn fast_dispatch(&self, connection: &Connection, message: Received) {
        (**self).fast_dispatch(connection, message);
    }

    fn dispatch(&self, connection: &Connection, message: Received) {
        (**self).dispatch(connection, message);
    }

    fn handle_fast_connect(&self, connection: &Connection) {
        (**self).handle_fast_connect(connection);
    }

    fn handle_fast_accept(&self, connection: &Connection) {
        (**self).handle_fast_accept(connection);
    }

    fn handle_fast_resumed(&self, connection: &Connection) {
        (**self).handle_fast_resumed(connection);
    }

    fn handle_connect(&self, connection: &Connection) {
        (**self).handle_connect(connection);
    }

    fn handle_accept(&self, connection: &Connection) {
        (**self).handle_accept(connection);
    }

    fn handle_reset(&self, connection: &Connection, reset: Reset) {
        (**self).handle_reset(connection, reset);
    }

    fn handle_refused(&self, connection: &Connection, fault: &Fault) {
        (**self).handle_refused(connection, fault);
    }

    fn handle_remote_reset(&self, connection: &Connection, undelivered: Undelivered) {
        (**self).handle_remote_reset(connection, undelivered);
    }
}
