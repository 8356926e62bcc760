//! A transport whose sockets can be cut from outside, at any moment and from any thread.
//!
//! Middleware over any back end. [`Faulty`](crate::Faulty) breaks connections after so many bytes, from a seed; this one
//! breaks them when somebody says so, which is what a test or a benchmark wants that runs under load in real time. A cut
//! is what a cable pulled out and a reset by the network look like: bytes under way may be lost, none is damaged.

mod board;
mod reactor;

#[cfg(test)]
mod tests;

use crate::{Capabilities, Reactor, Transport};
use board::Board;
use std::io;
use std::sync::Arc;

/// A transport whose sockets can be cut. Clones share the sockets and the counts: keep one to cut with.
#[derive(Debug, Clone)]
pub struct Cuttable<T> {
    inner: T,
    board: Arc<Board>,
}

impl<T: Transport> Cuttable<T> {
    /// Adds cuts to `inner`; `seed` decides which sockets are taken.
    pub fn new(inner: T, seed: u64) -> Self {
        Self { inner, board: Arc::new(Board::new(seed)) }
    }

    /// Cuts one of the live sockets. `false` if there is none.
    ///
    /// A socket is live from `Connected` or its adoption until its end. Its reactor is woken, closes it and reports
    /// [`ConnectionReset`](io::ErrorKind::ConnectionReset); what was not reported before is lost. The other end sees what
    /// its device makes of that.
    pub fn cut_one(&self) -> bool {
        self.board.cut_one_of(0)
    }

    /// Cuts one of the live sockets as if there were `places`, some of which may be empty: then nobody is cut. Of
    /// connections that are mended, those that stand are so not cut all the more often while others are down.
    pub fn cut_one_of(&self, places: usize) -> bool {
        self.board.cut_one_of(places)
    }

    /// Cuts all live sockets and returns how many these are.
    pub fn cut_all(&self) -> usize {
        self.board.cut_all()
    }

    /// Sockets live now.
    pub fn live(&self) -> usize {
        self.board.live()
    }

    /// Sockets cut so far. One that ended by itself between the decision and its reactor's turn does not count.
    pub fn cuts(&self) -> u64 {
        self.board.cuts()
    }

    /// The transport underneath.
    pub fn inner(&self) -> &T {
        &self.inner
    }
}

impl<T: Transport> Transport for Cuttable<T> {
    fn name(&self) -> &'static str {
        "cuttable"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { foreign_send: false, ..self.inner.capabilities() }
    }

    fn reactor(&self) -> io::Result<Box<dyn Reactor>> {
        let device = self.inner.reactor()?;
        Ok(Box::new(reactor::CuttableReactor::new(device, Arc::clone(&self.board))))
    }
}
