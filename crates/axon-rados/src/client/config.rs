//! What a session with a cluster needs.

use super::OnMapDamage;
use crate::mon::MonConfig;
use std::time::Duration;

/// How to log in, and how much may be in flight.
#[derive(Clone)]
#[non_exhaustive]
pub struct RadosConfig {
    /// The monitors, and who logs in.
    pub mon: MonConfig,
    /// Operations in flight, over all pools; more wait in line. Default 1024 (Ceph: `objecter_inflight_ops`).
    pub max_ops: usize,
    /// Bytes sent or asked for by them; default 100 MiB (Ceph: `objecter_inflight_op_bytes`).
    pub max_bytes: u64,
    /// Bytes one request may carry; default 90 MiB (Ceph: `osd_max_write_size`). Nothing carries more than 256 MiB.
    pub max_write: u64,
    /// How long an operation may take unless its [`IoCtx`](super::IoCtx) says otherwise; default 60 s. `None` is for
    /// ever (Ceph: `rados_osd_op_timeout` = 0).
    pub deadline: Option<Duration>,
    /// Who is told of OSD maps that cannot be read; they are logged and asked for again in any case.
    pub on_map_damage: Option<OnMapDamage>,
}

impl RadosConfig {
    /// Everything but the monitors as by default.
    pub fn new(mon: MonConfig) -> Self {
        Self {
            mon,
            max_ops: 1024,
            max_bytes: 100 << 20,
            max_write: 90 << 20,
            deadline: Some(Duration::from_secs(60)),
            on_map_damage: None,
        }
    }
}
