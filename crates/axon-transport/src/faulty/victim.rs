//! A socket with faults: what is held back from it in both directions, and when it breaks.

use super::Plan;
use crate::backlog::Backlog;
use crate::dice::Dice;
use crate::reading::Reading;
use crate::{Completion, Detached, Reactor, SocketId};
use bytes::BytesMut;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Arrived bytes held back; with more, the device is paused.
const HELD_BACK: usize = 256 * 1024;

/// What is done to a socket.
#[derive(Debug)]
pub(crate) struct Victim {
    plan: Arc<Plan>,
    dice: Dice,
    /// What the owner asked for.
    pub(crate) reading: Reading,
    /// Bytes the device shall not have yet.
    pub(crate) outgoing: Backlog,
    /// The owner waits for `Drained`.
    pub(crate) owes_drained: bool,
    /// Bytes that arrived and are not reported yet, and when they may be.
    held_back: VecDeque<(Duration, BytesMut)>,
    held_back_bytes: usize,
    latest: Duration,
    /// The device reported the end.
    end: Option<Option<io::Error>>,
    /// Bytes that may still pass before the cut.
    budget: Option<u64>,
    /// The attempt to connect shall fail.
    pub(crate) refuse: bool,
}

impl Victim {
    pub(crate) fn new(plan: &Arc<Plan>) -> Self {
        let mut dice = plan.next_socket();
        let faults = &plan.faults;
        let doomed = dice.chance(faults.cuts_per_mille);
        Self {
            plan: Arc::clone(plan),
            reading: Reading::Paused,
            outgoing: Backlog::default(),
            owes_drained: false,
            held_back: VecDeque::new(),
            held_back_bytes: 0,
            latest: Duration::ZERO,
            end: None,
            budget: doomed.then(|| dice.within(&faults.cut_after)),
            refuse: dice.chance(faults.refusals_per_mille) && !plan.is_calm(),
            dice,
        }
    }

    pub(crate) fn belongs_to(&self, plan: &Arc<Plan>) -> bool {
        Arc::ptr_eq(&self.plan, plan)
    }

    /// Bytes arrived from the device.
    pub(crate) fn hold_back(&mut self, data: BytesMut, now: Duration) {
        let delay = &self.plan.faults.delay;
        let (least, most) = (delay.start().as_nanos() as u64, delay.end().as_nanos() as u64);
        let due = now + Duration::from_nanos(self.dice.within(&(least..=most)));
        self.latest = self.latest.max(due);
        self.held_back_bytes += data.len();
        self.held_back.push_back((self.latest, data));
    }

    /// The device reported the end.
    pub(crate) fn end(&mut self, error: Option<io::Error>) {
        self.outgoing.clear();
        self.end = Some(error);
    }

    /// Makes the device read or pause.
    pub(crate) fn steer(&self, id: SocketId, device: &mut dyn Reactor) {
        if self.reading.is_paused() || self.held_back_bytes >= HELD_BACK {
            device.pause(id);
        } else {
            device.receive(id);
        }
    }

    /// When there is something to do next; zero for at once.
    pub(crate) fn next_turn(&self, id: SocketId, device: &dyn Reactor) -> Option<Duration> {
        if self.may_pass_out(id, device) {
            return Some(Duration::ZERO);
        }
        match self.held_back.front() {
            _ if self.reading.is_filled() => Some(Duration::ZERO),
            _ if self.reading.is_paused() => None,
            Some((due, _)) => Some(*due),
            None => self.end.is_some().then_some(Duration::ZERO),
        }
    }

    /// One piece each way. `Some` ends the socket.
    pub(crate) fn turn(
        &mut self,
        id: SocketId,
        device: &mut dyn Reactor,
        completions: &mut Vec<Completion>,
    ) -> Option<Option<io::Error>> {
        self.pass_out(id, device);
        self.pass_in(id, device.now(), completions);
        if self.owes_drained && self.outgoing.is_empty() && device.unsent(id) == 0 && self.end.is_none() {
            self.owes_drained = false;
            completions.push(Completion::Drained { socket: id });
        }
        // The cut is where the budget ends: what was passed on before leaves the device.
        if self.budget == Some(0) && device.unsent(id) == 0 && !self.plan.is_calm() {
            self.plan.cuts.fetch_add(1, Ordering::Relaxed);
            device.close(id);
            return Some(Some(ErrorKind::ConnectionReset.into()));
        }
        self.steer(id, device);
        self.reported_end()
    }

    /// The end, if it is time to report it: after all data, but an error does not wait for who does not read.
    fn reported_end(&mut self) -> Option<Option<io::Error>> {
        let is_error = matches!(self.end, Some(Some(_)));
        let may_end = if self.reading.is_paused() { is_error } else { self.held_back.is_empty() };
        if may_end { self.end.take() } else { None }
    }

    fn may_pass_out(&self, id: SocketId, device: &dyn Reactor) -> bool {
        // As long as the device has a backlog of its own, more would only move memory.
        !self.outgoing.is_empty() && !self.refuse && device.unsent(id) == 0
    }

    fn pass_out(&mut self, id: SocketId, device: &mut dyn Reactor) {
        if !self.may_pass_out(id, device) {
            return;
        }
        let size = self.piece();
        if let Some(piece) = self.outgoing.pop(size) {
            self.spend(piece.len());
            device.send(id, &mut vec![piece]);
        }
    }

    fn pass_in(&mut self, id: SocketId, now: Duration, completions: &mut Vec<Completion>) {
        if !self.reading.is_paused() && !self.reading.is_filled() {
            self.deliver(id, now, completions);
        }
        self.reading.finish_filling(id, completions);
    }

    fn deliver(&mut self, id: SocketId, now: Duration, completions: &mut Vec<Completion>) {
        let mut size = self.piece();
        if let Reading::Filling { missing, .. } = &self.reading {
            size = size.min(*missing);
        }
        let Some((_, data)) = self.held_back.front_mut().filter(|(due, _)| *due <= now) else {
            return;
        };
        let data = data.split_to(size.min(data.len()));
        if self.held_back.front().is_some_and(|(_, data)| data.is_empty()) {
            self.held_back.pop_front();
        }
        self.held_back_bytes -= data.len();
        self.spend(data.len());
        match &mut self.reading {
            Reading::Filling { destination, missing } => {
                *missing -= data.len();
                destination.extend_from_slice(&data);
            }
            Reading::Lending | Reading::Paused => {
                completions.push(Completion::Received { socket: id, data });
            }
        }
    }

    /// The size of the next piece, which ends where the cut is.
    fn piece(&mut self) -> usize {
        let size = self.dice.size(&self.plan.faults.piece);
        match self.budget {
            Some(left) if !self.plan.is_calm() => {
                size.min(usize::try_from(left).unwrap_or(usize::MAX)).max(1)
            }
            _ => size,
        }
    }

    fn spend(&mut self, bytes: usize) {
        if let Some(left) = &mut self.budget {
            *left = left.saturating_sub(bytes as u64);
        }
    }
}

/// A socket with faults between two reactors.
#[derive(Debug)]
pub(crate) struct Moving {
    pub(crate) socket: Box<dyn Detached>,
    pub(crate) victim: Victim,
}

impl Detached for Moving {
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send> {
        self
    }
}
