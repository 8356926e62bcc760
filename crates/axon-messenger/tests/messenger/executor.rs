//! The smallest runtime: futures of this crate need no other.

use std::pin::{Pin, pin};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

/// Runs one future on this thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Task {
    job: Mutex<Option<Job>>,
    ready: Sender<Arc<Task>>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        // An executor that has ended needs no more wake-ups.
        let _ = self.ready.clone().send(self);
    }
}

/// Many tasks on one thread.
pub(crate) struct Executor {
    ready: Sender<Arc<Task>>,
    queue: Receiver<Arc<Task>>,
    tasks: usize,
}

impl Executor {
    pub(crate) fn new() -> Self {
        let (ready, queue) = channel();
        Self { ready, queue, tasks: 0 }
    }

    pub(crate) fn spawn(&mut self, job: impl Future<Output = ()> + Send + 'static) {
        let task = Task { job: Mutex::new(Some(Box::pin(job))), ready: self.ready.clone() };
        self.tasks += 1;
        Arc::new(task).wake();
    }

    /// Runs all tasks to their end.
    pub(crate) fn run(mut self) {
        while self.tasks > 0 {
            let task = self.queue.recv_timeout(crate::town::PATIENCE).expect("a task to be woken");
            let waker = Waker::from(task.clone());
            let mut job = task.job.lock().expect("no panic under the lock");
            let done = match job.as_mut() {
                Some(future) => future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready(),
                None => false,
            };
            if done {
                *job = None;
                self.tasks -= 1;
            }
        }
    }
}
