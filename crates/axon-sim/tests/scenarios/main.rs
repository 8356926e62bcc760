//! What other suites found worth testing, in our words: sessions and races in virtual time, and what is about threads,
//! queues and ends with real messengers over a network in memory. `docs/simulation.md` has the list.
//!
//! Every checker of the simulation is on in all that are simulated: once, in order, nothing lost without notice, no session
//! ended that nobody forgot.

mod async_suite;
mod charts;
mod dump_suite;
mod failover_suite;
mod hall;
mod messenger_suite;
mod names;
mod regressions;
mod shutdown_suite;
mod stage;
mod synthetic;
