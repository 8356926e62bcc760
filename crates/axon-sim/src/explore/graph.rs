//! States as the ways to them, and the steps that happen by themselves.

use super::Choice;

/// What is known of all states found so far, by their number in the order of discovery.
#[derive(Default)]
pub(super) struct Graph {
    /// Where each state was found from, and by which choice; the first from nowhere.
    parents: Vec<Option<(u32, Choice)>>,
    /// States in the order of their expansion, and where their edges begin.
    expanded: Vec<(u32, u32)>,
    quiet: Vec<bool>,
    /// Steps that happen by themselves.
    edges: Vec<u32>,
    transitions: usize,
}

impl Graph {
    /// Adds the beginning.
    pub(super) fn root(&mut self) -> u32 {
        self.parents.push(None);
        0
    }

    /// Adds a state found from `parent`.
    pub(super) fn add(&mut self, parent: u32, choice: Choice) {
        self.parents.push(Some((parent, choice)));
    }

    /// The edges that follow are those of `state`.
    pub(super) fn begin(&mut self, state: u32, quiet: bool) {
        self.expanded.push((state, self.edges.len() as u32));
        self.quiet.push(quiet);
    }

    /// A step to `state`.
    pub(super) fn edge(&mut self, state: u32, by_itself: bool) {
        self.transitions += 1;
        if by_itself {
            self.edges.push(state);
        }
    }

    /// All steps.
    pub(super) fn transitions(&self) -> usize {
        self.transitions
    }

    /// The choices that lead to `state`, and then `last`.
    pub(super) fn path(&self, mut state: u32, last: Option<Choice>) -> Vec<Choice> {
        let mut path: Vec<Choice> = last.into_iter().collect();
        while let Some((parent, choice)) = self.parents[state as usize] {
            path.push(choice);
            state = parent;
        }
        path.reverse();
        path
    }

    /// The first state from which no quiet state can be reached without more being asked for.
    pub(super) fn without_end(&self) -> Option<u32> {
        let mut ends = vec![false; self.parents.len()];
        loop {
            let mut changed = false;
            for (nth, (state, first)) in self.expanded.iter().enumerate().rev() {
                if ends[*state as usize] {
                    continue;
                }
                let until = self.expanded.get(nth + 1).map_or(self.edges.len(), |(_, next)| *next as usize);
                let edges = &self.edges[*first as usize..until];
                if self.quiet[nth] || edges.iter().any(|next| ends[*next as usize]) {
                    ends[*state as usize] = true;
                    changed = true;
                }
            }
            if !changed {
                return ends.iter().position(|ends| !ends).map(|state| state as u32);
            }
        }
    }
}
