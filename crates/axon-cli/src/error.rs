//! What can go wrong in a command, its exit code, and what helps.

use crate::exit::Exit;
use axon_auth::{AuthError, AuthName, BadKeyring};
use axon_denc::EntityType;
use axon_messenger::{ConnectError, Fault, Rejection, StartError};
use axon_proto::{Blame, Disconnect};
use axon_rados::Name;
use axon_rados::client::RadosError;
use axon_rados::conf::ConfError;
use axon_rados::mon::{Attempt, Failure, MonError};
use axon_rados::msg::MessageError;
use axon_transport::UringUnavailable;
use axon_wire::WireError;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a command failed. Texts name the cause; [`CliError::help`] says what to do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The command line contradicts itself.
    #[error("{what}")]
    Usage { what: &'static str, help: &'static str },
    /// A text is not the address of a peer.
    #[error("'{text}' is not an address: {why}")]
    Address { text: String, why: String },
    /// A file named on the command line cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// A file named on the command line is not a keyring.
    #[error("{}: {source}", path.display())]
    Keyring { path: PathBuf, source: BadKeyring },
    /// A keyring has no key of the name.
    #[error("{} has no key for {name}", path.display())]
    NoEntry { path: PathBuf, name: AuthName, others: Vec<AuthName> },
    /// The cluster's configuration does not say what is needed.
    #[error("{0}")]
    Conf(#[from] ConfError),
    /// There is no session with the monitors, or no answer from them.
    #[error("{0}")]
    Mon(#[from] MonError),
    /// An operation on objects has no result.
    #[error("{0}")]
    Rados(RadosError),
    /// The watch is over before it was told to end.
    #[error(
        "the watch of {object} is over: its OSD heard nothing of this client for too long, or the object is gone"
    )]
    WatchLost { object: Name },
    /// Not everybody who watches an object answered a notification.
    #[error("{missed} of those who watch {object} did not answer in time")]
    Unanswered { object: Name, missed: usize },
    /// Several things failed.
    #[error("{}", joined(.0))]
    Several(Vec<CliError>),
    /// An object is none of a striped file.
    #[error("the object is no striped file: its size is not noted")]
    NotStriped,
    /// A file is striped, but not as this program does.
    #[error("the file is striped in another layout than pieces of 4 MiB, one after the other")]
    OtherLayout,
    /// Input does not fit into one request.
    #[error("the input has more than the {limit} bytes that one request may carry")]
    InputTooLong { limit: u64 },
    /// A benchmark is to read other objects than there are.
    #[error("there are no objects of this size to read: those there are have {written} bytes each")]
    OtherBlockSize { written: u32 },
    /// Operations of a benchmark failed.
    #[error("{failed} operations failed: {}", first.join("; "))]
    BenchFailed { failed: u64, first: Vec<String> },
    /// There is no such value in an omap.
    #[error("{object} has no omap value '{key}'")]
    NoKey { object: Name, key: Name },
    /// Standard input, or a file, cannot be read to its end.
    #[error("cannot read the input: {0}")]
    Input(io::Error),
    /// A file named on the command line cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
    /// The monitors answered that they will not, or cannot.
    #[error("the monitors answered with error {code}: {status}")]
    Command { code: i32, status: String },
    /// A text is not a command.
    #[error("not a command: {0}")]
    BadCommand(serde_json::Error),
    /// The messenger does not start.
    #[error("{0}")]
    Start(#[from] StartError),
    /// There is no io_uring.
    #[error("{0}")]
    Uring(#[from] UringUnavailable),
    /// There is nothing to dial.
    #[error("cannot connect to {peer}: {source}")]
    NoTarget { peer: String, source: ConnectError },
    /// The session did not come about.
    #[error("cannot connect to {peer}: {fault}")]
    Unconnected { peer: String, fault: Fault },
    /// Somebody else is there than --peer says.
    #[error("cannot connect to {peer}: {fault}")]
    OtherPeer { peer: String, fault: Fault, got: EntityType },
    /// Nothing was heard.
    #[error("no answer from {peer} within {after:?}")]
    NoAnswer { peer: String, after: Duration },
    /// The session broke.
    #[error("lost the connection to {peer}: {fault}")]
    Lost { peer: String, fault: Fault },
    /// The listening side decides whether sessions survive their connections, and decided otherwise.
    #[error("{peer} opened {} session", if *lossy { "a lossy" } else { "no lossy" })]
    OtherPromise { peer: String, lossy: bool },
    /// The messenger did not take a message.
    #[error("cannot send: {0}")]
    Send(Rejection),
    /// A message cannot be written for this peer, or read.
    #[error("{0}")]
    Message(#[from] MessageError),
    /// A reply that fits no request.
    #[error("the peer answered request {tid}, which was never sent")]
    StrangeReply { tid: u64 },
    /// The run broke the rules that messages are delivered by.
    #[error("of {messages} messages, {lost} were lost, {duplicated} duplicated, {reordered} reordered")]
    Undelivered { messages: u64, lost: u64, duplicated: u64, reordered: u64 },
    /// The bare sockets of the baseline failed.
    #[error("the raw-socket baseline failed: {0}")]
    Raw(io::Error),
    /// There is no thread to be had.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// Signals cannot be awaited.
    #[error("cannot wait for signals: {0}")]
    Signals(io::Error),
    /// The result cannot be written.
    #[error("cannot write the result: {0}")]
    Output(io::Error),
}

impl From<RadosError> for CliError {
    fn from(error: RadosError) -> Self {
        match error {
            RadosError::Mon(error) => Self::Mon(error),
            error => Self::Rados(error),
        }
    }
}

impl CliError {
    /// Peers of a cluster let each other in by secrets that only daemons get.
    pub(crate) const PEER_WITH_CLUSTER: Self = Self::Usage {
        what: "--policy peer does not work with tickets of a cluster",
        help: "give both ends the same key: --keyring FILE, and --auth cephx to `axon serve`",
    };

    /// Every failure of several attempts, all of which were made.
    pub(crate) fn of_all(results: impl IntoIterator<Item = Result<(), Self>>) -> Result<(), Self> {
        let mut errors: Vec<_> = results.into_iter().filter_map(Result::err).collect();
        match errors.len() {
            0 | 1 => errors.pop().map_or(Ok(()), Err),
            _ => Err(Self::Several(errors)),
        }
    }

    /// The program's exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. }
            | Self::Address { .. }
            | Self::BadCommand(_)
            | Self::InputTooLong { .. }
            | Self::OtherBlockSize { .. } => Exit::Usage,
            Self::Mon(error) => exit_of_mon(error),
            Self::Rados(
                RadosError::NotDone { .. } | RadosError::Unknown { .. } | RadosError::NoMap { .. },
            ) => Exit::TimedOut,
            Self::Rados(RadosError::EmptyPoolName | RadosError::EmptyObjectName) => Exit::Usage,
            Self::Unwritable { .. }
            | Self::Unreadable { .. }
            | Self::Keyring { .. }
            | Self::NoEntry { .. }
            | Self::Conf(_) => Exit::Usage,
            Self::NoTarget { source: ConnectError::NoAddress, .. } => Exit::Incompatible,
            Self::Unconnected { fault, .. } | Self::Lost { fault, .. } => exit_of(fault),
            Self::NoAnswer { .. } | Self::Unanswered { .. } => Exit::TimedOut,
            Self::Several(errors) => errors.first().map_or(Exit::Failure, Self::exit),
            Self::Message(_)
            | Self::StrangeReply { .. }
            | Self::OtherPromise { .. }
            | Self::OtherPeer { .. } => Exit::Incompatible,
            Self::Start(StartError::Bind { error, .. }) if help_with_bind(error).is_some() => Exit::Usage,
            _ => Exit::Failure,
        }
    }

    /// What to do about it, if that is known.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::Usage { help, .. } => Some((*help).into()),
            Self::Address { .. } => Some(ADDRESS_HELP.into()),
            Self::BadCommand(_) => Some(COMMAND_HELP.into()),
            Self::Conf(ConfError::NoMonHost { .. }) => Some(MON_HOST_HELP.into()),
            Self::Mon(error) => help_with_mon(error).map(Into::into),
            Self::Rados(RadosError::NoPool(_)) => Some(POOL_HELP.into()),
            Self::Several(errors) => errors.first()?.help(),
            Self::NoKey { .. } => Some(KEY_HELP.into()),
            Self::NotStriped | Self::OtherLayout => Some(STRIPER_HELP.into()),
            Self::InputTooLong { .. } => Some(INPUT_HELP.into()),
            Self::OtherBlockSize { .. } => Some(BLOCK_SIZE_HELP.into()),
            Self::NoEntry { others, .. } => Some(names_help(others)),
            Self::NoTarget { source: ConnectError::NoAddress, .. } => Some(V2_HELP.into()),
            Self::Unconnected { fault, .. } | Self::Lost { fault, .. } => help_with(fault).map(Into::into),
            Self::OtherPeer { got, .. } => Some(format!("leave --peer out, or give --peer {got}")),
            Self::Start(StartError::Bind { error, .. }) => help_with_bind(error).map(Into::into),
            Self::NoAnswer { .. } => Some(SILENCE_HELP.into()),
            Self::OtherPromise { lossy: true, .. } => Some(LOSSY_HELP.into()),
            Self::OtherPromise { lossy: false, .. } => Some(LOSSLESS_HELP.into()),
            _ => None,
        }
    }

    /// Whether the reader of standard output has gone, which needs no complaint.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

const ADDRESS_HELP: &str = "write IP:PORT, v2:IP:PORT/NONCE or HOST:PORT, such as 10.0.0.1:3300";
const COMMAND_HELP: &str = r#"write a JSON object with the key "prefix", such as '{"prefix": "status"}'"#;
const MON_HOST_HELP: &str =
    "or name them on the command line: --mon-host 10.0.0.1, --conf FILE, or --monmap FILE";
const POOL_HELP: &str = "`axon rados lspools` lists those there are";
const KEY_HELP: &str = "`axon rados -p POOL listomapkeys OBJECT` lists those there are";
const STRIPER_HELP: &str =
    "look at it with `rados --striper stat`; if it is not needed, remove it with `rados --striper rm`";
const INPUT_HELP: &str = "append it in parts, or put it";
const BLOCK_SIZE_HELP: &str = "leave --block-size out, or write objects of this size first";
const V2_HELP: &str = "give the v2 address, which has a port of its own: `ceph mon dump`, `ceph osd dump`; monitors have 3300, and \
    `ceph mon enable-msgr2` switches it on";
const SILENCE_HELP: &str =
    "something may hold the port without speaking msgr2, or the daemon hangs; --timeout waits longer";

const LOSSY_HELP: &str = "start it as `axon serve --policy lossless`, or --policy peer, as given here";
const LOSSLESS_HELP: &str = "give --policy lossless, or --policy peer, as it was started";

fn joined(errors: &[CliError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn names_help(others: &[AuthName]) -> String {
    if others.is_empty() {
        return "the keyring is empty".into();
    }
    let names: Vec<_> = others.iter().map(ToString::to_string).collect();
    format!("it has keys for {}; choose one with --name", names.join(", "))
}

/// What to do where listening is not possible; `None` if that is not the address's fault.
fn help_with_bind(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::AddrInUse => Some("give another port, or 0 for any that is free"),
        io::ErrorKind::AddrNotAvailable => {
            Some("give an address of this machine, or 0.0.0.0 for all of them")
        }
        io::ErrorKind::PermissionDenied => Some("ports below 1024 take privileges: give a higher one"),
        _ => None,
    }
}

/// The exit code of a broken or failed session.
pub(crate) fn exit_of(fault: &Fault) -> Exit {
    match fault {
        Fault::TimedOut(_) => Exit::TimedOut,
        Fault::Auth(AuthError::ModeRefused { .. } | AuthError::SecureWithoutKeys) => Exit::Incompatible,
        fault => match fault.blame() {
            Blame::Network => Exit::CannotConnect,
            Blame::Refused => Exit::Refused,
            Blame::PeerMisbehaved | Blame::Incompatible => Exit::Incompatible,
            Blame::Local => Exit::Failure,
        },
    }
}

/// The exit code of a failed question to the monitors: that of the last attempt with the first of them.
fn exit_of_mon(error: &MonError) -> Exit {
    match error {
        MonError::Conf(_) => Exit::Usage,
        MonError::Refused { attempts } | MonError::Unreachable { attempts, .. } => {
            attempts.first().map_or(Exit::TimedOut, |attempt| match &attempt.why {
                Failure::Fault(fault) => exit_of(fault),
                Failure::NoV2Address => Exit::Incompatible,
                _ => Exit::TimedOut,
            })
        }
        MonError::NoAnswer { .. } => Exit::TimedOut,
        MonError::Malformed { .. } => Exit::Incompatible,
        _ => Exit::Failure,
    }
}

fn help_with_mon(error: &MonError) -> Option<&'static str> {
    match error {
        MonError::Conf(ConfError::NoMonHost { .. }) => Some(MON_HOST_HELP),
        MonError::Refused { attempts } | MonError::Unreachable { attempts, .. } => match attempts.first() {
            Some(Attempt { why: Failure::Fault(fault), .. }) => help_with(fault),
            Some(Attempt { why: Failure::TooSlow(_), .. }) | None => Some(SILENCE_HELP),
            _ => None,
        },
        _ => None,
    }
}

fn help_with(fault: &Fault) -> Option<&'static str> {
    Some(match fault {
        Fault::Disconnected(Disconnect::Refused) => {
            "start the daemon, or look up its address: `ceph mon dump`, `ceph osd dump`"
        }
        Fault::Disconnected(Disconnect::Closed | Disconnect::Reset) => {
            "the peer hung up; a wrong nonce in the address is one reason, its log names others (debug_ms = 10)"
        }
        Fault::Disconnected(Disconnect::Unreachable) => "check the address, routes and firewalls",
        Fault::TimedOut(_) => SILENCE_HELP,
        Fault::Wire(WireError::LegacyPeer) => V2_HELP,
        Fault::Wire(WireError::NotMsgr2 { .. }) => {
            "that port is not a Ceph daemon's; `ceph mon dump` lists the addresses"
        }
        Fault::Auth(AuthError::MethodRefused { .. } | AuthError::NoKey { .. }) => {
            "give a key with --name and --keyring, such as --name client.admin --keyring FILE"
        }
        Fault::Auth(AuthError::NoMonSession { .. }) => {
            "say where the monitors are, with --conf, --mon-host or --monmap: they give the tickets for other daemons"
        }
        Fault::Auth(AuthError::ModeRefused { .. } | AuthError::SecureWithoutKeys)
        | Fault::NoCommonMode { .. } => "try the other --mode; secure needs cephx on both ends",
        Fault::WrongAddress { .. } => {
            "take the address with its nonce from the maps: `ceph osd dump`, `ceph mgr dump`"
        }
        Fault::WrongPeerType { .. } => {
            "look up the address: `ceph mon dump`, `ceph osd dump`, `ceph mgr dump`"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axon_auth::Method;
    use axon_proto::WakeReason;

    #[test]
    fn of_several_failures_each_is_named() {
        let missed = |missed| Err(CliError::Unanswered { object: "bell".into(), missed });
        assert!(CliError::of_all([Ok(()), Ok(())]).is_ok());
        let one = CliError::of_all([Ok(()), missed(1)]).unwrap_err();
        assert!(matches!(one, CliError::Unanswered { .. }) && one.exit() == Exit::TimedOut, "{one}");
        let two = CliError::of_all([missed(1), Err(CliError::NotStriped)]).unwrap_err();
        assert_eq!((two.exit(), two.to_string().matches("; ").count()), (Exit::TimedOut, 1), "{two}");
        assert!(two.to_string().contains("did not answer") && two.to_string().contains("no striped file"));
    }

    #[test]
    fn each_kind_of_fault_has_its_exit_code() {
        let refused =
            Fault::Auth(AuthError::MethodRefused { tried: Method::NONE, allowed: vec![Method::CEPHX] });
        let table = [
            (Fault::Disconnected(Disconnect::Refused), Exit::CannotConnect),
            (Fault::TimedOut(WakeReason::Ready), Exit::TimedOut),
            (Fault::Wire(WireError::LegacyPeer), Exit::Incompatible),
            (Fault::Wire(WireError::NotMsgr2 { prefix: *b"SSH-2.0-" }), Exit::Incompatible),
            (refused, Exit::Refused),
            (Fault::Auth(AuthError::ModeRefused { method: Method::CEPHX }), Exit::Incompatible),
            (Fault::WrongPeerType { expected: EntityType::Mon, got: EntityType::Osd }, Exit::Incompatible),
        ];
        for (fault, exit) in table {
            assert_eq!(exit_of(&fault), exit, "{fault:?}");
            assert!(help_with(&fault).is_some(), "{fault:?}");
        }
    }
}
