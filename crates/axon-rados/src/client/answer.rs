//! How outcomes of requests become results of operations.

use super::slot::Giver;
use super::{Errno, RadosError};
use crate::objecter::{Asked, NotifyEnd, Outcome};
use crate::ops::{Answer, Said};
use axon_denc::Decode;
use bytes::Bytes;
use std::sync::Arc;

/// Where the outcome of a request goes, and what only its `IoCtx` knows of it.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) to: To,
    /// The name of the pool.
    pub(super) pool: Arc<str>,
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
    pub(super) fn finish(self, asked: Asked, outcome: Outcome) {
        let (Self { to, pool }, Asked { object, size }) = (self, asked);
        let result = match outcome {
            Outcome::Replied(said) => read(object, size, said),
            Outcome::NotDone(within, why) => Err(RadosError::NotDone { object: text(&object), within, why }),
            Outcome::Unknown(after, why) => Err(RadosError::Unknown { object: text(&object), after, why }),
            Outcome::Full(why) => Err(RadosError::Full { object: text(&object), why }),
            Outcome::PoolEio(why) => Err(RadosError::PoolEio { object: text(&object), why }),
            Outcome::NoPool => Err(RadosError::NoPool(pool.to_string())),
            Outcome::Unsendable(source) => Err(RadosError::Unsendable { object: text(&object), source }),
        };
        match (to, result) {
            (To::Answer(giver), result) => giver.put(result),
            (To::Notified(giver), Err(error)) => giver.put(Err(error)),
            (To::Notified(giver), Ok(_)) => drop(giver), // a notification ends otherwise
        }
    }

    /// A notification of the watchers of an object ended.
    pub(super) fn notified(self, object: &[u8], end: NotifyEnd) {
        let object = text(object);
        let To::Notified(giver) = self.to else { return };
        let late = Errno::check(end.result).err();
        giver.put(match (late, end.payload.is_empty()) {
            (Some(errno), true) => Err(RadosError::Refused { object, errno }),
            _ => crate::ops::NotifyReply::from_bytes(&end.payload)
                .map(super::Notified::from)
                .map_err(|source| RadosError::BadAnswer { object, source }),
        });
    }
}

fn read(object: Bytes, size: u64, said: Said) -> Result<Answer, RadosError> {
    match Errno::check(said.result) {
        Err(Errno::EMSGSIZE) => Err(RadosError::TooLargeForOsd { object: text(&object), size }),
        Err(errno) => Err(RadosError::Refused { object: text(&object), errno }),
        Ok(()) => Ok(Answer::new(object, said)),
    }
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
