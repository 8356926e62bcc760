//! Exhaustive exploration of small worlds: every interleaving of what may happen, with the same machines, driver and
//! checkers as the simulation.
//!
//! The machines cannot be cloned (a handshake owns its authentication exchange, a secure link its cipher), so a state is
//! stored as the choices that lead to it, and found again by taking them once more. Two states are the same if their
//! digests are: everything that a machine, a socket or the ledger will ever act upon, with cookies named in the order of
//! their appearance, attempts counted by their order, and what is symmetric sorted. Breadth first, so that the first
//! violation found has the shortest trace.
//!
//! A handshake up to CLIENT_IDENT or SESSION_RECONNECT is one step: no session looks at it before.

mod choice;
mod digest;
mod graph;

mod worlds;

pub use choice::{Choice, Small};
pub use worlds::{Named, worlds};

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

/// What a step from a state leads to.
enum Found {
    State(Digest),
    Violation(Violation),
}

/// What was found from one state on.
struct Expansion {
    quiet: bool,
    found: Vec<(Choice, Found)>,
    /// A rule that is broken in the state itself.
    violation: Option<Violation>,
}

/// Explores `small`, up to so many states.
pub fn explore(small: &Small, most_states: usize, threads: usize) -> Exploration {
    let start = Instant::now();
    let mut graph = Graph::default();
    let mut known: HashMap<Digest, u32> = HashMap::new();
    known.insert(Explored::new(small).digest(), graph.root());
    let (mut level, mut depth, mut quiet) = (vec![0], 0, 0);
    let mut outcome = None;
    'levels: while !level.is_empty() && known.len() <= most_states {
        let expansions = expand_level(small, &graph, &level, threads);
        let mut next = Vec::new();
        for (&state, expansion) in level.iter().zip(expansions) {
            quiet += usize::from(expansion.quiet);
            graph.begin(state, expansion.quiet);
            if let Some(violation) = expansion.violation {
                outcome = Some((violation, graph.path(state, None)));
                break 'levels;
            }
            for (choice, found) in expansion.found {
                match found {
                    Found::Violation(violation) => {
                        outcome = Some((violation, graph.path(state, Some(choice))));
                        break 'levels;
                    }
                    Found::State(digest) => {
                        let fresh = known.len() as u32;
                        let id = *known.entry(digest).or_insert(fresh);
                        if id == fresh {
                            graph.add(state, choice);
                            next.push(id);
                        }
                        graph.edge(id, choice.happens_by_itself());
                    }
                }
            }
        }
        depth += usize::from(!next.is_empty());
        if depth > DEEPEST {
            let violation =
                Violation::Endless { events: depth, what: "new states are found ever deeper".into() };
            outcome = Some((violation, graph.path(next[0], None)));
            break;
        }
        level = next;
    }
    let cut_short = outcome.is_none() && !level.is_empty();
    if outcome.is_none() && !cut_short {
        outcome = graph.without_end().map(|state| {
            let what = "from here on it never becomes quiet".into();
            (Violation::Stuck { what }, graph.path(state, None))
        });
    }
    let violation = outcome.map(|(violation, path)| (violation, tell(small, &path)));
    let (states, transitions) = (known.len(), graph.transitions());
    Exploration { states, transitions, quiet, depth, cut_short, violation, took: start.elapsed() }
}

fn expand_level(small: &Small, graph: &Graph, level: &[u32], threads: usize) -> Vec<Expansion> {
    let portion = level.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let work = |states: &[u32]| {
            let states = states.to_vec();
            move || states.iter().map(|state| expand(small, &graph.path(*state, None))).collect::<Vec<_>>()
        };
        let workers: Vec<_> = level.chunks(portion).map(|states| scope.spawn(work(states))).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no machine panics")).collect()
    })
}

/// Takes each choice of the state at the end of `path` in turn.
fn expand(small: &Small, path: &[Choice]) -> Expansion {
    let mut here = Explored::at(small, path);
    let choices = here.choices();
    let quiet = !choices.iter().any(|choice| choice.happens_by_itself());
    if quiet && let Err(violation) = here.check_quiet() {
        return Expansion { quiet, found: Vec::new(), violation: Some(violation) };
    }
    let mut found = Vec::with_capacity(choices.len());
    for (index, choice) in choices.iter().enumerate() {
        let last = index + 1 == choices.len();
        let mut there = match last {
            true => std::mem::replace(&mut here, Explored::new(small)),
            false => Explored::at(small, path),
        };
        there.take(*choice);
        found.push((
            *choice,
            match there.violation() {
                Some(violation) => Found::Violation(violation),
                None => Found::State(there.digest()),
            },
        ));
    }
    Expansion { quiet, found, violation: None }
}

/// The story of a path.
fn tell(small: &Small, path: &[Choice]) -> String {
    let mut explored = Explored::new(small);
    explored.world().trace = Trace::on();
    for choice in path {
        let now = explored.world().now;
        explored.world().trace.note(now, "--", format_args!("{choice:?}"));
        explored.take(*choice);
    }
    explored.world().trace.take()
}

impl Explored<'_> {
    fn violation(&mut self) -> Option<Violation> {
        self.world().violation.take()
    }

    fn digest(&self) -> Digest {
        digest::of(self)
    }
}
