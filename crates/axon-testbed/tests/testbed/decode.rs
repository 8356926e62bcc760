//! Reads a recorded conversation the way both of its ends did, and writes each frame again.

use crate::signature::Transcript;
use crate::tickets::Client;
use axon_auth::{Agreed, Mode};
use axon_testbed::{Conversation, Direction};
use axon_wire::{
    Banner, Control, Frame, FrameBuf, FrameReader, FrameWriter, Head, Limits, Msgr2Features, Received,
    Revision, Tag, default_provider,
};
use bytes::BytesMut;

/// The flag of a preamble that says that the frame's segments are compressed.
const COMPRESSED: (usize, u8) = (26, 1);

/// A frame as it was found.
pub(crate) struct Seen {
    pub(crate) tag: Tag,
    pub(crate) secure: bool,
    pub(crate) revision: Revision,
}

/// One direction of the conversation.
struct Half {
    direction: Direction,
    bytes: Vec<u8>,
    at: usize,
    arrived: usize,
    banner: Option<Banner>,
    /// Of a frame that has not arrived completely, with the length of its first block.
    head: Option<(Head, usize)>,
    reader: FrameReader,
    writer: FrameWriter,
}

impl Half {
    fn new(said: &Conversation, direction: Direction) -> Self {
        let mut reader = FrameReader::new(default_provider());
        reader.set_limits(Limits::SESSION);
        Self {
            direction,
            bytes: said.bytes(direction),
            at: 0,
            arrived: 0,
            banner: None,
            head: None,
            reader,
            writer: FrameWriter::new(default_provider()),
        }
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.at..self.arrived]
    }

    /// The banner, which must be what we would write.
    fn take_banner(&mut self) {
        if let Some((banner, length)) = Banner::parse(self.rest()).expect("a banner") {
            assert_eq!(banner.emit(), self.rest()[..length]);
            self.banner = Some(banner);
            self.at += length;
        }
    }

    /// The next frame if all of it has arrived, with its bytes.
    fn next(&mut self) -> Option<(Frame, Vec<u8>)> {
        if self.head.is_none() {
            let mut block = self.rest().get(..self.reader.first_block_len())?.to_vec();
            let head = self.reader.open_head(&mut block).expect("a preamble");
            self.head = Some((head, block.len()));
        }
        let (head, block) =
            self.head.take_if(|(head, block)| self.arrived - self.at >= *block + head.body_len())?;
        let bytes = self.rest()[..block + head.body_len()].to_vec();
        self.at += bytes.len();
        let body = BytesMut::from(&bytes[block..]);
        match self.reader.open_body(head, body).expect("a frame") {
            Received::Frame(frame) => Some((frame, bytes)),
            Received::Aborted => panic!("no recorded peer gives up a message"),
        }
    }

    /// The frame as we would write it.
    fn rewrite(&mut self, frame: &Frame) -> Vec<u8> {
        let mut buf = FrameBuf::new();
        match frame {
            Frame::Control(control) => self.writer.control(control, &mut buf),
            Frame::Message(message) => self.writer.message(message, &mut buf),
        }
        .expect("a frame can be written");
        let mut pieces = Vec::new();
        buf.drain_into(&mut pieces);
        pieces.concat()
    }
}

/// Reads all of it, asserting that every frame written anew is the bytes recorded, that a client of ours with
/// the recorded randomness says the same, and that signatures are right.
pub(crate) fn read(said: &Conversation, client: &mut Client) -> Vec<Seen> {
    let mut halves = [Half::new(said, Direction::ToServer), Half::new(said, Direction::ToClient)];
    let mut seen = Vec::new();
    let mut transcript = Transcript::default();
    client.start();
    for (direction, turn) in said.turns() {
        halves[direction as usize].arrived += turn.len();
        // What arrived in one direction may be what the other one's waiting bytes need to be understood.
        while step(&mut halves, &mut seen, &mut transcript, client) {}
    }
    for half in halves.iter().filter(|half| !said.trimmed(half.direction)) {
        // A peer that closes its end may leave the other one in the middle of a message, of nothing else.
        let message = half.head.as_ref().is_some_and(|(head, _)| head.tag() == Tag::Message);
        assert!(
            half.rest().is_empty() || message,
            "{:?} of {}: {} bytes of {:?} left over",
            half.direction,
            said.title,
            half.rest().len(),
            half.head
        );
    }
    seen
}

/// One frame or banner further in either direction; whether there was one.
fn step(
    halves: &mut [Half; 2],
    seen: &mut Vec<Seen>,
    transcript: &mut Transcript,
    client: &mut Client,
) -> bool {
    for side in [0, 1] {
        let half = &mut halves[side];
        if half.banner.is_none() {
            half.take_banner();
            if let Some(banner) = half.banner {
                transcript.said(half.direction, &banner.emit());
                agree_on_revision(halves);
                return true;
            }
            continue;
        }
        if halves.iter().any(|half| half.banner.is_none()) {
            continue;
        }
        let half = &mut halves[side];
        let Some((frame, bytes)) = half.next() else { continue };
        let again = half.rewrite(&frame);
        let direction = half.direction;
        assert_eq!(again, bytes, "written again: {frame:?}");
        let (revision, secure) = (revision(halves), halves[side].reader.is_secure());
        if !secure {
            assert_eq!(bytes[COMPRESSED.0] & COMPRESSED.1, 0);
        }
        transcript.said(direction, &bytes);
        if let Frame::Control(control) = &frame {
            transcript.check(direction, control);
            if let Some(agreed) = client.hears(direction, control) {
                transcript.agreed(agreed.session_key.as_ref().map(|key| key.to_vec()));
                encrypt(halves, &agreed, control);
            }
        }
        let tag = match &frame {
            Frame::Control(control) => control.tag(),
            Frame::Message(_) => Tag::Message,
        };
        seen.push(Seen { tag, secure, revision });
        return true;
    }
    false
}

fn revision(halves: &[Half; 2]) -> Revision {
    let both = halves.iter().all(|half| {
        half.banner.is_some_and(|banner| banner.supported.missing(Msgr2Features(1)) == Msgr2Features::NONE)
    });
    if both { Revision::One } else { Revision::Zero }
}

fn agree_on_revision(halves: &mut [Half; 2]) {
    let revision = revision(halves);
    for half in halves {
        half.reader.set_revision(revision);
        half.writer.set_revision(revision);
    }
}

/// From AUTH_DONE on: the acceptor seals with the second nonce, the connector with the third part of the
/// secret.
fn encrypt(halves: &mut [Half; 2], agreed: &Agreed, done: &Control) {
    let Control::AuthDone(done) = done else { return };
    if Mode(done.mode) != Mode::SECURE {
        return;
    }
    let secret = agreed.connection_secret.as_ref().expect("a secret in secure mode");
    let key: [u8; 16] = secret[..16].try_into().expect("16 bytes");
    let nonces = [&secret[28..40], &secret[16..28]];
    for (half, nonce) in halves.iter_mut().zip(nonces) {
        let nonce = nonce.try_into().expect("12 bytes");
        half.reader.secure(&key, nonce);
        half.writer.secure(&key, nonce);
    }
}
