//! Against daemons and programs of Ceph itself. A peer that cannot be had is a failure.

mod cluster;
mod perf;
mod rados;
