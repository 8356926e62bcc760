//! `indep`: every position is looked for on its own and keeps what it finds; a failure leaves a gap.

use super::{Exhausted, Found, Placement, Tries, UNDECIDED};
use crate::crush::rule::Choose;
use crate::crush::{Algorithm, Bucket, ITEM_NONE, Item};

/// Where one descent led.
enum Descent {
    /// To an item of the type, by this attempt.
    To(Item, u32),
    /// To an empty bucket: try again.
    Nowhere,
    /// To something the rule does not mean: give up.
    Astray,
}

/// What the descents of one choice have in common.
#[derive(Clone, Copy)]
struct Wanted<'s> {
    from: &'s Bucket,
    kind: u16,
    /// How many positions the step asked for, which spreads the attempts.
    count: u32,
    /// Which alternative weights are drawn by.
    position: usize,
}

impl<'a> Placement<'a> {
    /// Chooses `count` items below `from`, at most `room`, and appends them (or devices below them) to `chosen`.
    pub(super) fn choose_indep(
        &mut self,
        choose: Choose,
        tries: &Tries,
        from: &Bucket,
        count: u32,
        room: usize,
        chosen: &mut Vec<Item>,
    ) -> Result<(), Exhausted> {
        let positions = room.min(count as usize);
        let wanted = Wanted { from, kind: choose.kind, count, position: 0 };
        let leaf_tries = choose.leaf.then_some(tries.chooseleaf.max(1));
        let mut items = vec![UNDECIDED; positions];
        let mut leaves = vec![UNDECIDED; positions];
        for round in 0..tries.choose {
            if !items.contains(&UNDECIDED) {
                break;
            }
            for rep in 0..positions {
                if items[rep] == UNDECIDED {
                    let (item, leaf) = self.choose_position(wanted, rep, round, leaf_tries, &items)?;
                    items[rep] = item;
                    leaves[rep] = if leaf == UNDECIDED { leaves[rep] } else { leaf };
                }
            }
        }
        let decided = leaves.into_iter().map(|leaf| if leaf == UNDECIDED { ITEM_NONE } else { leaf });
        chosen.extend(decided);
        Ok(())
    }

    /// One attempt for one position: an item and what stands for it in the result, each undecided if it is to be tried again.
    fn choose_position(
        &mut self,
        wanted: Wanted<'_>,
        rep: usize,
        round: u32,
        leaf_tries: Option<u32>,
        items: &[Item],
    ) -> Result<(Item, Item), Exhausted> {
        let (item, r) = match self.descend(wanted, rep as u32, round)? {
            Descent::To(item, r) => (item, r),
            Descent::Nowhere => return Ok((UNDECIDED, UNDECIDED)),
            Descent::Astray => return Ok((ITEM_NONE, ITEM_NONE)),
        };
        if items.contains(&item) {
            return Ok((UNDECIDED, UNDECIDED));
        }
        match (leaf_tries, self.map.bucket(item)) {
            (Some(tries), Some(bucket)) => {
                let below = Wanted { from: bucket, kind: 0, position: rep, ..wanted };
                let device = self.choose_device(below, rep as u32, r, tries)?;
                Ok(device.map_or((UNDECIDED, ITEM_NONE), |device| (item, device)))
            }
            // As in Ceph, a device that is out stays in the result if `chooseleaf` finds no other.
            (Some(_), None) if self.is_out(item) => Ok((UNDECIDED, item)),
            (None, None) if self.is_out(item) => Ok((UNDECIDED, UNDECIDED)),
            _ => Ok((item, item)),
        }
    }

    /// A device below a chosen item.
    fn choose_device(
        &mut self,
        wanted: Wanted<'_>,
        rep: u32,
        r: u32,
        tries: u32,
    ) -> Result<Option<Item>, Exhausted> {
        for round in 0..tries {
            match self.descend(wanted, rep.wrapping_add(r), round)? {
                Descent::To(item, _) if !self.is_out(item) => return Ok(Some(item)),
                Descent::Astray => return Ok(None),
                _ => {}
            }
        }
        Ok(None)
    }

    fn descend(&mut self, wanted: Wanted<'_>, first_r: u32, round: u32) -> Result<Descent, Exhausted> {
        let mut bucket = wanted.from;
        loop {
            self.pay(bucket)?;
            let size = bucket.items().len() as u32;
            if size == 0 {
                return Ok(Descent::Nowhere);
            }
            // The attempts of a uniform bucket that the positions divide would all hit the same places of its permutation.
            let divides = bucket.algorithm() == Algorithm::Uniform && size.is_multiple_of(wanted.count);
            let stride = if divides { wanted.count.wrapping_add(1) } else { wanted.count };
            let r = first_r.wrapping_add(stride.wrapping_mul(round));
            let Some(item) = self.draw(bucket, r, wanted.position) else { return Ok(Descent::Astray) };
            match self.identify(item, wanted.kind) {
                Found::Wanted => return Ok(Descent::To(item, r)),
                Found::Within(next) => bucket = next,
                Found::Astray => return Ok(Descent::Astray),
            }
        }
    }
}
