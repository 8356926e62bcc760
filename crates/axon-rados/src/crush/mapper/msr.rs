//! `choosemsr`: all choices below a root are tried again together, so that a device that is out may be replaced by one
//! below another bucket.
//!
//! The result's positions are divided into as many strides as the first step wants items, each stride again by the next
//! step, and so on. A stride's items are its own: no other stride of the same step may use them.
//!
//! Ceph: `crush_msr_do_rule` in `src/crush/mapper.c`, `doc/dev/crush-msr.rst`.

use super::{Exhausted, Placement, UNDECIDED};
use crate::crush::rule::Setting;
use crate::crush::{Bucket, ITEM_NONE, Item, Rule, RuleKind, Step};
use std::ops::Range;

/// A `choosemsr` step.
#[derive(Clone, Copy)]
struct Level {
    /// How many strides it makes.
    strides: u32,
    /// The type it chooses.
    kind: u16,
}

/// `take`, some `choosemsr`, `emit`.
struct Block {
    root: Item,
    levels: Vec<Level>,
    /// Devices it would find if it had room: the product of all strides.
    total: u32,
}

/// The work on one block.
struct Work<'p, 'a> {
    placement: &'p mut Placement<'a>,
    levels: &'p [Level],
    /// What each level has used, by position; within a stride in the order it was chosen.
    used: Vec<Vec<Item>>,
    output: &'p mut Output,
    collision_tries: u32,
    size: u32,
}

/// The result so far.
struct Output {
    items: Vec<Item>,
    found: usize,
    keeps_positions: bool,
}

/// Positions to be filled below one bucket.
struct Task<'b> {
    bucket: &'b Bucket,
    level: usize,
    /// How many positions there would be if the result had room.
    total: u32,
    positions: Range<usize>,
    attempt: u32,
}

/// Places by a rule of `choosemsr` steps.
pub(super) fn place(placement: &mut Placement<'_>, rule: &Rule, size: usize) -> Result<Vec<Item>, Exhausted> {
    let tunables = placement.map.tunables();
    let (mut descents, mut collision_tries) = (tunables.msr_descents, tunables.msr_collision_tries);
    let mut steps = &rule.steps[..];
    while let [Step::Set(setting, value), rest @ ..] = steps {
        match setting {
            Setting::MsrDescents => descents = value.cast_unsigned(),
            Setting::MsrCollisionTries => collision_tries = value.cast_unsigned(),
            _ => break,
        }
        steps = rest;
    }
    let keeps_positions = rule.kind == RuleKind::MsrIndep;
    let mut output = Output { items: vec![ITEM_NONE; size], found: 0, keeps_positions };
    let mut start = 0;
    while !steps.is_empty() {
        let Some((block, rest)) = next_block(steps, size) else { return Ok(Vec::new()) };
        steps = rest;
        let end = size.min(start + block.total as usize);
        if let Some(root) = placement.map.bucket(block.root) {
            let used = vec![vec![UNDECIDED; size]; block.levels.len()];
            let levels = &block.levels;
            let output = &mut output;
            let mut work = Work { placement, levels, used, output, collision_tries, size: size as u32 };
            work.fill(root, block.total, start..end, descents)?;
        } else if block.levels.is_empty() && block.root >= 0 {
            output.emit(start, block.root);
        } else {
            return Ok(Vec::new());
        }
        start = end;
    }
    if !keeps_positions {
        output.items.truncate(output.found);
    }
    Ok(output.items)
}

/// The first block of `steps` and what follows; `None` if there is none in the right form.
fn next_block(steps: &[Step], size: usize) -> Option<(Block, &[Step])> {
    let [Step::Take(root), steps @ ..] = steps else { return None };
    let emit = steps.iter().position(|step| *step == Step::Emit)?;
    let (choices, rest) = steps.split_at(emit);
    let mut levels = Vec::new();
    let mut total = 1u32;
    for choice in choices {
        let Step::ChooseMsr { count, kind } = *choice else { return None };
        let strides = if count == 0 { u32::try_from(size).ok()? } else { u32::try_from(count).ok()? };
        total = total.checked_mul(strides)?;
        levels.push(Level { strides, kind });
    }
    Some((Block { root: *root, levels, total }, &rest[1..]))
}

impl Output {
    fn emit(&mut self, position: usize, item: Item) {
        let place = if self.keeps_positions { position } else { self.found };
        if let Some(slot) = self.items.get_mut(place) {
            *slot = item;
            self.found += 1;
        }
    }
}

impl Work<'_, '_> {
    fn fill(
        &mut self,
        root: &Bucket,
        total: u32,
        positions: Range<usize>,
        descents: u32,
    ) -> Result<(), Exhausted> {
        let wanted = self.output.found + positions.len();
        for attempt in 0..descents {
            if self.output.found >= wanted || self.levels.is_empty() {
                break;
            }
            let task = Task { bucket: root, level: 0, total, positions: positions.clone(), attempt };
            self.choose(&task)?;
        }
        Ok(())
    }

    /// Fills what is open of the task's positions; returns how many it filled.
    fn choose(&mut self, task: &Task<'_>) -> Result<u32, Exhausted> {
        self.placement.pay(task.bucket)?;
        let length = (task.total / self.levels[task.level].strides) as usize;
        let starts = task.positions.clone().step_by(length.max(1));
        let strides: Vec<_> = starts.map(|start| start..task.positions.end.min(start + length)).collect();
        let mut filled = 0;
        // What led nowhere stays used until all strides had their turn, so that a device that is out disturbs few others.
        let mut unused = Vec::new();
        for (index, stride) in (0..).zip(&strides) {
            if self.is_filled(stride.clone()) {
                continue;
            }
            let Some(item) = self.find(task, stride, index)? else { continue };
            match self.placement.map.bucket(item) {
                _ if self.levels[task.level].kind == 0 => {
                    filled += u32::from(length == 1 && self.take_device(task, stride, item));
                }
                Some(bucket) if task.level + 1 < self.levels.len() => {
                    let below = Task {
                        bucket,
                        level: task.level + 1,
                        total: length as u32,
                        positions: stride.clone(),
                        attempt: task.attempt,
                    };
                    let below = self.choose(&below)?;
                    match self.mark_used(task.level, stride.clone(), item) && below == 0 {
                        true => unused.push((stride.clone(), item)),
                        false => filled += below,
                    }
                }
                _ => {} // the rule ends above devices
            }
        }
        for (stride, item) in unused {
            let last = self.used[task.level][stride].iter_mut().rfind(|used| **used != UNDECIDED);
            last.into_iter().filter(|used| **used == item).for_each(|used| *used = UNDECIDED);
        }
        Ok(filled)
    }

    /// An item for a stride that no other stride of the task uses.
    fn find(
        &mut self,
        task: &Task<'_>,
        stride: &Range<usize>,
        index: u32,
    ) -> Result<Option<Item>, Exhausted> {
        for collisions in 0..self.collision_tries {
            let Some(item) = self.descend(task, index, collisions)? else { return Ok(None) };
            let used = &self.used[task.level];
            let first = task.positions.clone().find(|position| used[*position] == item);
            if first.is_none_or(|position| stride.contains(&position)) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    /// Down to a device or a bucket of the level's type; `None` if there is a hole on the way.
    fn descend(&mut self, task: &Task<'_>, index: u32, collisions: u32) -> Result<Option<Item>, Exhausted> {
        let kind = self.levels[task.level].kind;
        let round = task.attempt.wrapping_mul(self.size).wrapping_add(index);
        let r = (round << 16).wrapping_add(collisions);
        let mut bucket = task.bucket;
        loop {
            self.placement.pay(bucket)?;
            let Some(item) = self.placement.draw(bucket, r, index as usize) else { return Ok(None) };
            if item >= 0 {
                return Ok(Some(item));
            }
            let Some(below) = self.placement.map.bucket(item) else { return Ok(None) };
            if below.kind() == kind {
                return Ok(Some(item));
            }
            bucket = below;
        }
    }

    fn take_device(&mut self, task: &Task<'_>, stride: &Range<usize>, item: Item) -> bool {
        let last = task.level + 1 == self.levels.len();
        if !last || item < 0 || self.placement.is_out(item) {
            return false;
        }
        self.mark_used(task.level, stride.clone(), item);
        self.output.emit(stride.start, item);
        true
    }

    /// Notes that a stride uses an item; `false` if that was known.
    fn mark_used(&mut self, level: usize, stride: Range<usize>, item: Item) -> bool {
        let used = &mut self.used[level][stride];
        match used.iter_mut().find(|used| **used == item || **used == UNDECIDED) {
            Some(slot) if *slot == UNDECIDED => {
                *slot = item;
                true
            }
            _ => false,
        }
    }

    fn is_filled(&self, stride: Range<usize>) -> bool {
        self.used.last().is_some_and(|devices| !devices[stride].contains(&UNDECIDED))
    }
}
