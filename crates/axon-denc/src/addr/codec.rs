//! The wire forms of an address.
//!
//! ```text
//! MSG_ADDR2   u8 1 | u8 version 1 | u8 compat 1 | le32 body length | le32 type | le32 nonce | le32 elen | sockaddr[elen]
//! legacy      u8 0 | 3 ignored | le32 nonce | sockaddr_storage[128], its family in big-endian       (decoded only)
//!
//! sockaddr    le16 family 2  | be16 port | ip[4] | 0[8]                                              elen 16
//!             le16 family 10 | be16 port | be32 flowinfo | ip[16] | le32 scope id                    elen 28
//!             le16 family 0  | 0[26]                                                                 elen 28, or elen 0
//! ```
//!
//! Ceph: `entity_addr_t::encode` and `decode` in `src/msg/msg_types.{h,cc}`.

use super::{AddrType, EntityAddr};
use crate::{Decode, DecodeError, Decoder, Encode, put_versioned};
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Linux's number of IPv4, which the format fixed for everybody.
pub(super) const AF_INET: u16 = 2;
/// Linux's number of IPv6.
pub(super) const AF_INET6: u16 = 10;

/// First byte of the legacy form of an address or a vector of one.
pub(super) const MARKER_LEGACY: u8 = 0;
/// First byte of the MSG_ADDR2 form of an address.
pub(super) const MARKER_ADDR2: u8 = 1;

const VERSION: u8 = 1;
/// The size of the kernel's `sockaddr_storage`: no family needs more.
const STORAGE: usize = 128;

impl AddrType {
    /// The type with this wire number.
    ///
    /// # Errors
    /// [`DecodeError::Undefined`] if there is none.
    pub fn from_wire(value: u32) -> Result<Self, DecodeError> {
        match value {
            0 => Ok(Self::None),
            1 => Ok(Self::Legacy),
            2 => Ok(Self::Msgr2),
            3 => Ok(Self::Any),
            4 => Ok(Self::Cidr),
            _ => Err(DecodeError::Undefined { what: "address type", value: value.into() }),
        }
    }
}

impl Encode for EntityAddr {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(MARKER_ADDR2);
        put_versioned(out, VERSION, VERSION, |out| {
            (self.kind as u32).encode(out);
            self.nonce.encode(out);
            put_sockaddr(out, self.socket);
        });
    }
}

impl Decode for EntityAddr {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match input.u8()? {
            MARKER_LEGACY => Self::decode_legacy_after_marker(input),
            MARKER_ADDR2 => Self::decode_addr2_after_marker(input),
            marker => Err(DecodeError::Undefined { what: "address marker", value: marker.into() }),
        }
    }
}

impl EntityAddr {
    /// Reads the rest of the legacy form, which has no type: it is `v1:` where there is a family.
    pub(super) fn decode_legacy_after_marker(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        input.take(3)?;
        let nonce = input.u32()?;
        let mut storage = Decoder::new(input.take(STORAGE)?);
        let family = u16::from_be_bytes(storage.array()?);
        let socket = sockaddr_after_family(family, &mut storage)?;
        let kind = socket.map_or(AddrType::None, |_| AddrType::Legacy);
        Ok(Self { kind, nonce, socket })
    }

    /// Reads the rest of the MSG_ADDR2 form.
    pub(super) fn decode_addr2_after_marker(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (_, mut body) = input.versioned("entity_addr_t", VERSION)?;
        Ok(Self { kind: AddrType::from_wire(body.u32()?)?, nonce: body.u32()?, socket: sockaddr(&mut body)? })
    }
}

fn put_sockaddr(out: &mut Vec<u8>, socket: Option<SocketAddr>) {
    let mut bytes = [0; 28];
    let elen = sockaddr_bytes(socket, &mut bytes);
    (elen as u32).encode(out);
    out.extend_from_slice(&bytes[..elen]);
}

/// Lays the address out as `sockaddr` does on a little-endian machine; returns the bytes used, the rest stays zero.
pub(super) fn sockaddr_bytes(socket: Option<SocketAddr>, out: &mut [u8; 28]) -> usize {
    match socket {
        None => 28,
        Some(SocketAddr::V4(v4)) => {
            out[0..2].copy_from_slice(&AF_INET.to_le_bytes());
            out[2..4].copy_from_slice(&v4.port().to_be_bytes());
            out[4..8].copy_from_slice(&v4.ip().octets());
            16
        }
        Some(SocketAddr::V6(v6)) => {
            out[0..2].copy_from_slice(&AF_INET6.to_le_bytes());
            out[2..4].copy_from_slice(&v6.port().to_be_bytes());
            out[4..8].copy_from_slice(&v6.flowinfo().to_be_bytes());
            out[8..24].copy_from_slice(&v6.ip().octets());
            out[24..28].copy_from_slice(&v6.scope_id().to_le_bytes());
            28
        }
    }
}

fn sockaddr(input: &mut Decoder<'_>) -> Result<Option<SocketAddr>, DecodeError> {
    let elen = input.u32()?;
    if elen as usize > STORAGE {
        return Err(DecodeError::TooLong {
            what: "socket address",
            length: elen.into(),
            limit: STORAGE as u64,
        });
    }
    if elen == 0 {
        return Ok(None);
    }
    let mut bytes = Decoder::new(input.take(elen as usize)?);
    let family = bytes.u16()?;
    sockaddr_after_family(family, &mut bytes)
}

fn sockaddr_after_family(family: u16, input: &mut Decoder<'_>) -> Result<Option<SocketAddr>, DecodeError> {
    match family {
        0 => Ok(None),
        AF_INET => v4(input).map(Some),
        AF_INET6 => v6(input).map(Some),
        _ => Err(DecodeError::Undefined { what: "address family", value: family.into() }),
    }
}

fn v4(input: &mut Decoder<'_>) -> Result<SocketAddr, DecodeError> {
    let port = u16::from_be_bytes(input.array()?);
    let ip = Ipv4Addr::from(input.array::<4>()?);
    Ok(SocketAddrV4::new(ip, port).into())
}

fn v6(input: &mut Decoder<'_>) -> Result<SocketAddr, DecodeError> {
    let port = u16::from_be_bytes(input.array()?);
    let flowinfo = u32::from_be_bytes(input.array()?);
    let ip = Ipv6Addr::from(input.array::<16>()?);
    let scope = input.u32()?;
    Ok(SocketAddrV6::new(ip, port, flowinfo, scope).into())
}
