//! The program as its users meet it: the built binary, its output, its exit codes.

mod bench;
mod cuts;
mod harness;
mod help;
mod keys;
mod ping;
mod real_ceph;
mod serve;
