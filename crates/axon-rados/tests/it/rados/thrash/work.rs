//! Random operations on objects, each answer compared with the model's.

use super::OBJECTS;
use super::snaps::Snaps;
use crate::rados::model::{Begun, Object, Past, Seen, Step};
use axon_rados::{IoCtx, Name};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Objects that are worked on at the same time.
const AT_ONCE: usize = 16;
/// Rounds for each snapshot, more or less.
const ROUNDS_PER_SNAP: u64 = 10;

/// Numbers from a seed (splitmix64).
pub(super) struct Draw {
    state: u64,
    rolls_back: bool,
}

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed, rolls_back: false }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        let byte = self.next() as u8;
        (0..=self.below(most)).map(|i| (i as u8).wrapping_mul(13) ^ byte).collect()
    }

    fn step(&mut self, object: Option<&Object>, past: Option<Past>) -> Step {
        match (self.below(26), past) {
            (23, Some(past)) if self.rolls_back => Step::Rollback(past),
            (23 | 24, Some(past)) => Step::ReadThen(past),
            (chance, _) => self.step_now(chance, object),
        }
    }

    /// A step that no snapshot has a part in.
    fn step_now(&mut self, chance: u64, object: Option<&Object>) -> Step {
        let size = object.map_or(0, |object| object.data.len() as u64);
        let key = self.name();
        match chance {
            0 | 1 => Step::WriteFull(self.bytes(20_000)),
            2 | 3 => Step::Write(self.below(10_000), self.bytes(5000)),
            4..=7 if size < 200_000 => Step::Append(self.bytes(3000)),
            8 => Step::Truncate(self.below(size + 100)),
            9 if size > 0 => {
                let at = self.below(size);
                Step::Zero(at, 1 + self.below(size - at))
            }
            10 => Step::Remove,
            11 => Step::Create,
            12 => Step::SetXattr(key, self.bytes(50).into()),
            13 => Step::OmapSet(key, self.bytes(50).into()),
            14 => self.compare_and_write(object),
            15 => Step::Stat,
            16 => Step::Xattrs,
            17 => Step::Omap,
            18 | 19 => Step::RemoveXattr(key),
            20 => Step::OmapRemove(key),
            21 => {
                let other = self.name();
                Step::OmapRemoveRange(key.clone().min(other.clone()), key.max(other))
            }
            22 => Step::OmapClear,
            _ => Step::Read,
        }
    }

    /// One of ten, some of which are no text.
    fn name(&mut self) -> Name {
        let prefix = if self.below(2) == 0 { b'k' } else { 0x80 };
        vec![prefix, b'0' + self.below(5) as u8].into()
    }

    /// Mostly with what is there.
    fn compare_and_write(&mut self, object: Option<&Object>) -> Step {
        let mut old: Vec<u8> =
            object.map(|object| object.data.iter().take(100).copied().collect()).unwrap_or_default();
        if old.is_empty() {
            return Step::Read;
        }
        if self.below(4) == 0 {
            let at = self.below(old.len() as u64) as usize;
            old[at] ^= 0xff;
        }
        let new = self.bytes(old.len() as u64).into_iter().cycle().take(old.len()).collect();
        Step::CompareAndWrite(old, new)
    }
}

/// Some steps on one object, begun one after the other without waiting, and what may come of them.
struct Task {
    name: String,
    steps: Vec<(Step, Vec<Seen>, Begun)>,
}

impl Task {
    fn begin(io: &IoCtx, n: usize, object: &mut Option<Object>, snaps: &Snaps, draw: &mut Draw) -> Self {
        let name = name(n);
        let mut steps = Vec::new();
        let mut states = Vec::new();
        for _ in 0..=draw.below(3) {
            let past = snaps.past(n, draw);
            let step = draw.step(object.as_ref(), past);
            states.push(object.clone());
            let expected = step.apply(object);
            steps.push((step.clone(), vec![expected], step.begin(io, &name)));
        }
        states.push(object.clone());
        // A look that was sent again may see what was begun after it.
        for (i, (step, expected, _)) in steps.iter_mut().enumerate().filter(|(_, (step, ..))| step.is_look())
        {
            expected.extend(states[i + 1..].iter().map(|state| step.apply(&mut state.clone())));
        }
        Self { steps, name }
    }

    fn check(self, counts: &mut BTreeMap<&'static str, u64>) {
        let story: Vec<_> = self.steps.iter().map(|(step, ..)| brief(step)).collect();
        for (step, expected, begun) in self.steps {
            let seen = begun.see().unwrap_or_else(|error| panic!("{}: {step:?}: {error}", self.name));
            assert!(
                expected.contains(&seen),
                "{} ({story:?}): {} led to {}, not {}",
                self.name,
                brief(&step),
                brief(&seen),
                brief(&expected[0])
            );
            *counts.entry(kind(&step)).or_default() += 1;
        }
    }
}

fn kind(step: &Step) -> &'static str {
    match step {
        Step::Rollback(_) => "rollbacks",
        Step::ReadThen(_) => "looks back",
        step if step.is_look() => "looks",
        _ => "changes",
    }
}

fn name(n: usize) -> String {
    format!("thrashed{n}")
}

pub(crate) fn brief(what: &impl std::fmt::Debug) -> String {
    let text = format!("{what:?}");
    let length = text.len();
    let cut = text.char_indices().nth(60).map_or(text.len(), |(at, _)| at);
    format!("{} ({length})", &text[..cut])
}

/// Whether enough was done to say something.
fn is_much(counts: &BTreeMap<&'static str, u64>, rolls_back: bool) -> bool {
    let least = [("changes", 100), ("looks", 100), ("looks back", 10), ("rollbacks", 10)];
    let kinds = least.len() - usize::from(!rolls_back);
    least.iter().take(kinds).all(|(kind, least)| counts.get(kind).is_some_and(|count| count > least))
}

/// Works on random objects until told to stop, but for some rounds at least; returns what should be there.
pub(super) fn work(io: &IoCtx, seed: u64, rolls_back: bool, stop: &AtomicBool) -> BTreeMap<String, Object> {
    let mut draw = Draw { rolls_back, ..Draw::new(seed) };
    let mut objects: Vec<Option<Object>> = vec![None; OBJECTS];
    let mut snaps = Snaps::default();
    let mut io = io.clone();
    let mut counts = BTreeMap::new();
    let mut slowest = Duration::ZERO;
    while !stop.load(Ordering::Relaxed) || !is_much(&counts, rolls_back) {
        if draw.below(ROUNDS_PER_SNAP) == 0 {
            snaps.take(&io, &objects);
            io = io.with_snap_context(snaps.context());
        }
        let first = draw.below(OBJECTS as u64) as usize;
        let began = Instant::now();
        let tasks: Vec<_> = (0..AT_ONCE)
            .map(|i| (first + i * 7) % OBJECTS)
            .map(|n| Task::begin(&io, n, &mut objects[n], &snaps, &mut draw))
            .collect();
        tasks.into_iter().for_each(|task| task.check(&mut counts));
        slowest = slowest.max(began.elapsed());
    }
    println!("{counts:?}, {} snapshots, the slowest round took {slowest:?}", snaps.taken());
    let there = |(n, object): (usize, Option<Object>)| Some((name(n), object?));
    objects.into_iter().enumerate().filter_map(there).collect()
}
