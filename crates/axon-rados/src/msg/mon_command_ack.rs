//! A monitor's answer to a command.

use super::{TypedMessage, paxos, put_strings, read_strings};
use axon_denc::{DecodeError, Decoder, Encode, Features};
use bytes::Bytes;

/// The answer to an [`MMonCommand`](super::MMonCommand); repeats its tid.
///
/// ```text
/// paxos header | le32 result | blob status | le32 n | blob text[n]         data segment: the command's output
/// ```
///
/// Ceph: `src/messages/MMonCommandAck.h`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MMonCommandAck {
    /// The version of the map the command led to.
    pub version: u64,
    /// 0 or a negative errno.
    pub result: i32,
    /// What a person is told.
    pub status: String,
    /// The command.
    pub command: Vec<String>,
    /// What a program is told.
    pub output: Bytes,
}

impl TypedMessage for MMonCommandAck {
    const KIND: u16 = 51;
    const NAME: &'static str = "mon_command_ack";
    const COMPAT_VERSION: u16 = 1;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        paxos::put(self.version, out);
        self.result.encode(out);
        self.status.encode(out);
        put_strings(out, &self.command);
    }

    fn read_front(_version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            version: paxos::read(front)?,
            result: front.i32()?,
            status: String::from_utf8_lossy(front.blob()?).into_owned(),
            command: read_strings(front, "command")?,
            output: Bytes::new(),
        })
    }

    fn data(&self) -> Bytes {
        self.output.clone()
    }

    fn set_data(&mut self, data: Bytes) {
        self.output = data;
    }
}
