//! The thread that does what is due.

use super::core::Core;
use axon_messenger::StartError;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

/// Runs [`Core::keep`] until the session is closed.
pub(super) fn start(core: Arc<Core>) -> Result<JoinHandle<()>, StartError> {
    let keep = move || core.keep();
    Builder::new().name("axon-objecter".to_owned()).spawn(keep).map_err(StartError::Thread)
}
