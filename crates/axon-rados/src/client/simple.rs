//! The everyday operations, one at a time.
//!
//! Each ends with [`RadosError`](super::RadosError); what is written at the functions are the numbers that OSDs refuse it with
//! ([`RadosError::Refused`](super::RadosError::Refused)). What looks at an object that is not there fails with ENOENT; what
//! changes one makes it first, unless said.

use super::{IoCtx, Op};
use crate::Name;
use crate::ops::{Extents, Lock, LockInfo, OmapKeys, OmapVals, ReadOp, SnapSet, Stat, Watcher, WriteOp};
use crate::osd::{NO_SNAP, SNAP_DIR};
use bytes::Bytes;
use std::collections::BTreeMap;

impl IoCtx {
    /// Reads up to `length` bytes at `offset`; 0 means to the end. The result is shorter where the object ends, and empty
    /// behind its end; what was never written in between is zeroes. Fails with ENOENT if there is no object.
    pub fn read(&self, object: impl AsRef<[u8]>, offset: u64, length: u64) -> Op<Bytes> {
        let mut op = ReadOp::new();
        let pick = op.read(offset, length);
        self.operate_read(object, op).pick(pick)
    }

    /// Reads what was written in an extent: holes are left out. Fails with ENOENT if there is no object.
    pub fn sparse_read(&self, object: impl AsRef<[u8]>, offset: u64, length: u64) -> Op<Extents> {
        let mut op = ReadOp::new();
        let pick = op.sparse_read(offset, length);
        self.operate_read(object, op).pick(pick)
    }

    /// Asks for size and time. Fails with ENOENT if there is no object.
    pub fn stat(&self, object: impl AsRef<[u8]>) -> Op<Stat> {
        let mut op = ReadOp::new();
        let pick = op.stat();
        self.operate_read(object, op).pick(pick)
    }

    /// Writes `data` at `offset`, at most [`RadosConfig::max_write`](super::RadosConfig::max_write) bytes (90 MiB unless
    /// set): more fails with [`RadosError::TooLarge`](super::RadosError::TooLarge). An object does not grow beyond the OSDs'
    /// `osd_max_object_size`, 128 MiB unless set: EFBIG.
    pub fn write(&self, object: impl AsRef<[u8]>, offset: u64, data: impl Into<Bytes>) -> Op<()> {
        self.change(object, |op| op.write(offset, data))
    }

    /// Makes `data` the whole of the object's data, with the limits of [`write`](Self::write). Attributes and omap stay.
    pub fn write_full(&self, object: impl AsRef<[u8]>, data: impl Into<Bytes>) -> Op<()> {
        self.change(object, |op| op.write_full(data))
    }

    /// Writes `data` at the end, with the limits of [`write`](Self::write).
    pub fn append(&self, object: impl AsRef<[u8]>, data: impl Into<Bytes>) -> Op<()> {
        self.change(object, |op| op.append(data))
    }

    /// Cuts the object, or grows it by zeroes. Nothing is done if there is no object.
    pub fn truncate(&self, object: impl AsRef<[u8]>, size: u64) -> Op<()> {
        self.change(object, |op| op.truncate(size))
    }

    /// Zeroes an extent, and cuts the object if the extent reaches its end. Nothing is done if `length` is 0, or if there is no
    /// object.
    pub fn zero(&self, object: impl AsRef<[u8]>, offset: u64, length: u64) -> Op<()> {
        self.change(object, |op| op.zero(offset, length))
    }

    /// Removes the object. Fails with ENOENT if there is none.
    pub fn remove(&self, object: impl AsRef<[u8]>) -> Op<()> {
        self.change(object, WriteOp::remove)
    }

    /// Creates the object; fails with EEXIST if `exclusive` and it exists.
    pub fn create(&self, object: impl AsRef<[u8]>, exclusive: bool) -> Op<()> {
        self.change(object, |op| op.create(exclusive))
    }

    /// Writes `new` at `offset` if `old` is there. Otherwise it fails, with a number that says where they differ:
    /// [`Errno::mismatch_at`](super::Errno::mismatch_at). What is behind the
    /// object's end compares as zeroes; ENOENT if there is no object.
    pub fn compare_and_write(
        &self,
        object: impl AsRef<[u8]>,
        offset: u64,
        old: impl Into<Bytes>,
        new: impl Into<Bytes>,
    ) -> Op<()> {
        self.change(object, |op| op.compare_and_write(offset, old, new))
    }

    /// Asks for an attribute. Fails with ENODATA if the object has none of this name, with ENOENT if there is no object.
    pub fn get_xattr(&self, object: impl AsRef<[u8]>, name: impl AsRef<[u8]>) -> Op<Bytes> {
        let mut op = ReadOp::new();
        let pick = op.get_xattr(name);
        self.operate_read(object, op).pick(pick)
    }

    /// Asks for all attributes.
    pub fn get_xattrs(&self, object: impl AsRef<[u8]>) -> Op<BTreeMap<Name, Bytes>> {
        let mut op = ReadOp::new();
        let pick = op.get_xattrs();
        self.operate_read(object, op).pick(pick)
    }

    /// Sets an attribute.
    pub fn set_xattr(
        &self,
        object: impl AsRef<[u8]>,
        name: impl AsRef<[u8]>,
        value: impl Into<Bytes>,
    ) -> Op<()> {
        self.change(object, |op| op.set_xattr(name, value))
    }

    /// Removes an attribute, if there is one of this name. Fails with ENOENT if there is no object.
    pub fn remove_xattr(&self, object: impl AsRef<[u8]>, name: impl AsRef<[u8]>) -> Op<()> {
        self.change(object, |op| op.remove_xattr(name))
    }

    /// Asks for up to `max` names of the omap behind `after`; an empty `after` begins at the first. The OSD may return fewer
    /// (its `osd_max_omap_entries_per_request` and `osd_max_omap_bytes_per_request`): [`OmapKeys::more`] says whether there
    /// are more. Fails with ENOENT if there is no object.
    pub fn omap_keys(&self, object: impl AsRef<[u8]>, after: impl AsRef<[u8]>, max: u64) -> Op<OmapKeys> {
        let mut op = ReadOp::new();
        let pick = op.omap_keys(after, max);
        self.operate_read(object, op).pick(pick)
    }

    /// Asks for up to `max` values of the omap behind `after` whose names begin with `prefix`; an empty `after` begins at the
    /// first. The OSD may return fewer, as with [`omap_keys`](Self::omap_keys): [`OmapVals::more`] says whether there are more.
    pub fn omap_vals(
        &self,
        object: impl AsRef<[u8]>,
        after: impl AsRef<[u8]>,
        prefix: impl AsRef<[u8]>,
        max: u64,
    ) -> Op<OmapVals> {
        let mut op = ReadOp::new();
        let pick = op.omap_vals(after, prefix, max);
        self.operate_read(object, op).pick(pick)
    }

    /// Sets values of the omap.
    pub fn omap_set<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        object: impl AsRef<[u8]>,
        values: impl IntoIterator<Item = (K, V)>,
    ) -> Op<()> {
        self.change(object, |op| op.omap_set(values))
    }

    /// Calls a method of an object class that changes nothing.
    pub fn call(
        &self,
        object: impl AsRef<[u8]>,
        class: &str,
        method: &str,
        input: impl Into<Bytes>,
    ) -> Op<Bytes> {
        let mut op = ReadOp::new();
        let pick = op.call(class, method, input);
        self.operate_read(object, op).pick(pick)
    }

    /// Calls a method of an object class that may change the object.
    pub fn call_write(
        &self,
        object: impl AsRef<[u8]>,
        class: &str,
        method: &str,
        input: impl Into<Bytes>,
    ) -> Op<Bytes> {
        let mut op = WriteOp::new();
        let pick = op.call(class, method, input);
        self.operate(object, op).pick(pick)
    }

    /// Takes a lock.
    pub fn lock(&self, object: impl AsRef<[u8]>, lock: &Lock) -> Op<()> {
        self.change(object, |op| op.lock(lock))
    }

    /// Gives a lock back.
    pub fn unlock(&self, object: impl AsRef<[u8]>, name: &str, cookie: &str) -> Op<()> {
        self.change(object, |op| op.unlock(name, cookie))
    }

    /// Asks who has a lock.
    pub fn lock_info(&self, object: impl AsRef<[u8]>, name: &str) -> Op<LockInfo> {
        let mut op = ReadOp::new();
        let pick = op.lock_info(name);
        self.operate_read(object, op).pick(pick)
    }

    /// Asks who watches the object.
    pub fn watchers(&self, object: impl AsRef<[u8]>) -> Op<Vec<Watcher>> {
        let mut op = ReadOp::new();
        let pick = op.list_watchers();
        self.operate_read(object, op).pick(pick)
    }

    /// Asks for the object's snapshots.
    pub fn snapshots_of(&self, object: impl AsRef<[u8]>) -> Op<SnapSet> {
        let mut op = ReadOp::new();
        let pick = op.list_snaps();
        self.clone().with_snap(SNAP_DIR).operate_read(object, op).pick(pick)
    }

    /// Makes the object what it was in a snapshot, whichever snapshot reads are of.
    pub fn rollback(&self, object: impl AsRef<[u8]>, snap: u64) -> Op<()> {
        self.clone().with_snap(NO_SNAP).change(object, |op| op.rollback(snap))
    }

    fn change(&self, object: impl AsRef<[u8]>, add: impl FnOnce(&mut WriteOp) -> &mut WriteOp) -> Op<()> {
        let mut op = WriteOp::new();
        add(&mut op);
        self.operate(object, op).read_with(|_| ())
    }
}
