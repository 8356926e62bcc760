//! Allocations of the whole process, in builds with the feature `count-allocations`.

#[cfg(feature = "count-allocations")]
#[global_allocator]
static ALLOCATOR: alloc_tracker::Allocator<std::alloc::System> = alloc_tracker::Allocator::system();

/// Counts from its start, if the build counts allocations at all.
pub(super) struct Allocations {
    #[cfg(feature = "count-allocations")]
    session: alloc_tracker::Session,
    /// What it counted is in the session once it is dropped.
    #[cfg(feature = "count-allocations")]
    span: alloc_tracker::ProcessSpan,
}

#[cfg(feature = "count-allocations")]
impl Allocations {
    pub(super) fn start() -> Self {
        let session = alloc_tracker::Session::new().no_stdout().no_file();
        let span = session.operation("run").measure_process().iterations(1);
        Self { session, span }
    }

    /// Allocations and reallocations since the start, of all threads.
    pub(super) fn stop(self) -> Option<u64> {
        drop(self.span);
        let report = self.session.to_report();
        Some(report.operations().map(|(_, operation)| operation.total_allocations_count()).sum())
    }
}

#[cfg(not(feature = "count-allocations"))]
impl Allocations {
    pub(super) fn start() -> Self {
        Self {}
    }

    pub(super) fn stop(self) -> Option<u64> {
        None
    }
}

#[cfg(all(test, feature = "count-allocations"))]
mod tests {
    use super::*;

    #[test]
    fn those_of_other_threads_count() {
        let allocations = Allocations::start();
        std::thread::spawn(|| (0..1000).for_each(|n| drop(std::hint::black_box(Box::new(n)))))
            .join()
            .unwrap();
        // Other tests run meanwhile.
        assert!(allocations.stop().is_some_and(|count| count >= 1000));
    }
}
