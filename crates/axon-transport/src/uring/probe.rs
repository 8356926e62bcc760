//! What the kernel must offer, and what it says if it does not.

use super::ring::Ring;
use io_uring::{IoUring, Parameters, Probe, opcode};
use rustix::io::Errno;
use std::io;

/// Why there is no io_uring here. Each text names the cause and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UringUnavailable {
    /// The kernel was built without it, or is older than 5.1.
    #[error("this kernel has no io_uring (no such system call); use the transport tcp")]
    NoSystemCall,
    /// The system call is forbidden to this process.
    #[error(
        "io_uring is forbidden here: by the sysctl kernel.io_uring_disabled, or by the seccomp filter of a container; \
         allow it there, or use the transport tcp"
    )]
    Forbidden,
    /// The kernel is too old: Linux 6.1 has all that is needed.
    #[error("this kernel's io_uring lacks {lacks}; use Linux 6.1 or later, or the transport tcp")]
    TooOld {
        /// What it lacks.
        lacks: &'static str,
    },
    /// There is io_uring, but not enough descriptors or memory for a ring.
    #[error(
        "no room for an io_uring ring: raise the limits of open files (ulimit -n) or locked memory (ulimit -l), or use the transport tcp"
    )]
    NoRoom(#[source] io::Error),
    /// Something unheard of.
    #[error("io_uring does not work here; use the transport tcp")]
    Other(#[source] io::Error),
}

type Offers = fn(&Parameters) -> bool;

/// What the kernel says about itself. The flags of the set-up (`SINGLE_ISSUER`, `DEFER_TASKRUN`: Linux 6.1) are refused by
/// kernels without them, and imply what cannot be asked for: multishot receives (6.0), multishot accepts and rings of
/// buffers (5.19).
const FEATURES: &[(&str, Offers)] = &[
    ("completions that are never dropped (NODROP)", Parameters::is_feature_nodrop),
    ("data that need not outlive the submission (SUBMIT_STABLE)", Parameters::is_feature_submit_stable),
    ("waits without threads (FAST_POLL)", Parameters::is_feature_fast_poll),
    ("waits with a timeout (EXT_ARG)", Parameters::is_feature_ext_arg),
    ("silent successes (CQE_SKIP)", Parameters::is_feature_skip_cqe_on_success),
];

/// Operations in use.
const OPERATIONS: &[(&str, u8)] = &[
    ("the operation ACCEPT", opcode::AcceptMulti::CODE),
    ("the operation ASYNC_CANCEL", opcode::AsyncCancel::CODE),
    ("the operation CONNECT", opcode::Connect::CODE),
    ("the operation POLL_ADD", opcode::PollAdd::CODE),
    ("the operation RECV", opcode::RecvMulti::CODE),
    ("the operation SEND", opcode::Send::CODE),
    ("the operation SENDMSG", opcode::SendMsg::CODE),
];

impl UringUnavailable {
    /// Makes a ring as reactors do, and looks what it can do.
    pub(crate) fn check() -> Result<(), Self> {
        let ring = Ring::new().map_err(Self::of)?;
        lacking(ring.uring()).map_err(Self::of)?.map_or(Ok(()), |lacks| Err(Self::TooOld { lacks }))
    }

    /// What an error of making a ring means. Linux: io_uring_setup(2), "ERRORS".
    pub(crate) fn of(error: io::Error) -> Self {
        match Errno::from_io_error(&error) {
            Some(Errno::NOSYS) => Self::NoSystemCall,
            Some(Errno::PERM | Errno::ACCESS) => Self::Forbidden,
            Some(Errno::INVAL) => {
                Self::TooOld { lacks: "deferred task work (DEFER_TASKRUN) or rings of buffers" }
            }
            Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM) => Self::NoRoom(error),
            _ => Self::Other(error),
        }
    }
}

/// The first thing that is missing.
fn lacking(ring: &IoUring) -> io::Result<Option<&'static str>> {
    if let Some((name, _)) = FEATURES.iter().find(|(_, offers)| !offers(ring.params())) {
        return Ok(Some(name));
    }
    let mut probe = Probe::new();
    ring.submitter().register_probe(&mut probe)?;
    Ok(OPERATIONS.iter().find(|(_, code)| !probe.is_supported(*code)).map(|&(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_names_its_cause_and_the_way_out() {
        for (errno, word) in [
            (Errno::NOSYS, "no such system call"),
            (Errno::PERM, "kernel.io_uring_disabled"),
            (Errno::ACCESS, "seccomp"),
            (Errno::INVAL, "6.1"),
            (Errno::NOMEM, "ulimit -l"),
            (Errno::MFILE, "ulimit -n"),
            (Errno::BADF, "does not work"),
        ] {
            let text = UringUnavailable::of(errno.into()).to_string();
            assert!(text.contains(word) && text.contains("the transport tcp"), "{errno:?}: {text}");
        }
    }

    #[test]
    fn an_operation_that_no_kernel_has_is_missed() {
        let ring = Ring::new().unwrap();
        let mut probe = Probe::new();
        ring.uring().submitter().register_probe(&mut probe).unwrap();
        assert!(!probe.is_supported(u8::MAX));
        assert_eq!(lacking(ring.uring()).unwrap(), None);
    }
}
