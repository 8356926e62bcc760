//! Against daemons and programs of Ceph itself. A peer that cannot be had is a failure.

mod cluster;
mod options;
mod perf;
mod rados;
mod striper;
