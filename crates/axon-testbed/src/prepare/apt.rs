//! A package manager state of its own for another suite of Debian: lists, packages, and an empty database of
//! installed packages, so that every dependency is fetched.

use super::Packages;
use crate::TestbedError;
use crate::process::{Run, run, tail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const MIRROR: &str = "http://deb.debian.org/debian";
/// Enough for 250 MB over a slow line.
const PATIENCE: Duration = Duration::from_secs(1200);

pub(super) struct Apt {
    packages: Packages,
    dir: PathBuf,
}

impl Apt {
    /// An empty state in `dir`.
    pub(super) fn new(packages: Packages, dir: &Path) -> Result<Self, TestbedError> {
        for folder in ["lists/partial", "archives/partial"] {
            let path = dir.join(folder);
            fs::create_dir_all(&path).map_err(TestbedError::io("create", &path))?;
        }
        fs::write(dir.join("status"), "").map_err(TestbedError::io("write", dir.join("status")))?;
        let dir = dir.to_owned();
        Ok(Self { packages, dir })
    }

    /// Fetches the suite's index from the first mirror that has it.
    pub(super) fn update(&self) -> Result<(), TestbedError> {
        let mut output = String::new();
        for mirror in mirrors() {
            let sources = format!("deb [signed-by={KEYRING}] {mirror} {} main\n", self.packages.suite);
            let path = self.dir.join("sources.list");
            fs::write(&path, sources).map_err(TestbedError::io("write", &path))?;
            let mut update = self.apt_get();
            update.args(["-o", "APT::Update::Error-Mode=any", "update"]);
            let run = run(&update, PATIENCE)?;
            if run.status.success() {
                return Ok(());
            }
            output += &run.both();
        }
        Err(self.failed("apt-get update", &output))
    }

    /// Fetches the packages and everything they depend on.
    pub(super) fn download(&self) -> Result<(), TestbedError> {
        let mut install = self.apt_get();
        install
            .args(["-y", "--no-install-recommends", "--download-only"])
            .args(["-o", "Acquire::Retries=3", "install"])
            .args(self.packages.names);
        self.check("apt-get install --download-only", run(&install, PATIENCE)?)
    }

    /// Unpacks all that was fetched into `root`, without running any package's scripts.
    pub(super) fn unpack(&self, root: &Path) -> Result<(), TestbedError> {
        fs::create_dir_all(root).map_err(TestbedError::io("create", root))?;
        let mut unpack = Command::new("sh");
        unpack
            .args([
                "-ec",
                "cd \"$1\"; for deb in \"$0\"/*.deb; do \
                 dpkg-deb --fsys-tarfile \"$deb\" > ../fsys.tar; \
                 tar -xf ../fsys.tar --keep-directory-symlink --no-same-owner --no-same-permissions \
                 --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale; \
                 done; rm ../fsys.tar",
            ])
            .arg(self.dir.join("archives"))
            .arg(root);
        self.check("unpacking", run(&unpack, PATIENCE)?)
    }

    fn check(&self, step: &'static str, run: Run) -> Result<(), TestbedError> {
        if run.status.success() { Ok(()) } else { Err(self.failed(step, &run.both())) }
    }

    fn failed(&self, step: &'static str, output: &str) -> TestbedError {
        TestbedError::Prepare { what: self.packages.title.into(), step, output: tail(output, 40) }
    }

    /// `apt-get` on this state, with the machine's own proxy and transport settings.
    fn apt_get(&self) -> Command {
        let mut command = Command::new("apt-get");
        let mut option = |name: &str, value: &Path| {
            command.args(["-o", &format!("{name}={}", value.display())]);
        };
        option("Dir::State", &self.dir);
        option("Dir::State::Lists", &self.dir.join("lists"));
        option("Dir::State::status", &self.dir.join("status"));
        option("Dir::Cache", &self.dir);
        option("Dir::Cache::Archives", &self.dir.join("archives"));
        option("Dir::Etc::SourceList", &self.dir.join("sources.list"));
        option("Dir::Etc::SourceParts", Path::new("/dev/null"));
        option("Dir::Etc::Preferences", Path::new("/dev/null"));
        option("Dir::Etc::PreferencesParts", Path::new("/dev/null"));
        // As root apt would drop to a user that cannot write the cache folder.
        option("APT::Sandbox::User", Path::new(""));
        option("Debug::NoLocking", Path::new("1"));
        option("Acquire::Languages", Path::new("none"));
        // Mirrors that stand still are fine: signatures are checked, only their age is not.
        option("Acquire::Check-Valid-Until", Path::new("false"));
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    }
}

/// `$AXON_DEBIAN_MIRROR` alone, or the machine's own mirror of Debian and then Debian's.
fn mirrors() -> Vec<String> {
    if let Ok(mirror) = env::var("AXON_DEBIAN_MIRROR") {
        return vec![mirror];
    }
    let mut indexes = Command::new("apt-get");
    indexes.args(["indextargets", "--format", "$(REPO_URI)"]);
    let listed = run(&indexes, Duration::from_secs(60)).map_or_else(|_| String::new(), |r| r.stdout);
    let mut mirrors: Vec<String> = listed
        .lines()
        .map(|uri| uri.trim_end_matches('/').to_owned())
        .filter(|uri| uri.ends_with("/debian"))
        .collect();
    mirrors.sort();
    mirrors.push(MIRROR.into());
    mirrors.dedup();
    mirrors
}
