use super::*;
use crate::mailbox::{Inbox, Mailbox, mailbox};
use axon_transport::Waker;

/// A worker reduced to what matters here: numbers come in, in whichever way.
struct Clerk {
    inbox: Inbox<usize>,
    got: Vec<usize>,
}

impl Clerk {
    fn new(waker: Waker) -> (Mailbox<usize>, Self) {
        let (mailbox, inbox) = mailbox(waker, drop);
        (mailbox, Self { inbox, got: Vec::new() })
    }

    fn take_mail(&mut self) {
        while let Some(number) = self.inbox.pop() {
            self.got.push(number);
        }
    }
}

/// Hands over as a connection does: at the desk if the worker sleeps, else by mail. Whether it was at the desk.
fn hand_over(desk: &Desk<Clerk>, mailbox: &Mailbox<usize>, number: usize) -> bool {
    let mut left = Some(number);
    if mailbox.is_asleep() {
        desk.visit(|clerk| {
            if clerk.inbox.is_empty() {
                clerk.got.extend(left.take());
            }
        });
    }
    if let Some(number) = left {
        mailbox.push(number);
    }
    left.is_none()
}

#[cfg(not(loom))]
mod plain {
    use super::*;

    fn sleeping() -> (Desk<Clerk>, Mailbox<usize>) {
        let (mailbox, mut clerk) = Clerk::new(Waker::new(|| ()));
        assert!(clerk.inbox.prepare_sleep());
        let desk = Desk::new();
        *desk.sit() = Some(clerk);
        (desk, mailbox)
    }

    fn got(desk: &Desk<Clerk>) -> Vec<usize> {
        let mut seat = desk.sit();
        let clerk = seat.as_mut().expect("it is there");
        clerk.take_mail();
        clerk.got.clone()
    }

    #[test]
    fn a_sleeper_is_served_at_its_desk() {
        let (desk, mailbox) = sleeping();
        assert!(hand_over(&desk, &mailbox, 1));
        assert_eq!(got(&desk), [1]);
    }

    #[test]
    fn nobody_waits_for_a_desk_that_is_taken() {
        let (desk, mailbox) = sleeping();
        let seat = desk.sit();
        assert!(!hand_over(&desk, &mailbox, 1));
        drop(seat);
        assert_eq!(got(&desk), [1]);
    }

    #[test]
    fn mail_is_not_overtaken() {
        let (desk, mailbox) = sleeping();
        let seat = desk.sit();
        hand_over(&desk, &mailbox, 1);
        drop(seat);
        assert!(!hand_over(&desk, &mailbox, 2));
        assert_eq!(got(&desk), [1, 2]);
    }

    #[test]
    fn a_desk_where_nobody_works_any_more_takes_nothing() {
        let (desk, mailbox) = sleeping();
        drop(desk.cleared_at_the_end());
        assert!(!hand_over(&desk, &mailbox, 1));
    }
}

#[cfg(loom)]
mod exhaustive {
    use super::*;
    use loom::sync::{Arc, Notify};
    use loom::thread;

    /// The worker's thread: sleeps away from the desk whenever it may, until `wanted` numbers are there.
    fn work(desk: &Desk<Clerk>, bell: &Notify, wanted: usize) -> Vec<usize> {
        loop {
            let mut seat = desk.sit();
            let clerk = seat.as_mut().expect("it is there");
            clerk.inbox.awake();
            clerk.take_mail();
            if clerk.got.len() >= wanted {
                return std::mem::take(&mut clerk.got);
            }
            let sleeps = clerk.inbox.prepare_sleep();
            drop(seat);
            if sleeps {
                bell.wait();
            }
        }
    }

    /// A caller at the desk wakes nobody, so that here the last one has to: as `close` does, after everything else.
    fn model(
        preemptions: usize,
        callers: impl Fn(Arc<Desk<Clerk>>, Mailbox<usize>) + Copy + Sync + Send + 'static,
    ) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(preemptions);
        model.check(move || {
            let bell = Arc::new(Notify::new());
            let ring = Arc::clone(&bell);
            let (mailbox, clerk) = Clerk::new(Waker::new(move || ring.notify()));
            let desk = Arc::new(Desk::new());
            *desk.sit() = Some(clerk);
            let there = Arc::clone(&desk);
            let caller = thread::spawn(move || callers(there, mailbox));
            let got = work(&desk, &bell, 3);
            caller.join().expect("no panic");
            assert_eq!(got, [1, 2, 3], "order and number");
        });
    }

    /// One thread's numbers come in order, whichever way each takes.
    #[test]
    fn one_caller() {
        model(3, |desk, mailbox| {
            hand_over(&desk, &mailbox, 1);
            hand_over(&desk, &mailbox, 2);
            mailbox.push(3);
        });
    }

    /// What another thread sends because of something that was sent comes after that.
    #[test]
    fn one_after_the_other() {
        model(2, |desk, mailbox| {
            hand_over(&desk, &mailbox, 1);
            let next = {
                let (desk, mailbox) = (Arc::clone(&desk), mailbox.clone());
                thread::spawn(move || drop(hand_over(&desk, &mailbox, 2)))
            };
            next.join().expect("no panic");
            mailbox.push(3);
        });
    }
}
