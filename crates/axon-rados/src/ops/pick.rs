//! Finds the result of one operation in the answer.

use super::Answer;
use crate::client::{Errno, RadosError};
use axon_denc::DecodeError;
use bytes::Bytes;
use std::fmt;

/// The place of an operation's result in the answer: [`Answer::get`] takes it.
pub struct Pick<T> {
    index: usize,
    read: fn(&Bytes) -> Result<T, DecodeError>,
}

impl<T> Pick<T> {
    pub(super) fn new(index: usize, read: fn(&Bytes) -> Result<T, DecodeError>) -> Self {
        Self { index, read }
    }

    /// The same result, read in another way.
    pub(super) fn read_as<U>(self, read: fn(&Bytes) -> Result<U, DecodeError>) -> Pick<U> {
        Pick::new(self.index, read)
    }

    pub(super) fn find(self, answer: &Answer) -> Result<T, RadosError> {
        let Some((code, data)) = answer.result(self.index) else {
            return Err(RadosError::BadAnswer { object: answer.object(), source: MISSING });
        };
        match Errno::check(code) {
            Err(errno) => Err(RadosError::Refused { object: answer.object(), errno }),
            Ok(()) => {
                (self.read)(data).map_err(|source| RadosError::BadAnswer { object: answer.object(), source })
            }
        }
    }
}

/// The answer has fewer results than the request has operations.
const MISSING: DecodeError = DecodeError::Truncated { needed: 1, left: 0 };

impl<T> Clone for Pick<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Pick<T> {}

impl<T> fmt::Debug for Pick<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pick({})", self.index)
    }
}
