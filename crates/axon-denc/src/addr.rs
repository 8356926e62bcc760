//! Where an endpoint is: addresses, and vectors of them for endpoints that can be reached in several ways.

mod codec;
mod race;
mod text;
mod vec;

pub use text::BadAddr;
pub use vec::AddrVec;

use core::net::{IpAddr, SocketAddr};

/// The protocol an address is for, as numbered on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[repr(u8)]
pub enum AddrType {
    /// Nothing is known.
    #[default]
    None = 0,
    /// The first messenger protocol, `v1:`.
    Legacy = 1,
    /// The second messenger protocol, `v2:`.
    Msgr2 = 2,
    /// Any protocol, `any:`; used where an address only identifies a machine.
    Any = 3,
    /// A range of addresses, `cidr:`; the nonce is the length of its prefix.
    Cidr = 4,
}

/// The address of one process: protocol, IP address and port, and a nonce that tells incarnations on the same port apart.
///
/// The port of a client that does not listen is 0. Values order as in [`EntityAddr::race_cmp`].
///
/// Ceph: `entity_addr_t` in `src/msg/msg_types.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct EntityAddr {
    /// The protocol.
    pub kind: AddrType,
    /// Tells processes apart that use the same address one after the other.
    pub nonce: u32,
    /// IP address and port; `None` is the address without family, which a process has that knows nothing of itself.
    pub socket: Option<SocketAddr>,
}

impl EntityAddr {
    /// The address without type, family and nonce.
    pub const BLANK: EntityAddr = EntityAddr { kind: AddrType::None, nonce: 0, socket: None };

    /// An address of the given kind.
    pub const fn new(kind: AddrType, socket: SocketAddr, nonce: u32) -> Self {
        Self { kind, nonce, socket: Some(socket) }
    }

    /// A `v2:` address.
    pub const fn msgr2(socket: SocketAddr, nonce: u32) -> Self {
        Self::new(AddrType::Msgr2, socket, nonce)
    }

    /// The IP address.
    pub fn ip(&self) -> Option<IpAddr> {
        self.socket.map(|s| s.ip())
    }

    /// The port, 0 if there is none.
    pub fn port(&self) -> u16 {
        self.socket.map_or(0, |s| s.port())
    }

    /// Whether there is no IP address, or it is all zeros: the peer must learn it from what others see.
    pub fn is_blank_ip(&self) -> bool {
        self.ip().is_none_or(|ip| ip.is_unspecified())
    }

    /// This address with another port; the address without family has none and stays as it is.
    pub fn with_port(mut self, port: u16) -> Self {
        if let Some(socket) = &mut self.socket {
            socket.set_port(port);
        }
        self
    }

    /// This address with another IP address, keeping port (0 if there was none), kind and nonce.
    pub fn with_ip(mut self, ip: IpAddr) -> Self {
        self.socket = Some(SocketAddr::new(ip, self.port()));
        self
    }

    /// This address with another nonce.
    pub const fn with_nonce(mut self, nonce: u32) -> Self {
        self.nonce = nonce;
        self
    }

    /// This address for another protocol.
    pub const fn with_kind(mut self, kind: AddrType) -> Self {
        self.kind = kind;
        self
    }
}

#[cfg(test)]
mod tests;
