//! What is done in a pool.

use super::answer::{To, Token};
use super::call::Op;
use super::slot::slot;
use super::{Errno, Rados, RadosError};
use crate::msg::MOSDOp;
use crate::objecter::{Request, SnapContext, WhenFull};
use crate::ops::{Answer, Compound, ReadOp, WriteOp};
use crate::osd::{NO_SNAP, ObjectLocator};
use axon_denc::UTime;
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A pool, and how its objects are meant: which namespace, which snapshots, how patiently. Cheap to clone; the `with_`
/// functions give changed copies.
#[derive(Clone)]
pub struct IoCtx {
    pub(super) rados: Rados,
    pub(super) pool: i64,
    pub(super) pool_name: Arc<str>,
    /// Where objects are looked for.
    pub(super) locator: Arc<ObjectLocator>,
    snap: u64,
    snapc: SnapContext,
    when_full: WhenFull,
    pub(super) deadline: Option<Duration>,
}

impl IoCtx {
    pub(super) fn new(rados: Rados, pool: i64, name: &str) -> Self {
        let deadline = rados.0.config.deadline;
        Self {
            rados,
            pool,
            pool_name: name.into(),
            locator: Arc::new(ObjectLocator::pool(pool)),
            snap: NO_SNAP,
            snapc: SnapContext::default(),
            when_full: WhenFull::default(),
            deadline,
        }
    }

    /// In this namespace; empty for the default one.
    pub fn with_namespace(mut self, namespace: impl Into<Bytes>) -> Self {
        Arc::make_mut(&mut self.locator).namespace = namespace.into();
        self
    }

    /// Objects are placed by this text instead of their names; empty for the names.
    pub fn with_locator_key(mut self, key: impl Into<Bytes>) -> Self {
        Arc::make_mut(&mut self.locator).key = key.into();
        self
    }

    /// Reads are of this snapshot, and whatever may change an object fails with EROFS, except for
    /// [`rollback`](Self::rollback); [`NO_SNAP`] for the present state.
    pub fn with_snap(mut self, snap: u64) -> Self {
        self.snap = snap;
        self
    }

    /// Writes keep what these self-managed snapshots have. A pool with snapshots of its own needs none: they are taken
    /// from the OSD map.
    pub fn with_snap_context(mut self, snapc: SnapContext) -> Self {
        self.snapc = snapc;
        self
    }

    /// What writes do while there is no room: wait for it, unless set.
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// How long operations may take, instead of [`RadosConfig::deadline`](super::RadosConfig::deadline) (60 s unless set);
    /// `None` is for ever.
    pub fn with_deadline(mut self, deadline: Option<Duration>) -> Self {
        self.deadline = deadline;
        self
    }

    /// The pool's number.
    pub fn pool_id(&self) -> i64 {
        self.pool
    }

    /// The pool's name when it was looked up.
    pub fn pool_name(&self) -> &str {
        &self.pool_name
    }

    /// Bytes whose multiples appends, and writes behind the end, have to begin at: those of a stripe, in erasure-coded
    /// pools that allow no overwrites; `None` in all others. By the OSD map there is.
    pub fn required_alignment(&self) -> Option<u64> {
        self.rados.0.core.with(|objecter, _| objecter.map().osdmap().pool(self.pool)?.required_alignment())
    }

    /// The session.
    pub fn rados(&self) -> &Rados {
        &self.rados
    }

    /// Begins operations that change `object`; nothing is sent if there are none. They fail with [`Errno::EROFS`] in an
    /// `IoCtx` [of a snapshot](Self::with_snap).
    pub fn operate(&self, object: impl AsRef<[u8]>, op: WriteOp) -> Op<Answer> {
        self.begin(object.as_ref(), op.into())
    }

    /// Begins operations that look at `object`; nothing is sent if there are none.
    pub fn operate_read(&self, object: impl AsRef<[u8]>, op: ReadOp) -> Op<Answer> {
        self.begin(object.as_ref(), op.into())
    }

    /// Where the outcome of a request goes.
    pub(super) fn token(&self, to: To) -> Token {
        Token { to, pool: self.pool_name.clone() }
    }

    fn begin(&self, object: &[u8], compound: Compound) -> Op<Answer> {
        if object.is_empty() {
            return Op::over(Err(RadosError::EmptyObjectName), |answer| answer);
        }
        self.begin_at(Bytes::copy_from_slice(object), self.locator.clone(), compound)
    }

    /// Begins a request, wherever it belongs, if there is something to do.
    pub(super) fn begin_at(
        &self,
        object: Bytes,
        locator: Arc<ObjectLocator>,
        compound: Compound,
    ) -> Op<Answer> {
        let size = compound.carried() as u64;
        if let Err(error) = self.check(&object, &compound, size) {
            return Op::over(Err(error), |answer| answer);
        }
        if compound.len() == 0 {
            return Op::over(Ok(Answer::to_nothing(object)), |answer| answer);
        }
        let mut request = self.request(object, locator, compound);
        let (giver, taker) = slot();
        let token = self.token(To::Answer(giver));
        let core = &self.rados.0.core;
        let id = core.with(|objecter, now| {
            if request.is_write() {
                request.snapc = objecter.map().pool_snaps(self.pool).unwrap_or_else(|| self.snapc.clone());
            }
            objecter.submit(request, token, now)
        });
        Op::begun(core.clone(), id, taker, |answer| answer)
    }

    /// What is wrong with a request, without asking an OSD.
    fn check(&self, object: &[u8], compound: &Compound, size: u64) -> Result<(), RadosError> {
        let object = || String::from_utf8_lossy(object).into_owned();
        let (steps, limit) = (compound.len(), self.rados.0.config.max_write);
        if self.snap != NO_SNAP && compound.is_write() {
            // Ceph: IoCtxImpl::operate in src/librados/IoCtxImpl.cc
            return Err(self.refused(&object(), Errno::EROFS));
        }
        if steps > MOSDOp::MAX_OPS {
            return Err(RadosError::TooManySteps { object: object(), steps });
        }
        if size > limit {
            return Err(RadosError::TooLarge { object: object(), size, limit });
        }
        Ok(())
    }

    fn request(&self, object: Bytes, locator: Arc<ObjectLocator>, compound: Compound) -> Request {
        let flags = compound.flags();
        let (ops, data) = compound.into_parts();
        let mut request = Request::new(object, locator, ops, data, flags);
        request.when_full = self.when_full;
        request.within = self.deadline;
        match request.is_write() {
            true => request.mtime = now(),
            false => request.snapid = self.snap,
        }
        request
    }

    /// The error of a request that the OSD refused in a way the caller knows.
    pub(super) fn refused(&self, object: &str, errno: Errno) -> RadosError {
        RadosError::Refused { object: object.to_owned(), errno }
    }
}

/// The time of day, for the objects written.
fn now() -> UTime {
    UTime::from_duration(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

impl fmt::Debug for IoCtx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IoCtx")
            .field("pool", &self.pool_name)
            .field("namespace", &self.locator.namespace)
            .finish_non_exhaustive()
    }
}
