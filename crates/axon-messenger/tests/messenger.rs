//! Messengers against each other, over TCP and over the network in memory, and against peers that misbehave.
//!
//! The scenarios are those of Ceph's own suites where these have them (src/test/msgr/test_msgr.cc).

#[path = "messenger/town.rs"]
#[macro_use]
mod town;
#[path = "messenger/child.rs"]
mod child;
#[path = "messenger/executor.rs"]
mod executor;
#[path = "messenger/probe.rs"]
mod probe;
#[path = "messenger/raw.rs"]
mod raw;

#[path = "messenger/absent.rs"]
mod absent;
#[path = "messenger/addressing.rs"]
mod addressing;
#[path = "messenger/budgets.rs"]
mod budgets;
#[path = "messenger/calls.rs"]
mod calls;
#[path = "messenger/counting.rs"]
mod counting;
#[path = "messenger/cuts.rs"]
mod cuts;
#[path = "messenger/dispatch.rs"]
mod dispatch;
#[path = "messenger/dumps.rs"]
mod dumps;
#[path = "messenger/examples.rs"]
mod examples;
#[path = "messenger/faults.rs"]
mod faults;
#[path = "messenger/hostile.rs"]
mod hostile;
#[path = "messenger/liveness.rs"]
mod liveness;
#[path = "messenger/lossy.rs"]
mod lossy;
#[path = "messenger/modes.rs"]
mod modes;
#[path = "messenger/order.rs"]
mod order;
#[path = "messenger/scale.rs"]
mod scale;
#[path = "messenger/shutdown.rs"]
mod shutdown;
#[path = "messenger/simple.rs"]
mod simple;
#[path = "messenger/slow.rs"]
mod slow;
#[path = "messenger/takeover.rs"]
mod takeover;
#[path = "messenger/urgency.rs"]
mod urgency;
