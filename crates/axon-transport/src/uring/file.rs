//! Sockets as the ring knows them: registered in its table of files, so that no operation has to look up a descriptor.

use io_uring::Submitter;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use rustix::process::{Resource, getrlimit};
use std::cell::RefCell;
use std::rc::Rc;

/// Places in the table at most; sockets beyond are used by their descriptor. The kernel keeps 8 bytes for each.
const PLACES: u32 = 4096;

/// A descriptor and its place in the table. Whoever holds it keeps it open: its owner and each operation on it.
#[derive(Debug)]
pub(crate) struct File {
    fd: OwnedFd,
    place: Option<Place>,
}

/// A place in the table; given back when it is dropped.
#[derive(Debug)]
struct Place {
    index: u32,
    left: Rc<RefCell<Vec<u32>>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.left.borrow_mut().push(self.index);
    }
}

/// How an operation names a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    Place(u32),
    Descriptor(RawFd),
}

impl File {
    /// A file that is not in any table.
    pub(crate) const fn unregistered(fd: OwnedFd) -> Self {
        Self { fd, place: None }
    }

    pub(crate) fn name(&self) -> Name {
        match &self.place {
            Some(place) => Name::Place(place.index),
            None => Name::Descriptor(self.fd.as_raw_fd()),
        }
    }

    /// Takes the descriptor out. The table still refers to the file until [`Files::release`].
    pub(crate) fn into_fd(self) -> OwnedFd {
        self.fd
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The ring's table of files.
#[derive(Debug, Default)]
pub(crate) struct Files {
    free: Vec<u32>,
    /// Places whose file was dropped here; the kernel still holds on to it.
    left: Rc<RefCell<Vec<u32>>>,
}

impl Files {
    /// Registers a table. Without one, files are used by their descriptors, which costs time and nothing else.
    pub(crate) fn register(submitter: &Submitter<'_>) -> Self {
        // The kernel allows as many places as the process may have descriptors.
        let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let places = u32::try_from(allowed).unwrap_or(u32::MAX).min(PLACES);
        match submitter.register_files_sparse(places) {
            Ok(()) => Self { free: (0..places).rev().collect(), left: Rc::default() },
            Err(_) => Self::default(),
        }
    }

    /// Puts a descriptor into the table, if there is a place.
    pub(crate) fn insert(&mut self, submitter: &Submitter<'_>, fd: OwnedFd) -> File {
        let place = self.free.pop().and_then(|index| {
            match submitter.register_files_update(index, &[fd.as_raw_fd()]) {
                Ok(_) => Some(Place { index, left: self.left.clone() }),
                Err(_) => {
                    self.free.push(index);
                    None
                }
            }
        });
        File { fd, place }
    }

    /// Makes the kernel let go of files that were dropped, which closes them.
    pub(crate) fn release(&mut self, submitter: &Submitter<'_>) {
        for index in self.left.borrow_mut().drain(..) {
            // A place that cannot be emptied is lost, and with it a socket stays open until the ring goes.
            if submitter.register_files_update(index, &[-1]).is_ok() {
                self.free.push(index);
            }
        }
    }
}
