//! Buckets and how they draw one of their items.

mod list;
mod straw;
mod straw2;
mod tree;
mod uniform;

pub(super) use straw2::Straw2;

use super::Item;
use super::choose_args::ChooseArg;
use tree::Paths;
use uniform::Permutations;

/// A bucket of items.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    pub(super) id: Item,
    pub(super) kind: u16,
    pub(super) weight: u32,
    pub(super) items: Vec<Item>,
    pub(super) drawing: Drawing,
}

/// How a bucket draws.
///
/// Ceph: `crush_algorithm` in `src/crush/crush.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// A permutation of items of equal weight.
    Uniform,
    /// From the newest item to the oldest.
    List,
    /// Down a binary tree.
    Tree,
    /// The longest straw, scaled by weights.
    Straw,
    /// The longest straw, each independent of the others' weights.
    Straw2,
}

/// An algorithm with what it needs.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Drawing {
    Uniform,
    List { weights: Vec<u32>, sums: Vec<u32> },
    Tree { nodes: Vec<u32> },
    Straw { straws: Vec<u32> },
    Straw2(Straw2),
}

/// What a bucket draws by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draw {
    /// The input that is placed.
    pub(super) x: u32,
    /// The attempt.
    pub(super) r: u32,
    /// The position in the result, which chooses among alternative weights.
    pub(super) position: usize,
}

/// What the draws for one input leave to those that follow.
#[derive(Debug, Default)]
pub(super) struct Known {
    permutations: Permutations,
    paths: Paths,
}

impl Bucket {
    /// Its id, below 0.
    pub fn id(&self) -> Item {
        self.id
    }

    /// The type of it (host, rack, ..), see [`CrushMap::type_name`](super::CrushMap::type_name).
    pub fn kind(&self) -> u16 {
        self.kind
    }

    /// The sum of its items' weights, in fractions of 0x10000.
    pub fn weight(&self) -> u32 {
        self.weight
    }

    /// What is in it.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// How it draws.
    pub fn algorithm(&self) -> Algorithm {
        match self.drawing {
            Drawing::Uniform => Algorithm::Uniform,
            Drawing::List { .. } => Algorithm::List,
            Drawing::Tree { .. } => Algorithm::Tree,
            Drawing::Straw { .. } => Algorithm::Straw,
            Drawing::Straw2(_) => Algorithm::Straw2,
        }
    }

    /// Its place among the buckets.
    pub(super) fn index(&self) -> u32 {
        // Checked when it was read.
        (-1 - self.id).cast_unsigned()
    }

    /// Draws one of the items, for the input that `known` is of; `None` if it has none, or is a tree that leads nowhere.
    #[inline]
    pub(super) fn draw(&self, draw: Draw, arg: Option<&ChooseArg>, known: &mut Known) -> Option<Item> {
        match (&self.items[..], &self.drawing) {
            ([], _) => return None,
            // A tree may lead nowhere, all others have no choice.
            (_, Drawing::Tree { .. }) => {}
            ([only], _) => return Some(*only),
            _ => {}
        }
        match &self.drawing {
            Drawing::Straw2(own) => {
                let weights = arg.and_then(|arg| arg.weights_at(draw.position)).unwrap_or(own);
                let ids = arg.map(|arg| &arg.ids[..]).filter(|ids| !ids.is_empty()).unwrap_or(&self.items);
                Some(self.items[weights.draw(ids, draw.x, draw.r)])
            }
            Drawing::Uniform => Some(self.draw_permuted(draw, known)),
            Drawing::List { weights, sums } => Some(list::draw(self, weights, sums, draw)),
            Drawing::Tree { nodes } => known.paths.draw(self, nodes, draw),
            Drawing::Straw { straws } => Some(self.items[straw::draw(&self.items, straws, draw)]),
        }
    }

    /// Draws by the bucket's permutation whatever its algorithm. There must be items.
    pub(super) fn draw_permuted(&self, draw: Draw, known: &mut Known) -> Item {
        self.items[uniform::draw(self.items.len(), self.id, draw, &mut known.permutations)]
    }
}
