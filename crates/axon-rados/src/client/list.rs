//! The objects of a pool.

use super::{IoCtx, Op, RadosError};
use crate::ops::{ListPage, Listed, list_op};
use crate::osd::{HObject, ObjectLocator};
use axon_denc::{Decode, Encode};
use axon_messenger::park;
use bytes::Bytes;
use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

/// The place between two objects of a listing. As text it can be kept, and a listing go on from it in another process,
/// also after the pool's placement groups were split.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(HObject);

/// A text that is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of a listing")]
pub struct BadCursor;

/// A listing, page by page. Objects that are made or removed meanwhile may be listed or not; all others are, once.
#[derive(Debug)]
pub struct ObjectList {
    io: IoCtx,
    next: HObject,
    page: u64,
    all_namespaces: bool,
    ready: VecDeque<Listed>,
}

/// How many objects are asked for at once.
const PAGE: u64 = 1024;
/// The namespace that stands for all of them (`CEPH_OSD_ALL_NSPACES`).
const ALL_NAMESPACES: &[u8] = b"\x01";

impl IoCtx {
    /// Lists the objects of the pool in this namespace.
    pub fn list(&self) -> ObjectList {
        let next = HObject::start_of(self.pool, 0);
        ObjectList { io: self.clone(), next, page: PAGE, all_namespaces: false, ready: VecDeque::new() }
    }

    /// Lists from a cursor on, which must be of this pool: [`RadosError::OtherPool`] comes instead of objects if it is not.
    pub fn list_from(&self, cursor: Cursor) -> ObjectList {
        ObjectList { next: cursor.0, ..self.list() }
    }
}

impl ObjectList {
    /// In all namespaces.
    pub fn all_namespaces(mut self) -> Self {
        self.all_namespaces = true;
        self
    }

    /// Asks for this many objects at once, 1024 unless said.
    pub fn page_size(mut self, objects: u64) -> Self {
        self.page = objects.max(1);
        self
    }

    /// The next page, which may be empty; `None` at the end.
    ///
    /// # Errors
    /// [`RadosError`], among it [`RadosError::OtherPool`]. The same page may be asked for again.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Listed>>, RadosError> {
        if self.next.is_max() {
            return Ok(None);
        }
        if self.next.pool != self.io.pool {
            return Err(RadosError::OtherPool(self.io.pool_name.to_string()));
        }
        let page = self.ask().await?;
        if page.next <= self.next && !page.next.is_max() {
            let source = axon_denc::DecodeError::Undefined { what: "cursor, which goes back", value: 0 };
            return Err(RadosError::BadAnswer { object: "list".into(), source });
        }
        self.next = if page.next.pool == self.io.pool { page.next } else { HObject::max() };
        Ok(Some(page.objects))
    }

    /// The place behind the last page.
    pub fn cursor(&self) -> Cursor {
        Cursor(self.next.clone())
    }

    /// The next object, waiting for its page.
    ///
    /// # Errors
    /// [`RadosError`].
    pub fn next_blocking(&mut self) -> Option<Result<Listed, RadosError>> {
        while self.ready.is_empty() {
            match park::wait(self.next_page()) {
                Ok(None) => return None,
                Ok(Some(page)) => self.ready.extend(page),
                Err(error) => return Some(Err(error)),
            }
        }
        self.ready.pop_front().map(Ok)
    }

    fn ask(&self) -> Op<ListPage> {
        let epoch = self.io.rados.epoch();
        let (op, pick) = list_op(&self.next, self.page, epoch);
        let namespace = match self.all_namespaces {
            true => Bytes::from_static(ALL_NAMESPACES),
            false => self.io.locator.namespace.clone(),
        };
        let locator =
            ObjectLocator { pool: self.io.pool, key: Bytes::new(), namespace, hash: Some(self.next.hash) };
        self.io.begin_at(Bytes::new(), locator.into(), op.into()).pick(pick)
    }
}

/// Waits for each page.
impl Iterator for ObjectList {
    type Item = Result<Listed, RadosError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_blocking()
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.to_vec().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        if !text.len().is_multiple_of(2) || !text.is_ascii() {
            return Err(BadCursor);
        }
        let byte = |i: usize| u8::from_str_radix(&text[i..i + 2], 16).map_err(|_| BadCursor);
        let bytes = (0..text.len()).step_by(2).map(byte).collect::<Result<Vec<_>, _>>()?;
        HObject::from_bytes(&bytes).map(Cursor).map_err(|_| BadCursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_kept_as_text() {
        let cursor = Cursor(HObject::start_of(3, 77));
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in ["", "0", "zz", "é", "0404"] {
            assert_eq!(text.parse::<Cursor>(), Err(BadCursor), "{text}");
        }
    }
}
