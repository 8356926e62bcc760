//! What the map says of an OSD.

use axon_denc::AddrVec;

/// The number of an OSD.
pub type OsdId = u32;

/// What the map says of an OSD. Weights are fractions of 0x10000.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OsdInfo {
    /// Its state.
    pub state: OsdState,
    /// How much of what CRUSH gives it, it keeps: 0 is out, [`OsdInfo::IN`] everything.
    pub weight: u32,
    /// How readily it becomes the primary, up to [`OsdInfo::IN`].
    pub primary_affinity: u32,
    /// Where it listens for clients.
    pub client_addrs: AddrVec,
    /// Where it listens for other OSDs.
    pub cluster_addrs: AddrVec,
    /// The epoch it came up in.
    pub up_from: u32,
    /// An epoch until which it certainly ran.
    pub up_thru: u32,
    /// The epoch it went down in.
    pub down_at: u32,
    /// The epoch it was declared lost in.
    pub lost_at: u32,
}

impl OsdInfo {
    /// The weight of an OSD that keeps all it gets.
    pub const IN: u32 = 0x10000;

    /// Whether there is such an OSD.
    pub fn exists(&self) -> bool {
        self.state.contains(OsdState::EXISTS)
    }

    /// Whether it runs.
    pub fn is_up(&self) -> bool {
        self.state.contains(OsdState::EXISTS.with(OsdState::UP))
    }

    /// Whether it is given data.
    pub fn is_in(&self) -> bool {
        self.exists() && self.weight != 0
    }
}

impl Default for OsdInfo {
    fn default() -> Self {
        Self {
            state: OsdState::default(),
            weight: 0,
            primary_affinity: Self::IN,
            client_addrs: AddrVec::new(),
            cluster_addrs: AddrVec::new(),
            up_from: 0,
            up_thru: 0,
            down_at: 0,
            lost_at: 0,
        }
    }
}

/// The state of an OSD.
///
/// Ceph: `CEPH_OSD_*` in `src/include/rados.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct OsdState(pub u32);

impl OsdState {
    /// There is such an OSD.
    pub const EXISTS: Self = Self(1);
    /// It runs.
    pub const UP: Self = Self(1 << 1);
    /// It was marked out by the monitors.
    pub const AUTOOUT: Self = Self(1 << 2);
    /// It has never been in.
    pub const NEW: Self = Self(1 << 3);
    /// It is full.
    pub const FULL: Self = Self(1 << 4);
    /// It is nearly full.
    pub const NEARFULL: Self = Self(1 << 5);
    /// It is too full to be backfilled.
    pub const BACKFILLFULL: Self = Self(1 << 6);
    /// It was destroyed; its id waits for a new one.
    pub const DESTROYED: Self = Self(1 << 7);
    /// It may not boot.
    pub const NOUP: Self = Self(1 << 8);
    /// It is not marked down.
    pub const NODOWN: Self = Self(1 << 9);
    /// It is not marked in.
    pub const NOIN: Self = Self(1 << 10);
    /// It is not marked out.
    pub const NOOUT: Self = Self(1 << 11);
    /// It is to stop.
    pub const STOP: Self = Self(1 << 12);

    /// Whether all of `states` hold.
    pub const fn contains(self, states: Self) -> bool {
        self.0 & states.0 == states.0
    }

    /// These states but for those of `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Both sets of states.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
