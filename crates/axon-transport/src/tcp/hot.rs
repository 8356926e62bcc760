//! Sockets that are read from without asking epoll first.
//!
//! Who looks for work instead of sleeping, and has few sockets that talk, asks the socket that was readable last: one
//! system call finds nothing or brings the bytes, where asking epoll first takes two. Others are not forgotten: epoll is
//! asked after each look that brought something, and after some in vain.

use super::parking::Told;
use crate::SocketId;
use crate::slots::Slots;

/// Sockets worth it: with more, one look at all of them costs more than epoll.
const FEW: usize = 2;
/// Looks in vain before epoll is asked.
const LOOKS: u32 = 15;

/// The sockets that epoll told of last, if they were few.
#[derive(Debug, Default)]
pub(crate) struct Hot {
    sockets: [Option<SocketId>; FEW],
    /// Looks left until epoll is asked.
    left: u32,
}

impl Hot {
    /// The sockets to look at. They may be dead by now.
    pub(crate) fn sockets(&self) -> impl Iterator<Item = SocketId> + use<> {
        self.sockets.into_iter().flatten()
    }

    /// Whether to look before epoll is asked.
    pub(crate) fn is_worth_a_look(&self) -> bool {
        self.left > 0 && self.sockets[0].is_some()
    }

    /// A look at all of them is over.
    pub(crate) fn looked(&mut self, brought: bool) {
        self.left = if brought { 0 } else { self.left - 1 };
    }

    /// Epoll was asked. If it had nothing to tell, the sockets stay those of before.
    pub(crate) fn told(&mut self, told: &[Told]) {
        self.left = LOOKS;
        if told.is_empty() {
            return;
        }
        self.sockets = [None; FEW];
        if told.len() <= FEW {
            let tokens = told.iter().map(|(token, _)| *token);
            let sockets = tokens.filter(|token| *token != super::ALARM && !Slots::<()>::is_tagged(*token));
            for (place, token) in self.sockets.iter_mut().zip(sockets) {
                *place = Some(SocketId(token));
            }
        }
    }
}
