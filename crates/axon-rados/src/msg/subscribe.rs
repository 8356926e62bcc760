//! Asking a monitor for maps.

use super::{MIN_BLOB, TypedMessage, put_map, read_map};
use axon_denc::{DecodeError, Decoder, Encode, Features};
use std::collections::BTreeMap;

/// Asks for maps from some version on, now and (unless once) whenever they change.
///
/// ```text
/// le32 n | { blob what | le64 start | u8 flags }[n] | blob host name (version 3)
/// ```
///
/// Ceph: `src/messages/MMonSubscribe.h`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MMonSubscribe {
    /// What is asked for: "monmap", "osdmap", "config", "mgrmap", "mdsmap", ..
    pub what: BTreeMap<String, Subscription>,
    /// The client's host, without domain, for the monitors' per-host configuration.
    pub host: String,
}

/// Which versions of a map are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Subscription {
    /// The first version wanted; 0 for whatever is newest.
    pub start: u64,
    /// Whether one answer is enough.
    pub once: bool,
}

const ONCE: u8 = 1;
const VERSION_HOST: u16 = 3;

impl TypedMessage for MMonSubscribe {
    const KIND: u16 = 15;
    const NAME: &'static str = "mon_subscribe";
    const HEAD_VERSION: u16 = VERSION_HOST;
    const COMPAT_VERSION: u16 = 1;
    const OLDEST_VERSION: u16 = 2;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        put_map(out, self.what.iter(), |item, out| {
            item.start.encode(out);
            item.once.encode(out);
        });
        self.host.encode(out);
    }

    fn read_front(version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let what = read_map(front, MIN_BLOB + 9, |front| {
            let what = front.string("subscription")?;
            let start = front.u64()?;
            let once = front.u8()? & ONCE != 0;
            Ok((what, Subscription { start, once }))
        })?;
        let host = match version >= VERSION_HOST {
            true => front.string("host name")?,
            false => String::new(),
        };
        Ok(Self { what, host })
    }
}
