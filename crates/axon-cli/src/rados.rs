//! `axon rados`: objects of a Ceph cluster, with the words of `rados(8)`.

mod attributes;
mod bench;
mod cleanup;
mod cluster;
mod format;
mod objects;
mod snapshots;
mod striper;
mod text;
mod transfer;
mod watch;
mod window;

use crate::cluster::ClusterArgs;
use crate::error::CliError;
use crate::options::ModeArg;
use crate::{output, units};
use axon_messenger::Builder;
use axon_rados::client::{RadosConfig, WhenFull};
use axon_rados::{IoCtx, Name, Rados};
use clap::{Args, Subcommand};
use format::Format;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  axon rados -p data put name file             `-` for standard input
  axon rados -p data put name part --offset 4M   a part of it
  axon rados -p data get name -                `-` for standard output
  axon rados -p data stat name -f json-pretty
  axon rados -p data --striper put big disk.img
  axon rados -p data bench 10 write -b 4M -t 16 --no-cleanup
  axon rados -p data bench 10 rand -t 16 --json
  axon rados -p data bench 10 write -b 4K --write-omap --write-object
  axon rados -p data setomapval name key --input-file value
  axon rados -p data cleanup --run-name axon_bench";

/// For commands that most options mean nothing to.
const SHORT_HELP: &str = "\
{about-with-newline}
{usage-heading} {usage}

Of the options, those of the cluster, --format, --json, --mode and --timeout: see `axon rados --help`.
";

/// The same, of one that may be about a pool.
const SHORT_HELP_WITH_POOL: &str = "\
{about-with-newline}
{usage-heading} {usage}

Of the options, -p, those of the cluster, --format, --json, --mode and --timeout: see `axon rados --help`.
";

/// Options of `axon rados`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RadosArgs {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

/// Options of all its commands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of all rados commands")]
struct Options {
    /// The pool.
    #[arg(short, long, global = true)]
    pool: Option<String>,

    /// The namespace within the pool.
    #[arg(short = 'N', long, global = true, value_parser = text::name())]
    namespace: Option<Name>,

    /// Reads are of this snapshot of the pool. What would change an object fails, except for rollback.
    #[arg(short, long, global = true, value_name = "SNAP")]
    snap: Option<String>,

    /// Objects are placed by this text instead of their names.
    #[arg(long = "object-locator", visible_alias = "object_locator", global = true, value_name = "TEXT", value_parser = text::name())]
    locator: Option<Name>,

    /// Results as JSON, a line each: short for `--format json`.
    #[arg(long, global = true)]
    json: bool,

    /// How results are shown.
    #[arg(short, long, global = true, value_enum, default_value = "plain", value_name = "FORMAT")]
    format: Format,

    /// Files are striped over objects of 4 MiB, as libradosstriper does. Only for ls, put, get, stat, truncate, rm and attributes.
    ///
    /// Changes of one file at the same time (two puts, or put and truncate) are not protected against each other: pieces may be
    /// missing then.
    #[arg(long, global = true)]
    striper: bool,

    /// How long one operation may take.
    #[arg(long, global = true, value_name = "SECONDS", default_value = "30", value_parser = units::parse_seconds)]
    timeout: Duration,

    /// The only way to protect connections that is acceptable [default: as `ms client mode` and
    /// `ms mon client mode` say; else secure preferred with monitors, crc with OSDs].
    #[arg(long, global = true, value_enum)]
    mode: Option<ModeArg>,

    #[command(flatten)]
    cluster: ClusterArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the objects of the pool.
    Ls {
        /// In all namespaces, unless one is named with -N.
        #[arg(long)]
        all: bool,
        /// In the default namespace, even with --all.
        #[arg(long)]
        default: bool,
    },
    /// Write a file into an object.
    Put {
        /// The object.
        #[arg(value_parser = text::name())]
        object: Name,
        /// The file; - for standard input.
        file: PathBuf,
        /// Write it there, such as 4096 or 4K, and leave what is before and behind.
        #[arg(long, value_name = "BYTES", value_parser = units::parse_offset)]
        offset: Option<u64>,
    },
    /// Write an object into a file.
    Get {
        /// The object.
        #[arg(value_parser = text::name())]
        object: Name,
        /// The file; - for standard output.
        file: PathBuf,
    },
    /// Create an empty object; one that is there already is an error.
    Create {
        /// The object.
        #[arg(value_parser = text::name())]
        object: Name,
    },
    /// Write a file behind what an object has.
    Append {
        /// The object.
        #[arg(value_parser = text::name())]
        object: Name,
        /// The file; - for standard input.
        file: PathBuf,
    },
    /// Cut or extend an object.
    Truncate {
        /// The object.
        #[arg(value_parser = text::name())]
        object: Name,
        /// Its new size, such as 4096 or 4K.
        #[arg(value_parser = units::parse_offset)]
        size: u64,
    },
    /// Make an object what it was in a snapshot of the pool.
    Rollback {
        /// The object.
        #[arg(value_parser = text::name())]
        object: Name,
        /// The snapshot.
        #[arg(id = "rollback_snap", value_name = "SNAP")]
        snap: String,
    },
    /// List those who watch an object.
    Listwatchers {
        /// The object.
        #[arg(value_parser = text::name())]
        object: Name,
    },
    /// Remove objects.
    Rm {
        /// The objects.
        #[arg(required = true, value_parser = text::name())]
        objects: Vec<Name>,
        /// Has no effect: objects are removed from a full cluster anyway. Accepted for scripts made for `rados(8)`.
        #[arg(long)]
        force_full: bool,
    },
    /// Show an object's size and time.
    Stat {
        /// The object.
        #[arg(value_parser = text::name())]
        object: Name,
    },
    /// Print an extended attribute.
    Getxattr {
        /// The object.
        #[arg(value_parser = text::name())]
        object: Name,
        /// The attribute.
        #[arg(value_parser = text::name())]
        name: Name,
    },
    /// Set an extended attribute.
    Setxattr {
        /// The object.
        #[arg(value_parser = text::name())]
        object: Name,
        /// The attribute.
        #[arg(value_parser = text::name())]
        name: Name,
        #[command(flatten)]
        value: attributes::Value,
    },
    /// List the extended attributes of an object.
    Listxattr {
        /// The object.
        #[arg(value_parser = text::name())]
        object: Name,
    },
    /// Remove an extended attribute.
    Rmxattr {
        /// The object.
        #[arg(value_parser = text::name())]
        object: Name,
        /// The attribute.
        #[arg(value_parser = text::name())]
        name: Name,
    },
    /// List the keys of an object's omap.
    Listomapkeys {
        /// The object.
        #[arg(value_parser = text::name())]
        object: Name,
    },
    /// Print a value of an object's omap.
    Getomapval {
        /// The object.
        #[arg(value_parser = text::name())]
        object: Name,
        /// The value's name.
        #[arg(value_parser = text::name())]
        key: Name,
    },
    /// Remove a value of an object's omap.
    Rmomapkey {
        /// The object.
        #[arg(value_parser = text::name())]
        object: Name,
        /// The value's name.
        #[arg(value_parser = text::name())]
        key: Name,
    },
    /// Print the values of an object's omap.
    Listomapvals {
        /// The object.
        #[arg(value_parser = text::name())]
        object: Name,
    },
    /// Set a value of an object's omap.
    Setomapval {
        /// The object.
        #[arg(value_parser = text::name())]
        object: Name,
        /// The value's name.
        #[arg(value_parser = text::name())]
        key: Name,
        #[command(flatten)]
        value: attributes::Value,
    },
    /// Take a snapshot of the pool.
    Mksnap {
        /// The snapshot.
        name: String,
    },
    /// Remove a snapshot of the pool.
    Rmsnap {
        /// The snapshot.
        name: String,
    },
    /// List the snapshots of the pool.
    Lssnap,
    /// List the pools.
    #[command(help_template = SHORT_HELP)]
    Lspools,
    /// Show how full the pools and the cluster are, or one pool with -p.
    #[command(help_template = SHORT_HELP_WITH_POOL)]
    Df,
    /// Wait for notifications, until interrupted.
    Watch {
        /// The object.
        #[arg(value_parser = text::name())]
        object: Name,
        /// End after this many.
        #[arg(long)]
        count: Option<u64>,
    },
    /// Notify those who watch an object, and show their answers.
    Notify {
        /// The object.
        #[arg(value_parser = text::name())]
        object: Name,
        /// What they are told.
        #[arg(value_parser = text::name(), allow_hyphen_values = true)]
        message: Name,
    },
    /// Measure operations per second.
    Bench(bench::BenchArgs),
    /// Remove the objects that a run of `bench` left.
    Cleanup(cleanup::CleanupArgs),
}

impl Command {
    /// Whether --striper means something for it, as it does for `rados(8)`.
    fn is_for_striped_files(&self) -> bool {
        matches!(
            self,
            Self::Ls { .. }
                | Self::Put { .. }
                | Self::Get { .. }
                | Self::Stat { .. }
                | Self::Truncate { .. }
                | Self::Rm { .. }
                | Self::Getxattr { .. }
                | Self::Setxattr { .. }
                | Self::Listxattr { .. }
                | Self::Rmxattr { .. }
        )
    }
}

impl RadosArgs {
    /// Runs the command.
    pub(crate) fn run(mut self) -> Result<(), CliError> {
        self.options.json |= self.options.format != Format::Plain;
        let options = &self.options;
        if options.striper && !self.command.is_for_striped_files() {
            return Err(CliError::Usage {
                what: "this command does not work on striped files",
                help: "--striper is for ls, put, get, stat, truncate, rm and the commands for extended attributes",
            });
        }
        match self.command {
            Command::Ls { all, default } => {
                objects::list(options, all && !default && options.namespace.is_none())
            }
            Command::Put { object, file, offset } => transfer::put(options, &object, &file, offset),
            Command::Get { object, file } => transfer::get(options, &object, &file),
            Command::Create { object } => objects::create(options, &object),
            Command::Append { object, file } => transfer::append(options, &object, &file),
            Command::Truncate { object, size } => objects::truncate(options, &object, size),
            Command::Rollback { object, snap } => snapshots::roll_back(options, &object, &snap),
            Command::Listwatchers { object } => watch::list(options, &object),
            Command::Rm { objects, .. } => objects::remove(options, &objects),
            Command::Stat { object } => objects::stat(options, &object),
            Command::Getxattr { object, name } => attributes::get(options, &object, &name),
            Command::Setxattr { object, name, value } => attributes::set(options, &object, &name, value),
            Command::Listxattr { object } => attributes::list(options, &object),
            Command::Rmxattr { object, name } => attributes::remove(options, &object, &name),
            Command::Listomapkeys { object } => attributes::list_keys(options, &object),
            Command::Getomapval { object, key } => attributes::get_omap(options, &object, &key),
            Command::Rmomapkey { object, key } => attributes::remove_key(options, &object, &key),
            Command::Listomapvals { object } => attributes::list_omap(options, &object),
            Command::Setomapval { object, key, value } => attributes::set_omap(options, &object, &key, value),
            Command::Mksnap { name } => snapshots::make(options, &name),
            Command::Rmsnap { name } => snapshots::remove(options, &name),
            Command::Lssnap => snapshots::list(options),
            Command::Lspools => cluster::list_pools(options),
            Command::Df => cluster::usage(options),
            Command::Watch { object, count } => watch::watch(options, &object, count),
            Command::Notify { object, message } => watch::notify(options, &object, message),
            Command::Bench(args) => args.run(options),
            Command::Cleanup(args) => args.run(options),
        }
    }
}

impl Options {
    /// Says what was done; only with --json: otherwise no news is good news.
    fn done(&self, what: serde_json::Value) -> Result<(), CliError> {
        if self.json { self.tell(&what) } else { Ok(()) }
    }

    /// Prints a result as JSON.
    fn tell(&self, what: &impl Serialize) -> Result<(), CliError> {
        match self.format {
            Format::JsonPretty => output::print_pretty_json(what),
            Format::Json | Format::Plain => output::print_json(what),
        }
    }

    /// The session.
    fn connect(&self) -> Result<Rados, CliError> {
        self.connect_with(|builder| builder)
    }

    fn connect_with(&self, configure: impl FnOnce(Builder) -> Builder) -> Result<Rados, CliError> {
        let mut mon = self.cluster.mon_config(&self.cluster.name()?)?;
        mon.connect_within = self.timeout;
        mon.answer_within = self.timeout;
        if let Some(mode) = self.mode {
            mon = mon.with_modes(mode.modes());
        }
        let mut config = RadosConfig::new(mon);
        config.deadline = Some(self.timeout);
        Ok(Rados::connect_with(config, configure)?)
    }

    /// The pool. A full one is an error: nobody wants to wait for that at a prompt.
    fn open(&self) -> Result<IoCtx, CliError> {
        self.open_with(|builder| builder)
    }

    /// The same; `configure` sets up the messenger.
    fn open_with(&self, configure: impl FnOnce(Builder) -> Builder) -> Result<IoCtx, CliError> {
        let Some(pool) = &self.pool else {
            return Err(CliError::Usage {
                what: "no pool is named",
                help: "name it: --pool NAME, or -p NAME",
            });
        };
        let io = self.connect_with(configure)?.pool(pool)?;
        let io = io.with_namespace(self.namespace.clone().unwrap_or_default());
        let io = io.with_locator_key(self.locator.clone().unwrap_or_default());
        let io = io.when_full(WhenFull::Fail);
        match &self.snap {
            Some(name) => {
                let snap = io.snap_by_name(name)?;
                Ok(io.with_snap(snap))
            }
            None => Ok(io),
        }
    }
}
