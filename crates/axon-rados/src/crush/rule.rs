//! Rules: how to walk down the hierarchy.

use super::Item;
use std::ops::RangeInclusive;

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What it is for.
    pub kind: RuleKind,
    /// The sizes of the pools it is for. Quincy (17) and newer ignore it, and so does
    /// [`CrushMap::do_rule`](super::CrushMap::do_rule).
    pub sizes: RangeInclusive<u8>,
    /// What it does, one after the other.
    pub steps: Vec<Step>,
}

/// What a rule is for.
///
/// Ceph: `crush_rule_type` in `src/crush/crush.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleKind {
    /// Copies.
    Replicated,
    /// Shards.
    Erasure,
    /// Copies; retries go across steps (Squid and newer).
    MsrFirstn,
    /// Shards; retries go across steps (Squid and newer).
    MsrIndep,
    /// A kind this code does not know, which places like [`RuleKind::Replicated`].
    Other(u8),
}

impl RuleKind {
    pub(super) fn from_wire(value: u8) -> Self {
        match value {
            1 => Self::Replicated,
            3 => Self::Erasure,
            4 => Self::MsrFirstn,
            5 => Self::MsrIndep,
            other => Self::Other(other),
        }
    }

    pub(super) fn is_msr(self) -> bool {
        matches!(self, Self::MsrFirstn | Self::MsrIndep)
    }
}

/// A step of a rule. Counts of 0 and below are relative to how many items are wanted.
///
/// Ceph: `crush_opcodes` in `src/crush/crush.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Start at an item.
    Take(Item),
    /// Hand out what was chosen.
    Emit,
    /// Choose items of a type below each item.
    Choose(Choose),
    /// Choose items of a type below each item, where all steps are tried again together.
    ChooseMsr {
        /// How many, 0 for all.
        count: i32,
        /// Of which type.
        kind: u16,
    },
    /// Change a tunable for the rest of the rule.
    Set(Setting, i32),
    /// A step that does nothing, or that this code does not know.
    Other(u32),
}

/// A choice of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choose {
    /// How many.
    pub count: i32,
    /// Of which type; 0 are devices.
    pub kind: u16,
    /// Whether to go on to one device below each.
    pub leaf: bool,
    /// Whether failures leave no gaps (`firstn`), or what is found keeps its position (`indep`).
    pub firstn: bool,
}

/// A tunable a rule may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// Tries from the top.
    ChooseTries,
    /// Tries for a device below a bucket.
    ChooseleafTries,
    /// [`Tunables::choose_local_tries`](super::Tunables::choose_local_tries).
    ChooseLocalTries,
    /// [`Tunables::choose_local_fallback_tries`](super::Tunables::choose_local_fallback_tries).
    ChooseLocalFallbackTries,
    /// [`Tunables::chooseleaf_vary_r`](super::Tunables::chooseleaf_vary_r).
    ChooseleafVaryR,
    /// [`Tunables::chooseleaf_stable`](super::Tunables::chooseleaf_stable).
    ChooseleafStable,
    /// [`Tunables::msr_descents`](super::Tunables::msr_descents).
    MsrDescents,
    /// [`Tunables::msr_collision_tries`](super::Tunables::msr_collision_tries).
    MsrCollisionTries,
}

impl Step {
    /// The step with this code and these arguments. A type no bucket can have becomes one that none has.
    pub(super) fn from_wire(code: u32, arg1: i32, arg2: i32) -> Self {
        let kind = u16::try_from(arg2).unwrap_or(u16::MAX);
        let choose = |leaf, firstn| Self::Choose(Choose { count: arg1, kind, leaf, firstn });
        match code {
            1 => Self::Take(arg1),
            2 => choose(false, true),
            3 => choose(false, false),
            4 => Self::Emit,
            6 => choose(true, true),
            7 => choose(true, false),
            8 => Self::Set(Setting::ChooseTries, arg1),
            9 => Self::Set(Setting::ChooseleafTries, arg1),
            10 => Self::Set(Setting::ChooseLocalTries, arg1),
            11 => Self::Set(Setting::ChooseLocalFallbackTries, arg1),
            12 => Self::Set(Setting::ChooseleafVaryR, arg1),
            13 => Self::Set(Setting::ChooseleafStable, arg1),
            14 => Self::Set(Setting::MsrDescents, arg1),
            15 => Self::Set(Setting::MsrCollisionTries, arg1),
            16 => Self::ChooseMsr { count: arg1, kind },
            other => Self::Other(other),
        }
    }
}
