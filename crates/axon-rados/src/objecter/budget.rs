//! How much may be in flight.

/// Limits of what is in flight, and what is.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    max_ops: usize,
    max_bytes: u64,
    ops: usize,
    bytes: u64,
}

impl Budget {
    /// At most `max_ops` requests with `max_bytes` bytes sent or asked for; a larger request goes alone.
    pub(crate) fn new(max_ops: usize, max_bytes: u64) -> Self {
        Self { max_ops: max_ops.max(1), max_bytes, ops: 0, bytes: 0 }
    }

    /// Takes a request's part, if there is room.
    pub(super) fn take(&mut self, cost: u64) -> bool {
        let fits = self.ops == 0 || self.bytes.saturating_add(cost) <= self.max_bytes;
        let room = self.ops < self.max_ops && fits;
        if room {
            self.ops += 1;
            self.bytes = self.bytes.saturating_add(cost);
        }
        room
    }

    /// Gives a request's part back.
    pub(super) fn give_back(&mut self, cost: u64) {
        self.ops = self.ops.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(cost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_limits_count() {
        let mut budget = Budget::new(2, 100);
        assert!(budget.take(60));
        assert!(!budget.take(60), "bytes");
        assert!(budget.take(40));
        assert!(!budget.take(0), "requests");
        budget.give_back(60);
        assert!(budget.take(60));
    }

    #[test]
    fn what_exceeds_the_limit_goes_alone() {
        let mut budget = Budget::new(10, 100);
        assert!(budget.take(1000));
        assert!(!budget.take(1));
        budget.give_back(1000);
        assert!(budget.take(1));
        assert!(!budget.take(1000));
    }
}
