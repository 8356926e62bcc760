//! What can be wrong with a configuration. Every error says where, why and what to do.

use super::mon_host::MonHostProblem;
use axon_auth::{AuthName, BadKey, BadKeyring};
use axon_denc::DecodeError;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file; empty for what a command line set.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_os_str().is_empty() {
            true => f.write_str("command line"),
            false => write!(f, "{}:{}", self.path.display(), self.line),
        }
    }
}

/// Why the configuration does not say what is needed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfError {
    /// There is no file.
    #[error("no configuration file: looked for {}; set CEPH_CONF to the path of one", List(tried))]
    NotFound {
        /// Where one was looked for.
        tried: Vec<PathBuf>,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A line makes no sense.
    #[error("{at}: {problem}")]
    Syntax {
        /// The line.
        at: Origin,
        /// What is wrong.
        problem: SyntaxProblem,
    },
    /// The environment's `CEPH_ARGS` make no sense.
    #[error("CEPH_ARGS: {0}")]
    Arguments(#[from] BadArguments),
    /// The option `mon host`, or a monitor's `mon addr`, makes no sense.
    #[error("{at}: {option}: {problem}")]
    MonHost {
        /// The line.
        at: Origin,
        /// The option.
        option: &'static str,
        /// What is wrong.
        problem: MonHostProblem,
    },
    /// Nothing says where the monitors are.
    #[error(transparent)]
    NoMonHost(#[from] NoMonHost),
    /// The file of the option `monmap` is no monitor map.
    #[error("{} is no monitor map: {source}; write one with 'ceph mon getmap -o FILE'", path.display())]
    MonMap {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The monitor map of the option `monmap` has no monitors.
    #[error("the monitor map {} names no monitor", path.display())]
    EmptyMonMap {
        /// The file.
        path: PathBuf,
    },
    /// An option has a value that means nothing.
    #[error("{at}: {option}: '{value}' means nothing; write {expected}")]
    BadValue {
        /// The line.
        at: Origin,
        /// The option.
        option: &'static str,
        /// The part of its value.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// There can be no thread to read the configuration.
    #[error("cannot start a thread to read the configuration: {0}")]
    NoThread(#[source] io::Error),
    /// No key was found for a name.
    #[error(transparent)]
    NoKey(#[from] NoKey),
}

/// What can be wrong with arguments in the environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadArguments {
    /// A quote is not closed.
    #[error("a quote is not closed")]
    OpenQuote,
    /// An option has no value.
    #[error("{option} needs a value")]
    NoValue {
        /// The option.
        option: String,
    },
    /// A name is none.
    #[error("'{text}' is no name; write TYPE.ID, such as client.admin")]
    BadName {
        /// The text.
        text: String,
    },
    /// A word is no option.
    #[error("'{word}' is no option; write --OPTION VALUE")]
    NoOption {
        /// The word.
        word: String,
    },
}

/// What can be wrong with a line of a configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyntaxProblem {
    /// A section's bracket is not closed.
    #[error("the section's name is not closed; write [NAME]")]
    OpenSection,
    /// A section has no name.
    #[error("the section has no name; write [global], [client] or [client.ID]")]
    NamelessSection,
    /// Something follows a section's bracket.
    #[error("text follows the section's name; put it on a line of its own")]
    AfterSection,
    /// An option stands before the first section.
    #[error("an option stands before the first section; put [global] above it")]
    OutsideSection,
    /// A line is neither section nor option.
    #[error("neither a section nor OPTION = VALUE; put # before a comment")]
    NotAnOption,
    /// Nothing stands before the equals sign.
    #[error("no option's name before the equals sign")]
    NamelessOption,
    /// A quote is not closed.
    #[error("the value's quote is not closed")]
    OpenQuote,
    /// Something follows the closing quote.
    #[error("text follows the value's closing quote; quote all of it or escape the quotes by \\")]
    AfterQuote,
}

/// Nothing says where the monitors are.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} does not say where the monitors are: set 'mon host' in [global], such as mon host = 10.0.0.1,10.0.0.2{}",
    Named(path),
    InDns(service, why)
)]
pub struct NoMonHost {
    /// The configuration file.
    pub path: PathBuf,
    /// What DNS was asked for; empty if it was not.
    pub service: String,
    /// What was wrong with that.
    pub why: Option<io::Error>,
}

impl NoMonHost {
    /// Before DNS was asked.
    pub(super) fn in_file(path: PathBuf) -> Self {
        Self { path, service: String::new(), why: None }
    }
}

/// No key for a name, and where it was looked for.
#[derive(Debug, thiserror::Error)]
#[error(
    "no key for {name}: {}; set 'keyring' in [{name}] or create the key with 'ceph auth get-or-create {name}'",
    Reasons(tried)
)]
pub struct NoKey {
    /// Whose key.
    pub name: AuthName,
    /// Where it was looked for, and what was there.
    pub tried: Vec<(PathBuf, KeySource)>,
}

/// What was found where a key was looked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeySource {
    /// The file cannot be read.
    #[error("{0}")]
    Unreadable(#[source] io::Error),
    /// The file is no keyring.
    #[error("{0}")]
    BadKeyring(#[source] BadKeyring),
    /// The keyring is fine, but the name is not in it.
    #[error("has other names only")]
    OtherNames,
    /// The text is not a key.
    #[error("{0}")]
    BadKey(#[source] BadKey),
}

struct List<'a>(&'a [PathBuf]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, path) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{}", path.display())?;
        }
        Ok(())
    }
}

struct Reasons<'a>(&'a [(PathBuf, KeySource)]);

impl fmt::Display for Reasons<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no keyring is configured");
        }
        for (i, (path, reason)) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{}: {reason}", path.display())?;
        }
        Ok(())
    }
}

struct InDns<'a>(&'a str, &'a Option<io::Error>);

impl fmt::Display for InDns<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            None => Ok(()),
            Some(why) => write!(f, " (and DNS does not help with mon dns srv name = {}: {why})", self.0),
        }
    }
}

struct Named<'a>(&'a PathBuf);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_os_str().is_empty() {
            true => f.write_str("the configuration"),
            false => self.0.display().fmt(f),
        }
    }
}
