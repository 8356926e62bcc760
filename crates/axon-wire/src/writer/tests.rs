use super::*;
use crate::{Ack, default_provider};
use alloc::vec;

impl FrameWriter {
    /// Writes a frame whose segments have these lengths.
    pub(crate) fn raw(&mut self, lengths: [u32; 4], out: &mut FrameBuf) {
        let [first, rest @ ..] = lengths.map(|l| Bytes::from(vec![0; l as usize]));
        self.frame(Tag::Message, &first, rest.each_ref(), out).unwrap();
    }

    fn use_up_all_nonces_but(&mut self, left: u64) {
        let nonces = &mut self.sealer.as_mut().unwrap().nonces;
        nonces.skip(nonces.left() - left);
    }
}

fn secure(revision: Revision) -> FrameWriter {
    let mut writer = FrameWriter::new(default_provider());
    writer.set_revision(revision);
    writer.secure(&[1; 16], [2; 12]);
    writer
}

/// A message of rev1 takes two blocks, an ACK one: of a message that does not fit nothing is written.
#[test]
fn nonces_run_out_between_frames() {
    let message = Message::new(1, &b"front"[..]);
    let mut writer = secure(Revision::One);
    writer.use_up_all_nonces_but(3);
    let mut out = FrameBuf::new();
    assert_eq!(writer.message(&message, &mut out), Ok(()));
    assert_eq!(writer.nonces_left(), Some(1));
    let written = out.len();
    let error = Err(WireError::NoncesExhausted);
    assert_eq!(writer.message(&message, &mut out), error);
    assert_eq!(out.len(), written);
    assert_eq!(writer.control(&Ack { seq: 1 }.into(), &mut out), Ok(()));
    assert_eq!(writer.control(&Ack { seq: 1 }.into(), &mut out), error);
}

#[test]
fn rev0_has_as_many_nonces_as_its_counter() {
    let mut writer = secure(Revision::Zero);
    assert_eq!(writer.nonces_left(), Some(1 << 32));
    writer.use_up_all_nonces_but(1);
    let mut out = FrameBuf::new();
    assert_eq!(writer.control(&Ack { seq: 1 }.into(), &mut out), Ok(()));
    let error = Err(WireError::NoncesExhausted);
    assert_eq!(writer.control(&Ack { seq: 1 }.into(), &mut out), error);
}

#[test]
fn crc_mode_has_no_nonces() {
    assert_eq!(FrameWriter::new(default_provider()).nonces_left(), None);
}
