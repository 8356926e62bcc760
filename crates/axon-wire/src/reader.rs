//! The receiving direction: bytes to frames.

mod body;
mod crc;
mod head;
mod peek;
mod secure;

pub use head::Head;

use crate::layout::{Format, INLINE, Revision};
use crate::nonce::NonceSequence;
use crate::preamble::Preamble;
use crate::provider::{Aead, KEY_LEN, NONCE_LEN, Provider};
use crate::{Control, Limits, Message, WireError};
use alloc::boxed::Box;
use bytes::BytesMut;
use core::fmt;
use peek::Peek;

/// Reads the frames of one direction of one socket, in two steps:
///
/// 1. The caller collects [`first_block_len`](Self::first_block_len) bytes and gives them to
///    [`open_head`](Self::open_head). Everything the frame announces has been judged when it returns.
/// 2. The caller collects [`Head::body_len`] bytes, into memory it owns and when it has room for them, and gives them to
///    [`open_body`](Self::open_body), also when there are none.
///
/// It starts with msgr2.1 framing in crc mode and the limits for strangers; the setters change how the frames after the
/// call are read. It allocates nothing in proportion to announced lengths. Any error is the end of the socket.
pub struct FrameReader {
    provider: &'static dyn Provider,
    revision: Revision,
    opener: Option<Box<Opener>>,
    limits: Limits,
}

struct Opener {
    aead: Box<dyn Aead>,
    nonces: NonceSequence,
    /// Of the frame whose body is next. Rev1: the start of segment 0. Rev0: the first block as it came, which the tag
    /// covers.
    inline: [u8; INLINE],
    /// Only rev0 has to look at a preamble before it can be authenticated.
    peek: Option<Peek>,
}

/// A frame that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A control frame.
    Control(Control),
    /// A message; its segments share the memory of the body they came in.
    Message(Message),
}

/// What a complete frame turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A frame.
    Frame(Frame),
    /// A message its sender gave up half-way. It has used up a sequence number and says nothing else.
    Aborted,
}

impl FrameReader {
    /// Starts a socket.
    pub fn new(provider: &'static dyn Provider) -> Self {
        Self { provider, revision: Revision::One, opener: None, limits: Limits::HANDSHAKE }
    }

    /// Chooses the framing's revision, after the banners and before the first frame.
    pub fn set_revision(&mut self, revision: Revision) {
        self.revision = revision;
    }

    /// Changes what may come; [`Limits::SESSION`] once the session is established.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Expects every frame from now on to be encrypted. `nonce` is where this direction's nonces start. Choose the
    /// revision before.
    pub fn secure(&mut self, key: &[u8; KEY_LEN], nonce: [u8; NONCE_LEN]) {
        self.opener = Some(Box::new(Opener {
            aead: self.provider.aes128gcm(key),
            nonces: NonceSequence::new(self.revision, nonce),
            inline: [0; INLINE],
            peek: (self.revision == Revision::Zero).then(|| Peek::new(key)),
        }));
    }

    /// Whether frames are encrypted.
    #[inline]
    pub fn is_secure(&self) -> bool {
        self.opener.is_some()
    }

    /// Bytes to collect before anything is known about the next frame: 32, or 96 in secure mode of msgr2.1.
    #[inline]
    pub fn first_block_len(&self) -> usize {
        self.format().first_block_len()
    }

    /// Reads and judges the first block of a frame; a secure one is decrypted where it is.
    ///
    /// # Errors
    /// Whatever is wrong with the preamble: see the variants of [`WireError`]. In secure mode of msgr2.0 the preamble is
    /// not authenticated until the body is.
    #[inline]
    pub fn open_head(&mut self, block: &mut [u8]) -> Result<Head, WireError> {
        let expected = self.first_block_len();
        if block.len() != expected {
            let got = block.len();
            return Err(WireError::BodyLength { expected, got });
        }
        let format = self.format();
        match (format, &mut self.opener) {
            (Format::Rev1Secure, Some(opener)) => secure::rev1_head(opener, block)?,
            (Format::Rev0Secure, Some(opener)) => secure::rev0_head(opener, block)?,
            _ => {}
        }
        let start = block.first_chunk().ok_or(WireError::BodyLength { expected, got: block.len() })?;
        Head::judge(Preamble::parse(start, self.provider)?, format, &self.limits)
    }

    /// Reads the rest of the frame that started with `head`; a secure one is decrypted where it is. Message segments are
    /// slices of `body`, without a copy.
    ///
    /// # Errors
    /// Whatever is wrong with the segments and the epilogue: see the variants of [`WireError`].
    #[inline]
    pub fn open_body(&mut self, head: Head, body: BytesMut) -> Result<Received, WireError> {
        if body.len() != head.body_len() {
            return Err(WireError::BodyLength { expected: head.body_len(), got: body.len() });
        }
        match (head.format, &mut self.opener) {
            (Format::Rev1Secure, Some(opener)) => secure::rev1_body(opener, &head, body),
            (Format::Rev0Secure, Some(opener)) => secure::rev0_body(opener, &head, body),
            (Format::Rev0Crc, _) => crc::rev0_body(self.provider, &head, body),
            _ => crc::rev1_body(self.provider, &head, body),
        }
    }

    #[inline]
    fn format(&self) -> Format {
        Format::new(self.revision, self.is_secure())
    }
}

impl fmt::Debug for FrameReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrameReader({:?}, {:?})", self.format(), self.limits)
    }
}
