//! Objects of real clusters, in both modes: what is written by one client is read by the other, whichever of the two is
//! Ceph's.

mod again;
mod bad;
mod bed;
mod bindings;
mod block;
mod compound;
mod erasure;
mod everyday;
mod figures;
mod full;
mod listing;
mod model;
mod nonsense;
mod python;
mod snapshots;
mod thrash;
mod tiers;
mod watching;
