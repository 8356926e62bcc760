//! What an answer means.

use super::Waiting;
use crate::client::Errno;
use crate::msg::{MOSDOpReplyView, Redirect};

/// What to do with a request that was answered.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// It is over.
    Finish,
    /// It was not done: ask somewhere else, as a request of its own.
    Elsewhere(Redirect),
    /// It was not done: ask again in a moment, as a request of its own.
    Again,
    /// This attempt was refused without a look at earlier ones, which may have been done.
    Unknown(Waiting),
}

/// What the answer to a request means. OSDs look whether a client may do a thing before they look whether it was done
/// already. Ceph: `PrimaryLogPG::do_op`.
///
/// | redirect | code | earlier attempts at a write | verdict |
/// |---|---|---|---|
/// | yes | | | elsewhere |
/// | no | EAGAIN | | again |
/// | no | EBLOCKLISTED, EPERM | yes | unknown |
/// | no | any other | | finish |
pub(super) fn decide_reply(reply: &MOSDOpReplyView<'_>, uncertain: bool) -> Verdict {
    const EAGAIN: i32 = -Errno::EAGAIN.0;
    const EPERM: i32 = -Errno::EPERM.0;
    const EBLOCKLISTED: i32 = -Errno::EBLOCKLISTED.0;
    match (&reply.redirect, reply.result) {
        (Some(redirect), _) => Verdict::Elsewhere(redirect.clone()),
        (None, EAGAIN) => Verdict::Again,
        (None, EBLOCKLISTED) if uncertain => Verdict::Unknown(Waiting::Blocklisted),
        (None, EPERM) if uncertain => Verdict::Unknown(Waiting::NotPermitted),
        (None, _) => Verdict::Finish,
    }
}

/// Whether the parts of an answer fit together, and to a request of `ops` operations.
pub(super) fn makes_sense(reply: &MOSDOpReplyView<'_>, ops: usize) -> bool {
    let lengths = reply.results().map(|(_, length)| u64::from(length)).sum::<u64>();
    // An error may come without the operations.
    let count = reply.ops.len() == ops || (reply.result < 0 && reply.ops.is_empty());
    count && lengths <= reply.data.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::msg::{MOSDOpReply, TypedMessage};
    use crate::osd::{EVersion, ObjectLocator, OsdFlags, OsdOp, PgId};
    use axon_denc::Features;
    use bytes::Bytes;

    fn reply(result: i32, redirect: bool) -> MOSDOpReply {
        let to = Redirect { locator: ObjectLocator::pool(9), object: Bytes::new() };
        MOSDOpReply {
            object: Bytes::from_static(b"o"),
            pg: PgId::default(),
            flags: OsdFlags::ONDISK,
            result,
            bad_replay_version: EVersion::default(),
            map_epoch: 1,
            ops: vec![OsdOp::stat()],
            retry_attempt: 0,
            results: vec![0],
            replay_version: EVersion::default(),
            user_version: 0,
            redirect: redirect.then_some(to),
            data: Bytes::new(),
        }
    }

    fn view<R>(reply: &MOSDOpReply, look: impl FnOnce(&MOSDOpReplyView<'_>) -> R) -> R {
        let message = reply.encode(Features::ALL_REEF).unwrap();
        look(&MOSDOpReplyView::parse(&message).unwrap())
    }

    #[test]
    fn the_table() {
        for (result, uncertain, verdict) in [
            (0, false, Verdict::Finish),
            (0, true, Verdict::Finish),
            (-2, true, Verdict::Finish),
            (-11, false, Verdict::Again),
            (-1, false, Verdict::Finish),
            (-1, true, Verdict::Unknown(Waiting::NotPermitted)),
            (-108, false, Verdict::Finish),
            (-108, true, Verdict::Unknown(Waiting::Blocklisted)),
        ] {
            let decided = view(&reply(result, false), |reply| decide_reply(reply, uncertain));
            assert_eq!(decided, verdict, "{result} {uncertain}");
        }
        assert!(
            matches!(view(&reply(0, true), |reply| decide_reply(reply, false)), Verdict::Elsewhere(to) if to.locator.pool == 9)
        );
    }

    #[test]
    fn parts_that_do_not_fit() {
        let fits = |reply: &MOSDOpReply, ops| view(reply, |reply| makes_sense(reply, ops));
        let mut good = reply(0, false);
        assert!(fits(&good, 1) && !fits(&good, 2));
        good.ops[0].payload_len = 1;
        assert!(!fits(&good, 1));
        good.ops.clear();
        assert!(!fits(&good, 1));
        good.result = -5;
        assert!(fits(&good, 1));
    }
}
