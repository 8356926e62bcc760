//! What can be wrong with the bytes of a connection, and by whose fault.

use crate::{Msgr2Features, Tag};
use axon_denc::DecodeError;

/// Why bytes are no frame, or a frame cannot be written. Every one of them ends the connection's socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The peer speaks the first messenger protocol only.
    #[error("the peer speaks msgr1 only; connect to its v2 address")]
    LegacyPeer,
    /// The first bytes are not a Ceph banner.
    #[error("the peer does not speak msgr2: its first bytes are {prefix:02x?}")]
    NotMsgr2 {
        /// The first eight bytes; zeros where fewer had come when the mismatch was clear.
        prefix: [u8; 8],
    },
    /// The banner's payload has a length outside of what its fields need and growth allows.
    #[error("banner payload of {length} bytes, expected {min} to {max}", min = crate::Banner::PAYLOAD, max = crate::Banner::MAX_PAYLOAD)]
    BannerLength {
        /// The announced length.
        length: u16,
    },
    /// The peer does not support what this end requires.
    #[error("the peer lacks the msgr2 features {missing}")]
    PeerLacks {
        /// The required bits it does not have.
        missing: Msgr2Features,
    },
    /// The peer requires what this end does not support.
    #[error("the peer requires the msgr2 features {missing}, which are not supported here")]
    PeerRequires {
        /// The bits this end does not have.
        missing: Msgr2Features,
    },

    /// The preamble was damaged on the way, or the ends disagree about where frames start.
    #[error("preamble crc is {got:#010x}, its bytes have {expected:#010x}")]
    PreambleCrc {
        /// The crc of the bytes.
        expected: u32,
        /// The crc they came with.
        got: u32,
    },
    /// The tag is none of the protocol's.
    #[error("unknown frame tag {value}")]
    UnknownTag {
        /// The tag's number.
        value: u8,
    },
    /// A control frame must have one segment, a message one to four.
    #[error("{tag} frame with {count} segments")]
    SegmentCount {
        /// The frame.
        tag: Tag,
        /// The announced number.
        count: u8,
    },
    /// Senders drop empty segments at the end, so the last of several is never empty.
    #[error("{tag} frame whose last segment is empty")]
    EmptyLastSegment {
        /// The frame.
        tag: Tag,
    },
    /// A segment is longer than this end is willing to receive.
    #[error("segment {segment} of a {tag} frame has {length} bytes, the limit is {limit}")]
    SegmentTooLong {
        /// The frame.
        tag: Tag,
        /// The segment's index.
        segment: u8,
        /// The announced length.
        length: u32,
        /// The limit.
        limit: u32,
    },
    /// The frame's parts together are longer than a buffer can be on this machine.
    #[error("{tag} frame longer than the address space")]
    FrameTooLong {
        /// The frame.
        tag: Tag,
    },
    /// A message came before the session was established.
    #[error("MESSAGE frame during the handshake")]
    EarlyMessage,
    /// The frame says it is compressed, but compression was not negotiated.
    #[error("compressed {tag} frame without negotiated compression")]
    Compressed {
        /// The frame.
        tag: Tag,
    },
    /// The header segment of a message is shorter or longer than a header.
    #[error("message header of {length} bytes, expected {expected}", expected = crate::MessageHeader::LEN)]
    HeaderLength {
        /// The announced length.
        length: u32,
    },

    /// A segment was damaged on the way.
    #[error("crc of segment {segment} of a {tag} frame is {got:#010x}, its bytes have {expected:#010x}")]
    SegmentCrc {
        /// The frame.
        tag: Tag,
        /// The segment's index.
        segment: u8,
        /// The crc of the bytes.
        expected: u32,
        /// The crc they came with.
        got: u32,
    },
    /// The epilogue says neither that the frame is complete nor that it was aborted.
    #[error("{tag} frame with the undefined late status {value:#04x}")]
    LateStatus {
        /// The frame.
        tag: Tag,
        /// The status byte.
        value: u8,
    },
    /// Only messages may be aborted.
    #[error("aborted {tag} frame")]
    AbortedControl {
        /// The frame.
        tag: Tag,
    },
    /// A secure block was not made with this connection's key at this point of the stream: damaged, forged or replayed.
    #[error("secure block {block} of a frame fails authentication")]
    Unauthentic {
        /// The block's index within its frame: 0 holds the preamble.
        block: u8,
    },
    /// A control frame's payload makes no sense.
    #[error("malformed {tag} frame: {source}")]
    Malformed {
        /// The frame.
        tag: Tag,
        /// What is wrong with it.
        source: DecodeError,
    },

    /// Going on would use a nonce a second time; the connection needs a new socket and with it new keys.
    #[error("the connection's nonces are used up")]
    NoncesExhausted,
    /// A segment to be sent is longer than the wire can say (4 GiB).
    #[error("segment {segment} has {length} bytes, more than a frame can carry")]
    Oversize {
        /// The segment's index.
        segment: u8,
        /// Its length.
        length: usize,
    },
    /// The caller handed in a body or block of another length than the frame has.
    #[error("{got} bytes handed in where the frame has {expected}")]
    BodyLength {
        /// The length the frame has.
        expected: usize,
        /// The length handed in.
        got: usize,
    },
}

/// Who must change something so that the error does not come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The peer, or the path to it, sent what no correct peer sends. A new socket may cure it.
    PeerMisbehaved,
    /// Both ends are correct, but do not fit together. A new socket does not cure it.
    Incompatible,
    /// This end: a limit of its own, or a wrong call.
    Local,
}

impl WireError {
    /// By whose fault it is.
    pub const fn blame(&self) -> Blame {
        match self {
            Self::LegacyPeer | Self::NotMsgr2 { .. } | Self::PeerLacks { .. } | Self::PeerRequires { .. } => {
                Blame::Incompatible
            }
            Self::NoncesExhausted | Self::Oversize { .. } | Self::BodyLength { .. } => Blame::Local,
            _ => Blame::PeerMisbehaved,
        }
    }
}
