//! `ceph-dencoder`: what Ceph's own code makes of our bytes.

use crate::process::run_ok;
use crate::{Release, Scratch, TestbedError, Tree};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(30);

/// The oracle for encodings: decodes, prints and encodes Ceph's types with Ceph's code.
///
/// It is 14.2's, as Debian's packages of later releases lack the plug-ins that hold the types. The encodings of addresses,
/// names and the messages a client sends are the same today where the features say so.
#[derive(Debug)]
pub struct Dencoder {
    tree: Tree,
    scratch: Scratch,
}

/// A message as `ceph-dencoder` reads and writes it: the header of msgr1, an old footer, and three blobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OracleMessage {
    /// The message's type number.
    pub kind: u16,
    /// The version of the front's encoding.
    pub version: u16,
    /// The oldest decoder that may read it.
    pub compat_version: u16,
    /// The transaction id.
    pub tid: u64,
    /// The front.
    pub front: Vec<u8>,
    /// The data.
    pub data: Vec<u8>,
}

impl Dencoder {
    /// The oracle.
    ///
    /// # Errors
    /// [`TestbedError::NotPrepared`].
    pub fn new() -> Result<Self, TestbedError> {
        Ok(Self { tree: Tree::find(Release::Nautilus)?, scratch: Scratch::new("dencoder")? })
    }

    /// Decodes `bytes` as a `class` and returns what Ceph prints of it.
    ///
    /// # Errors
    /// When Ceph cannot decode them: its reason is in the error.
    pub fn dump(&self, class: &str, bytes: &[u8]) -> Result<Value, TestbedError> {
        let file = self.scratch.write("import", bytes)?;
        let mut command = self.command(class);
        command.arg("import").arg(file).args(["decode", "dump_json"]);
        json(class, run_ok(&command, TIMEOUT)?.stdout)
    }

    /// Decodes `bytes` as a `class` and returns what Ceph encodes of it for a peer with these features.
    ///
    /// # Errors
    /// When Ceph cannot decode them.
    pub fn encode_again(&self, class: &str, features: u64, bytes: &[u8]) -> Result<Vec<u8>, TestbedError> {
        let file = self.scratch.write("import", bytes)?;
        let mut command = self.command(class);
        command.arg("set_features").arg(features.to_string());
        command.arg("import").arg(file).arg("decode");
        self.exported(command)
    }

    /// How many examples of a `class` Ceph has.
    ///
    /// # Errors
    /// When it does not know the class.
    pub fn examples(&self, class: &str) -> Result<u32, TestbedError> {
        let mut command = self.command(class);
        command.arg("count_tests");
        let output = run_ok(&command, TIMEOUT)?.stdout;
        let unexpected = || TestbedError::Unexpected { what: "ceph-dencoder".into(), output: output.clone() };
        output.trim().parse().map_err(|_| unexpected())
    }

    /// Ceph's example number `n` (from 1) of a `class`: its encoding for a peer with these features, and what
    /// Ceph prints of it.
    ///
    /// # Errors
    /// When there is no such example.
    pub fn example(&self, class: &str, n: u32, features: u64) -> Result<(Vec<u8>, Value), TestbedError> {
        let select = |mut command: Command| {
            command.arg("set_features").arg(features.to_string());
            command.args(["select_test", &n.to_string()]);
            command
        };
        let bytes = self.exported(select(self.command(class)))?;
        let mut dump = select(self.command(class));
        dump.arg("dump_json");
        Ok((bytes, json(class, run_ok(&dump, TIMEOUT)?.stdout)?))
    }

    /// Decodes a message of class `class` (`MMonCommand`) and returns the line Ceph prints of it.
    ///
    /// # Errors
    /// When Ceph cannot decode it, or it is of another class.
    pub fn message(&self, class: &str, message: &OracleMessage) -> Result<String, TestbedError> {
        let dump = self.dump(class, &message.to_bytes())?;
        match dump["summary"].as_str() {
            Some(summary) => Ok(summary.to_owned()),
            None => Err(TestbedError::Unexpected { what: class.into(), output: dump.to_string() }),
        }
    }

    fn command(&self, class: &str) -> Command {
        let mut command = self.tree.command("ceph-dencoder");
        command.args(["type", class]);
        command
    }

    fn exported(&self, mut command: Command) -> Result<Vec<u8>, TestbedError> {
        let file: PathBuf = self.scratch.path().join("export");
        run_ok(command.args(["encode", "export"]).arg(&file), TIMEOUT)?;
        fs::read(&file).map_err(TestbedError::io("read", file))
    }
}

impl OracleMessage {
    /// le64 seq, le64 tid, le16 type, le16 priority, le16 version, le32 front, le32 middle, le32 data, le16 data offset, u8 + le64
    /// source, le16 compat, le16 reserved, le32 crc; three le32 crcs, u8 flags; three blobs. Crcs are not checked.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(0u64.to_le_bytes());
        out.extend(self.tid.to_le_bytes());
        for short in [self.kind, 127, self.version] {
            out.extend(short.to_le_bytes());
        }
        for part in [&self.front[..], &[], &self.data] {
            out.extend((part.len() as u32).to_le_bytes());
        }
        out.extend([0; 2 + 9]);
        out.extend(self.compat_version.to_le_bytes());
        out.extend([0; 2 + 4]);
        const COMPLETE: u8 = 1;
        out.extend([0; 12]);
        out.push(COMPLETE);
        for part in [&self.front[..], &[], &self.data] {
            out.extend((part.len() as u32).to_le_bytes());
            out.extend_from_slice(part);
        }
        out
    }
}

fn json(class: &str, output: String) -> Result<Value, TestbedError> {
    let what = || format!("ceph-dencoder type {class}");
    serde_json::from_str(&output).map_err(|_| TestbedError::Unexpected { what: what(), output })
}
