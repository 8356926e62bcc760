//! A socket: two sides, each with what it has written and not yet delivered.

use crate::PeerId;
use crate::label::Tap;
use crate::pipe::Pipe;
use axon_proto::{Demand, Disconnect, Ident, Instant, Link};
use bytes::{Bytes, BytesMut};

/// Who holds one side of a socket.
pub(crate) enum Holder {
    /// It was closed.
    Nobody,
    /// A connection.
    Peer(PeerId),
    /// An accepted link whose session is not agreed.
    Link(Box<Link>),
    /// Somebody else than the entity whose address it claims.
    Impostor(Box<Link>),
}

/// What a side is willing to read.
pub(crate) enum Reading {
    Nothing,
    Any,
    /// So many bytes to the end of this.
    Into(BytesMut, usize),
}

impl Reading {
    /// Follows what a machine demands. A direct read goes on until it is complete.
    pub(crate) fn follow(&mut self, demand: Demand) {
        match demand {
            Demand::Any => *self = Self::Any,
            Demand::Exactly { destination, length } => *self = Self::Into(destination, length),
            Demand::Nothing if matches!(self, Self::Into(..)) => {}
            Demand::Nothing => *self = Self::Nothing,
        }
    }
}

/// One side of a socket.
pub(crate) struct Side {
    pub(crate) holder: Holder,
    pub(crate) reading: Reading,
    /// What it writes.
    pub(crate) pipe: Pipe,
    pub(crate) tap: Tap,
    /// The last question of session it wrote, while it awaits the answer.
    pub(crate) asked: Option<Bytes>,
}

/// How far a socket has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// The dial comes to `outcome` at `due`; never if there is none.
    Dialling {
        due: Option<Instant>,
        outcome: Result<(), Disconnect>,
    },
    Open,
    Dead,
}

/// The side that dialled.
pub(crate) const DIALLER: usize = 0;
/// The side that accepted.
pub(crate) const ACCEPTOR: usize = 1;

/// What an accepted link asked.
pub(crate) struct Question {
    /// When the owner hears of it.
    pub(crate) at: Instant,
    pub(crate) ident: Box<Ident>,
    /// The owner, as the registry knew it when it was asked.
    pub(crate) owner: Option<PeerId>,
}

/// A socket.
pub(crate) struct Socket {
    /// [`DIALLER`] and [`ACCEPTOR`].
    pub(crate) sides: [Side; 2],
    /// The nodes of the sides.
    pub(crate) nodes: [usize; 2],
    pub(crate) status: Status,
    /// What the accepted link asked, until the session's owner hears of it.
    pub(crate) question: Option<Question>,
    /// Times that a session between the two nodes had been forgotten when it was dialled.
    pub(crate) forgets: u32,
}

impl Socket {
    pub(crate) fn dialling(nodes: [usize; 2], peer: PeerId, status: Status, cheap: bool) -> Self {
        Self::new(nodes, Holder::Peer(peer), status, cheap)
    }

    /// An impostor's, which is connected at once.
    pub(crate) fn imposed(nodes: [usize; 2], link: Link, cheap: bool) -> Self {
        Self::new(nodes, Holder::Impostor(Box::new(link)), Status::Open, cheap)
    }

    fn new(nodes: [usize; 2], dialler: Holder, status: Status, cheap: bool) -> Self {
        let side = |holder| Side {
            holder,
            reading: Reading::Nothing,
            pipe: Pipe::default(),
            tap: Tap::new(cheap),
            asked: None,
        };
        let sides = [side(dialler), side(Holder::Nobody)];
        Self { sides, nodes, status, question: None, forgets: 0 }
    }

    /// The side that `peer` holds.
    pub(crate) fn side_of(&self, peer: PeerId) -> Option<usize> {
        self.sides.iter().position(|side| matches!(side.holder, Holder::Peer(holder) if holder == peer))
    }

    /// Whether nobody will ever look at it again.
    pub(crate) fn is_abandoned(&self) -> bool {
        let hopeless = matches!(self.status, Status::Open | Status::Dialling { due: None, .. });
        hopeless && self.sides.iter().all(|side| matches!(side.holder, Holder::Nobody))
    }

    /// When what side `from` wrote, or its end, reaches the other side; `None` if that does not read.
    pub(crate) fn due(&self, from: usize) -> Option<Instant> {
        let reader = &self.sides[1 - from];
        let deaf = from == DIALLER && self.question.is_some();
        if deaf || matches!(reader.holder, Holder::Nobody) {
            return None;
        }
        let pipe = &self.sides[from].pipe;
        if !pipe.units.is_empty() && matches!(reader.reading, Reading::Nothing) {
            return None;
        }
        pipe.due()
    }
}
