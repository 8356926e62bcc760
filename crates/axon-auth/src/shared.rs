//! A value that several connections share.

/// A value behind whatever lock the host has; the crate itself knows none.
///
/// With the feature `std` (default) `std::sync::Mutex<T>` is one.
pub trait Shared<T>: Send + Sync {
    /// Calls `visit` once, with the value locked. `visit` must not visit the same value again.
    fn with(&self, visit: &mut dyn FnMut(&mut T));
}

#[cfg(feature = "std")]
impl<T: Send> Shared<T> for std::sync::Mutex<T> {
    fn with(&self, visit: &mut dyn FnMut(&mut T)) {
        // Every visitor leaves the value whole at each step, so a panic elsewhere does not spoil it.
        visit(&mut self.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

/// What `visit` makes of the shared value.
pub(crate) fn visit<T, R>(shared: &dyn Shared<T>, visit: impl FnOnce(&mut T) -> R) -> R {
    let mut visit = Some(visit);
    let mut made = None;
    shared.with(&mut |value| {
        if let Some(visit) = visit.take() {
            made = Some(visit(value));
        }
    });
    made.expect("a Shared calls its visitor")
}
