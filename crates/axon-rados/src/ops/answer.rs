//! What an OSD answers to a request.

use super::Pick;
use crate::client::RadosError;
use crate::msg::MOSDOpReplyView;
use axon_denc::DecodeError;
use bytes::Bytes;
use smallvec::SmallVec;

/// What became of a compound operation that succeeded as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    object: Bytes,
    said: Said,
}

/// What an OSD said of a request, whatever it was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// 0 or more, or a negative errno.
    pub(crate) result: i32,
    version: u64,
    results: SmallVec<[(i32, Bytes); 1]>,
}

impl Said {
    /// Takes a reply apart: each operation's result is a slice of the data segment.
    pub(crate) fn by(reply: &MOSDOpReplyView<'_>) -> Result<Self, DecodeError> {
        let mut rest = reply.data.clone();
        let mut results = SmallVec::with_capacity(reply.ops.len());
        for (result, length) in reply.results() {
            let length = length as usize;
            if length > rest.len() {
                return Err(DecodeError::Truncated { needed: length, left: rest.len() });
            }
            results.push((result, rest.split_to(length)));
        }
        Ok(Self { result: reply.result, version: reply.user_version, results })
    }
}

impl Answer {
    /// What comes of no operations on `object`.
    pub(crate) fn to_nothing(object: Bytes) -> Self {
        Self { object, said: Said { result: 0, version: 0, results: SmallVec::new() } }
    }

    /// What was said of `object`.
    pub(crate) fn new(object: Bytes, said: Said) -> Self {
        Self { object, said }
    }

    /// The result of one of the operations.
    ///
    /// # Errors
    /// [`RadosError::Refused`] if this operation failed and the rest went on ([`crate::osd::OpFlags::FAILOK`]),
    /// [`RadosError::BadAnswer`] if what it returned makes no sense.
    pub fn get<T>(&self, pick: Pick<T>) -> Result<T, RadosError> {
        pick.find(self)
    }

    /// The object's version after the operation; 0 if it does not exist, or nothing was asked.
    pub fn version(&self) -> u64 {
        self.said.version
    }

    /// The result of the whole: 0, or what the last operation returned if that was more.
    pub fn code(&self) -> i32 {
        self.said.result
    }

    /// The object's name.
    pub(super) fn object(&self) -> String {
        String::from_utf8_lossy(&self.object).into_owned()
    }

    /// The code and the data of one operation.
    pub(super) fn result(&self, index: usize) -> Option<(i32, &Bytes)> {
        self.said.results.get(index).map(|(code, data)| (*code, data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::msg::{MOSDOp, MOSDOpReply, TypedMessage};
    use crate::osd::{OsdOp, PgId};
    use axon_denc::Features;

    fn answer(lengths: &[u32], data: &'static [u8]) -> Result<Answer, DecodeError> {
        let ops: Vec<_> = lengths.iter().map(|_| OsdOp::stat()).collect();
        let request = MOSDOp::new(&b"o"[..], PgId::default(), ops).encode(Features::ALL_REEF).unwrap();
        let view = crate::msg::MOSDOpView::parse(&request).unwrap();
        let mut reply = MOSDOpReply::decode(&MOSDOpReply::answer(&view, 0, Default::default(), 1)).unwrap();
        reply.ops.iter_mut().zip(lengths).for_each(|(op, n)| op.payload_len = *n);
        reply.data = Bytes::from_static(data);
        let message = reply.encode(Features::ALL_REEF).unwrap();
        let said = Said::by(&MOSDOpReplyView::parse(&message).unwrap())?;
        Ok(Answer::new(Bytes::from_static(b"o"), said))
    }

    #[test]
    fn data_is_shared_out() {
        let answer = answer(&[2, 0, 3], b"aabbb").unwrap();
        let parts: Vec<_> = (0..3).map(|i| answer.result(i).unwrap().1.clone()).collect();
        assert_eq!(parts, ["aa", "", "bbb"]);
        assert_eq!(answer.result(3), None);
    }

    #[test]
    fn lengths_beyond_the_data_are_refused() {
        assert_eq!(answer(&[2, 4], b"aabbb"), Err(DecodeError::Truncated { needed: 4, left: 3 }));
    }
}
