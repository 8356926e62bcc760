//! The everyday operations, one at a time.

use super::{IoCtx, Op};
use crate::Name;
use crate::ops::{Extents, Lock, LockInfo, OmapKeys, OmapVals, ReadOp, SnapSet, Stat, Watcher, WriteOp};
use crate::osd::{NO_SNAP, SNAP_DIR};
use bytes::Bytes;
use std::collections::BTreeMap;

impl IoCtx {
    /// Reads up to `length` bytes at `offset`; 0 means to the end.
    pub fn read(&self, object: impl AsRef<[u8]>, offset: u64, length: u64) -> Op<Bytes> {
        let mut op = ReadOp::new();
        let pick = op.read(offset, length);
        self.operate_read(object, op).pick(pick)
    }

    /// Reads what was written in an extent.
    pub fn sparse_read(&self, object: impl AsRef<[u8]>, offset: u64, length: u64) -> Op<Extents> {
        let mut op = ReadOp::new();
        let pick = op.sparse_read(offset, length);
        self.operate_read(object, op).pick(pick)
    }

    /// Asks for size and time.
    pub fn stat(&self, object: impl AsRef<[u8]>) -> Op<Stat> {
        let mut op = ReadOp::new();
        let pick = op.stat();
        self.operate_read(object, op).pick(pick)
    }

    /// Writes `data` at `offset`.
    pub fn write(&self, object: impl AsRef<[u8]>, offset: u64, data: impl Into<Bytes>) -> Op<()> {
        self.change(object, |op| op.write(offset, data))
    }

    /// Makes `data` the whole of the object's data.
    pub fn write_full(&self, object: impl AsRef<[u8]>, data: impl Into<Bytes>) -> Op<()> {
        self.change(object, |op| op.write_full(data))
    }

    /// Writes `data` at the end.
    pub fn append(&self, object: impl AsRef<[u8]>, data: impl Into<Bytes>) -> Op<()> {
        self.change(object, |op| op.append(data))
    }

    /// Cuts or grows the object.
    pub fn truncate(&self, object: impl AsRef<[u8]>, size: u64) -> Op<()> {
        self.change(object, |op| op.truncate(size))
    }

    /// Zeroes an extent. Nothing is done if `length` is 0, whether there is an object or not.
    pub fn zero(&self, object: impl AsRef<[u8]>, offset: u64, length: u64) -> Op<()> {
        self.change(object, |op| op.zero(offset, length))
    }

    /// Removes the object.
    pub fn remove(&self, object: impl AsRef<[u8]>) -> Op<()> {
        self.change(object, WriteOp::remove)
    }

    /// Creates the object; fails with EEXIST if `exclusive` and it exists.
    pub fn create(&self, object: impl AsRef<[u8]>, exclusive: bool) -> Op<()> {
        self.change(object, |op| op.create(exclusive))
    }

    /// Writes `new` at `offset` if `old` is there.
    pub fn compare_and_write(
        &self,
        object: impl AsRef<[u8]>,
        offset: u64,
        old: impl Into<Bytes>,
        new: impl Into<Bytes>,
    ) -> Op<()> {
        self.change(object, |op| op.compare_and_write(offset, old, new))
    }

    /// Asks for an attribute.
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

    /// Removes an attribute.
    pub fn remove_xattr(&self, object: impl AsRef<[u8]>, name: impl AsRef<[u8]>) -> Op<()> {
        self.change(object, |op| op.remove_xattr(name))
    }

    /// Asks for up to `max` names of the omap behind `after`.
    pub fn omap_keys(&self, object: impl AsRef<[u8]>, after: impl AsRef<[u8]>, max: u64) -> Op<OmapKeys> {
        let mut op = ReadOp::new();
        let pick = op.omap_keys(after, max);
        self.operate_read(object, op).pick(pick)
    }

    /// Asks for up to `max` values of the omap behind `after` whose names begin with `prefix`.
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
