//! Exhaustive exploration of small worlds: every interleaving of what may happen, with the same machines, driver and
//! checkers as the simulation.
//!
//! The machines cannot be cloned (a handshake owns its authentication exchange, a secure link its cipher), so a state is
//! stored as the choices that lead to it, and found again by taking them once more. The world in which a state was found
//! first is kept until it is that state's turn, if there is room, and serves for one of its choices. Two states are the
//! same if their digests are: everything that a machine, a socket or the ledger will ever act upon, with cookies named in
//! the order of their appearance, attempts counted by their order, and what is symmetric sorted. Breadth first, so that the
//! first violation found has the shortest trace.
//!
//! A handshake up to CLIENT_IDENT or SESSION_RECONNECT is one step: no session looks at it before.

mod choice;
mod digest;
mod graph;
mod quiet;
mod worlds;

pub use choice::{Choice, Small};
pub use worlds::{Named, worlds};

use crate::caught::caught;
use crate::{Trace, Violation};
use choice::Explored;
use digest::Digest;
use graph::Graph;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// What an exploration came to.
#[derive(Debug)]
pub struct Exploration {
    /// Different states.
    pub states: usize,
    /// Steps between them.
    pub transitions: usize,
    /// States in which nothing happens by itself any more.
    pub quiet: usize,
    /// Steps from the beginning to the farthest state.
    pub depth: usize,
    /// Whether it ended before all states were seen.
    pub cut_short: bool,
    /// The first violation on the shortest way, and that way.
    pub violation: Option<(Violation, String)>,
    /// How long it took.
    pub took: Duration,
}

/// Worlds in which things come to an end are not deeper than this.
const DEEPEST: usize = 150;

/// States are taken up in portions: what a portion finds is compared before the next.
const PORTION: usize = 4096;

/// Worlds that are kept until it is their states' turn; each takes some forty KB.
const MOST_KEPT: usize = 50_000;

/// A state whose turn is to come, and the world in which it was found, if that was kept.
type Waiting<'a> = (u32, Option<Box<Explored<'a>>>);

/// States by their digests.
type Known = HashMap<Digest, u32>;

/// What a step from a state leads to.
enum Found<'a> {
    /// A state, with its world unless it is known.
    State(Digest, Option<Box<Explored<'a>>>),
    Violation(Violation),
}

/// What was found from one state on.
struct Expansion<'a> {
    quiet: bool,
    found: Vec<(Choice, Found<'a>)>,
    /// A rule that is broken in the state itself.
    violation: Option<Violation>,
}

/// A violation, and the way to it.
type Outcome = (Violation, Vec<Choice>);

/// What is known so far.
struct Atlas<'a> {
    small: &'a Small,
    graph: Graph,
    known: Known,
}

/// An exploration under way.
struct Search<'a> {
    atlas: Atlas<'a>,
    threads: usize,
    next: Vec<Waiting<'a>>,
    kept: usize,
    quiet: usize,
}

/// Explores `small`, up to so many states.
pub fn explore(small: &Small, most_states: usize, threads: usize) -> Exploration {
    let start = Instant::now();
    let mut search = Search::new(small, threads);
    let (mut depth, mut outcome, mut cut_short) = (0, None, false);
    while !search.next.is_empty() && outcome.is_none() && !cut_short {
        outcome = search.level().or_else(|| search.too_deep(depth));
        depth += usize::from(!search.next.is_empty());
        cut_short = outcome.is_none() && search.atlas.known.len() > most_states;
    }
    if outcome.is_none() && !cut_short {
        outcome = search.stuck();
    }
    let violation = outcome.map(|(violation, path)| (violation, tell(small, &path)));
    let (states, transitions) = (search.atlas.known.len(), search.atlas.graph.transitions());
    let quiet = search.quiet;
    Exploration { states, transitions, quiet, depth, cut_short, violation, took: start.elapsed() }
}

impl<'a> Atlas<'a> {
    /// Takes each choice of a state in turn.
    fn expand(&self, (state, world): Waiting<'a>) -> Expansion<'a> {
        let path = self.graph.path(state, None);
        let anew = || Box::new(Explored::at(self.small, &path));
        let here = world.unwrap_or_else(anew);
        let choices = here.choices();
        let quiet = !choices.iter().any(|choice| choice.happens_by_itself());
        if quiet && let Err(violation) = caught(|| here.check_quiet()).and_then(|outcome| outcome) {
            return Expansion { quiet, found: Vec::new(), violation: Some(violation) };
        }
        let mut here = Some(here);
        let take = |choice: &Choice| {
            let mut there = here.take().unwrap_or_else(anew);
            let found = caught(|| {
                there.take(*choice);
                self.judge(there)
            });
            (*choice, found.unwrap_or_else(Found::Violation))
        };
        Expansion { quiet, found: choices.iter().map(take).collect(), violation: None }
    }

    fn judge(&self, mut there: Box<Explored<'a>>) -> Found<'a> {
        if let Some(violation) = there.violation() {
            return Found::Violation(violation);
        }
        let digest = there.digest();
        let is_known = self.known.contains_key(&digest);
        Found::State(digest, (!is_known).then_some(there))
    }
}

impl<'a> Search<'a> {
    fn new(small: &'a Small, threads: usize) -> Self {
        let mut graph = Graph::default();
        let (mut known, first) = (Known::default(), Box::new(Explored::new(small)));
        known.insert(first.digest(), graph.root());
        let next = vec![(0, Some(first))];
        Self { atlas: Atlas { small, graph, known }, threads, next, kept: 1, quiet: 0 }
    }

    /// Takes up all states that wait, and lets those wait that are found.
    fn level(&mut self) -> Option<Outcome> {
        let mut level = std::mem::take(&mut self.next).into_iter();
        loop {
            let portion: Vec<Waiting<'_>> = level.by_ref().take(PORTION).collect();
            if portion.is_empty() {
                return None;
            }
            let states: Vec<u32> = portion.iter().map(|(state, _)| *state).collect();
            self.kept -= portion.iter().filter(|(_, world)| world.is_some()).count();
            for (state, expansion) in states.into_iter().zip(self.expand_all(portion)) {
                let outcome = self.enter(state, expansion);
                if outcome.is_some() {
                    return outcome;
                }
            }
        }
    }

    fn expand_all(&self, portion: Vec<Waiting<'a>>) -> Vec<Expansion<'a>> {
        let atlas = &self.atlas;
        let share = portion.len().div_ceil(self.threads).max(1);
        let mut portion = portion.into_iter();
        std::thread::scope(|scope| {
            let shares = std::iter::from_fn(|| {
                let share: Vec<Waiting<'a>> = portion.by_ref().take(share).collect();
                (!share.is_empty()).then_some(share)
            });
            let work = |share: Vec<Waiting<'a>>| {
                move || share.into_iter().map(|waiting| atlas.expand(waiting)).collect::<Vec<_>>()
            };
            let workers: Vec<_> = shares.map(|share| scope.spawn(work(share))).collect();
            workers.into_iter().flat_map(|worker| worker.join().expect("panics are caught")).collect()
        })
    }

    /// Enters what was found from `state` on.
    fn enter(&mut self, state: u32, expansion: Expansion<'a>) -> Option<Outcome> {
        self.quiet += usize::from(expansion.quiet);
        self.atlas.graph.begin(state, expansion.quiet);
        if let Some(violation) = expansion.violation {
            return Some((violation, self.atlas.graph.path(state, None)));
        }
        for (choice, found) in expansion.found {
            match found {
                Found::Violation(violation) => {
                    return Some((violation, self.atlas.graph.path(state, Some(choice))));
                }
                Found::State(digest, world) => self.step(state, choice, digest, world),
            }
        }
        None
    }

    fn step(&mut self, state: u32, choice: Choice, digest: Digest, world: Option<Box<Explored<'a>>>) {
        let fresh = self.atlas.known.len() as u32;
        let id = *self.atlas.known.entry(digest).or_insert(fresh);
        if id == fresh {
            self.atlas.graph.add(state, choice);
            let world = world.filter(|_| self.kept < MOST_KEPT);
            self.kept += usize::from(world.is_some());
            self.next.push((id, world));
        }
        self.atlas.graph.edge(id, choice.happens_by_itself());
    }

    fn too_deep(&self, depth: usize) -> Option<Outcome> {
        let (state, _) = self.next.first().filter(|_| depth >= DEEPEST)?;
        let what = "new states are found ever deeper".into();
        Some((Violation::Endless { events: depth, what }, self.atlas.graph.path(*state, None)))
    }

    fn stuck(&self) -> Option<Outcome> {
        let state = self.atlas.graph.without_end()?;
        let what = "from here on it never becomes quiet".into();
        Some((Violation::Stuck { what }, self.atlas.graph.path(state, None)))
    }
}

/// The story of a path, which may end in a panic.
fn tell(small: &Small, path: &[Choice]) -> String {
    let mut explored = Explored::new(small);
    explored.world().trace = Trace::on();
    let retold = caught(|| {
        for choice in path {
            let now = explored.world().now;
            explored.world().trace.note(now, "--", format_args!("{choice:?}"));
            explored.take(*choice);
        }
    });
    let story = explored.world().trace.take();
    match retold {
        Ok(()) => story,
        Err(panic) => format!("{story}{panic}\n"),
    }
}

impl Explored<'_> {
    fn violation(&mut self) -> Option<Violation> {
        self.world().violation.take()
    }

    fn digest(&self) -> Digest {
        digest::of(self)
    }
}

#[cfg(test)]
mod tests;
