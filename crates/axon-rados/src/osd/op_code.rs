//! What operations there are.

use std::fmt;

/// What an operation does, as numbered on the wire. Codes this list lacks are carried as they are.
///
/// Ceph: `__CEPH_FORALL_OSD_OPS` in `src/include/rados.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OpCode(pub u16);

const MODE_READ: u16 = 0x1000;
const MODE_WRITE: u16 = 0x2000;
const TYPE: u16 = 0x0f00;
const DATA: u16 = 0x0200;
const ATTR: u16 = 0x0300;
const EXEC: u16 = 0x0400;
const PG: u16 = 0x0500;

/// Declares the codes, and how Ceph calls them.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:expr, $text:literal;)*) => {
        impl OpCode {
            $($(#[$doc])* pub const $name: OpCode = OpCode($code);)*

            /// Ceph's name of the operation; `None` if this list lacks it.
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

codes! {
    /// Reads an extent.
    READ = MODE_READ | DATA | 1, "read";
    /// Asks for size and time.
    STAT = MODE_READ | DATA | 2, "stat";
    /// Reads the parts of an extent that were written.
    SPARSE_READ = MODE_READ | DATA | 5, "sparse-read";
    /// Tells all watchers something.
    NOTIFY = MODE_READ | DATA | 6, "notify";
    /// A watcher answers.
    NOTIFY_ACK = MODE_READ | DATA | 7, "notify-ack";
    /// Fails unless the object has a version.
    ASSERT_VER = MODE_READ | DATA | 8, "assert-version";
    /// Asks who watches.
    LIST_WATCHERS = MODE_READ | DATA | 9, "list-watchers";
    /// Asks for the object's snapshots.
    LIST_SNAPS = MODE_READ | DATA | 10, "list-snaps";
    /// Asks for the names of the omap's values.
    OMAP_GET_KEYS = MODE_READ | DATA | 17, "omap-get-keys";
    /// Asks for the omap's values, in the order of their names.
    OMAP_GET_VALS = MODE_READ | DATA | 18, "omap-get-vals";
    /// Asks for the omap's header.
    OMAP_GET_HEADER = MODE_READ | DATA | 19, "omap-get-header";
    /// Asks for some of the omap's values.
    OMAP_GET_VALS_BY_KEYS = MODE_READ | DATA | 20, "omap-get-vals-by-keys";
    /// Compares values of the omap.
    OMAP_CMP = MODE_READ | DATA | 25, "omap-cmp";
    /// Asks for checksums of an extent.
    CHECKSUM = MODE_READ | DATA | 31, "checksum";
    /// Compares an extent.
    CMPEXT = MODE_READ | DATA | 32, "cmpext";
    /// Writes an extent.
    WRITE = MODE_WRITE | DATA | 1, "write";
    /// Replaces the object's data.
    WRITEFULL = MODE_WRITE | DATA | 2, "writefull";
    /// Cuts or grows the object.
    TRUNCATE = MODE_WRITE | DATA | 3, "truncate";
    /// Zeroes an extent.
    ZERO = MODE_WRITE | DATA | 4, "zero";
    /// Deletes the object.
    DELETE = MODE_WRITE | DATA | 5, "delete";
    /// Writes at the end.
    APPEND = MODE_WRITE | DATA | 6, "append";
    /// Creates the object.
    CREATE = MODE_WRITE | DATA | 13, "create";
    /// Makes the object what it was in a snapshot.
    ROLLBACK = MODE_WRITE | DATA | 14, "rollback";
    /// Begins, renews or ends a watch.
    WATCH = MODE_WRITE | DATA | 15, "watch";
    /// Sets values of the omap.
    OMAP_SET_VALS = MODE_WRITE | DATA | 21, "omap-set-vals";
    /// Sets the omap's header.
    OMAP_SET_HEADER = MODE_WRITE | DATA | 22, "omap-set-header";
    /// Removes the whole omap.
    OMAP_CLEAR = MODE_WRITE | DATA | 23, "omap-clear";
    /// Removes values of the omap.
    OMAP_RM_KEYS = MODE_WRITE | DATA | 24, "omap-rm-keys";
    /// Says how the object will be used.
    SET_ALLOC_HINT = MODE_WRITE | DATA | 35, "set-alloc-hint";
    /// Fills an extent with copies of a pattern.
    WRITE_SAME = MODE_WRITE | DATA | 38, "write-same";
    /// Removes a range of the omap's values.
    OMAP_RM_KEY_RANGE = MODE_WRITE | DATA | 44, "omap-rm-key-range";
    /// Asks for an extended attribute.
    GETXATTR = MODE_READ | ATTR | 1, "getxattr";
    /// Asks for all extended attributes.
    GETXATTRS = MODE_READ | ATTR | 2, "getxattrs";
    /// Compares an extended attribute.
    CMPXATTR = MODE_READ | ATTR | 3, "cmpxattr";
    /// Sets an extended attribute.
    SETXATTR = MODE_WRITE | ATTR | 1, "setxattr";
    /// Removes an extended attribute.
    RMXATTR = MODE_WRITE | ATTR | 4, "rmxattr";
    /// Calls a method of an object class.
    CALL = MODE_READ | EXEC | 1, "call";
    /// Lists the objects of a placement group.
    PGNLS = MODE_READ | PG | 5, "pgnls";
    /// Lists those that pass a filter.
    PGNLS_FILTER = MODE_READ | PG | 6, "pgnls-filter";
}

impl OpCode {
    /// Whether the operation changes the object by itself. What [`OpCode::CALL`] does is up to the method.
    pub const fn is_write(self) -> bool {
        self.0 & MODE_WRITE != 0
    }

    /// Whether the operation is on a placement group, not on an object.
    pub const fn is_on_pg(self) -> bool {
        self.0 & TYPE == PG
    }
}

impl fmt::Display for OpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "operation {:#x}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_wire() {
        for (code, number) in [
            (OpCode::READ, 0x1201),
            (OpCode::CMPEXT, 0x1220),
            (OpCode::WRITE, 0x2201),
            (OpCode::OMAP_RM_KEY_RANGE, 0x222c),
            (OpCode::CMPXATTR, 0x1303),
            (OpCode::RMXATTR, 0x2304),
            (OpCode::CALL, 0x1401),
            (OpCode::PGNLS, 0x1505),
        ] {
            assert_eq!(code.0, number, "{code}");
        }
    }

    #[test]
    fn kinds() {
        assert!(OpCode::WATCH.is_write() && !OpCode::NOTIFY.is_write() && !OpCode::CALL.is_write());
        assert!(OpCode::PGNLS.is_on_pg() && !OpCode::READ.is_on_pg());
        assert_eq!(OpCode::OMAP_CMP.to_string(), "omap-cmp");
        assert_eq!(OpCode(0x1299).to_string(), "operation 0x1299");
    }
}
