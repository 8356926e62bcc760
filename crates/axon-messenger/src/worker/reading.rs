//! Keeps the reactor's reading in step with what a machine wants to read.

use axon_proto::Demand;
use axon_transport::{Reactor, SocketId};

/// What the reactor was last told about reading.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    #[default]
    Paused,
    Armed,
    Direct,
}

impl Reading {
    /// Tells the reactor what has changed.
    pub(super) fn follow(&mut self, demand: Demand, socket: SocketId, reactor: &mut dyn Reactor) {
        match (demand, *self) {
            (Demand::Any, Self::Paused) => {
                reactor.receive(socket);
                *self = Self::Armed;
            }
            (Demand::Exactly { destination, length }, _) => {
                reactor.receive_into(socket, destination, length);
                *self = Self::Direct;
            }
            (Demand::Nothing, Self::Armed) => {
                reactor.pause(socket);
                *self = Self::Paused;
            }
            _ => {}
        }
    }

    /// A direct read is complete; the reactor has paused the socket.
    pub(super) fn filled(&mut self) {
        *self = Self::Paused;
    }
}
