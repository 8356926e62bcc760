//! The secret from which secure mode takes its keys.

use crate::{AuthError, Entropy, Mode};
use alloc::vec::Vec;
use axon_denc::{Decode, DecodeError, Decoder, Encode};
use zeroize::Zeroizing;

/// Bytes a server sends in secure mode.
pub const CONNECTION_SECRET_LEN: usize = 64;
/// Bytes secure mode uses: an AES-128 key and two 12-byte nonces.
const USED_LEN: usize = 40;

/// Empty in crc mode; le32 length and bytes on the wire.
pub(crate) struct ConnectionSecret(pub(crate) Zeroizing<Vec<u8>>);

impl ConnectionSecret {
    /// As `mode` needs it.
    pub(crate) fn generate(mode: Mode, entropy: &mut dyn Entropy) -> Self {
        let length = match mode {
            Mode::SECURE => CONNECTION_SECRET_LEN,
            _ => 0,
        };
        let mut secret = Zeroizing::new(alloc::vec![0; length]);
        entropy.fill(&mut secret);
        Self(secret)
    }

    /// For [`crate::Agreed`]; fails if `mode` needs more bytes than there are.
    pub(crate) fn agreed(self, mode: Mode) -> Result<Option<Zeroizing<Vec<u8>>>, AuthError> {
        let length = self.0.len();
        match mode {
            Mode::SECURE if length < USED_LEN => Err(AuthError::NoConnectionSecret { length }),
            Mode::SECURE => Ok(Some(self.0)),
            _ => Ok(None),
        }
    }
}

impl Encode for ConnectionSecret {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.as_slice().encode(out);
    }
}

impl Decode for ConnectionSecret {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self(Zeroizing::new(input.blob()?.to_vec())))
    }
}
