//! Ceph's messages as types.
//!
//! A messenger moves an [`axon_wire::Message`]: a header that names a type and a version, and bytes. Each type here is
//! one kind of message; [`TypedMessage`] turns it into those bytes and back. Which version is written depends on the
//! features both ends agreed on; which version is read, on the header.
//!
//! | type | number | who sends it |
//! |---|---|---|
//! | [`MPing`] | 2 | anybody; its arrival is all it says |
//! | [`MMonMap`] | 4 | a monitor to its subscribers |
//! | [`MStatFs`], [`MStatFsReply`] | 13, 14 | a client to its monitor, and its answer |
//! | [`MMonSubscribe`], [`MMonSubscribeAck`] | 15, 16 | a client to its monitor, and its answer |
//! | [`MAuth`], [`MAuthReply`] | 17, 18 | a client to its monitor for tickets and keys, and its answer |
//! | [`MMonGetVersion`], [`MMonGetVersionReply`] | 19, 20 | a client to its monitor, and its answer |
//! | [`MOSDMap`] | 41 | a monitor or OSD to its subscribers |
//! | [`MOSDOp`], [`MOSDOpReply`] | 42, 43 | a client to an OSD, and its answer |
//! | [`MWatchNotify`] | 44 | an OSD to watchers and notifiers |
//! | [`MPoolOp`], [`MPoolOpReply`] | 49, 48 | a client to its monitor, and its answer |
//! | [`MMonCommand`], [`MMonCommandAck`] | 50, 51 | a client to its monitor, and its answer |
//! | [`MGetPoolStats`], [`MGetPoolStatsReply`] | 58, 59 | a client to its monitor, and its answer |
//! | [`MOSDBackoff`] | 61 | an OSD to a client that shall wait, and its acknowledgement |
//! | [`MConfig`] | 62 | a monitor to every client that logs in |

mod auth;
mod auth_reply;
mod config;
mod error;
mod get_pool_stats;
mod get_pool_stats_reply;
mod get_version;
mod get_version_reply;
mod mon_command;
mod mon_command_ack;
mod mon_map;
mod osd_backoff;
mod osd_map;
mod osd_op;
mod osd_op_reply;
mod osd_op_reply_view;
mod osd_op_view;
mod paxos;
mod ping;
mod pool_op;
mod pool_op_reply;
mod stat_fs;
mod stat_fs_reply;
mod subscribe;
mod subscribe_ack;
mod watch_notify;

pub use auth::MAuth;
pub use auth_reply::MAuthReply;
pub use config::MConfig;
pub use error::MessageError;
pub use get_pool_stats::MGetPoolStats;
pub use get_pool_stats_reply::{MGetPoolStatsReply, PoolStats};
pub use get_version::MMonGetVersion;
pub use get_version_reply::MMonGetVersionReply;
pub use mon_command::MMonCommand;
pub use mon_command_ack::MMonCommandAck;
pub use mon_map::MMonMap;
pub use osd_backoff::{BackoffOp, MOSDBackoff};
pub use osd_map::MOSDMap;
pub(crate) use osd_op::OpFront;
pub use osd_op::{MOSDOp, OpTemplate};
pub use osd_op_reply::{MOSDOpReply, Redirect};
pub(crate) use osd_op_reply_view::MOSDOpReplyView;
pub use osd_op_view::{MOSDOpView, OpList};
pub use ping::MPing;
pub use pool_op::{MPoolOp, PoolOpCode};
pub use pool_op_reply::MPoolOpReply;
pub use stat_fs::MStatFs;
pub use stat_fs_reply::{MStatFsReply, StatFs};
pub use subscribe::{MMonSubscribe, Subscription};
pub use subscribe_ack::MMonSubscribeAck;
pub use watch_notify::{MWatchNotify, WatchEventKind};

use axon_denc::{DecodeError, Decoder, Encode, Features};
use axon_wire::Message;
use bytes::Bytes;

/// A cluster's id, as a uuid's 16 bytes.
pub type Fsid = [u8; 16];

/// A kind of message: its number, its versions, and how it becomes bytes and back.
pub trait TypedMessage: Sized {
    /// The type's number in message headers.
    const KIND: u16;
    /// Ceph's name of the type, for errors and logs.
    const NAME: &'static str;
    /// The newest version known here, and the one written unless the features say otherwise.
    const HEAD_VERSION: u16 = 1;
    /// The oldest decoder that may read what is written here.
    const COMPAT_VERSION: u16;
    /// The oldest version read here.
    const OLDEST_VERSION: u16 = 1;

    /// The version written for a peer with whom `features` were agreed; an error if the peer is too old for any.
    fn version_for(features: Features) -> Result<u16, MessageError> {
        let _ = features;
        Ok(Self::HEAD_VERSION)
    }

    /// Appends the front for a peer with whom `features` were agreed, in the version that
    /// [`TypedMessage::version_for`] returns for them.
    fn put_front(&self, features: Features, out: &mut Vec<u8>);

    /// Reads the front; `version` is at least [`TypedMessage::OLDEST_VERSION`], and may be newer than
    /// [`TypedMessage::HEAD_VERSION`], in which case what is unknown follows what is known.
    fn read_front(version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError>;

    /// How many bytes to reserve for the front.
    fn front_size(&self) -> usize {
        64
    }

    /// The data segment.
    fn data(&self) -> Bytes {
        Bytes::new()
    }

    /// Takes the data segment of the message whose front was just read.
    fn set_data(&mut self, data: Bytes) {
        let _ = data;
    }

    /// The message for a peer with whom `features` were agreed. Its tid is 0.
    fn encode(&self, features: Features) -> Result<Message, MessageError> {
        let version = Self::version_for(features)?;
        let mut front = Vec::with_capacity(self.front_size());
        self.put_front(features, &mut front);
        let mut message = Message::new(Self::KIND, front);
        message.header.version = version;
        message.header.compat_version = Self::COMPAT_VERSION;
        message.data = self.data();
        Ok(message)
    }

    /// Reads a message that should be of this type.
    fn decode(message: &Message) -> Result<Self, MessageError> {
        let version = check_header::<Self>(message)?;
        let mut typed =
            Self::read_front(version, &mut Decoder::new(&message.front)).map_err(Self::malformed)?;
        typed.set_data(message.data.clone());
        Ok(typed)
    }

    /// The error that says bytes of this type make no sense.
    fn malformed(source: DecodeError) -> MessageError {
        MessageError::Malformed { message: Self::NAME, source }
    }
}

/// Checks that `message` is a `T` this code may read, and returns its version.
fn check_header<T: TypedMessage>(message: &Message) -> Result<u16, MessageError> {
    let header = &message.header;
    if header.kind != T::KIND {
        return Err(MessageError::WrongKind { expected: T::NAME, kind: T::KIND, got: header.kind });
    }
    if header.compat_version > T::HEAD_VERSION {
        return Err(MessageError::TooNew {
            message: T::NAME,
            compat: header.compat_version,
            known: T::HEAD_VERSION,
        });
    }
    if header.version < T::OLDEST_VERSION {
        return Err(MessageError::TooOld {
            message: T::NAME,
            version: header.version,
            oldest: T::OLDEST_VERSION,
        });
    }
    Ok(header.version)
}

/// Fails unless every one of `required` was agreed.
fn require<T: TypedMessage>(features: Features, required: Features) -> Result<(), MessageError> {
    let missing = features.missing(required);
    match missing.is_empty() {
        true => Ok(()),
        false => Err(MessageError::MissingFeatures { message: T::NAME, missing }),
    }
}

/// Appends a list of texts.
fn put_strings(out: &mut Vec<u8>, texts: &[String]) {
    axon_denc::put_list(out, texts);
}

/// The bytes of an empty text or blob, the least an item of a list of them takes.
const MIN_BLOB: usize = 4;

/// Reads a list of texts; `what` names one in errors.
pub(crate) fn read_strings(input: &mut Decoder<'_>, what: &'static str) -> Result<Vec<String>, DecodeError> {
    let n = input.count(MIN_BLOB)?;
    (0..n).map(|_| input.string(what)).collect()
}

/// Appends a map, in the order of its keys.
fn put_map<'a, K: Encode + 'a, V: 'a>(
    out: &mut Vec<u8>,
    map: impl ExactSizeIterator<Item = (&'a K, &'a V)>,
    mut put_value: impl FnMut(&V, &mut Vec<u8>),
) {
    let n = u32::try_from(map.len()).expect("a map has fewer than 2^32 items");
    n.encode(out);
    for (key, value) in map {
        key.encode(out);
        put_value(value, out);
    }
}

/// Reads a map whose items take at least `min_size` bytes each; of equal keys the last one counts.
pub(crate) fn read_map<'a, K, V, M: FromIterator<(K, V)>>(
    input: &mut Decoder<'a>,
    min_size: usize,
    mut read: impl FnMut(&mut Decoder<'a>) -> Result<(K, V), DecodeError>,
) -> Result<M, DecodeError> {
    let n = input.count(min_size)?;
    (0..n).map(|_| read(input)).collect()
}
