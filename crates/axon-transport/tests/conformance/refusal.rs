//! A kernel that refuses io_uring.

use axon_transport::{TcpTransport, Transport, UringTransport, UringUnavailable};

/// As the seccomp filters of containers do, for this thread and those it starts.
#[expect(unsafe_code, reason = "no safe crate in use installs filters")]
fn forbid_io_uring() {
    let step = |code: u32, jt: u8, jf: u8, k: u32| libc::sock_filter { code: code as u16, jt, jf, k };
    let refuse = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
    let mut steps = [
        // The number of the system call is what the data begin with.
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, libc::SYS_io_uring_setup as u32),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, refuse),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    // SAFETY: both calls take what their manuals say; the program and its steps outlive the call that copies them.
    let installed = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
    };
    assert!(installed, "{}", std::io::Error::last_os_error());
}

#[test]
fn it_is_said_that_and_why_it_is_forbidden() {
    let transport = UringTransport::new().unwrap();
    std::thread::spawn(move || {
        forbid_io_uring();
        let error = UringTransport::new().unwrap_err();
        assert!(matches!(error, UringUnavailable::Forbidden), "{error:?}");
        for word in ["seccomp", "kernel.io_uring_disabled", "transport tcp"] {
            assert!(error.to_string().contains(word), "{error}");
        }
        // The same from a transport that was made when it was not.
        let error = transport.reactor().err().expect("it is forbidden");
        assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<UringUnavailable>());
        assert!(matches!(cause, Some(UringUnavailable::Forbidden)), "{error:?}");
        // The way out.
        TcpTransport::new().reactor().unwrap();
    })
    .join()
    .unwrap();
}
