//! How outcomes of requests become results of operations.

use super::slot::Giver;
use super::{Errno, RadosError};
use crate::msg::MOSDOpReply;
use crate::objecter::{NotifyEnd, Outcome};
use crate::ops::Answer;
use axon_denc::Decode;
use bytes::Bytes;

/// Where the outcome of a request goes, and what errors say of it.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) to: To,
    pub(super) object: Bytes,
    /// Bytes the request carries.
    pub(super) size: u64,
    pub(super) pool: String,
}

/// What kind of result is awaited.
#[derive(Debug)]
pub(super) enum To {
    /// That of operations.
    Answer(Giver<Answer>),
    /// That of a notification.
    Notified(Giver<super::Notified>),
}

impl Token {
    /// A request ended.
    pub(super) fn finish(self, outcome: Outcome) {
        let name = String::from_utf8_lossy(&self.object).into_owned();
        let result = match outcome {
            Outcome::Replied(reply) => self.read(name, &reply),
            Outcome::NotDone(within, why) => Err(RadosError::NotDone { object: name, within, why }),
            Outcome::Unknown(after, why) => Err(RadosError::Unknown { object: name, after, why }),
            Outcome::Full(why) => Err(RadosError::Full { object: name, why }),
            Outcome::NoPool => Err(RadosError::NoPool(self.pool)),
            Outcome::Unsendable(source) => Err(RadosError::Unsendable { object: name, source }),
        };
        match (self.to, result) {
            (To::Answer(giver), result) => giver.put(result),
            (To::Notified(giver), Err(error)) => giver.put(Err(error)),
            (To::Notified(giver), Ok(_)) => drop(giver), // a notification ends otherwise
        }
    }

    /// A notification ended.
    pub(super) fn notified(self, end: NotifyEnd) {
        let object = String::from_utf8_lossy(&self.object).into_owned();
        let To::Notified(giver) = self.to else { return };
        let late = Errno::check(end.result).err();
        giver.put(match (late, end.payload.is_empty()) {
            (Some(errno), true) => Err(RadosError::Refused { object, errno }),
            _ => crate::ops::NotifyReply::from_bytes(&end.payload)
                .map(super::Notified::from)
                .map_err(|source| RadosError::BadAnswer { object, source }),
        });
    }

    fn read(&self, object: String, reply: &MOSDOpReply) -> Result<Answer, RadosError> {
        match Errno::check(reply.result) {
            Err(Errno::EMSGSIZE) => Err(RadosError::TooLargeForOsd { object, size: self.size }),
            Err(errno) => Err(RadosError::Refused { object, errno }),
            Ok(()) => Answer::of(reply).map_err(|source| RadosError::BadAnswer { object, source }),
        }
    }
}
