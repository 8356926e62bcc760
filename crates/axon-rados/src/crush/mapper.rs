//! Walking a rule.

mod firstn;
mod indep;
mod msr;

use super::bucket::{Draw, Known};
use super::hash::{LANES, hash2};
use super::rule::{Choose, Setting};
use super::{Bucket, ChooseArgs, CrushError, CrushMap, ITEM_NONE, Item, Step};

/// The weight of a device that keeps all it is given.
const WHOLE: u32 = 0x10000;

impl CrushMap {
    /// Places `x` by the rule `rule`: at most `size` items, [`ITEM_NONE`] where a rule that keeps positions found none.
    ///
    /// `weights` says of each device how much of what it is given it keeps, 0 for nothing and 0x10000 for all; devices beyond
    /// its end keep nothing. `args` are the alternative weights to use, see [`CrushMap::choose_args`]. A rule that does not
    /// exist places nothing.
    ///
    /// # Errors
    /// [`CrushError::TooMuchWork`].
    pub fn do_rule(
        &self,
        rule: u32,
        x: u32,
        size: usize,
        weights: &[u32],
        args: Option<&ChooseArgs>,
    ) -> Result<Vec<Item>, CrushError> {
        let known = Known::default();
        Placement { map: self, weights, args, x, known, draws_left: Self::MAX_DRAWS }.place(rule, size)
    }
}

/// The draws are used up.
struct Exhausted;

/// What the smallest bucket costs: as many items as are hashed at a time.
const LEAST_PRICE: usize = LANES;

/// What stays the same while one input is placed, and how much work is left for it.
pub(super) struct Placement<'a> {
    pub(super) map: &'a CrushMap,
    pub(super) weights: &'a [u32],
    pub(super) args: Option<&'a ChooseArgs>,
    pub(super) x: u32,
    pub(super) known: Known,
    pub(super) draws_left: u64,
}

/// What an item is to somebody who looks for items of one type.
enum Found<'a> {
    /// Of that type.
    Wanted,
    /// A bucket of another type: look further in there.
    Within(&'a Bucket),
    /// Neither: the search ends.
    Astray,
}

/// The tunables as the steps so far have set them.
struct Tries {
    choose: u32,
    /// 0 if no step has set it.
    chooseleaf: u32,
    local: u32,
    local_fallback: u32,
    vary_r: u32,
    stable: bool,
}

impl Tries {
    fn new(map: &CrushMap) -> Self {
        let tunables = map.tunables();
        Self {
            // The tunable counts retries, the rest of the code tries.
            choose: tunables.choose_total_tries.saturating_add(1),
            chooseleaf: 0,
            local: tunables.choose_local_tries,
            local_fallback: tunables.choose_local_fallback_tries,
            vary_r: tunables.chooseleaf_vary_r.into(),
            stable: tunables.chooseleaf_stable,
        }
    }

    /// Negative values change nothing, nor do zeros where there must be a try.
    fn set(&mut self, setting: Setting, value: i32) {
        let Ok(value) = u32::try_from(value) else { return };
        match setting {
            Setting::ChooseTries if value > 0 => self.choose = value,
            Setting::ChooseleafTries if value > 0 => self.chooseleaf = value,
            Setting::ChooseLocalTries => self.local = value,
            Setting::ChooseLocalFallbackTries => self.local_fallback = value,
            Setting::ChooseleafVaryR => self.vary_r = value,
            Setting::ChooseleafStable => self.stable = value != 0,
            _ => {}
        }
    }
}

impl<'a> Placement<'a> {
    /// Places at most `size` items by a rule.
    pub(super) fn place(mut self, rule: u32, size: usize) -> Result<Vec<Item>, CrushError> {
        let limit = self.draws_left;
        let Some(found) = self.map.rule(rule) else { return Ok(Vec::new()) };
        let placed = match found.kind.is_msr() {
            true => msr::place(&mut self, found, size),
            false => self.walk(&found.steps, size),
        };
        placed.map_err(|Exhausted| CrushError::TooMuchWork { rule, limit })
    }

    fn walk(&mut self, steps: &[Step], size: usize) -> Result<Vec<Item>, Exhausted> {
        let mut tries = Tries::new(self.map);
        let mut result: Vec<Item> = Vec::new();
        let mut at: Vec<Item> = Vec::new();
        for step in steps {
            match *step {
                Step::Take(item) if self.exists(item) => at = vec![item],
                Step::Set(setting, value) => tries.set(setting, value),
                Step::Choose(choose) => {
                    if !at.is_empty() {
                        at = self.choose(choose, &tries, &at, size)?;
                    }
                }
                Step::Emit if result.is_empty() => {
                    result = std::mem::take(&mut at);
                    result.truncate(size);
                }
                Step::Emit => {
                    let room = size - result.len();
                    result.extend(at.drain(..).take(room));
                }
                Step::Take(_) | Step::ChooseMsr { .. } | Step::Other(_) => {}
            }
        }
        Ok(result)
    }

    /// Chooses below each of `from`.
    fn choose(
        &mut self,
        choose: Choose,
        tries: &Tries,
        from: &[Item],
        size: usize,
    ) -> Result<Vec<Item>, Exhausted> {
        let mut chosen = Vec::with_capacity(size);
        for item in from {
            let Some(count) = count(choose.count, size) else { continue };
            let Some(bucket) = self.map.bucket(*item) else { continue };
            let room = size - chosen.len();
            match choose.firstn {
                true => self.choose_firstn(choose, tries, bucket, count, room, &mut chosen)?,
                false => self.choose_indep(choose, tries, bucket, count, room, &mut chosen)?,
            }
        }
        Ok(chosen)
    }

    fn exists(&self, item: Item) -> bool {
        match u32::try_from(item) {
            Ok(device) => device < self.map.max_devices(),
            Err(_) => self.map.bucket(item).is_some(),
        }
    }

    /// Draws an item; `None` from a bucket that has none.
    fn draw(&mut self, bucket: &Bucket, r: u32, position: usize) -> Option<Item> {
        let arg = self.args.and_then(|args| args.of(bucket));
        bucket.draw(Draw { x: self.x, r, position }, arg, &mut self.known)
    }

    /// Draws from a bucket that has items by its permutation.
    fn draw_permuted(&mut self, bucket: &Bucket, r: u32) -> Option<Item> {
        Some(bucket.draw_permuted(Draw { x: self.x, r, position: 0 }, &mut self.known))
    }

    /// To be called before each draw, and wherever else something is tried again.
    fn pay(&mut self, bucket: &Bucket) -> Result<(), Exhausted> {
        let price = bucket.items().len().max(LEAST_PRICE) as u64;
        self.draws_left = self.draws_left.checked_sub(price).ok_or(Exhausted)?;
        Ok(())
    }

    fn identify(&self, item: Item, wanted: u16) -> Found<'a> {
        if item >= 0 {
            let wanted = wanted == 0 && (item.cast_unsigned() < self.map.max_devices());
            return if wanted { Found::Wanted } else { Found::Astray };
        }
        match self.map.bucket(item) {
            Some(bucket) if bucket.kind() == wanted => Found::Wanted,
            Some(bucket) => Found::Within(bucket),
            None => Found::Astray,
        }
    }

    /// Whether the device does not take this input.
    fn is_out(&self, device: Item) -> bool {
        let weight = usize::try_from(device).ok().and_then(|device| self.weights.get(device));
        match weight.copied().unwrap_or(0) {
            0 => true,
            WHOLE.. => false,
            weight => hash2(self.x, device.cast_unsigned()) & 0xffff >= weight,
        }
    }
}

/// How many items a step wants; `None` for none.
fn count(count: i32, size: usize) -> Option<u32> {
    let size = i32::try_from(size).unwrap_or(i32::MAX);
    let count = if count > 0 { count } else { count.saturating_add(size) };
    u32::try_from(count).ok().filter(|count| *count > 0)
}

/// `ITEM_NONE` in the place of an item that has not been looked for with success yet.
const UNDECIDED: Item = ITEM_NONE - 1;
