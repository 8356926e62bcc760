//! The part of an address that tells two processes, or two incarnations, at the same place apart.

use axon_auth::Entropy;
use std::fmt;

/// The nonce of a messenger's addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Nonce(u32);

impl Nonce {
    /// What a rebind adds. Ceph: src/msg/async/AsyncMessenger.cc.
    const STEP: u32 = 1_000_000;

    /// Zero, as Ceph's monitors have it: their addresses are known before they run.
    pub const MONITOR: Self = Self(0);

    /// A nonce given from outside, for example by configuration.
    pub const fn fixed(nonce: u32) -> Self {
        Self(nonce)
    }

    /// A random nonce, never that of a monitor.
    pub fn random(entropy: &mut dyn Entropy) -> Self {
        let mut bytes = [0; 4];
        entropy.fill(&mut bytes);
        Self(u32::from_le_bytes(bytes).max(1))
    }

    /// That of the next incarnation at new ports.
    #[must_use]
    pub const fn rebound(self) -> Self {
        Self(self.0.wrapping_add(Self::STEP))
    }

    /// The number on the wire.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
