//! The ring: operations go in, arrivals come out, and the memory of what is in flight stays here until then.
//!
//! # Who owns memory that the kernel uses
//!
//! An operation in flight is in `in_flight`, with all the memory it names but the lent buffers, which are in `lent`. It is
//! taken out when the kernel has said its last word about it, and not before: who loses interest cancels the operation and
//! forgets it. The key of its entry, which carries a generation, is the `user_data` by which the kernel names it.
//!
//! A prompt send (`Manner::Prompt`) has no last word if it succeeds: it may not wait, so the kernel has carried it out when
//! it has taken the entry out of the queue, and the call that did so brings a completion with it if it failed or fell short.
//!
//! When the ring is dropped, it cancels everything and waits for the last words. Should they not come, the memory is leaked.

use super::file::{File, Files};
use super::lent::{Lent, Use};
use super::operation::{Manner, Operation, Work};
use super::outgoing::Outgoing;
use crate::Counters;
use crate::slots::Slots;
use bytes::BytesMut;
use io_uring::squeue::{Entry, Flags};
use io_uring::types::{CancelBuilder, SubmitArgs, Timespec};
use io_uring::{EnterFlags, IoUring, cqueue, opcode};
use rustix::event::PollFlags;
use rustix::fd::{FromRawFd, OwnedFd};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Operations that one system call can start.
const SUBMISSIONS: u32 = 256;
/// Completions the kernel keeps without allocating.
const COMPLETIONS: u32 = 4096;
/// Lists for sending that are kept for the next.
const LISTS_KEPT: usize = 64;
/// How long cancelled operations may take to end. They end at once; this is for a kernel gone mad.
const PATIENCE: Duration = Duration::from_secs(5);
/// Names what needs no answer: no key of a table, for it is tagged.
const NOBODY: u64 = u64::MAX;

/// Names an operation in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token(u64);

/// News of an operation.
pub(crate) struct Arrival {
    /// Whose operation it is.
    pub(crate) owner: u64,
    /// Bytes moved, or events; or why not.
    pub(crate) outcome: Result<usize, Errno>,
    pub(crate) brought: Brought,
    /// The work, if this was the last word about it: its memory belongs to this side again.
    pub(crate) ended: Option<Work>,
}

/// What the kernel handed over.
pub(crate) enum Brought {
    Nothing,
    /// At least one byte.
    Bytes(BytesMut),
    /// What a file is ready for.
    Events(PollFlags),
    Socket(OwnedFd),
}

/// A ring, and everything the kernel uses because of it.
pub(crate) struct Ring {
    // Closed first: see `drop`.
    uring: IoUring,
    in_flight: Slots<Operation>,
    lent: Lent,
    files: Files,
    /// Arrivals that were taken out of turn.
    stash: VecDeque<Arrival>,
    /// Entries that found no place in the queue.
    waiting: VecDeque<Entry>,
    #[expect(clippy::vec_box, reason = "the kernel is given their addresses, and they go from hand to hand")]
    lists: Vec<Box<Outgoing>>,
    /// Prompt sends in the queue, which the kernel may not have seen.
    prompt: Vec<u64>,
    /// Prompt sends it has taken out of the queue: those about which it has not complained are complete.
    silent: Vec<u64>,
    enter_flags: EnterFlags,
    pub(crate) counters: Counters,
}

impl Ring {
    /// A ring for the calling thread, which must stay on it.
    pub(crate) fn new() -> io::Result<Self> {
        Self::using(Use::here())
    }

    /// The same, with the lent buffers used this way.
    pub(crate) fn using(using: Use) -> io::Result<Self> {
        Self::sized(using, SUBMISSIONS, COMPLETIONS)
    }

    /// The same, with room for so many operations per call and so many completions.
    pub(crate) fn sized(using: Use, submissions: u32, completions: u32) -> io::Result<Self> {
        let uring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .setup_submit_all()
            .setup_cqsize(completions)
            .build(submissions)?;
        let mut enter_flags = EnterFlags::GETEVENTS | EnterFlags::EXT_ARG;
        // Sleeping is no waiting for a disk, whatever the kernel's statistics think.
        enter_flags.set(EnterFlags::NO_IOWAIT, uring.params().is_feature_no_iowait());
        let lent = Lent::register(&uring.submitter(), using)?;
        let files = Files::register(&uring.submitter());
        Ok(Self {
            uring,
            in_flight: Slots::new(false),
            lent,
            files,
            stash: VecDeque::new(),
            waiting: VecDeque::new(),
            lists: Vec::new(),
            prompt: Vec::new(),
            silent: Vec::new(),
            enter_flags,
            counters: Counters::default(),
        })
    }

    /// What the kernel said about itself when the ring was made.
    pub(crate) fn uring(&self) -> &IoUring {
        &self.uring
    }

    /// Puts a socket into the ring's table.
    pub(crate) fn insert(&mut self, fd: OwnedFd) -> Rc<File> {
        Rc::new(self.files.insert(&self.uring.submitter(), fd))
    }

    /// Closes files that were dropped.
    pub(crate) fn release_files(&mut self) {
        self.files.release(&self.uring.submitter());
    }

    /// An empty list for sending.
    pub(crate) fn list(&mut self) -> Box<Outgoing> {
        self.lists.pop().unwrap_or_else(|| Box::new(Outgoing::new()))
    }

    /// Takes a list back.
    pub(crate) fn give_back(&mut self, mut list: Box<Outgoing>) {
        if self.lists.len() < LISTS_KEPT {
            list.reset();
            self.lists.push(list);
        }
    }

    /// Starts an operation, at the latest with the next [`enter`](Self::enter).
    pub(crate) fn start(&mut self, owner: u64, file: &Rc<File>, work: Work) -> Token {
        self.counters.sends += u64::from(matches!(work, Work::Send(..)));
        let is_prompt = matches!(work, Work::Send(_, Manner::Prompt));
        let key = self.in_flight.insert(Operation::new(owner, file.clone(), work));
        let operation = self.in_flight.get_mut(key).expect("just inserted");
        let entry = operation.entry().user_data(key);
        if is_prompt {
            self.prompt.push(key);
        }
        self.push(entry);
        Token(key)
    }

    /// Asks the kernel to end an operation soon. It may still succeed; its last word comes in any case.
    pub(crate) fn cancel(&mut self, token: Token) {
        self.counters.controls += 1;
        let entry = opcode::AsyncCancel::new(token.0).build();
        self.push(entry.flags(Flags::SKIP_SUCCESS).user_data(NOBODY));
    }

    /// Queues an entry whose memory is in `in_flight` or `lent`.
    fn push(&mut self, entry: Entry) {
        self.waiting.push_back(entry);
        self.fill_queue();
        if !self.waiting.is_empty() {
            self.submit();
            self.fill_queue();
        }
    }

    /// Starts what is queued at once, for what must not wait for [`enter`](Self::enter).
    pub(crate) fn submit(&mut self) {
        self.fill_queue();
        self.counters.system_calls += 1;
        // Should the kernel not take it now, it will later.
        let _ = self.uring.submit();
    }

    #[expect(unsafe_code, reason = "the kernel will use the memory the entries name")]
    fn fill_queue(&mut self) {
        let mut queue = self.uring.submission();
        while let Some(entry) = self.waiting.front() {
            // SAFETY: what the entry names is in `in_flight` or `lent`, and stays there until the last word about the
            // operation has come, even if `self` is dropped: see `drop`.
            if unsafe { queue.push(entry) }.is_err() {
                break;
            }
            self.waiting.pop_front();
        }
    }

    /// Starts what is queued and waits until something arrives, but no longer than `sleep`; zero just looks.
    pub(crate) fn enter(&mut self, sleep: Duration) -> io::Result<()> {
        self.release_files();
        self.lent.offer();
        self.fill_queue();
        let may_sleep = !sleep.is_zero() && self.stash.is_empty() && self.uring.completion().is_empty();
        let queue = self.uring.submission();
        if !may_sleep && queue.is_empty() && !queue.taskrun() && !queue.cq_overflow() {
            return Ok(());
        }
        let queued = queue.len() as u32;
        drop(queue);
        self.call(queued, if may_sleep { sleep } else { Duration::ZERO })
    }

    #[expect(unsafe_code, reason = "the safe ways do not look for completions unless they wait for one")]
    fn call(&mut self, queued: u32, sleep: Duration) -> io::Result<()> {
        self.counters.waits += 1;
        self.counters.system_calls += 1;
        let wanted = u32::from(!sleep.is_zero());
        let timeout = Timespec::from(sleep);
        let args = SubmitArgs::new();
        let args = if wanted > 0 { args.timespec(&timeout) } else { args };
        let flags = self.enter_flags.bits();
        // SAFETY: the argument is what `EXT_ARG` in the flags announces, and lives through the call, as does the timeout.
        let result = unsafe { self.uring.submitter().enter(queued, wanted, flags, Some(&args)) };
        if self.waiting.is_empty() && self.uring.submission().is_empty() {
            self.silent.append(&mut self.prompt);
        }
        match result.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO)) {
            // Busy and again: the kernel wants completions to be taken first, or has no memory at the moment.
            Ok(_) | Err(Errno::TIME | Errno::INTR | Errno::AGAIN | Errno::BUSY) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The next arrival, if there is one.
    pub(crate) fn next(&mut self) -> Option<Arrival> {
        self.stash.pop_front().or_else(|| self.fresh())
    }

    fn fresh(&mut self) -> Option<Arrival> {
        loop {
            match self.completion() {
                Some(completion) => {
                    if let Some(arrival) = self.arrival(&completion) {
                        return Some(arrival);
                    }
                }
                // A failure that is still to come is no silence.
                None if self.uring.submission().cq_overflow() => return None,
                None => return self.silent_success(),
            }
        }
    }

    /// The next completion. Those that found no place in the queue come when it is empty and the kernel is called.
    fn completion(&mut self) -> Option<cqueue::Entry> {
        let next = self.uring.completion().next();
        if next.is_some() || !self.uring.submission().cq_overflow() {
            return next;
        }
        // Should it fail, the next wait will tell.
        let _ = self.call(0, Duration::ZERO);
        self.uring.completion().next()
    }

    /// A prompt send that is complete. Those that are not were taken by their completions, which come first.
    fn silent_success(&mut self) -> Option<Arrival> {
        while let Some(key) = self.silent.pop() {
            let Some(operation) = self.in_flight.remove(key) else { continue };
            let sent = match &operation.work {
                Work::Send(list, _) => list.backlog.bytes(),
                _ => 0,
            };
            let Operation { owner, work, .. } = operation;
            return Some(Arrival { owner, outcome: Ok(sent), brought: Brought::Nothing, ended: Some(work) });
        }
        None
    }

    /// Waits for the next arrival of `owner`, who has an operation in flight that ends soon. Others wait their turn.
    pub(crate) fn next_of(&mut self, owner: u64) -> io::Result<Arrival> {
        if let Some(place) = self.stash.iter().position(|arrival| arrival.owner == owner)
            && let Some(arrival) = self.stash.remove(place)
        {
            return Ok(arrival);
        }
        let start = Instant::now();
        loop {
            while let Some(arrival) = self.fresh() {
                if arrival.owner == owner {
                    return Ok(arrival);
                }
                self.stash.push_back(arrival);
            }
            self.wait_for_end(start)?;
        }
    }

    fn wait_for_end(&mut self, start: Instant) -> io::Result<()> {
        if start.elapsed() > PATIENCE {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.fill_queue();
        let queued = self.uring.submission().len() as u32;
        self.call(queued, Duration::from_millis(100))
    }

    /// What a completion says; nothing if it is the answer to a cancellation.
    fn arrival(&mut self, completion: &cqueue::Entry) -> Option<Arrival> {
        let key = completion.user_data();
        let operation = self.in_flight.get(key)?;
        let owner = operation.owner;
        let outcome = match completion.result() {
            error @ ..0 => Err(Errno::from_raw_os_error(-error)),
            amount => Ok(amount as usize),
        };
        let brought = match operation.work {
            Work::Accept => accepted(outcome),
            Work::Lend(_) => self.lent(outcome, completion.flags()),
            Work::Fill(..) => self.count_received(outcome),
            Work::Listen(_) | Work::Await(_) => events(outcome),
            Work::Send(..) | Work::Connect(_) => Brought::Nothing,
        };
        let ended = match cqueue::more(completion.flags()) {
            true => None,
            false => self.in_flight.remove(key).map(|operation| written(operation.work, outcome)),
        };
        Some(Arrival { owner, outcome, brought, ended })
    }

    fn lent(&mut self, outcome: Result<usize, Errno>, flags: u32) -> Brought {
        if outcome == Err(Errno::NOBUFS) {
            self.lent.grow();
        }
        self.count_received(outcome);
        let length = outcome.unwrap_or(0);
        let more = cqueue::buffer_more(flags);
        match cqueue::buffer_select(flags).and_then(|number| self.lent.take(number, length, more)) {
            Some(data) => Brought::Bytes(data),
            None => Brought::Nothing,
        }
    }

    fn count_received(&mut self, outcome: Result<usize, Errno>) -> Brought {
        self.counters.receives += 1;
        self.counters.bytes_in += outcome.unwrap_or(0) as u64;
        Brought::Nothing
    }

    /// Operations in flight.
    #[cfg(test)]
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Leaves no place in the table of files.
    #[cfg(test)]
    pub(crate) fn fill_table(&mut self) {
        self.files = Files::default();
    }

    /// Cancels everything and waits for the last words. Whether nothing is in flight any more.
    pub(crate) fn come_to_rest(&mut self) -> bool {
        let cancel_all = opcode::AsyncCancel2::new(CancelBuilder::any()).build();
        let start = Instant::now();
        while !self.in_flight.is_empty() {
            // Again and again, for what waits in the queue begins only now.
            self.push(cancel_all.clone().user_data(NOBODY));
            if self.wait_for_end(start).is_err() {
                return false;
            }
            while self.fresh().is_some() {}
        }
        true
    }
}

fn events(outcome: Result<usize, Errno>) -> Brought {
    outcome.map_or(Brought::Nothing, |events| Brought::Events(PollFlags::from_bits_retain(events as u16)))
}

#[expect(unsafe_code, reason = "the kernel hands over descriptors as numbers")]
fn accepted(outcome: Result<usize, Errno>) -> Brought {
    match outcome {
        // SAFETY: each success of this operation is a new descriptor, which is ours alone.
        Ok(fd) => Brought::Socket(unsafe { OwnedFd::from_raw_fd(fd as i32) }),
        Err(_) => Brought::Nothing,
    }
}

/// The work after its end: a destination is as long as it was filled.
#[expect(unsafe_code, reason = "only the kernel knows how much of the spare capacity it has filled")]
fn written(mut work: Work, outcome: Result<usize, Errno>) -> Work {
    if let (Work::Fill(destination, missing), Ok(received)) = (&mut work, outcome) {
        assert!(received <= *missing, "the kernel wrote more than it was asked for");
        // SAFETY: the kernel was given the spare capacity, which begins at `len`, and has filled so much of it.
        unsafe { destination.set_len(destination.len() + received) };
        *missing -= received;
    }
    work
}

impl Drop for Ring {
    fn drop(&mut self) {
        let at_rest = self.come_to_rest() && self.lent.unregister(&self.uring.submitter()).is_ok();
        if !at_rest {
            // The kernel may still use it.
            std::mem::forget(std::mem::replace(&mut self.in_flight, Slots::new(false)));
            self.lent.leak();
            return;
        }
        self.release_files();
        // Else the kernel would close them some time after the ring.
        let _ = self.uring.submitter().unregister_files();
    }
}
