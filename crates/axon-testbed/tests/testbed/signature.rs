//! AUTH_SIGNATURE: each end signs all it received before it.

use axon_testbed::Direction;
use axon_wire::Control;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What passed in each direction up to AUTH_DONE.
#[derive(Default)]
pub(crate) struct Transcript {
    bytes: [Vec<u8>; 2],
    /// Once agreed: the session key, `None` for method none.
    key: Option<Option<Vec<u8>>>,
}

impl Transcript {
    pub(crate) fn said(&mut self, direction: Direction, bytes: &[u8]) {
        if self.key.is_none() {
            self.bytes[direction as usize].extend_from_slice(bytes);
        }
    }

    /// Both ends know the session key; what was said so far is what gets signed.
    pub(crate) fn agreed(&mut self, key: Option<Vec<u8>>) {
        self.key = Some(key);
    }

    /// Asserts that a signature is right, if the key is known.
    pub(crate) fn check(&self, direction: Direction, control: &Control) {
        let (Control::AuthSignature(frame), Some(key)) = (control, &self.key) else { return };
        let Some(key) = key else {
            assert_eq!(frame.signature, [0; 32]);
            return;
        };
        let received = match direction {
            Direction::ToServer => &self.bytes[Direction::ToClient as usize],
            Direction::ToClient => &self.bytes[Direction::ToServer as usize],
        };
        let mut hmac = Hmac::<Sha256>::new_from_slice(key).expect("any length will do");
        hmac.update(received);
        let expected: [u8; 32] = hmac.finalize().into_bytes().into();
        assert_eq!(frame.signature, expected);
    }
}
