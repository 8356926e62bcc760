//! The end of a run: faults stop, everybody writes to everybody once more, and it has to become quiet.

use super::{Plan, Run, describe};
use crate::{Kind, Letter, Peer, PeerId, Violation, World, letter};
use axon_proto::{Instant, State};
use std::time::Duration;

/// How long after the end of faults everything must be delivered, acknowledged and quiet.
pub(super) const BOUND: Duration = Duration::from_secs(200);
/// How long quiet must last.
const QUIET: Duration = Duration::from_secs(2);

impl Plan {
    pub(super) fn finish(&self, run: &mut Run) -> Result<Duration, Violation> {
        let calm = run.world.now;
        self.clear_up(&mut run.world);
        self.probe(&mut run.world);
        run.check()?;
        let mut settled_after = settle(run, calm)?;
        run.advance(run.world.now + QUIET)?;
        // What was lost with a lossy connection may still be answered by its other end.
        while !is_settled(&run.world) {
            settled_after = settle(run, calm)?;
            run.advance(run.world.now + QUIET)?;
        }
        self.check_books(&run.world)?;
        self.check_pairs(&run.world)?;
        Ok(settled_after)
    }

    fn clear_up(&self, world: &mut World) {
        world.trace.note(world.now, "*", format_args!("faults end"));
        world.cuts.clear();
        world.parted.clear();
        world.setup.weather.clear_up();
        world.nodes.iter_mut().for_each(|node| node.frozen_until = Instant(0));
        let nodes = 0..world.nodes.len();
        for node in nodes.clone() {
            if !world.nodes[node].up {
                self.start(world, node, false);
            }
        }
        for node in nodes.clone() {
            nodes.clone().for_each(|other| world.learn(node, other));
        }
    }

    /// Whoever may dial somebody writes to him.
    fn probe(&self, world: &mut World) {
        for from in 0..world.nodes.len() {
            for to in 0..world.nodes.len() {
                let client = from != 0 && to == 0;
                if from != to && (self.setup.kind.is_peer() || client) {
                    world.send(from, to, Letter { request: true, ..Letter::PLAIN });
                }
            }
        }
    }

    fn check_books(&self, world: &World) -> Result<(), Violation> {
        if let Some(tid) = world.ledger.unresolved() {
            return Err(Violation::Lost(tid));
        }
        if self.setup.kind.is_lossless() {
            for (id, peer) in world.alive() {
                world.ledger.check_budget(id, peer.machine.held())?;
            }
        }
        Ok(())
    }

    fn check_pairs(&self, world: &World) -> Result<(), Violation> {
        if !self.setup.kind.is_lossless() {
            return Ok(());
        }
        for a in 0..world.nodes.len() {
            for b in a + 1..world.nodes.len() {
                if self.setup.kind != Kind::Stateful || a == 0 {
                    check_pair(world, a, b)?;
                }
            }
        }
        Ok(())
    }
}

/// Runs until nothing is left to do.
fn settle(run: &mut Run, calm: Instant) -> Result<Duration, Violation> {
    loop {
        if is_settled(&run.world) {
            return Ok(run.world.now.since(calm));
        }
        if !run.world.step(calm + BOUND, &mut run.pending) {
            let what = describe(&run.world);
            return Err(match run.pending.is_empty() {
                true => Violation::Stuck { what },
                false => Violation::NotQuiet { seconds: BOUND.as_secs(), what },
            });
        }
        run.events += 1;
        run.check()?;
    }
}

fn is_settled(world: &World) -> bool {
    world.alive().all(|(_, peer)| peer.is_quiet()) && world.ledger.unresolved().is_none()
}

/// Two nodes that have just written to each other have one session, on which they agree, and one socket for it.
fn check_pair(world: &World, a: usize, b: usize) -> Result<(), Violation> {
    let sockets = world.sockets_between(a, b);
    if sockets != 1 {
        return Err(Violation::Sockets(sockets));
    }
    let [mine, theirs] = [open_between(world, a, b)?, open_between(world, b, a)?];
    let name = |peer: PeerId| {
        let ids = world.peer(peer).machine.session().ids();
        // Not the acceptor's cookie: of two that were drawn at the same time each end may keep its own, and nobody
        // compares them.
        (ids.client_cookie, ids.connect_seq)
    };
    if name(mine) != name(theirs) {
        return Err(Violation::Disagree(format!("{:x?} {:x?}", name(mine), name(theirs))));
    }
    Ok(())
}

/// The connection of `node` with what `other` is now, which has to be open. Beside it there may be what a late question
/// of a process that is gone began, at rest.
fn open_between(world: &World, node: usize, other: usize) -> Result<PeerId, Violation> {
    let now = world.nodes[other].addr;
    let is_open = |peer: &Peer| peer.state() == State::Open && peer.addrs.contains(&now);
    let mut open =
        world.alive().filter(|(_, peer)| (peer.node, peer.other) == (node, other) && is_open(peer));
    open.next().map(|(id, _)| id).ok_or_else(|| Violation::NotOpen(letter(node), letter(other)))
}

#[cfg(test)]
mod tests;
