//! Advisory locks, which the object class `lock` keeps in an object's attributes.

use super::{Pick, ReadOp, WriteOp};
use axon_denc::{Decode, DecodeError, Decoder, Encode, EntityAddr, EntityName, UTime, put_versioned};
use bytes::Bytes;
use std::time::Duration;

/// A lock to be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// Its name; an object may have several.
    pub name: String,
    /// Who else may have it.
    pub kind: LockKind,
    /// Tells several holders in one client apart.
    pub cookie: String,
    /// Shared locks with different tags exclude each other.
    pub tag: String,
    /// For people.
    pub description: String,
    /// After this time it is anybody's; zero means never.
    pub duration: Duration,
    /// Taking it again prolongs it, instead of failing with EEXIST.
    pub renew: bool,
}

/// Who may hold a lock at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LockKind {
    /// One holder.
    #[default]
    Exclusive,
    /// Many holders.
    Shared,
    /// One holder; the object goes when the lock is given back.
    Ephemeral,
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LockInfo {
    /// How it is held; `None` if it is free.
    pub kind: Option<LockKind>,
    /// Its tag.
    pub tag: String,
    /// The holders.
    pub holders: Vec<LockHolder>,
}

/// A holder of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockHolder {
    /// The client.
    pub name: EntityName,
    /// Which of its holders.
    pub cookie: String,
    /// Where the client is.
    pub addr: EntityAddr,
    /// When the lock ends; zero means never.
    pub expires: UTime,
    /// For people.
    pub description: String,
}

const CLASS: &str = "lock";
const VERSION: u8 = 1;
const MAY_RENEW: u8 = 1;
/// The least a holder takes: two struct headers, a name, three texts' lengths, a time.
const MIN_HOLDER: usize = 6 + 9 + 4 + 6 + 8;

impl Lock {
    /// An exclusive lock without an end.
    pub fn exclusive(name: &str, cookie: &str) -> Self {
        Self {
            name: name.into(),
            kind: LockKind::Exclusive,
            cookie: cookie.into(),
            tag: String::new(),
            description: String::new(),
            duration: Duration::ZERO,
            renew: false,
        }
    }

    /// A shared lock without an end.
    pub fn shared(name: &str, cookie: &str, tag: &str) -> Self {
        Self { kind: LockKind::Shared, tag: tag.into(), ..Self::exclusive(name, cookie) }
    }
}

impl LockKind {
    const ALL: [(Self, u8); 3] = [(Self::Exclusive, 1), (Self::Shared, 2), (Self::Ephemeral, 3)];

    fn to_wire(self) -> u8 {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or(0, |(_, number)| *number)
    }

    fn from_wire(number: u8) -> Result<Option<Self>, DecodeError> {
        match Self::ALL.iter().find(|(_, n)| *n == number) {
            Some((kind, _)) => Ok(Some(*kind)),
            None if number == 0 => Ok(None),
            None => Err(DecodeError::Undefined { what: "kind of lock", value: number.into() }),
        }
    }
}

impl WriteOp {
    /// Takes a lock. Fails with EBUSY if somebody else has it, with EEXIST if this client has it and does not renew.
    pub fn lock(&mut self, lock: &Lock) -> &mut Self {
        let input = input(|out| {
            lock.name.encode(out);
            out.push(lock.kind.to_wire());
            lock.cookie.encode(out);
            lock.tag.encode(out);
            lock.description.encode(out);
            UTime::from_duration(lock.duration).encode(out);
            out.push(if lock.renew { MAY_RENEW } else { 0 });
        });
        self.call(CLASS, "lock", input);
        self
    }

    /// Gives a lock back. Fails with ENOENT if this client does not have it.
    pub fn unlock(&mut self, name: &str, cookie: &str) -> &mut Self {
        let input = input(|out| {
            name.encode(out);
            cookie.encode(out);
        });
        self.call(CLASS, "unlock", input);
        self
    }

    /// Takes a lock away from its holder.
    pub fn break_lock(&mut self, name: &str, holder: EntityName, cookie: &str) -> &mut Self {
        let input = input(|out| {
            name.encode(out);
            holder.encode(out);
            cookie.encode(out);
        });
        self.call(CLASS, "break_lock", input);
        self
    }
}

impl ReadOp {
    /// Asks who has a lock.
    pub fn lock_info(&mut self, name: &str) -> Pick<LockInfo> {
        let payload = input(|out| name.encode(out));
        self.call(CLASS, "get_info", payload).read_as(|data| LockInfo::from_bytes(data))
    }

    /// Asks which locks the object has.
    pub fn list_locks(&mut self) -> Pick<Vec<String>> {
        self.call(CLASS, "list_locks", Bytes::new()).read_as(|data| {
            let (_, mut body) = Decoder::new(data).versioned("list of locks", VERSION)?;
            crate::msg::read_strings(&mut body, "lock")
        })
    }
}

fn input(put: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut out = Vec::new();
    put_versioned(&mut out, VERSION, VERSION, put);
    out.into()
}

/// Ceph: `cls_lock_get_info_reply` in `src/cls/lock/cls_lock_ops.h`.
impl Decode for LockInfo {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (_, mut body) = input.versioned("holders of a lock", VERSION)?;
        let holders = body.list(MIN_HOLDER)?;
        let kind = LockKind::from_wire(body.u8()?)?;
        Ok(Self { kind, tag: body.string("tag")?, holders })
    }
}

/// Ceph: `locker_id_t` and `locker_info_t` in `src/cls/lock/cls_lock_types.h`.
impl Decode for LockHolder {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (_, mut id) = input.versioned("holder", VERSION)?;
        let (_, mut info) = input.versioned("holder's lock", VERSION)?;
        Ok(Self {
            name: EntityName::decode(&mut id)?,
            cookie: id.string("cookie")?,
            expires: UTime::decode(&mut info)?,
            addr: EntityAddr::decode(&mut info)?,
            description: info.string("description")?,
        })
    }
}
