//! Where a benchmark writes to.

use super::Load;
use crate::error::CliError;
use axon_rados::ops::WriteOp;
use bytes::Bytes;
use clap::Args;

/// Which parts of an object are written, in one step: its data unless others are named.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Target {
    /// Write the objects' data; needed only beside the two below.
    #[arg(long)]
    write_object: bool,

    /// Write a value of each object's omap.
    #[arg(long)]
    write_omap: bool,

    /// Write an extended attribute of each object.
    #[arg(long)]
    write_xattr: bool,
}

/// The names that `rados bench` uses. Ceph: `src/tools/rados/rados.cc`.
const OMAP_KEY: &str = "bench-omap-key-0";
const XATTR: &str = "bench-xattr-key-0";

impl Target {
    /// Fails if parts are named for a load that writes none.
    pub(super) fn check(self, load: Load) -> Result<(), CliError> {
        match load == Load::Write || !(self.write_object || self.write_omap || self.write_xattr) {
            true => Ok(()),
            false => Err(CliError::Usage {
                what: "--write-object, --write-omap and --write-xattr say what is written, and reads write nothing",
                help: "use them with: axon rados -p POOL bench SECONDS write",
            }),
        }
    }

    /// Whether the objects have data, which can be read.
    pub(super) fn has_data(self) -> bool {
        self.write_object || !(self.write_omap || self.write_xattr)
    }

    /// Writes `data` to all parts of an object.
    pub(super) fn write(self, data: Bytes) -> WriteOp {
        let mut op = WriteOp::new();
        if self.write_omap {
            op.omap_set([(OMAP_KEY, &data)]);
        }
        if self.write_xattr {
            op.set_xattr(XATTR, data.clone());
        }
        if self.has_data() {
            op.write(0, data);
        }
        op
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_unless_others_are_named() {
        let steps = |write_object, write_omap, write_xattr| {
            Target { write_object, write_omap, write_xattr }.write(Bytes::from_static(b"x")).len()
        };
        assert_eq!(steps(false, false, false), 1);
        assert_eq!(steps(false, true, true), 2);
        assert_eq!(steps(true, true, true), 3);
        assert!(!Target { write_object: false, write_omap: true, write_xattr: false }.has_data());
    }
}
