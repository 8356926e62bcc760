//! `firstn`: one item after the other; a failure leaves no gap.

use super::{Exhausted, Found, Placement, Tries};
use crate::crush::rule::Choose;
use crate::crush::{Bucket, Item};

/// A search for one item.
struct Search<'s> {
    from: &'s Bucket,
    /// The type looked for.
    kind: u16,
    /// What the attempts count from.
    first_r: u32,
    tries: u32,
    /// What was chosen before and may not be chosen again; as many as the position.
    taken: &'s [Item],
    /// Set if each item shall be followed by a device below it.
    leaf: Option<Leaf<'s>>,
}

/// How a device is looked for below an item.
struct Leaf<'s> {
    taken: &'s [Item],
    tries: u32,
}

/// An item, and the device below it if one was asked for; the item itself otherwise.
type Pick = (Item, Item);

/// Where a failure leads.
enum Retry {
    SameBucket,
    FromTop,
    Never,
}

impl<'a> Placement<'a> {
    /// Chooses up to `count` items below `from`, at most `room`, and appends them (or devices below them) to `chosen`.
    pub(super) fn choose_firstn(
        &mut self,
        choose: Choose,
        tries: &Tries,
        from: &Bucket,
        count: u32,
        room: usize,
        chosen: &mut Vec<Item>,
    ) -> Result<(), Exhausted> {
        let leaf_tries = match (tries.chooseleaf, self.map.tunables().chooseleaf_descend_once) {
            (0, true) => 1,
            (0, false) => tries.choose,
            (set, _) => set,
        };
        // What was chosen, where devices below it are the result.
        let mut items = Vec::new();
        let base = chosen.len();
        for rep in 0..count {
            let results = &chosen[base..];
            if results.len() == room {
                break;
            }
            let leaf = choose.leaf.then_some(Leaf { taken: results, tries: leaf_tries });
            let taken = if choose.leaf { &items } else { results };
            let search = Search { from, kind: choose.kind, first_r: rep, tries: tries.choose, taken, leaf };
            if let Some((item, result)) = self.search(&search, tries)? {
                chosen.push(result);
                if choose.leaf {
                    items.push(item);
                }
            }
        }
        Ok(())
    }

    fn search(&mut self, search: &Search<'_>, tries: &Tries) -> Result<Option<Pick>, Exhausted> {
        let position = search.taken.len();
        let (mut failures, mut failures_here) = (0, 0);
        let mut bucket = search.from;
        loop {
            self.pay(bucket)?;
            let r = search.first_r.wrapping_add(failures);
            let mut collided = false;
            if !bucket.items().is_empty() {
                let drawn = match permutes(bucket, tries, failures_here) {
                    true => self.draw_permuted(bucket, r),
                    false => self.draw(bucket, r, position),
                };
                let Some(item) = drawn else { return Ok(None) };
                match self.identify(item, search.kind) {
                    Found::Astray => return Ok(None),
                    Found::Within(next) => {
                        bucket = next;
                        continue;
                    }
                    Found::Wanted => {}
                }
                collided = search.taken.contains(&item);
                if !collided && let Some(pick) = self.accept(item, search, tries, r)? {
                    return Ok(Some(pick));
                }
            }
            failures += 1;
            failures_here += 1;
            match retry(bucket, search, tries, collided, failures, failures_here) {
                Retry::SameBucket => {}
                Retry::FromTop => (bucket, failures_here) = (search.from, 0),
                Retry::Never => return Ok(None),
            }
        }
    }

    /// The item if it is in, with a device below it if one is wanted.
    fn accept(
        &mut self,
        item: Item,
        search: &Search<'_>,
        tries: &Tries,
        r: u32,
    ) -> Result<Option<Pick>, Exhausted> {
        let device = match (&search.leaf, self.map.bucket(item)) {
            (Some(leaf), Some(bucket)) => self.search_device(bucket, leaf, tries, r)?,
            _ => Some(item),
        };
        let out = item >= 0 && self.is_out(item);
        Ok(device.filter(|_| !out).map(|device| (item, device)))
    }

    fn search_device(
        &mut self,
        from: &Bucket,
        leaf: &Leaf<'_>,
        tries: &Tries,
        r: u32,
    ) -> Result<Option<Item>, Exhausted> {
        let inherited = match tries.vary_r {
            0 => 0,
            vary_r => r.checked_shr(vary_r - 1).unwrap_or(0),
        };
        let rep = if tries.stable { 0 } else { leaf.taken.len() as u32 };
        let search = Search {
            from,
            kind: 0,
            first_r: rep.wrapping_add(inherited),
            tries: leaf.tries,
            taken: leaf.taken,
            leaf: None,
        };
        Ok(self.search(&search, tries)?.map(|(device, _)| device))
    }
}

/// Whether a bucket that failed often is now searched by its permutation.
fn permutes(bucket: &Bucket, tries: &Tries, failures_here: u32) -> bool {
    tries.local_fallback > 0
        && failures_here as usize >= bucket.items().len() / 2
        && failures_here > tries.local_fallback
}

fn retry(
    bucket: &Bucket,
    search: &Search<'_>,
    tries: &Tries,
    collided: bool,
    failures: u32,
    failures_here: u32,
) -> Retry {
    let exhaustive = bucket.items().len() as u64 + u64::from(tries.local_fallback);
    let again = collided && failures_here <= tries.local;
    let permuted = tries.local_fallback > 0 && u64::from(failures_here) <= exhaustive;
    if again || permuted {
        Retry::SameBucket
    } else if failures < search.tries {
        Retry::FromTop
    } else {
        Retry::Never
    }
}
