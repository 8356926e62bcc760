//! `crushtool` and `osdmaptool`: what Ceph's own code makes of CRUSH maps and OSD maps.

use crate::process::run_ok;
use crate::{Release, Scratch, TestbedError, Tree};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(300);

/// Ceph's offline tools for maps, in a folder of their own. Maps come and go as bytes.
#[derive(Debug)]
pub struct MapTools {
    tree: Tree,
    scratch: Scratch,
}

/// Where an input was placed.
pub type Mapping = (u32, Vec<i32>);

impl MapTools {
    /// The tools of a release.
    ///
    /// # Errors
    /// [`TestbedError::NotPrepared`].
    pub fn new(release: Release) -> Result<Self, TestbedError> {
        Ok(Self { tree: Tree::find(release)?, scratch: Scratch::new("maps")? })
    }

    /// The release they are of.
    pub fn release(&self) -> Release {
        self.tree.release()
    }

    /// The CRUSH map described by `text`.
    ///
    /// # Errors
    /// When `crushtool` cannot compile it: its reason is in the error.
    pub fn compile_crush(&self, text: &str) -> Result<Vec<u8>, TestbedError> {
        let source = self.scratch.write("crush.txt", text)?;
        let out = self.file("crush");
        self.run("crushtool", &["--enable-unsafe-tunables", "-c", &path(&source), "-o", &path(&out)])?;
        self.read("crush")
    }

    /// A CRUSH map of `osds` devices and layers, each `[name, algorithm, size]`.
    ///
    /// # Errors
    /// When `crushtool` does not like the layers.
    pub fn build_crush(&self, osds: u32, layers: &[[&str; 3]]) -> Result<Vec<u8>, TestbedError> {
        let (osds, out) = (osds.to_string(), path(&self.file("crush")));
        let mut args = vec!["-o", &out, "--build", "--num_osds", &osds];
        args.extend(layers.iter().flatten());
        self.run("crushtool", &args)?;
        self.read("crush")
    }

    /// What `crushtool --test --show-mappings` says of a map; `args` choose rule, count, inputs and weights.
    ///
    /// # Errors
    /// When it fails, or its output is not understood.
    pub fn crush_mappings(&self, map: &[u8], args: &[&str]) -> Result<Vec<Mapping>, TestbedError> {
        let file = path(&self.scratch.write("crush", map)?);
        let all = [&["-i", &file, "--test", "--show-mappings"], args].concat();
        let output = self.run("crushtool", &all)?;
        output.lines().filter(|line| line.starts_with("CRUSH rule")).map(parse_mapping).collect()
    }

    /// Runs `crushtool --test` with the same arguments and prints nothing: for those who want to know how long it takes.
    ///
    /// # Errors
    /// When it fails.
    pub fn crush_test(&self, map: &[u8], args: &[&str]) -> Result<(), TestbedError> {
        let file = path(&self.scratch.write("crush", map)?);
        self.run("crushtool", &[&["-i", &file, "--test"], args].concat()).map(drop)
    }

    /// A map of `osds` OSDs, all of them up and in, made by `osdmaptool --createsimple`.
    ///
    /// # Errors
    /// When it fails.
    pub fn create_osdmap(&self, osds: u32, args: &[&str]) -> Result<Vec<u8>, TestbedError> {
        let file = path(&self.file("osdmap"));
        let osds = osds.to_string();
        self.run("osdmaptool", &[&[&file[..], "--clobber", "--createsimple", &osds], args].concat())?;
        self.read("osdmap")
    }

    /// Runs `osdmaptool` on a map: what it printed, and the map as it is then.
    ///
    /// # Errors
    /// When it fails.
    pub fn osdmaptool(&self, map: &[u8], args: &[&str]) -> Result<(String, Vec<u8>), TestbedError> {
        let file = path(&self.scratch.write("osdmap", map)?);
        let output = self.run("osdmaptool", &[&[&file[..]], args].concat())?;
        Ok((output, self.read("osdmap")?))
    }

    /// Writes a file the tools' arguments may name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<String, TestbedError> {
        Ok(path(&self.scratch.write(name, bytes)?))
    }

    /// Runs another program of the release; returns what it printed, standard error last.
    ///
    /// # Errors
    /// When it fails.
    pub fn run(&self, program: &str, args: &[&str]) -> Result<String, TestbedError> {
        let mut command = self.tree.command(program);
        Ok(run_ok(command.args(args), TIMEOUT)?.both())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, TestbedError> {
        let file = self.file(name);
        fs::read(&file).map_err(TestbedError::io("read", file))
    }
}

fn path(path: &std::path::Path) -> String {
    path.display().to_string()
}

/// `CRUSH rule 0 x 5 [3,16,20]`
fn parse_mapping(line: &str) -> Result<Mapping, TestbedError> {
    let parse = || {
        let (_, rest) = line.split_once(" x ")?;
        let (x, items) = rest.split_once(' ')?;
        let items = items.strip_prefix('[')?.strip_suffix(']')?;
        let items = items.split(',').filter(|item| !item.is_empty());
        Some((x.parse().ok()?, items.map(str::parse).collect::<Result<_, _>>().ok()?))
    };
    parse().ok_or_else(|| TestbedError::Unexpected { what: "crushtool".into(), output: line.into() })
}
