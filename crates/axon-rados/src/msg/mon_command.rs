//! A command to the monitors.

use super::{Fsid, TypedMessage, paxos, put_strings, read_strings};
use axon_denc::{DecodeError, Decoder, Features};
use bytes::Bytes;

/// A command, as `ceph` sends it.
///
/// ```text
/// paxos header | fsid[16] | le32 n | blob text[n]         data segment: the command's input
/// ```
///
/// Ceph: `src/messages/MMonCommand.h`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MMonCommand {
    /// The cluster asked; another one's monitor refuses.
    pub fsid: Fsid,
    /// The command: one JSON object, `{"prefix": "status"}`. Monitors join several texts before parsing them.
    pub command: Vec<String>,
    /// Bytes for the command, as `ceph -i FILE` sends them.
    pub input: Bytes,
}

impl MMonCommand {
    /// The command `json` with the given input.
    pub fn new(fsid: Fsid, json: impl Into<String>, input: Bytes) -> Self {
        Self { fsid, command: vec![json.into()], input }
    }
}

impl TypedMessage for MMonCommand {
    const KIND: u16 = 50;
    const NAME: &'static str = "mon_command";
    const COMPAT_VERSION: u16 = 1;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        paxos::put(0, out);
        out.extend_from_slice(&self.fsid);
        put_strings(out, &self.command);
    }

    fn read_front(_version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        paxos::read(front)?;
        Ok(Self { fsid: front.array()?, command: read_strings(front, "command")?, input: Bytes::new() })
    }

    fn front_size(&self) -> usize {
        let texts: usize = self.command.iter().map(|text| 4 + text.len()).sum();
        paxos::SIZE + 16 + 4 + texts
    }

    fn data(&self) -> Bytes {
        self.input.clone()
    }

    fn set_data(&mut self, data: Bytes) {
        self.input = data;
    }
}
