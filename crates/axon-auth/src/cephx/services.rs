//! A set of services, as a bit mask.

use alloc::vec::Vec;
use axon_denc::{Encode, EntityType};
use core::fmt;
use core::ops::{BitOr, BitOrAssign};

/// Services for which tickets are wanted; on the wire le32 with the entity types' bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Services(u32);

impl Services {
    /// No service.
    pub const NONE: Services = Services(0);
    /// What a client of the whole cluster needs: monitors, metadata servers, OSDs and managers.
    pub const CLUSTER: Services = Services(
        EntityType::Mon as u32 | EntityType::Mds as u32 | EntityType::Osd as u32 | EntityType::Mgr as u32,
    );

    /// From the wire; undefined bits are kept.
    pub fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The mask.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `service` is in it.
    pub fn contains(self, service: EntityType) -> bool {
        self.0 & service as u32 != 0
    }

    /// Its known services.
    pub fn iter(self) -> impl Iterator<Item = EntityType> {
        EntityType::ALL.into_iter().filter(move |service| self.contains(*service))
    }
}

impl From<EntityType> for Services {
    fn from(service: EntityType) -> Self {
        Self(service as u32)
    }
}

impl<S: Into<Services>> BitOr<S> for Services {
    type Output = Services;

    fn bitor(self, other: S) -> Services {
        Services(self.0 | other.into().0)
    }
}

impl<S: Into<Services>> BitOrAssign<S> for Services {
    fn bitor_assign(&mut self, other: S) {
        *self = *self | other;
    }
}

impl FromIterator<EntityType> for Services {
    fn from_iter<I: IntoIterator<Item = EntityType>>(services: I) -> Self {
        services.into_iter().fold(Self::NONE, |all, one| all | one)
    }
}

impl Encode for Services {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
