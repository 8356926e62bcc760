//! What other suites found worth testing about sessions and races, here in virtual time and in our words.
//!
//! Every checker of the simulation is on in all of them: once, in order, nothing lost without notice, no session ended
//! that nobody forgot.

mod async_suite;
mod charts;
mod failover_suite;
mod regressions;
mod stage;
