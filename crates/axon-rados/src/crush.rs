//! CRUSH: which devices an input is placed on, computed from a hierarchy of buckets, their weights and a rule.
//!
//! ```text
//! root ── rack ── host ── device          a rule walks down: take a root, choose racks, choose a device below each, emit
//!          each bucket draws one of its items by hash(input, item, attempt), weighted by its algorithm
//! ```
//!
//! The answers equal those of Ceph's C code for every input: all algorithms of buckets, `choose` and `chooseleaf` with
//! `firstn` and `indep`, rules that retry across steps (`choosemsr`, Squid and newer), every tunable, and alternative
//! weights and ids (`choose_args`). Device classes need nothing special: a class has shadow buckets of its own.
//!
//! A map comes from a peer. Whatever it holds, a placement ends: buckets must not contain each other in circles, which
//! [`CrushMap::decode`] checks, and one placement draws from at most [`CrushMap::MAX_DRAWS`] items.
//!
//! Ceph: `src/crush/mapper.c`, `src/crush/CrushWrapper.cc`.

mod bucket;
mod choose_args;
mod decode;
mod error;
pub(crate) mod hash;
mod log;
mod mapper;
mod rule;
mod tunables;

pub use bucket::{Algorithm, Bucket};
pub use choose_args::ChooseArgs;
pub use error::CrushError;
pub use rule::{Rule, RuleKind, Step};
pub use tunables::Tunables;

use std::collections::BTreeMap;

/// A device (from 0) or a bucket (below 0).
pub type Item = i32;

/// Stands where a rule found no item, in rules that keep positions (`CRUSH_ITEM_NONE`).
pub const ITEM_NONE: Item = 0x7fff_ffff;

/// A hierarchy of buckets and the rules to place things by.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CrushMap {
    /// By index: bucket -1 is the first one.
    buckets: Vec<Option<Box<Bucket>>>,
    rules: Vec<Option<Rule>>,
    max_devices: u32,
    tunables: Tunables,
    type_names: BTreeMap<i32, String>,
    item_names: BTreeMap<Item, String>,
    rule_names: BTreeMap<i32, String>,
    /// The class of each device that has one.
    device_classes: BTreeMap<Item, i32>,
    class_names: BTreeMap<i32, String>,
    /// The shadow of each bucket for each class.
    shadows: BTreeMap<Item, BTreeMap<i32, Item>>,
    choose_args: BTreeMap<i64, ChooseArgs>,
}

impl CrushMap {
    /// Items one placement may draw from, after which it fails; a bucket of less than eight counts as eight. Real ones need
    /// some hundreds, the worst ones (wide erasure codes on clusters too small for them) some millions.
    pub const MAX_DRAWS: u64 = 1 << 25;

    /// The key of the alternative weights for all pools without their own (`DEFAULT_CHOOSE_ARGS`).
    pub const DEFAULT_CHOOSE_ARGS: i64 = -1;

    /// The bucket `id`, which is below 0.
    pub fn bucket(&self, id: Item) -> Option<&Bucket> {
        let index = usize::try_from(-1 - i64::from(id)).ok()?;
        self.buckets.get(index)?.as_deref()
    }

    /// All buckets, shadows of device classes included.
    pub fn buckets(&self) -> impl Iterator<Item = &Bucket> {
        self.buckets.iter().flatten().map(Box::as_ref)
    }

    /// The rule `id`.
    pub fn rule(&self, id: u32) -> Option<&Rule> {
        self.rules.get(id as usize)?.as_ref()
    }

    /// The ids of all rules.
    pub fn rule_ids(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.rules).filter(|(_, rule)| rule.is_some()).map(|(id, _)| id)
    }

    /// The id of the rule with this name.
    pub fn rule_by_name(&self, name: &str) -> Option<u32> {
        let (id, _) = self.rule_names.iter().find(|(_, known)| *known == name)?;
        u32::try_from(*id).ok()
    }

    /// One more than the highest device in any bucket.
    pub fn max_devices(&self) -> u32 {
        self.max_devices
    }

    /// How hard to try.
    pub fn tunables(&self) -> &Tunables {
        &self.tunables
    }

    /// The name of a device or bucket.
    pub fn item_name(&self, item: Item) -> Option<&str> {
        self.item_names.get(&item).map(String::as_str)
    }

    /// The name of a type of buckets; 0 is the type of devices.
    pub fn type_name(&self, kind: u16) -> Option<&str> {
        self.type_names.get(&kind.into()).map(String::as_str)
    }

    /// The class of a device (`ssd`).
    pub fn device_class(&self, device: u32) -> Option<&str> {
        let class = self.device_classes.get(&Item::try_from(device).ok()?)?;
        self.class_names.get(class).map(String::as_str)
    }

    /// The bucket that holds only those devices below `bucket` that have this class.
    pub fn shadow(&self, bucket: Item, class: &str) -> Option<Item> {
        let (id, _) = self.class_names.iter().find(|(_, name)| *name == class)?;
        self.shadows.get(&bucket)?.get(id).copied()
    }

    /// The alternative weights and ids for `pool`: its own, else those for all pools.
    pub fn choose_args(&self, pool: i64) -> Option<&ChooseArgs> {
        self.choose_args.get(&pool).or_else(|| self.choose_args.get(&Self::DEFAULT_CHOOSE_ARGS))
    }
}

#[cfg(test)]
mod tests;
