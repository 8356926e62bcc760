//! Commands.

use super::{NoOutput, Query};
use crate::mon::CommandOutput;
use crate::mon::error::Request;
use crate::msg::{Fsid, MMonCommand, MMonCommandAck, MessageError, TypedMessage};
use axon_denc::Features;
use axon_wire::Message;
use bytes::Bytes;

/// A command with its input.
#[derive(Debug)]
pub(in crate::mon) struct Command {
    /// One JSON object.
    pub(in crate::mon) json: String,
    /// What `ceph -i FILE` reads.
    pub(in crate::mon) input: Bytes,
}

impl Query for Command {
    type Output = CommandOutput;
    const REPLY: u16 = MMonCommandAck::KIND;

    fn request(&self) -> Request {
        Request::Command(self.json.clone())
    }

    fn message(&self, _tid: u64, fsid: Fsid, features: Features) -> Result<Message, MessageError> {
        MMonCommand::new(fsid, &self.json, self.input.clone()).encode(features)
    }

    fn read(&self, reply: &Message) -> Result<CommandOutput, NoOutput> {
        let ack = MMonCommandAck::decode(reply)?;
        Ok(CommandOutput { code: ack.result, status: ack.status, output: ack.output })
    }
}

/// A command that is expected to succeed.
#[derive(Debug)]
pub(in crate::mon) struct Run(pub(in crate::mon) Command);

impl Query for Run {
    type Output = Bytes;
    const REPLY: u16 = Command::REPLY;

    fn request(&self) -> Request {
        self.0.request()
    }

    fn message(&self, tid: u64, fsid: Fsid, features: Features) -> Result<Message, MessageError> {
        self.0.message(tid, fsid, features)
    }

    fn read(&self, reply: &Message) -> Result<Bytes, NoOutput> {
        match self.0.read(reply)? {
            CommandOutput { code, status, .. } if code < 0 => Err(NoOutput::Refused(code, status)),
            done => Ok(done.output),
        }
    }
}
