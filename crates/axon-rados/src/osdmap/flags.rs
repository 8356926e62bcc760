//! What holds for the whole cluster.

/// Flags of the cluster, set by `ceph osd set` or by the monitors.
///
/// Ceph: `CEPH_OSDMAP_*` in `src/include/rados.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct MapFlags(pub u32);

impl MapFlags {
    /// An OSD is nearly full (before Luminous).
    pub const NEARFULL: Self = Self(1);
    /// An OSD is full: writes wait (before Luminous; later it is a flag of pools).
    pub const FULL: Self = Self(1 << 1);
    /// Reads wait.
    pub const PAUSERD: Self = Self(1 << 2);
    /// Writes wait.
    pub const PAUSEWR: Self = Self(1 << 3);
    /// Recovery waits.
    pub const PAUSEREC: Self = Self(1 << 4);
    /// OSDs may not boot.
    pub const NOUP: Self = Self(1 << 5);
    /// OSDs are not marked down.
    pub const NODOWN: Self = Self(1 << 6);
    /// OSDs are not marked out.
    pub const NOOUT: Self = Self(1 << 7);
    /// OSDs are not marked in.
    pub const NOIN: Self = Self(1 << 8);
    /// No backfill.
    pub const NOBACKFILL: Self = Self(1 << 9);
    /// No recovery.
    pub const NORECOVER: Self = Self(1 << 10);
    /// No scrubs.
    pub const NOSCRUB: Self = Self(1 << 11);
    /// No deep scrubs.
    pub const NODEEP_SCRUB: Self = Self(1 << 12);
    /// Cache tiers do not work.
    pub const NOTIERAGENT: Self = Self(1 << 13);
    /// No rebalancing.
    pub const NOREBALANCE: Self = Self(1 << 14);
    /// Objects are ordered bit by bit.
    pub const SORTBITWISE: Self = Self(1 << 15);
    /// OSDs must know the protocol of Jewel.
    pub const REQUIRE_JEWEL: Self = Self(1 << 16);
    /// OSDs must know the protocol of Kraken.
    pub const REQUIRE_KRAKEN: Self = Self(1 << 17);
    /// OSDs must know the protocol of Luminous.
    pub const REQUIRE_LUMINOUS: Self = Self(1 << 18);
    /// Deletions are recovered like writes.
    pub const RECOVERY_DELETES: Self = Self(1 << 19);
    /// Snapshots to purge are in the map.
    pub const PURGED_SNAPDIRS: Self = Self(1 << 20);
    /// No trimming of snapshots.
    pub const NOSNAPTRIM: Self = Self(1 << 21);
    /// Placement groups have a hard limit on the length of their logs.
    pub const PGLOG_HARDLIMIT: Self = Self(1 << 22);
    /// The autoscaler does nothing.
    pub const NOAUTOSCALE: Self = Self(1 << 23);

    const LEGACY_REQUIRE: Self =
        Self(Self::REQUIRE_JEWEL.0 | Self::REQUIRE_KRAKEN.0 | Self::REQUIRE_LUMINOUS.0);

    /// The flags as they are read where OSDs must be of a release: some then need not be said.
    pub(super) const fn implied_by(self, require_osd_release: u8) -> Self {
        const LUMINOUS: u8 = 12;
        const NAUTILUS: u8 = 14;
        let mut flags = self.0;
        if require_osd_release >= LUMINOUS {
            flags = flags & !Self::LEGACY_REQUIRE.0 | Self::RECOVERY_DELETES.0;
        }
        if require_osd_release >= NAUTILUS {
            flags |= Self::PGLOG_HARDLIMIT.0;
        }
        Self(flags)
    }

    /// Whether all of `flags` are set.
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}
