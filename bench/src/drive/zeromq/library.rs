//! The few functions of libzmq that are needed, loaded at run time.
//!
//! Source of names, constants and contracts: the manual pages of libzmq 4.3 (`zmq_socket`, `zmq_setsockopt`,
//! `zmq_send_const`, `zmq_msg_recv`).
#![expect(unsafe_code, reason = "a C library has no other interface")]

use super::super::DriveError;
use libloading::{Library, Symbol};
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::net::SocketAddr;
use std::ptr;

const LIBRARY: &str = "libzmq.so.5";
const LINGER: c_int = 17;
const SNDHWM: c_int = 23;
const RCVHWM: c_int = 24;
/// Messages a stream may queue on each side: the default, said aloud.
const STREAM_WATER_MARK: c_int = 1000;

/// What a socket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Requests and replies, pipelined.
    Dealer,
    /// The source of a stream.
    Push,
    /// The end of a stream.
    Pull,
}

impl Kind {
    fn number(self) -> c_int {
        match self {
            Self::Dealer => 5,
            Self::Pull => 7,
            Self::Push => 8,
        }
    }
}

/// `zmq_msg_t`: 64 bytes that the library manages.
#[repr(C, align(8))]
struct Message([u8; 64]);

type Socketed<A> = unsafe extern "C" fn(*mut c_void, A) -> c_int;

/// The library with one context.
pub(super) struct Zmq {
    library: Library,
    context: *mut c_void,
}

/// A socket.
pub(super) struct Socket<'a> {
    zmq: &'a Zmq,
    raw: *mut c_void,
    send_const: Symbol<'a, unsafe extern "C" fn(*mut c_void, *const c_void, usize, c_int) -> c_int>,
    msg_init: Symbol<'a, unsafe extern "C" fn(*mut Message) -> c_int>,
    msg_recv: Symbol<'a, unsafe extern "C" fn(*mut Message, *mut c_void, c_int) -> c_int>,
    msg_close: Symbol<'a, unsafe extern "C" fn(*mut Message) -> c_int>,
}

impl Zmq {
    /// Loads the library, for good, and makes a context, with its one thread of I/O: that lives as long as the process.
    pub(super) fn load() -> Result<&'static Self, DriveError> {
        // SAFETY: libzmq's initialisers have no preconditions.
        let library = unsafe { Library::new(LIBRARY)? };
        // SAFETY: the signature is that of the manual page.
        let context = unsafe { library.get::<unsafe extern "C" fn() -> *mut c_void>(b"zmq_ctx_new")?() };
        Ok(Box::leak(Box::new(Self { library, context })))
    }

    /// The version, such as 4.3.5.
    pub(super) fn version(&self) -> Result<String, DriveError> {
        type Version = unsafe extern "C" fn(*mut c_int, *mut c_int, *mut c_int);
        let (mut major, mut minor, mut patch) = (0, 0, 0);
        // SAFETY: the signature is that of the manual page; the numbers are written before the call returns.
        unsafe {
            let version: Symbol<'_, Version> = self.library.get(b"zmq_version")?;
            version(&raw mut major, &raw mut minor, &raw mut patch);
        }
        Ok(format!("{major}.{minor}.{patch}"))
    }

    /// A socket that does not linger.
    pub(super) fn socket(&self, kind: Kind) -> Result<Socket<'_>, DriveError> {
        // SAFETY: the signatures are those of the manual pages; the context lives as long as `self`.
        let socket = unsafe {
            let socket: Symbol<'_, unsafe extern "C" fn(*mut c_void, c_int) -> *mut c_void> =
                self.library.get(b"zmq_socket")?;
            Socket {
                raw: socket(self.context, kind.number()),
                zmq: self,
                send_const: self.library.get(b"zmq_send_const")?,
                msg_init: self.library.get(b"zmq_msg_init")?,
                msg_recv: self.library.get(b"zmq_msg_recv")?,
                msg_close: self.library.get(b"zmq_msg_close")?,
            }
        };
        let water_mark = if kind == Kind::Dealer { 0 } else { STREAM_WATER_MARK };
        for (option, value) in [(LINGER, 0), (SNDHWM, water_mark), (RCVHWM, water_mark)] {
            socket.set(option, value)?;
        }
        Ok(socket)
    }

    fn check(&self, function: &'static str, result: c_int) -> Result<(), DriveError> {
        if result >= 0 {
            return Ok(());
        }
        // SAFETY: the signatures are those of the manual pages; `zmq_strerror` returns a string that lives for ever.
        let reason = unsafe {
            let errno: Symbol<'_, unsafe extern "C" fn() -> c_int> = self.library.get(b"zmq_errno")?;
            let strerror: Symbol<'_, unsafe extern "C" fn(c_int) -> *const c_char> =
                self.library.get(b"zmq_strerror")?;
            CStr::from_ptr(strerror(errno())).to_string_lossy().into_owned()
        };
        Err(DriveError::Call { function, reason })
    }
}

impl Socket<'_> {
    /// Listens.
    pub(super) fn bind(&self, addr: SocketAddr) -> Result<(), DriveError> {
        self.at(addr, "zmq_bind")
    }

    /// Connects, in the background.
    pub(super) fn connect(&self, addr: SocketAddr) -> Result<(), DriveError> {
        self.at(addr, "zmq_connect")
    }

    fn at(&self, addr: SocketAddr, function: &'static str) -> Result<(), DriveError> {
        let place = endpoint(addr);
        // SAFETY: both functions have this signature; the string ends with 0 and is copied.
        let result = unsafe {
            let call: Symbol<'_, Socketed<*const c_char>> = self.zmq.library.get(function.as_bytes())?;
            call(self.raw, place.as_ptr())
        };
        self.zmq.check(function, result)
    }

    fn set(&self, option: c_int, value: c_int) -> Result<(), DriveError> {
        type Set = unsafe extern "C" fn(*mut c_void, c_int, *const c_void, usize) -> c_int;
        // SAFETY: the signature is that of the manual page; these options are integers, which are copied.
        let result = unsafe {
            let set: Symbol<'_, Set> = self.zmq.library.get(b"zmq_setsockopt")?;
            set(self.raw, option, ptr::from_ref(&value).cast(), size_of::<c_int>())
        };
        self.zmq.check("zmq_setsockopt", result)
    }

    /// Sends bytes that the library may keep a reference to.
    pub(super) fn send(&self, bytes: &'static [u8]) -> Result<(), DriveError> {
        // SAFETY: the bytes live and stay as they are for ever, which `zmq_send_const` asks for.
        let result = unsafe { (self.send_const)(self.raw, bytes.as_ptr().cast(), bytes.len(), 0) };
        self.zmq.check("zmq_send_const", result)
    }

    /// Waits for a message and forgets it.
    pub(super) fn receive(&self) -> Result<(), DriveError> {
        let mut message = Message([0; 64]);
        // SAFETY: the message is initialised before and closed after it is received into, and does not move meanwhile.
        let result = unsafe {
            (self.msg_init)(&raw mut message);
            let result = (self.msg_recv)(&raw mut message, self.raw, 0);
            (self.msg_close)(&raw mut message);
            result
        };
        self.zmq.check("zmq_msg_recv", result)
    }
}

fn endpoint(addr: SocketAddr) -> CString {
    CString::new(format!("tcp://{addr}")).unwrap_or_default()
}
