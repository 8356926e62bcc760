//! Snapshots of all objects, taken and deleted while the work goes on.

use super::work::Draw;
use crate::rados::model::{Object, Past};
use axon_rados::IoCtx;
use axon_rados::client::SnapContext;
use std::collections::VecDeque;

/// Those that are kept; the next one deletes the oldest, which the OSDs trim.
const KEPT: usize = 4;

/// The snapshots, newest first, each with all objects as they were.
#[derive(Default)]
pub(super) struct Snaps {
    kept: VecDeque<(u64, Vec<Option<Object>>)>,
    taken: u64,
}

impl Snaps {
    /// Takes one of `objects`, while nothing is done to them.
    pub(super) fn take(&mut self, io: &IoCtx, objects: &[Option<Object>]) {
        let snap = io.create_self_managed_snap().unwrap();
        self.kept.push_front((snap, objects.to_vec()));
        self.taken += 1;
        if self.kept.len() > KEPT
            && let Some((oldest, _)) = self.kept.pop_back()
        {
            io.delete_self_managed_snap(oldest).unwrap();
        }
    }

    /// What writes have to keep.
    pub(super) fn context(&self) -> SnapContext {
        let snaps: Vec<u64> = self.kept.iter().map(|(snap, _)| *snap).collect();
        SnapContext { seq: snaps.first().copied().unwrap_or_default(), snaps }
    }

    /// The object `n` as one of them has it; none before the first.
    pub(super) fn past(&self, n: usize, draw: &mut Draw) -> Option<Past> {
        let (snap, objects) = self.kept.get(draw.below(KEPT as u64) as usize)?;
        Some(Past { snap: *snap, object: objects[n].clone() })
    }

    /// How many there were.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }
}
