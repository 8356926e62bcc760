//! Objects of real clusters: what is written by one client is read by the other, whichever of the two is Ceph's.

mod bad;
mod bed;
mod compound;
mod everyday;
mod listing;
mod model;
mod snapshots;
mod thrash;
mod watching;

use axon_testbed::Release;

/// What the tests of this folder run on.
const RELEASES: [(Release, axon_testbed::Mode); 2] =
    [(Release::Pacific, axon_testbed::Mode::Crc), (Release::Reef, axon_testbed::Mode::Secure)];
