//! Between the preamble of a message and its body: the budgets have to have room for it.

use super::Station;
use crate::Connection;
use crate::received::Held;
use crate::throttle::{Permit, Throttle, Ticket};
use crate::worker::Command;
use axon_proto::cost_of;

/// The message that waits for its budgets, or holds them until it is delivered.
#[derive(Default)]
pub(super) struct Admission {
    length: usize,
    held: Held,
    /// The place in a budget's line.
    ticket: Option<Ticket>,
    /// Permits on their way here for messages that do not wait any more.
    stale_grants: usize,
}

impl Admission {
    /// A message of `length` body bytes wants in. Whether it may come at once.
    pub(super) fn begin(&mut self, length: usize, owner: &Connection, station: &Station) -> bool {
        debug_assert!(self.held.is_empty() && self.ticket.is_none(), "one message at a time waits");
        self.length = length;
        self.acquire_rest(owner, station)
    }

    /// A budget has room. Whether the message may come now.
    pub(super) fn granted(&mut self, permit: Permit, owner: &Connection, station: &Station) -> bool {
        if self.stale_grants > 0 {
            self.stale_grants -= 1;
            return false;
        }
        self.ticket = None;
        self.held.push(permit);
        self.acquire_rest(owner, station)
    }

    /// Body bytes of the message that waits, if one does.
    pub(super) fn held_back(&self) -> Option<usize> {
        self.ticket.as_ref().map(|_| self.length)
    }

    /// What the message holds, now that it is delivered.
    pub(super) fn take(&mut self) -> Held {
        std::mem::take(&mut self.held)
    }

    /// The message that waited will not come: gives up its place in line.
    pub(super) fn withdraw(&mut self) {
        self.held.clear();
        if let Some(ticket) = self.ticket.take()
            && !ticket.cancel()
        {
            self.stale_grants += 1;
        }
    }

    /// Takes the budgets in a fixed order, so that no two messages wait for each other.
    fn acquire_rest(&mut self, owner: &Connection, station: &Station) -> bool {
        let budgets = &station.shared.budgets;
        let by_type = budgets.by_type.get(&owner.peer_type());
        let all = if by_type.is_some() { 3 } else { 1 };
        let cost = cost_of(self.length);
        while self.held.len() < all {
            let (throttle, amount) = match (by_type, self.held.len()) {
                (Some((messages, _)), 0) => (messages, 1),
                (Some((_, bytes)), 1) => (bytes, cost),
                _ => (&budgets.dispatch_bytes, cost),
            };
            match throttle.try_acquire(amount) {
                Ok(Some(permit)) => self.held.push(permit),
                _ => {
                    station.counters.throttle_waits.count();
                    self.wait_for(throttle, amount, owner);
                    return false;
                }
            }
        }
        true
    }

    fn wait_for(&mut self, throttle: &Throttle, amount: usize, owner: &Connection) {
        let owner = owner.clone();
        let grant = move |permit| owner.command(|c| Command::Granted(c, permit));
        self.ticket = Some(throttle.acquire_or_wait(amount, grant));
    }
}
