//! What an OSD answers to a request.

use super::Pick;
use crate::client::RadosError;
use crate::msg::MOSDOpReply;
use axon_denc::DecodeError;
use bytes::Bytes;

/// What became of a compound operation that succeeded as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    object: String,
    result: i32,
    version: u64,
    results: Vec<(i32, Bytes)>,
}

impl Answer {
    /// Takes a reply apart: each operation's result is a slice of the data segment.
    pub(crate) fn of(reply: &MOSDOpReply) -> Result<Self, DecodeError> {
        let mut rest = reply.data.clone();
        let mut results = Vec::with_capacity(reply.ops.len());
        for (op, result) in reply.ops.iter().zip(&reply.results) {
            let length = op.payload_len as usize;
            if length > rest.len() {
                return Err(DecodeError::Truncated { needed: length, left: rest.len() });
            }
            results.push((*result, rest.split_to(length)));
        }
        let object = String::from_utf8_lossy(&reply.object).into_owned();
        Ok(Self { object, result: reply.result, version: reply.user_version, results })
    }

    /// The result of one of the operations.
    ///
    /// # Errors
    /// [`RadosError::Refused`] if this operation failed and the rest went on ([`crate::osd::OpFlags::FAILOK`]),
    /// [`RadosError::BadAnswer`] if what it returned makes no sense.
    pub fn get<T>(&self, pick: Pick<T>) -> Result<T, RadosError> {
        pick.find(self)
    }

    /// The object's version after the operation; 0 if it does not exist.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The result of the whole: 0, or what the last operation returned if that was more.
    pub fn code(&self) -> i32 {
        self.result
    }

    /// The object's name.
    pub(super) fn object(&self) -> &str {
        &self.object
    }

    /// The code and the data of one operation.
    pub(super) fn result(&self, index: usize) -> Option<(i32, &Bytes)> {
        self.results.get(index).map(|(code, data)| (*code, data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::msg::{MOSDOp, TypedMessage};
    use crate::osd::{OsdOp, PgId};
    use axon_denc::Features;

    fn reply(lengths: &[u32], data: &'static [u8]) -> MOSDOpReply {
        let ops: Vec<_> = lengths.iter().map(|n| OsdOp::stat().with_payload(*n)).collect();
        let results = vec![0; ops.len()];
        let request = MOSDOp::new(&b"o"[..], PgId::default(), ops).encode(Features::ALL_REEF).unwrap();
        let view = crate::msg::MOSDOpView::parse(&request).unwrap();
        let mut reply = MOSDOpReply::decode(&MOSDOpReply::answer(&view, 0, Default::default(), 1)).unwrap();
        reply.ops.iter_mut().zip(lengths).for_each(|(op, n)| op.payload_len = *n);
        (reply.results, reply.data) = (results, Bytes::from_static(data));
        reply
    }

    #[test]
    fn data_is_shared_out() {
        let answer = Answer::of(&reply(&[2, 0, 3], b"aabbb")).unwrap();
        let parts: Vec<_> = (0..3).map(|i| answer.result(i).unwrap().1.clone()).collect();
        assert_eq!(parts, ["aa", "", "bbb"]);
        assert_eq!(answer.result(3), None);
    }

    #[test]
    fn lengths_beyond_the_data_are_refused() {
        let error = Answer::of(&reply(&[2, 4], b"aabbb"));
        assert_eq!(error, Err(DecodeError::Truncated { needed: 4, left: 3 }));
    }
}
