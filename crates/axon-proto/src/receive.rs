//! The receive machine: bytes of one socket become frames.
//!
//! ```text
//!            10 bytes          its length
//!   Prologue ────────► Banner ───────────► Head ◄─────────────────┐
//!                                           │ first block         │ frame
//!                                           ▼                     │
//!                            MESSAGE ┌─► Admission ──admitted─► Body
//!                                    └──────── others ──────────► ┘
//! ```
//!
//! Nothing is parsed before it is asked for: [`Receive::next`] stops at the first incomplete frame, or before the body
//! of a message that has not been admitted, and the driver learns from [`Receive::demand`] what to read.

use crate::transcript::Transcript;
use crate::{Fault, Tally};
use axon_wire::{Banner, Frame, FrameReader, Head, Limits, Provider, Received, Revision, Tag};
use bytes::{Buf, BytesMut};

/// Bodies with at least this many bytes outstanding are read straight into a buffer of their own.
const DIRECT: usize = 32 << 10;

/// Of such a body, so much is read at a time: each portion is a sign of life, so that a peer which is slow to send a large
/// one is not taken for dead.
const PORTION: usize = 1 << 20;

/// What a session may send. Messages wait for their admission before they take memory; control frames do not, so they
/// stay as small as in the handshake: the longest of a session has eight bytes.
const SESSION: Limits = Limits { control: Limits::HANDSHAKE.control, ..Limits::SESSION };

/// What to read next.
#[derive(Debug)]
pub enum Demand {
    /// Anything, in whatever portions it comes.
    Any,
    /// Exactly `length` bytes to the end of `destination`, which has the room. Hand it back as `Filled`.
    Exactly {
        /// The body so far.
        destination: BytesMut,
        /// Bytes missing.
        length: usize,
    },
    /// Nothing for now.
    Nothing,
}

/// What `next` found.
#[derive(Debug)]
pub(crate) enum Parsed {
    /// The peer's banner.
    Banner(Banner),
    /// A whole frame.
    Frame(Frame),
    /// A message whose front, middle and data have this many bytes wants to be admitted.
    Admission(usize),
}

/// Where the machine stands in the stream.
#[derive(Debug)]
enum State {
    Banner,
    Head,
    /// The body waits for the driver's word.
    Waiting(Head),
    Body(Head),
    /// The body is being read by the driver into the buffer it was given.
    Direct(Head),
}

/// The receive machine.
pub(crate) struct Receive {
    reader: FrameReader,
    state: State,
    buffer: BytesMut,
    transcript: Option<Transcript>,
    /// Whether message bodies wait for an explicit word.
    admission: bool,
    tally: Tally,
}

impl Receive {
    pub(crate) fn new(provider: &'static dyn Provider, admission: bool) -> Self {
        let mut reader = FrameReader::new(provider);
        reader.set_limits(Limits::HANDSHAKE);
        Self {
            reader,
            state: State::Banner,
            buffer: BytesMut::new(),
            transcript: Some(Transcript::default()),
            admission,
            tally: Tally::default(),
        }
    }

    /// Adds bytes that arrived.
    pub(crate) fn push(&mut self, data: BytesMut) {
        if self.transcript.is_some() {
            // Handshakes are small and may be slow: a copy lets go of the driver's much larger buffer.
            self.buffer.extend_from_slice(&data);
            self.tally.copied_in += data.len() as u64;
        } else if self.buffer.is_empty() {
            self.buffer = data;
        } else {
            self.join(data);
        }
    }

    /// Appends bytes that arrived, without copying them where they follow in memory.
    fn join(&mut self, data: BytesMut) {
        let (start, arrived) = (self.buffer.as_ptr(), data.as_ptr());
        let (before, added) = (self.buffer.len(), data.len());
        self.buffer.unsplit(data);
        let is_moved = self.buffer.as_ptr() != start;
        let is_copied = self.buffer[before..].as_ptr() != arrived;
        let copied = usize::from(is_moved) * before + usize::from(is_copied) * added;
        self.tally.copied_in += copied as u64;
    }

    /// Takes back a buffer lent by [`Demand::Exactly`], now complete.
    pub(crate) fn filled(&mut self, data: BytesMut) {
        debug_assert!(self.buffer.is_empty(), "nothing arrives beside a direct read");
        if let State::Direct(head) = core::mem::replace(&mut self.state, State::Head) {
            self.state = State::Body(head);
            self.buffer = data;
        }
    }

    /// Whether a message waits to be let in.
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting(_))
    }

    /// Lets the waiting message in.
    pub(crate) fn admit(&mut self) {
        self.state = match core::mem::replace(&mut self.state, State::Head) {
            State::Waiting(head) => State::Body(head),
            other => other,
        };
    }

    /// The next thing that is complete, if any.
    pub(crate) fn next(&mut self) -> Result<Option<Parsed>, Fault> {
        loop {
            match core::mem::replace(&mut self.state, State::Head) {
                State::Banner => return self.banner(),
                State::Head => match self.head()? {
                    Some(head) if self.admission && head.tag() == Tag::Message => {
                        let length = head.payload_len();
                        self.state = State::Waiting(head);
                        return Ok(Some(Parsed::Admission(length)));
                    }
                    Some(head) => self.state = State::Body(head),
                    None => return Ok(None),
                },
                State::Waiting(head) => {
                    self.state = State::Waiting(head);
                    return Ok(None);
                }
                State::Body(head) if self.buffer.len() < head.body_len() => {
                    self.state = State::Body(head);
                    return Ok(None);
                }
                State::Body(head) => {
                    if let Received::Frame(frame) = self.body(head)? {
                        return Ok(Some(Parsed::Frame(frame)));
                    }
                }
                State::Direct(head) => {
                    self.state = State::Direct(head);
                    return Ok(None);
                }
            }
        }
    }

    /// What to read, once `next` has returned nothing.
    pub(crate) fn demand(&mut self) -> Demand {
        match core::mem::replace(&mut self.state, State::Head) {
            State::Body(head) if self.missing(&head) >= DIRECT => {
                let missing = self.missing(&head);
                let length = if missing < 2 * PORTION { missing } else { PORTION };
                let destination = self.take_roomy(head.body_len());
                self.state = State::Direct(head);
                Demand::Exactly { destination, length }
            }
            state @ (State::Waiting(_) | State::Direct(_)) => {
                self.state = state;
                Demand::Nothing
            }
            state => {
                self.state = state;
                self.let_go();
                Demand::Any
            }
        }
    }

    /// Speaks this revision from the next frame on.
    pub(crate) fn set_revision(&mut self, revision: Revision) {
        self.reader.set_revision(revision);
    }

    /// Decrypts from the next frame on.
    pub(crate) fn secure(&mut self, key: &[u8; 16], nonce: &[u8; 12]) {
        self.reader.secure(key, *nonce);
    }

    /// Accepts messages from the next frame on.
    pub(crate) fn begin_session(&mut self) {
        self.reader.set_limits(SESSION);
    }

    /// Ends the recording and hands it over.
    pub(crate) fn take_transcript(&mut self) -> Transcript {
        self.transcript.take().unwrap_or_default()
    }

    /// What arrived since this was last asked.
    pub(crate) fn take_tally(&mut self) -> Tally {
        core::mem::take(&mut self.tally)
    }

    /// An idle link holds no memory for what may come.
    fn let_go(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }

    /// Takes the buffer, with room for `length` bytes in all.
    fn take_roomy(&mut self, length: usize) -> BytesMut {
        let part = core::mem::take(&mut self.buffer);
        if part.capacity() >= length {
            return part;
        }
        let mut roomy = BytesMut::with_capacity(length);
        roomy.extend_from_slice(&part);
        self.tally.copied_in += part.len() as u64;
        roomy
    }

    /// Bytes of the body that have not arrived.
    fn missing(&self, head: &Head) -> usize {
        head.body_len().saturating_sub(self.buffer.len())
    }

    fn banner(&mut self) -> Result<Option<Parsed>, Fault> {
        self.state = State::Banner;
        let Some((banner, length)) = Banner::parse(&self.buffer)? else { return Ok(None) };
        self.record(length)?;
        self.buffer.advance(length);
        self.state = State::Head;
        Ok(Some(Parsed::Banner(banner)))
    }

    fn head(&mut self) -> Result<Option<Head>, Fault> {
        let length = self.reader.first_block_len();
        if self.buffer.len() < length {
            return Ok(None);
        }
        self.record(length)?;
        let head = self.reader.open_head(&mut self.buffer[..length])?;
        self.buffer.advance(length);
        Ok(Some(head))
    }

    fn body(&mut self, head: Head) -> Result<Received, Fault> {
        let length = head.body_len();
        self.record(length)?;
        self.tally.frames_in += 1;
        let body = self.buffer.split_to(length);
        Ok(self.reader.open_body(head, body)?)
    }

    fn record(&mut self, length: usize) -> Result<(), Fault> {
        match &mut self.transcript {
            Some(transcript) => transcript.record(&self.buffer[..length]),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
impl Receive {
    /// Bytes of memory held for the peer.
    pub(crate) fn held(&self) -> usize {
        self.buffer.capacity() + self.transcript.as_ref().map_or(0, Transcript::held)
    }
}
