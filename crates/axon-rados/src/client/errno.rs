//! Numbers OSDs and monitors answer errors with.

use std::fmt;

/// An error number of Linux, as OSDs answer it: positive. Every one is carried; those with a name are shown by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Errno(pub i32);

/// What the comparison of extents subtracts from, to say where they differ (`MAX_ERRNO`).
const MAX_ERRNO: i32 = 4095;

/// Declares the numbers with a name and a text.
macro_rules! errnos {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        impl Errno {
            $(#[doc = concat!($text, ".")] pub const $name: Self = Self($number);)*

            const fn entry(self) -> Option<(&'static str, &'static str)> {
                match self.0 {
                    $($number => Some((stringify!($name), $text)),)*
                    _ => None,
                }
            }
        }
    };
}

errnos! {
    EPERM = 1, "not permitted: the key's capabilities do not allow this";
    ENOENT = 2, "no such object";
    EIO = 5, "input/output error";
    ENXIO = 6, "no such device or address";
    EAGAIN = 11, "try again";
    ENOMEM = 12, "out of memory";
    EACCES = 13, "access denied: the key's capabilities do not allow this";
    EBUSY = 16, "busy: somebody else has it";
    EEXIST = 17, "it exists already";
    EINVAL = 22, "invalid argument";
    EFBIG = 27, "too large: the object would exceed the OSD's osd_max_object_size";
    ENOSPC = 28, "no space left: the cluster or the pool is full";
    EROFS = 30, "read-only";
    ERANGE = 34, "out of range: the object is newer than asserted";
    ENAMETOOLONG = 36, "name too long";
    ENODATA = 61, "no such attribute";
    EOVERFLOW = 75, "overflow: the object is older than asserted";
    EOLDSNAPC = 85, "the snapshot context is older than the object's";
    EMSGSIZE = 90, "too large for one request: the OSD's osd_max_write_size";
    EOPNOTSUPP = 95, "not supported";
    ENOTCONN = 107, "not connected: the watch is over";
    EBLOCKLISTED = 108, "this client is blocklisted";
    ETIMEDOUT = 110, "timed out";
    EDQUOT = 122, "quota exceeded: the pool is full";
    ECANCELED = 125, "cancelled: what was asserted does not hold";
}

impl Errno {
    /// Success is 0 or more; what is negative is an error.
    pub(crate) const fn check(code: i32) -> Result<(), Self> {
        match code {
            0.. => Ok(()),
            _ => Err(Self(code.saturating_neg())),
        }
    }

    /// If this is the answer of a failed comparison of extents: where they differ first, counted from the extent's
    /// beginning.
    pub const fn mismatch_at(self) -> Option<u64> {
        match self.0 {
            MAX_ERRNO.. => Some((self.0 - MAX_ERRNO) as u64),
            _ => None,
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.entry(), self.mismatch_at()) {
            (Some((name, text)), _) => write!(f, "{text} ({name})"),
            (None, Some(at)) => write!(f, "the data differs at byte {at}"),
            (None, None) => write!(f, "error {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_codes_are_errors() {
        assert_eq!(Errno::check(0), Ok(()));
        assert_eq!(Errno::check(5), Ok(()));
        assert_eq!(Errno::check(-2), Err(Errno::ENOENT));
        assert_eq!(Errno::check(i32::MIN), Err(Errno(i32::MAX)));
    }

    #[test]
    fn texts() {
        assert_eq!(Errno::ENOENT.to_string(), "no such object (ENOENT)");
        assert_eq!(Errno(4095 + 7).mismatch_at(), Some(7));
        assert_eq!(Errno(4102).to_string(), "the data differs at byte 7");
        assert_eq!(Errno(999).to_string(), "error 999");
        assert_eq!(Errno::ECANCELED.mismatch_at(), None);
    }
}
