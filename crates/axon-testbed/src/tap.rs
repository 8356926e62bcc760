//! A recording proxy for TCP on loopback, which can also cut connections.

use crate::port::free_listener;
use crate::{Conversation, Direction, TestbedError};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The end of the banner: prefix, length, supported features, required features.
const BANNER: usize = 26;
/// Where the byte with REVISION_1 (bit 0) of the supported features is.
const SUPPORTED: usize = 10;

/// A proxy in front of one address, until dropped. Every connection it accepts is passed on and recorded.
///
/// msgr2 peers compare addresses: let them dial the real address, and send them here with
/// [`Cluster::redirect`](crate::Cluster::redirect); or dial the proxy with a client that does not mind.
#[derive(Debug)]
pub struct Tap {
    addr: SocketAddr,
    shared: Arc<Shared>,
}

/// What a tap does to what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Banner {
    /// Nothing.
    #[default]
    Kept,
    /// Clears REVISION_1 in both banners, so that the ends speak revision 0 of msgr2. Works with auth none
    /// only: with a session key the ends sign what they sent and received, and notice.
    Revision0,
    /// Clears COMPRESSION in both banners; works with auth none only.
    NoCompression,
}

#[derive(Debug)]
struct Shared {
    /// `None`: each connection's greeting says.
    upstream: Option<SocketAddr>,
    banner: Banner,
    limit: usize,
    closing: AtomicBool,
    refusing: AtomicBool,
    connections: Mutex<Vec<Arc<Passing>>>,
}

#[derive(Debug)]
struct Passing {
    client: TcpStream,
    server: TcpStream,
    record: Mutex<Conversation>,
}

impl Tap {
    /// A tap in front of `upstream` that keeps at most `limit` bytes per direction of each connection.
    ///
    /// # Errors
    /// When no listener can be had.
    pub fn start(upstream: SocketAddr, limit: usize) -> Result<Self, TestbedError> {
        Self::listen(Some(upstream), limit, Banner::Kept)
    }

    /// The same, with changes to the banners.
    ///
    /// # Errors
    /// When no listener can be had.
    pub fn start_with(upstream: SocketAddr, limit: usize, banner: Banner) -> Result<Self, TestbedError> {
        Self::listen(Some(upstream), limit, banner)
    }

    /// A tap for all connections a cluster makes, whatever their destination: see
    /// [`ClusterBuilder::through`](crate::ClusterBuilder::through). Conversations are titled
    /// `osd.1 -> 127.0.0.1:33001`.
    ///
    /// # Errors
    /// When no listener can be had.
    pub fn for_all(limit: usize, banner: Banner) -> Result<Self, TestbedError> {
        Self::listen(None, limit, banner)
    }

    fn listen(upstream: Option<SocketAddr>, limit: usize, banner: Banner) -> Result<Self, TestbedError> {
        // A port of its own: who still dials a tap that is gone must not reach another one.
        let listener = free_listener();
        let addr = listener.local_addr().map_err(TestbedError::io("listen on", "127.0.0.1"))?;
        let shared = Arc::new(Shared {
            upstream,
            banner,
            limit,
            closing: AtomicBool::new(false),
            refusing: AtomicBool::new(false),
            connections: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accepting.accept(&listener));
        Ok(Self { addr, shared })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Everything recorded so far: one conversation per accepted connection, oldest first.
    pub fn conversations(&self) -> Vec<Conversation> {
        let connections = self.shared.connections();
        connections.iter().map(|passing| passing.record().clone()).collect()
    }

    /// How many bytes of the connection accepted as number `index` are recorded in that direction.
    pub fn recorded(&self, index: usize, direction: Direction) -> usize {
        let connections = self.shared.connections();
        connections.get(index).map_or(0, |passing| passing.record().len(direction))
    }

    /// Closes every connection, both sides, now.
    pub fn cut(&self) {
        self.cut_where(|_| true);
    }

    /// Closes the connections that `chosen` picks by their conversation so far; how many of those were open is not
    /// known.
    pub fn cut_where(&self, chosen: impl Fn(&Conversation) -> bool) {
        for passing in self.shared.connections().iter() {
            if chosen(&passing.record()) {
                passing.close();
            }
        }
    }

    /// While true, new connections are closed as soon as they are accepted.
    pub fn refuse(&self, on: bool) {
        self.shared.refusing.store(on, Ordering::Relaxed);
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.addr);
        self.cut();
    }
}

impl Shared {
    fn connections(&self) -> MutexGuard<'_, Vec<Arc<Passing>>> {
        locked(&self.connections)
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.closing.load(Ordering::Relaxed) {
                return;
            }
            let Ok(client) = client else {
                // Out of file descriptors: the tests that provoke it want the proxy back afterwards.
                thread::sleep(Duration::from_millis(10));
                continue;
            };
            if !self.refusing.load(Ordering::Relaxed) {
                let _ = self.pass(client);
            }
        }
    }

    fn pass(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        let (upstream, title) = match self.upstream {
            Some(upstream) => (upstream, upstream.to_string()),
            None => greeting(&client)?,
        };
        let server = TcpStream::connect(upstream)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let record = Mutex::new(Conversation::new(title));
        let passing = Arc::new(Passing { client, server, record });
        self.connections().push(Arc::clone(&passing));
        for direction in [Direction::ToServer, Direction::ToClient] {
            let (passing, shared) = (Arc::clone(&passing), Arc::clone(self));
            thread::spawn(move || {
                // An error means that an end is gone; then both are to know.
                let _ = passing.copy(direction, shared.banner, shared.limit);
                passing.close();
            });
        }
        Ok(())
    }
}

impl Passing {
    fn record(&self) -> MutexGuard<'_, Conversation> {
        locked(&self.record)
    }

    fn close(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }

    fn copy(&self, direction: Direction, banner: Banner, limit: usize) -> io::Result<()> {
        let (mut from, mut to) = match direction {
            Direction::ToServer => (&self.client, &self.server),
            Direction::ToClient => (&self.server, &self.client),
        };
        if banner != Banner::Kept {
            let mut bytes = [0; BANNER];
            from.read_exact(&mut bytes)?;
            bytes[SUPPORTED] &= match banner {
                Banner::Kept => 0xff,
                Banner::Revision0 => !1,
                Banner::NoCompression => !2,
            };
            self.record().push(direction, &bytes, limit);
            to.write_all(&bytes)?;
        }
        let mut bytes = vec![0; 64 << 10];
        loop {
            let n = from.read(&mut bytes)?;
            if n == 0 {
                return Ok(());
            }
            // Recorded before it is passed on, so that an answer never stands before its question.
            self.record().push(direction, &bytes[..n], limit);
            to.write_all(&bytes[..n])?;
        }
    }
}

/// Reads what the library that redirects connections says first: (destination, title).
fn greeting(mut client: &TcpStream) -> io::Result<(SocketAddr, String)> {
    // Strangers who say nothing must not keep others waiting.
    client.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut fixed = [0; 7];
    client.read_exact(&mut fixed)?;
    let [b'A', b'X', b'T', b'P', high, low, length] = fixed else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let mut name = vec![0; length.into()];
    client.read_exact(&mut name)?;
    client.set_read_timeout(None)?;
    let upstream = (Ipv4Addr::LOCALHOST, u16::from_be_bytes([high, low])).into();
    let title = format!("{} -> {upstream}", String::from_utf8_lossy(&name));
    Ok((upstream, title))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_both_directions_and_cuts() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let tap = Tap::start(server.local_addr().unwrap(), 4).unwrap();
        let mut client = TcpStream::connect(tap.addr()).unwrap();
        client.write_all(b"hello").unwrap();
        let (mut accepted, _) = server.accept().unwrap();
        let mut bytes = [0; 5];
        accepted.read_exact(&mut bytes).unwrap();
        accepted.write_all(b"yes").unwrap();
        client.read_exact(&mut bytes[..3]).unwrap();
        tap.cut();
        assert_eq!(client.read(&mut bytes).unwrap(), 0);
        assert_eq!(accepted.read(&mut bytes).unwrap(), 0);
        let said = &tap.conversations()[0];
        assert_eq!(said.bytes(Direction::ToServer), b"hell");
        assert_eq!(said.bytes(Direction::ToClient), b"yes");
        assert!(said.trimmed(Direction::ToServer) && !said.trimmed(Direction::ToClient));
    }

    #[test]
    fn clears_the_revision_in_both_banners() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let upstream = server.local_addr().unwrap();
        let tap = Tap::start_with(upstream, 64, Banner::Revision0).unwrap();
        let mut client = TcpStream::connect(tap.addr()).unwrap();
        let banner = b"ceph v2\n\x10\0\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        client.write_all(banner).unwrap();
        let (mut accepted, _) = server.accept().unwrap();
        let mut seen = [0; BANNER];
        accepted.read_exact(&mut seen).unwrap();
        assert_eq!(seen[SUPPORTED], 2);
        assert_eq!((&seen[..10], &seen[11..]), (&banner[..10], &banner[11..]));
    }
}
