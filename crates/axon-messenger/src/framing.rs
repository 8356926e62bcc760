//! Which framings a messenger speaks.

/// Which revisions of msgr2's framing a messenger speaks. Ceph: `CEPH_MSGR2_FEATURE_REVISION_1`, which it announces from
/// 15.2 and 14.2.11 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Framing {
    /// Revision 1 with all who speak it, revision 0 with the others.
    #[default]
    Newest,
    /// Revision 1; who speaks only revision 0 is refused.
    Revision1,
    /// Revision 0, with everybody; who insists on revision 1 refuses. To talk to, or test against, the old framing.
    Revision0,
}

impl Framing {
    /// Whether revision 1 is announced.
    pub(crate) fn offers_revision_1(self) -> bool {
        self != Self::Revision0
    }

    /// Whether who does not announce it is refused.
    pub(crate) fn requires_revision_1(self) -> bool {
        self == Self::Revision1
    }
}
