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

mod arrivals;

use crate::transcript::Transcript;
use crate::{Fault, Tally};
use arrivals::Arrivals;
use axon_wire::{Banner, Frame, FrameReader, Head, Limits, Provider, Received, Revision, Tag, WireError};
use bytes::BytesMut;

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
    /// A message whose sender gave it up halfway.
    Aborted,
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
    arrivals: Arrivals,
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
            arrivals: Arrivals::default(),
            transcript: Some(Transcript::default()),
            admission,
            tally: Tally::default(),
        }
    }

    /// Adds bytes that arrived.
    #[inline]
    pub(crate) fn push(&mut self, data: BytesMut) {
        if self.transcript.is_some() {
            // Handshakes are small and may be slow: a copy lets go of the driver's much larger buffer.
            self.arrivals.copy(&data);
        } else {
            self.arrivals.push(data);
        }
    }

    /// Takes back a buffer lent by [`Demand::Exactly`], now complete.
    pub(crate) fn filled(&mut self, data: BytesMut) {
        if let State::Direct(head) = self.state {
            self.state = State::Body(head);
            self.arrivals.put_back(data);
        }
    }

    /// Whether a message waits to be let in.
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting(_))
    }

    /// Lets the waiting message in.
    pub(crate) fn admit(&mut self) {
        if let State::Waiting(head) = self.state {
            self.state = State::Body(head);
        }
    }

    /// The next thing that is complete, if any. A message for which `admit`, told the bytes of its front, middle and data, is
    /// true need not wait for the driver's word.
    #[inline]
    pub(crate) fn next(&mut self, admit: impl FnOnce(usize) -> bool) -> Result<Option<Parsed>, Fault> {
        let head = match &self.state {
            State::Banner => return self.banner(),
            State::Waiting(_) | State::Direct(_) => return Ok(None),
            State::Head => match self.head()? {
                Some(head) if self.must_wait(&head) && !admit(head.payload_len()) => {
                    self.state = State::Waiting(head);
                    return Ok(Some(Parsed::Admission(head.payload_len())));
                }
                Some(head) => head,
                None => return Ok(None),
            },
            State::Body(head) => *head,
        };
        if !self.arrivals.gather(head.body_len()) {
            self.state = State::Body(head);
            return Ok(None);
        }
        self.state = State::Head;
        self.body(head)
    }

    /// What to read, once `next` has returned nothing.
    #[inline]
    pub(crate) fn demand(&mut self) -> Demand {
        match self.state {
            State::Waiting(_) | State::Direct(_) => return Demand::Nothing,
            State::Body(head) => {
                let missing = self.missing(&head);
                if missing >= DIRECT {
                    let length = if missing < 2 * PORTION { missing } else { PORTION };
                    let destination = self.arrivals.take_roomy(head.body_len());
                    self.state = State::Direct(head);
                    return Demand::Exactly { destination, length };
                }
            }
            State::Banner | State::Head => {}
        }
        self.arrivals.let_go(); // an idle link holds no memory for what may come
        Demand::Any
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
        self.tally.copied_in += self.arrivals.take_copied();
        core::mem::take(&mut self.tally)
    }

    /// Whether nothing of the frame may come before it is admitted.
    #[inline]
    fn must_wait(&self, head: &Head) -> bool {
        self.admission && head.tag() == Tag::Message
    }

    /// Bytes of the body that have not arrived.
    fn missing(&mut self, head: &Head) -> usize {
        self.arrivals.gather(head.body_len());
        head.body_len().saturating_sub(self.arrivals.front().len())
    }

    fn banner(&mut self) -> Result<Option<Parsed>, Fault> {
        let Some((banner, length)) = Banner::parse(self.arrivals.front())? else { return Ok(None) };
        self.record(length)?;
        self.arrivals.advance(length);
        self.state = State::Head;
        Ok(Some(Parsed::Banner(banner)))
    }

    #[inline]
    fn head(&mut self) -> Result<Option<Head>, Fault> {
        let length = self.reader.first_block_len();
        if !self.arrivals.gather(length) {
            return Ok(None);
        }
        self.record(length)?;
        match self.reader.open_head(&mut self.arrivals.front()[..length]) {
            Ok(head) => {
                self.arrivals.advance(length);
                Ok(Some(head))
            }
            Err(error) => Err(unreadable(error)),
        }
    }

    #[inline]
    fn body(&mut self, head: Head) -> Result<Option<Parsed>, Fault> {
        let length = head.body_len();
        self.record(length)?;
        self.tally.frames_in += 1;
        let body = self.arrivals.take(length);
        match self.reader.open_body(head, body) {
            Ok(Received::Frame(frame)) => Ok(Some(Parsed::Frame(frame))),
            Ok(Received::Aborted) => Ok(Some(Parsed::Aborted)),
            Err(error) => Err(unreadable(error)),
        }
    }

    #[inline]
    fn record(&mut self, length: usize) -> Result<(), Fault> {
        match &mut self.transcript {
            Some(transcript) => transcript.record(&self.arrivals.front()[..length]),
            None => Ok(()),
        }
    }
}

/// Out of line: where the compiler sees into an error, it takes what shares its place, a head or a message, apart as well,
/// and moves that byte by byte.
#[cold]
fn unreadable(error: WireError) -> Fault {
    error.into()
}

#[cfg(test)]
impl Receive {
    /// Bytes of memory held for the peer.
    pub(crate) fn held(&self) -> usize {
        self.arrivals.held() + self.transcript.as_ref().map_or(0, Transcript::held)
    }
}
