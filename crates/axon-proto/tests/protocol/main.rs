//! The protocol from the outside: two machines, or one machine and a scripted peer, joined by byte pipes in virtual
//! time. Nothing here sleeps, and every run is the same but for `random`, which prints the input that failed.

mod fakes;
mod rig;
mod world;

mod abandoned;
mod addresses;
mod agreement;
mod handshake;
mod hostile;
mod liveness;
mod lossy;
mod matrix;
mod messages;
mod random;
mod tally;
mod tampering;
mod verdicts;
