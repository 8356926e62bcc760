//! `axon rados`: objects of a Ceph cluster, with the words of `rados(8)`.

mod attributes;
mod bench;
mod cluster;
mod objects;
mod snapshots;
mod striper;
mod transfer;
mod watch;

use crate::cluster::ClusterArgs;
use crate::error::CliError;
use crate::options::ModeArg;
use crate::{output, units};
use axon_messenger::Builder;
use axon_rados::client::{RadosConfig, WhenFull};
use axon_rados::{IoCtx, Rados};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  axon rados -p data put name file             `-` for standard input
  axon rados -p data get name -                `-` for standard output
  axon rados -p data --striper put big disk.img
  axon rados -p data bench 10 write -b 4M -t 16 --no-cleanup
  axon rados -p data bench 10 rand -t 16 --json";

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
struct Options {
    /// The pool.
    #[arg(short, long, global = true, default_value = "")]
    pool: String,

    /// The namespace within the pool.
    #[arg(short = 'N', long, global = true, default_value = "")]
    namespace: String,

    /// Reads are of this snapshot of the pool.
    #[arg(short, long, global = true, value_name = "SNAP")]
    snap: Option<String>,

    /// Objects are placed by this text instead of their names.
    #[arg(long = "object-locator", visible_alias = "object_locator", global = true, default_value = "")]
    locator: String,

    /// Results as JSON.
    #[arg(long, global = true)]
    json: bool,

    /// Files are striped over objects of 4 MiB, as libradosstriper does.
    #[arg(long, global = true)]
    striper: bool,

    /// How long one operation may take.
    #[arg(long, global = true, value_name = "SECONDS", default_value = "30", value_parser = units::parse_seconds)]
    timeout: Duration,

    /// The only way to protect connections that is acceptable [default: as the cluster prefers].
    #[arg(long, global = true, value_enum)]
    mode: Option<ModeArg>,

    #[command(flatten)]
    cluster: ClusterArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the objects of the pool.
    Ls {
        /// In all namespaces.
        #[arg(long)]
        all: bool,
    },
    /// Write a file into an object.
    Put {
        /// The object.
        object: String,
        /// The file; - for standard input.
        file: PathBuf,
    },
    /// Write an object into a file.
    Get {
        /// The object.
        object: String,
        /// The file; - for standard output.
        file: PathBuf,
    },
    /// Create an empty object, unless it exists.
    Create {
        /// The object.
        object: String,
    },
    /// Write a file behind what an object has.
    Append {
        /// The object.
        object: String,
        /// The file; - for standard input.
        file: PathBuf,
    },
    /// Cut or extend an object.
    Truncate {
        /// The object.
        object: String,
        /// Its new size, such as 4096 or 4K.
        #[arg(value_parser = units::parse_size)]
        size: u32,
    },
    /// Make an object what it was in a snapshot of the pool.
    Rollback {
        /// The object.
        object: String,
        /// The snapshot.
        #[arg(id = "rollback_snap", value_name = "SNAP")]
        snap: String,
    },
    /// List those who watch an object.
    Listwatchers {
        /// The object.
        object: String,
    },
    /// Remove objects.
    Rm {
        /// The objects.
        #[arg(required = true)]
        objects: Vec<String>,
    },
    /// Show an object's size and time.
    Stat {
        /// The object.
        object: String,
    },
    /// Print an extended attribute.
    Getxattr {
        /// The object.
        object: String,
        /// The attribute.
        name: String,
    },
    /// Set an extended attribute.
    Setxattr {
        /// The object.
        object: String,
        /// The attribute.
        name: String,
        /// Its value; standard input if not given.
        value: Option<String>,
    },
    /// List the extended attributes of an object.
    Listxattr {
        /// The object.
        object: String,
    },
    /// Remove an extended attribute.
    Rmxattr {
        /// The object.
        object: String,
        /// The attribute.
        name: String,
    },
    /// List the keys of an object's omap.
    Listomapkeys {
        /// The object.
        object: String,
    },
    /// Print a value of an object's omap.
    Getomapval {
        /// The object.
        object: String,
        /// The value's name.
        key: String,
    },
    /// Remove a value of an object's omap.
    Rmomapkey {
        /// The object.
        object: String,
        /// The value's name.
        key: String,
    },
    /// Print the values of an object's omap.
    Listomapvals {
        /// The object.
        object: String,
    },
    /// Set a value of an object's omap.
    Setomapval {
        /// The object.
        object: String,
        /// The value's name.
        key: String,
        /// The value; standard input if not given.
        value: Option<String>,
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
    Lspools,
    /// Show how full the pools and the cluster are.
    Df,
    /// Wait for notifications, until interrupted.
    Watch {
        /// The object.
        object: String,
        /// End after this many.
        #[arg(long)]
        count: Option<u64>,
    },
    /// Notify those who watch an object, and show their answers.
    Notify {
        /// The object.
        object: String,
        /// What they are told.
        message: String,
    },
    /// Measure operations per second.
    Bench(bench::BenchArgs),
}

impl RadosArgs {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<(), CliError> {
        let options = &self.options;
        match self.command {
            Command::Ls { all } => objects::list(options, all),
            Command::Put { object, file } => transfer::put(options, &object, &file),
            Command::Get { object, file } => transfer::get(options, &object, &file),
            Command::Create { object } => objects::create(options, &object),
            Command::Append { object, file } => transfer::append(options, &object, &file),
            Command::Truncate { object, size } => objects::truncate(options, &object, size),
            Command::Rollback { object, snap } => snapshots::roll_back(options, &object, &snap),
            Command::Listwatchers { object } => watch::list(options, &object),
            Command::Rm { objects } => objects::remove(options, &objects),
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
        }
    }
}

impl Options {
    /// Says what was done; only with --json: otherwise no news is good news.
    fn done(&self, what: serde_json::Value) -> Result<(), CliError> {
        if self.json { output::print_json(&what) } else { Ok(()) }
    }

    /// The session.
    fn connect(&self) -> Result<Rados, CliError> {
        self.connect_with(|builder| builder)
    }

    fn connect_with(&self, configure: impl FnOnce(Builder) -> Builder) -> Result<Rados, CliError> {
        let mut mon = self.cluster.mon_config(&self.cluster.name())?;
        mon.connect_within = self.timeout;
        mon.answer_within = self.timeout;
        if let Some(mode) = self.mode {
            mon.modes = mode.modes();
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
        if self.pool.is_empty() {
            return Err(CliError::Usage {
                what: "no pool is named",
                help: "name it: --pool NAME, or -p NAME",
            });
        }
        let io = self.connect_with(configure)?.pool(&self.pool)?;
        let io = io.with_namespace(self.namespace.clone()).with_locator_key(self.locator.clone());
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
