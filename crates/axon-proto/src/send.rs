//! The send machine: frames become bytes of one socket.

use crate::transcript::Transcript;
use crate::{Fault, Tally};
use alloc::vec::Vec;
use axon_wire::{Banner, Control, FrameBuf, FrameWriter, Message, Provider, Revision};
use bytes::Bytes;

/// Room for a control frame: most take one small chunk.
const CONTROL_CHUNK: usize = 256;

/// Writes frames. Control frames are written when they arise and kept until the driver comes for them; messages are
/// written only when the driver has room, into memory that all links of a worker share.
pub(crate) struct Send {
    writer: FrameWriter,
    revision: Revision,
    pending: Vec<Bytes>,
    transcript: Option<Transcript>,
    tally: Tally,
}

impl Send {
    pub(crate) fn new(provider: &'static dyn Provider) -> Self {
        Self {
            writer: FrameWriter::new(provider),
            revision: Revision::One,
            pending: Vec::new(),
            transcript: Some(Transcript::default()),
            tally: Tally::default(),
        }
    }

    /// Writes the banner.
    pub(crate) fn banner(&mut self, banner: Banner) -> Result<(), Fault> {
        self.keep(Bytes::copy_from_slice(&banner.emit()))
    }

    /// Writes a control frame.
    pub(crate) fn control(&mut self, control: &Control) -> Result<(), Fault> {
        let mut frame = FrameBuf::with_chunk(CONTROL_CHUNK);
        self.writer.control(control, &mut frame)?;
        self.tally.frames_out += 1;
        self.tally.copied_out += frame.take_copied();
        let mut parts = Vec::new();
        frame.drain_into(&mut parts);
        parts.into_iter().try_for_each(|part| self.keep(part))
    }

    /// Writes a control frame to the end of `out`, as [`message`](Self::message) does.
    pub(crate) fn control_into(&mut self, control: &Control, out: &mut FrameBuf) -> Result<(), Fault> {
        self.writer.control(control, out)?;
        self.tally.frames_out += 1;
        Ok(())
    }

    /// Writes a message to the end of `out`, which counts the bytes it copies; what is pending must have been taken before.
    #[inline]
    pub(crate) fn message(&mut self, message: &Message, out: &mut FrameBuf) -> Result<(), Fault> {
        debug_assert!(self.pending.is_empty(), "control frames leave before later messages");
        self.writer.message(message, out)?;
        self.tally.frames_out += 1;
        Ok(())
    }

    /// What was written since this was last asked.
    pub(crate) fn take_tally(&mut self) -> Tally {
        core::mem::take(&mut self.tally)
    }

    /// Whether control frames wait to be taken.
    #[inline]
    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Moves the pending control frames to the end of `out`.
    pub(crate) fn take_pending(&mut self, out: &mut Vec<Bytes>) {
        out.append(&mut self.pending);
    }

    /// Speaks this revision from the next frame on.
    pub(crate) fn set_revision(&mut self, revision: Revision) {
        self.revision = revision;
        self.writer.set_revision(revision);
    }

    /// The framing in use.
    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    /// Encrypts from the next frame on.
    pub(crate) fn secure(&mut self, key: &[u8; 16], nonce: &[u8; 12]) {
        self.writer.secure(key, *nonce);
    }

    /// Ends the recording and hands it over.
    pub(crate) fn take_transcript(&mut self) -> Transcript {
        self.transcript.take().unwrap_or_default()
    }

    fn keep(&mut self, bytes: Bytes) -> Result<(), Fault> {
        if let Some(transcript) = &mut self.transcript {
            transcript.record(&bytes)?;
        }
        self.pending.push(bytes);
        Ok(())
    }
}

#[cfg(test)]
impl Send {
    /// Bytes of memory held for the peer.
    pub(crate) fn held(&self) -> usize {
        let pending: usize = self.pending.iter().map(Bytes::len).sum();
        pending + self.transcript.as_ref().map_or(0, Transcript::held)
    }
}
