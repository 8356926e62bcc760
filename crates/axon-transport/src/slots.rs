//! A table whose keys are never mistaken for one another: each carries the generation of its entry.

use slab::Slab;

/// Entries by key. A key whose entry was removed finds nothing, even when the place is taken again.
///
/// Key layout, from the high end: 32 bits generation, 1 bit tag, 31 bits place.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    entries: Slab<(u32, T)>,
    generation: u32,
    tag: bool,
}

const TAG: u64 = 1 << 31;
const PLACE: u64 = TAG - 1;

impl<T> Slots<T> {
    /// An empty table. Keys of tables with different tags differ, so that two may share a token space.
    pub(crate) const fn new(tag: bool) -> Self {
        Self { entries: Slab::new(), generation: 0, tag }
    }

    /// Whether `key` came from a table with the tag set.
    pub(crate) const fn is_tagged(key: u64) -> bool {
        key & TAG != 0
    }

    /// Whether no entry is in the table.
    #[cfg(feature = "uring")]
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Entries in the table.
    #[cfg(all(test, feature = "uring"))]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn insert(&mut self, value: T) -> u64 {
        self.generation = self.generation.wrapping_add(1);
        let place = self.entries.insert((self.generation, value)) as u64;
        (u64::from(self.generation) << 32) | (if self.tag { TAG } else { 0 }) | place
    }

    pub(crate) fn get(&self, key: u64) -> Option<&T> {
        let (generation, value) = self.entries.get(self.place(key)?)?;
        (*generation == generation_of(key)).then_some(value)
    }

    pub(crate) fn get_mut(&mut self, key: u64) -> Option<&mut T> {
        let place = self.place(key)?;
        let (generation, value) = self.entries.get_mut(place)?;
        (*generation == generation_of(key)).then_some(value)
    }

    pub(crate) fn remove(&mut self, key: u64) -> Option<T> {
        self.get(key)?;
        let place = self.place(key)?;
        Some(self.entries.remove(place).1)
    }

    fn place(&self, key: u64) -> Option<usize> {
        (Self::is_tagged(key) == self.tag).then_some((key & PLACE) as usize)
    }
}

const fn generation_of(key: u64) -> u32 {
    (key >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_key_finds_nothing_when_its_place_is_taken_again() {
        let mut slots = Slots::new(false);
        let old = slots.insert("old");
        assert_eq!(slots.remove(old), Some("old"));
        let new = slots.insert("new");
        assert_eq!(old & PLACE, new & PLACE, "the place is reused");
        assert_eq!(slots.get(old), None);
        assert_eq!(slots.remove(old), None);
        assert_eq!(slots.get(new), Some(&"new"));
    }

    #[test]
    fn tables_with_different_tags_share_no_key() {
        let mut sockets = Slots::new(false);
        let mut listeners = Slots::new(true);
        let (socket, listener) = (sockets.insert(1), listeners.insert(2));
        assert_ne!(socket, listener);
        assert!(Slots::<u8>::is_tagged(listener) && !Slots::<u8>::is_tagged(socket));
        assert_eq!(sockets.get(listener), None);
        assert_eq!(listeners.get_mut(socket), None);
    }
}
