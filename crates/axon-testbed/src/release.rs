//! The releases of Ceph that Debian carries.

use crate::prepare::Packages;
use std::fmt;

/// A release of Ceph, by the Debian suite that packages it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Release {
    /// 14.2, Debian 11. Old enough that its `ceph-dencoder` still carries its types inside, which
    /// Debian's later packages leave out: the oracle for encodings.
    Nautilus,
    /// 16.2, Debian 12. No frame compression.
    Pacific,
    /// 18.2, Debian 13.
    Reef,
    /// 20.2, Debian unstable. Its new clusters use keys of type `aes256k`.
    Tentacle,
}

impl Release {
    /// Every release, oldest first.
    pub const ALL: [Release; 4] = [Self::Nautilus, Self::Pacific, Self::Reef, Self::Tentacle];

    /// The lower-case code name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nautilus => "nautilus",
            Self::Pacific => "pacific",
            Self::Reef => "reef",
            Self::Tentacle => "tentacle",
        }
    }

    /// The Debian suite.
    pub fn suite(self) -> &'static str {
        match self {
            Self::Nautilus => "bullseye",
            Self::Pacific => "bookworm",
            Self::Reef => "trixie",
            Self::Tentacle => "sid",
        }
    }

    /// The packages unpacked, dependencies not counted.
    pub fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Nautilus => &["ceph-common", "ceph-base", "ceph-mon", "ceph-osd"],
            _ => &["ceph-common", "ceph-mon", "ceph-osd", "ceph-mgr", "ceph-mds", "ceph-test"],
        }
    }

    /// All of it, as packages of Debian.
    pub(crate) fn debian(self) -> Packages {
        let title = match self {
            Self::Nautilus => "Ceph nautilus",
            Self::Pacific => "Ceph pacific",
            Self::Reef => "Ceph reef",
            Self::Tentacle => "Ceph tentacle",
        };
        Packages { title, folder: self.as_str(), suite: self.suite(), names: self.packages() }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
