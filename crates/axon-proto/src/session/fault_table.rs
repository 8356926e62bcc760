//! What becomes of a session when its socket breaks.

/// What the decision depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultFacts {
    /// The session is lossy.
    pub lossy: bool,
    /// This side never dials.
    pub server: bool,
    /// Policy: an idle broken session waits for a reason to dial.
    pub standby: bool,
    /// The session was open when the socket broke.
    pub established: bool,
    /// Nothing waits to be sent.
    pub idle: bool,
    /// The peer answered WAIT.
    pub told_to_wait: bool,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultVerdict {
    /// The session is over; the application is told.
    Reset,
    /// Wait for something to send, or for the peer to dial.
    Standby,
    /// Dial at once.
    RedialNow,
    /// Dial after a growing back-off.
    RedialLater,
    /// Dial after a short jittered pause, unless the peer's own dial arrives first.
    RedialAfterWait,
}

/// The table, first match wins (Ceph: `ProtocolV2::_fault`). A half-open accept has no session yet and never comes here.
///
/// | # | row | when | verdict |
/// |---|---|---|---|
/// | 1 | lossy-established | a lossy session was open | reset |
/// | 2 | idle-standby | the policy allows standby and nothing waits, and the peer did not say WAIT | standby |
/// | 3 | server-standby | this side never dials | standby |
/// | 4 | established | the session was open | dial now |
/// | 5 | told-to-wait | the peer said WAIT | dial after a short pause |
/// | 6 | connecting | otherwise | dial after the back-off |
pub fn decide_fault(facts: &FaultFacts) -> FaultVerdict {
    match *facts {
        FaultFacts { lossy: true, established: true, .. } => FaultVerdict::Reset,
        FaultFacts { standby: true, idle: true, told_to_wait: false, .. } => FaultVerdict::Standby,
        FaultFacts { server: true, .. } => FaultVerdict::Standby,
        FaultFacts { established: true, .. } => FaultVerdict::RedialNow,
        FaultFacts { told_to_wait: true, .. } => FaultVerdict::RedialAfterWait,
        _ => FaultVerdict::RedialLater,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use core::fmt::Write;
    use expect_test::expect;

    /// Facts by letter: Lossy, Server, Standby, Established, Idle, told to Wait.
    fn verdict(letters: &str) -> FaultVerdict {
        let has = |c| letters.contains(c);
        decide_fault(&FaultFacts {
            lossy: has('L'),
            server: has('S'),
            standby: has('B'),
            established: has('E'),
            idle: has('I'),
            told_to_wait: has('W'),
        })
    }

    #[test]
    fn each_row() {
        let mut table = String::new();
        for letters in [
            "LE", "LES", "LEB", "L", "LI", "LW", "BI", "BEI", "B", "BE", "BIW", "S", "SE", "SEI", "E", "EI",
            "W", "",
        ] {
            writeln!(table, "{letters:4} {:?}", verdict(letters)).unwrap();
        }
        expect![[r#"
            LE   Reset
            LES  Reset
            LEB  Reset
            L    RedialLater
            LI   RedialLater
            LW   RedialAfterWait
            BI   Standby
            BEI  Standby
            B    RedialLater
            BE   RedialNow
            BIW  RedialAfterWait
            S    Standby
            SE   Standby
            SEI  Standby
            E    RedialNow
            EI   RedialNow
            W    RedialAfterWait
                 RedialLater
        "#]]
        .assert_eq(&table);
    }
}
