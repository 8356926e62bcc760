//! Why the OSD map does not go on.

use super::MapError;
use crate::msg::MessageError;

/// Why maps that were received are of no use. While it lasts the map stays what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapFault {
    /// The message that carries them cannot be read.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// A map, or a change to one, cannot be read or does not fit.
    #[error(transparent)]
    Map(#[from] MapError),
}
