//! The few functions of libnng that are needed, loaded at run time.
//!
//! Source of names and contracts: nng's manual, version 1 (`nng_pair_open`, `nng_socket_set`, `nng_sendmsg`,
//! `nng_recvmsg`).
#![expect(unsafe_code, reason = "a C library has no other interface")]

use super::super::DriveError;
use libloading::{Library, Symbol};
use std::ffi::{CStr, CString, c_char, c_int};
use std::net::SocketAddr;
use std::ptr;

const LIBRARY: &str = "libnng.so.1";
const SEND_QUEUE: &CStr = c"send-buffer";
const RECEIVE_QUEUE: &CStr = c"recv-buffer";
/// The largest message that is received; 0 is any.
const LARGEST: &CStr = c"recv-size-max";
/// The longest queue a socket may have.
const MOST_QUEUED: usize = 8192;

/// What a socket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Both directions, one peer.
    Pair,
    /// The source of a stream.
    Push,
    /// The end of a stream.
    Pull,
}

impl Protocol {
    fn opener(self) -> &'static [u8] {
        match self {
            Self::Pair => b"nng_pair0_open",
            Self::Push => b"nng_push0_open",
            Self::Pull => b"nng_pull0_open",
        }
    }
}

/// `nng_socket`, which is passed by value.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
struct Handle {
    id: u32,
}

/// `nng_msg`.
#[repr(C)]
struct Message {
    _private: [u8; 0],
}

type At = unsafe extern "C" fn(Handle, *const c_char, *mut Handle, c_int) -> c_int;

/// The library.
pub(super) struct Nng(Library);

/// A socket.
pub(super) struct Socket<'a> {
    nng: &'a Nng,
    handle: Handle,
    allocate: Symbol<'a, unsafe extern "C" fn(*mut *mut Message, usize) -> c_int>,
    free: Symbol<'a, unsafe extern "C" fn(*mut Message)>,
    send: Symbol<'a, unsafe extern "C" fn(Handle, *mut Message, c_int) -> c_int>,
    receive: Symbol<'a, unsafe extern "C" fn(Handle, *mut *mut Message, c_int) -> c_int>,
}

impl Nng {
    /// Loads the library, for good: its threads live as long as the process.
    pub(super) fn load() -> Result<&'static Self, DriveError> {
        // SAFETY: libnng's initialisers have no preconditions.
        let library = unsafe { Library::new(LIBRARY)? };
        Ok(Box::leak(Box::new(Self(library))))
    }

    /// The version, such as 1.10.1.
    pub(super) fn version(&self) -> Result<String, DriveError> {
        // SAFETY: the signature is that of the manual; the string lives for ever.
        let version = unsafe {
            let version: Symbol<'_, unsafe extern "C" fn() -> *const c_char> = self.0.get(b"nng_version")?;
            CStr::from_ptr(version())
        };
        Ok(version.to_string_lossy().into_owned())
    }

    /// A socket that queues so many messages in each direction.
    pub(super) fn socket(&self, protocol: Protocol, queue: usize) -> Result<Socket<'_>, DriveError> {
        let mut handle = Handle { id: 0 };
        // SAFETY: the signatures are those of the manual; the handle is written before the call returns.
        let (opened, socket) = unsafe {
            let open: Symbol<'_, unsafe extern "C" fn(*mut Handle) -> c_int> =
                self.0.get(protocol.opener())?;
            let opened = open(&raw mut handle);
            let socket = Socket {
                nng: self,
                handle,
                allocate: self.0.get(b"nng_msg_alloc")?,
                free: self.0.get(b"nng_msg_free")?,
                send: self.0.get(b"nng_sendmsg")?,
                receive: self.0.get(b"nng_recvmsg")?,
            };
            (opened, socket)
        };
        self.check("nng_open", opened)?;
        let queue = queue.min(MOST_QUEUED) as c_int;
        if protocol != Protocol::Pull {
            socket.set("nng_socket_set_int", SEND_QUEUE, queue)?;
        }
        if protocol != Protocol::Push {
            socket.set("nng_socket_set_int", RECEIVE_QUEUE, queue).or_else(unless_pull(protocol))?;
        }
        socket.set("nng_socket_set_size", LARGEST, 0_usize)?;
        Ok(socket)
    }

    fn check(&self, function: &'static str, result: c_int) -> Result<(), DriveError> {
        if result == 0 {
            return Ok(());
        }
        // SAFETY: the signature is that of the manual; the string lives for ever.
        let reason = unsafe {
            let strerror: Symbol<'_, unsafe extern "C" fn(c_int) -> *const c_char> =
                self.0.get(b"nng_strerror")?;
            CStr::from_ptr(strerror(result)).to_string_lossy().into_owned()
        };
        Err(DriveError::Call { function, reason })
    }
}

/// `pull0` has no queue of its own in all versions.
fn unless_pull(protocol: Protocol) -> impl FnOnce(DriveError) -> Result<(), DriveError> {
    move |error| if protocol == Protocol::Pull { Ok(()) } else { Err(error) }
}

impl Socket<'_> {
    /// Listens.
    pub(super) fn listen(&self, addr: SocketAddr) -> Result<(), DriveError> {
        self.at(addr, "nng_listen")
    }

    /// Connects, and waits until it has.
    pub(super) fn dial(&self, addr: SocketAddr) -> Result<(), DriveError> {
        self.at(addr, "nng_dial")
    }

    fn at(&self, addr: SocketAddr, function: &'static str) -> Result<(), DriveError> {
        let place = CString::new(format!("tcp://{addr}")).unwrap_or_default();
        // SAFETY: both functions have this signature; the string ends with 0 and is copied; no handle is asked for.
        let result = unsafe {
            let call: Symbol<'_, At> = self.nng.0.get(function.as_bytes())?;
            call(self.handle, place.as_ptr(), ptr::null_mut(), 0)
        };
        self.nng.check(function, result)
    }

    fn set<T>(&self, function: &'static str, option: &CStr, value: T) -> Result<(), DriveError> {
        // SAFETY: the callers pass the type of value that the named function takes, by value; the name is copied.
        let result = unsafe {
            let set: Symbol<'_, unsafe extern "C" fn(Handle, *const c_char, T) -> c_int> =
                self.nng.0.get(function.as_bytes())?;
            set(self.handle, option.as_ptr(), value)
        };
        self.nng.check(function, result)
    }

    /// Sends a message of so many bytes, whatever they are.
    pub(super) fn send(&self, size: usize) -> Result<(), DriveError> {
        let mut message = ptr::null_mut();
        // SAFETY: the pointer is written before the call returns, or an error is returned.
        self.nng.check("nng_msg_alloc", unsafe { (self.allocate)(&raw mut message, size) })?;
        // SAFETY: the message was allocated above; it belongs to the library unless sending fails.
        let result = unsafe { (self.send)(self.handle, message, 0) };
        if result != 0 {
            // SAFETY: the message is still ours.
            unsafe { (self.free)(message) };
        }
        self.nng.check("nng_sendmsg", result)
    }

    /// Waits for a message and forgets it.
    pub(super) fn receive(&self) -> Result<(), DriveError> {
        let mut message = ptr::null_mut();
        // SAFETY: the pointer is written before the call returns, or an error is returned.
        self.nng.check("nng_recvmsg", unsafe { (self.receive)(self.handle, &raw mut message, 0) })?;
        // SAFETY: a received message belongs to the caller.
        unsafe { (self.free)(message) };
        Ok(())
    }
}
