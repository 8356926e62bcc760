//! Objects as they should be: what operations do to them, in memory.

use axon_rados::client::{Errno, Op, RadosError};
use axon_rados::ops::{Answer, WriteOp};
use axon_rados::{IoCtx, Name};
use bytes::Bytes;
use std::collections::BTreeMap;

/// An object as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Object {
    pub(crate) data: Vec<u8>,
    pub(crate) xattrs: BTreeMap<Name, Bytes>,
    pub(crate) omap: BTreeMap<Name, Bytes>,
    /// What was done to it last.
    pub(crate) story: Vec<String>,
}

/// An object as it was at a snapshot.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    pub(crate) snap: u64,
    pub(crate) object: Option<Object>,
}

/// Something done to an object.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    WriteFull(Vec<u8>),
    Write(u64, Vec<u8>),
    Append(Vec<u8>),
    Truncate(u64),
    Zero(u64, u64),
    Remove,
    Create,
    SetXattr(Name, Bytes),
    RemoveXattr(Name),
    OmapSet(Name, Bytes),
    OmapRemove(Name),
    OmapRemoveRange(Name, Name),
    OmapClear,
    CompareAndWrite(Vec<u8>, Vec<u8>),
    Rollback(Past),
    Read,
    ReadThen(Past),
    Stat,
    Xattrs,
    Omap,
}

/// A step under way.
pub(crate) enum Begun {
    Done(Op<()>),
    Changed(Op<Answer>),
    Data(Op<Bytes>),
    Size(Op<axon_rados::ops::Stat>),
    Xattrs(Op<BTreeMap<Name, Bytes>>),
    Omap(Op<axon_rados::ops::OmapVals>),
}

/// What comes of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Done,
    Data(Vec<u8>),
    Size(u64),
    Map(BTreeMap<Name, Bytes>),
    Failed(Errno),
}

/// Omaps stay smaller than this.
const MAX_OMAP: u64 = 1000;

impl Step {
    /// Whether it changes nothing.
    pub(crate) fn is_look(&self) -> bool {
        matches!(self, Self::Read | Self::ReadThen(_) | Self::Stat | Self::Xattrs | Self::Omap)
    }

    /// What the step does to an object as it should be, and what should come of it.
    pub(crate) fn apply(&self, object: &mut Option<Object>) -> Seen {
        let seen = self.apply_quietly(object);
        if let Some(object) = object {
            object.story.push(super::thrash::brief(self));
        }
        seen
    }

    fn apply_quietly(&self, object: &mut Option<Object>) -> Seen {
        match self {
            // What was not there then is removed.
            Self::Rollback(past) => {
                object.clone_from(&past.object);
                Seen::Done
            }
            Self::ReadThen(past) => {
                past.object.as_ref().map_or(Seen::Failed(Errno::ENOENT), |then| Seen::Data(then.data.clone()))
            }
            Self::Truncate(_) | Self::Zero(..) if object.is_none() => Seen::Done,
            Self::Remove
            | Self::RemoveXattr(_)
            | Self::OmapRemove(_)
            | Self::OmapRemoveRange(..)
            | Self::OmapClear
            | Self::Read
            | Self::Stat
            | Self::Xattrs
            | Self::Omap
            | Self::CompareAndWrite(..)
                if object.is_none() =>
            {
                Seen::Failed(Errno::ENOENT)
            }
            Self::Create if object.is_some() => Seen::Failed(Errno::EEXIST),
            Self::Remove => {
                *object = None;
                Seen::Done
            }
            _ => self.change(object.get_or_insert_default()),
        }
    }

    fn change(&self, object: &mut Object) -> Seen {
        match self {
            Self::WriteFull(data) => object.data.clone_from(data),
            Self::Write(at, data) => overwrite(&mut object.data, *at as usize, data),
            Self::Append(data) => object.data.extend_from_slice(data),
            Self::Truncate(size) => object.data.resize(*size as usize, 0),
            Self::Zero(at, length) => {
                let (start, end) = (*at as usize, (at + length) as usize);
                match end >= object.data.len() {
                    true => object.data.truncate(start), // OSDs cut what would end in zeroes
                    false => object.data[start..end].fill(0),
                }
            }
            Self::SetXattr(name, value) => drop(object.xattrs.insert(name.clone(), value.clone())),
            Self::OmapSet(name, value) => drop(object.omap.insert(name.clone(), value.clone())),
            Self::RemoveXattr(name) => drop(object.xattrs.remove(name)),
            Self::OmapRemove(name) => drop(object.omap.remove(name)),
            Self::OmapRemoveRange(begin, end) => object.omap.retain(|name, _| name < begin || name >= end),
            Self::OmapClear => object.omap.clear(),
            Self::CompareAndWrite(old, new) => return compare_and_write(&mut object.data, old, new),
            Self::Read => return Seen::Data(object.data.clone()),
            Self::Stat => return Seen::Size(object.data.len() as u64),
            Self::Xattrs => return Seen::Map(object.xattrs.clone()),
            Self::Omap => return Seen::Map(object.omap.clone()),
            Self::Remove | Self::Create | Self::Rollback(_) | Self::ReadThen(_) => {}
        }
        Seen::Done
    }

    /// Begins the step with the real object.
    pub(crate) fn begin(&self, io: &IoCtx, name: &str) -> Begun {
        match self.clone() {
            Self::WriteFull(data) => Begun::Done(io.write_full(name, data)),
            Self::Write(at, data) => Begun::Done(io.write(name, at, data)),
            Self::Append(data) => Begun::Done(io.append(name, data)),
            Self::Truncate(size) => Begun::Done(io.truncate(name, size)),
            Self::Zero(at, length) => Begun::Done(io.zero(name, at, length)),
            Self::Remove => Begun::Done(io.remove(name)),
            Self::Create => Begun::Done(io.create(name, true)),
            Self::SetXattr(key, value) => Begun::Done(io.set_xattr(name, &key, value)),
            Self::RemoveXattr(key) => Begun::Done(io.remove_xattr(name, &key)),
            Self::OmapSet(key, value) => Begun::Done(io.omap_set(name, [(key, value)])),
            Self::OmapRemove(key) => changed(io, name, |op| op.omap_remove([key])),
            Self::OmapRemoveRange(begin, end) => changed(io, name, |op| op.omap_remove_range(begin, end)),
            Self::OmapClear => changed(io, name, WriteOp::omap_clear),
            Self::CompareAndWrite(old, new) => Begun::Done(io.compare_and_write(name, 0, old, new)),
            Self::Rollback(past) => Begun::Done(io.rollback(name, past.snap)),
            Self::Read => Begun::Data(io.read(name, 0, 0)),
            Self::ReadThen(past) => Begun::Data(io.clone().with_snap(past.snap).read(name, 0, 0)),
            Self::Stat => Begun::Size(io.stat(name)),
            Self::Xattrs => Begun::Xattrs(io.get_xattrs(name)),
            Self::Omap => Begun::Omap(io.omap_vals(name, "", "", MAX_OMAP)),
        }
    }
}

impl Begun {
    /// Waits for what comes of it. Not to know is a failure of the test.
    pub(crate) fn see(self) -> Result<Seen, RadosError> {
        let seen = match self {
            Self::Done(op) => op.wait().map(|()| Seen::Done),
            Self::Changed(op) => op.wait().map(|_| Seen::Done),
            Self::Data(op) => op.wait().map(|data| Seen::Data(data.to_vec())),
            Self::Size(op) => op.wait().map(|stat| Seen::Size(stat.size)),
            Self::Xattrs(op) => op.wait().map(Seen::Map),
            Self::Omap(op) => op.wait().map(|page| Seen::Map(page.values)),
        };
        match seen {
            Err(RadosError::Refused { errno, .. }) => Ok(Seen::Failed(errno)),
            seen => seen,
        }
    }
}

/// Begins one operation that has no function of its own. Objects that do not exist are not made.
fn changed(io: &IoCtx, name: &str, add: impl FnOnce(&mut WriteOp) -> &mut WriteOp) -> Begun {
    let mut op = WriteOp::new();
    add(op.assert_exists());
    Begun::Changed(io.operate(name, op))
}

fn overwrite(data: &mut Vec<u8>, at: usize, new: &[u8]) {
    let end = at + new.len();
    if data.len() < end {
        data.resize(end, 0);
    }
    data[at..end].copy_from_slice(new);
}

/// What is behind the object's end compares as zeroes.
fn compare_and_write(data: &mut Vec<u8>, old: &[u8], new: &[u8]) -> Seen {
    const MAX_ERRNO: i32 = 4095;
    let at = |i: usize| data.get(i).copied().unwrap_or(0);
    match (0..old.len()).find(|i| at(*i) != old[*i]) {
        Some(i) => Seen::Failed(Errno(MAX_ERRNO + i as i32)),
        None => {
            overwrite(data, 0, new);
            Seen::Done
        }
    }
}
