//! Free TCP ports on loopback.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the kernel's range for outgoing connections, so that nobody's client socket takes a port
/// between the moment it is found free and the moment a daemon binds it.
const FIRST: u16 = 20_000;
const COUNT: u16 = 6_000;
/// The daemons of one cluster look for ports in a block of their own, so that none takes the port of one that was stopped
/// in another cluster of this process; processes begin at different blocks, but there are few.
const BLOCKS: u16 = 60;
const BLOCK: u16 = 100;

/// A port of 127.0.0.1 nobody listens on. Never returns the same port twice in one process before it went
/// round the range; starts at a different place in each process.
///
/// # Panics
/// When all of the range is taken.
pub fn free_port() -> u16 {
    let addr = free_listener().local_addr();
    addr.expect("the address of a socket that is bound").port()
}

/// A listener on such a port, for who needs no more than that: between [`free_port`] and a bind, others may take it.
///
/// # Panics
/// When all of the range is taken.
pub(crate) fn free_listener() -> TcpListener {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (process::id().wrapping_mul(97) % u32::from(COUNT)) as u16;
    (0..COUNT)
        .map(|_| {
            let n = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
            FIRST + (start + n) % COUNT
        })
        .find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok())
        .expect("a free port on loopback")
}

/// The ports of one cluster's daemons other than monitors. Clusters of one process share some after [`BLOCKS`] of them.
pub(crate) fn daemon_ports() -> RangeInclusive<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (process::id().wrapping_mul(7) % u32::from(BLOCKS)) as u16;
    let block = (start + NEXT.fetch_add(1, Ordering::Relaxed) % BLOCKS) % BLOCKS;
    let first = FIRST + COUNT + block * BLOCK;
    first..=first + BLOCK - 1
}
