//! The dumps being taken. A worker that has ended answers nobody, so the messenger tells all who wait when it is over.

use super::{AcceptingDump, ConnectionDump};
use crate::sync::{Mutex, lock};
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};

/// What comes back to who asked.
pub(crate) enum Answer {
    /// What this worker found.
    Found(usize, Findings),
    /// The messenger has ended.
    Over,
}

/// What a worker says of its endpoints.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) connections: Vec<ConnectionDump>,
    pub(crate) accepting: Vec<AcceptingDump>,
    pub(crate) listening: Vec<SocketAddr>,
    /// Commands it had yet to take.
    pub(crate) backlog: usize,
}

/// Who waits for answers.
#[derive(Debug)]
pub(crate) struct Inquiries(Mutex<Book>);

#[derive(Debug)]
enum Book {
    /// Those that wait, each under its number, and the next number.
    Open(Vec<(u64, Sender<Answer>)>, u64),
    /// The messenger has ended.
    Over,
}

/// One dump being taken, until it is dropped.
pub(crate) struct Inquiry<'a> {
    inquiries: &'a Inquiries,
    number: u64,
    sender: Sender<Answer>,
    answers: Receiver<Answer>,
}

impl Default for Inquiries {
    fn default() -> Self {
        Self(Mutex::new(Book::Open(Vec::new(), 0)))
    }
}

impl Inquiries {
    /// A new one; `None` once it is over.
    pub(crate) fn open(&self) -> Option<Inquiry<'_>> {
        let Book::Open(waiting, next) = &mut *lock(&self.0) else { return None };
        let (sender, answers) = channel();
        let number = *next;
        *next += 1;
        waiting.push((number, sender.clone()));
        Some(Inquiry { inquiries: self, number, sender, answers })
    }

    /// Tells everybody that no answers come any more.
    pub(crate) fn end(&self) {
        let Book::Open(waiting, _) = std::mem::replace(&mut *lock(&self.0), Book::Over) else { return };
        for (_, sender) in waiting {
            // Who has gone away does not need to know.
            let _ = sender.send(Answer::Over);
        }
    }
}

impl Inquiry<'_> {
    /// Where a worker sends its answer.
    pub(crate) fn sender(&self) -> Sender<Answer> {
        self.sender.clone()
    }

    /// Where answers come.
    pub(crate) fn answers(&self) -> &Receiver<Answer> {
        &self.answers
    }
}

impl Drop for Inquiry<'_> {
    fn drop(&mut self) {
        if let Book::Open(waiting, _) = &mut *lock(&self.inquiries.0) {
            waiting.retain(|(number, _)| *number != self.number);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_told_to_those_who_wait_and_to_those_who_come() {
        let inquiries = Inquiries::default();
        let waits = inquiries.open().expect("it is open");
        drop(inquiries.open());
        inquiries.end();
        assert!(matches!(waits.answers().try_recv(), Ok(Answer::Over)));
        assert!(inquiries.open().is_none());
        inquiries.end();
    }

    #[test]
    fn who_is_done_is_forgotten() {
        let inquiries = Inquiries::default();
        let [first, second] =
            [inquiries.open(), inquiries.open()].map(|inquiry| inquiry.expect("it is open"));
        drop(first);
        let Book::Open(waiting, _) = &*lock(&inquiries.0) else { panic!("it is open") };
        assert_eq!(waiting.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [second.number]);
    }
}
