//! A machine that panics breaks a rule like any other, and says where.

use crate::Violation;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `work` comes to, if it does not panic. What it leaves behind then is only good for being looked at.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Violation> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| Violation::Panicked(text(&*panic)))
}

fn text(panic: &(dyn Any + Send)) -> String {
    let literal = panic.downcast_ref::<&str>().map(|text| (*text).into());
    literal.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a text".into())
}
