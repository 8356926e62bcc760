//! `axon mon`: questions to the monitors.

use crate::cluster::ClusterArgs;
use crate::error::CliError;
use crate::options::ModeArg;
use crate::{output, units};
use axon_rados::mon::{CommandOutput, MonClient};
use bytes::Bytes;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::time::{Duration, Instant};

const EXAMPLES: &str = "\
Examples:
  axon mon status                              what `ceph status` says
  axon mon status --json --mon-host 10.0.0.1 --keyring admin.keyring
  axon mon command '{\"prefix\": \"osd tree\", \"format\": \"json\"}'";

/// Options of `axon mon`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct MonArgs {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// Send a command and print its output.
    Command {
        /// The command: a JSON object with the key `prefix`, as `ceph` sends it.
        #[arg(value_name = "JSON")]
        command: String,
        #[command(flatten)]
        options: MonOptions,
    },
    /// Print the cluster's status.
    Status {
        #[command(flatten)]
        options: MonOptions,
    },
}

#[derive(Debug, Args)]
struct MonOptions {
    /// Ask for the answer as JSON.
    #[arg(long)]
    json: bool,

    /// The only way to protect the connection that is acceptable [default: as `ms mon client mode`
    /// says, else secure preferred and crc accepted].
    #[arg(long, value_enum)]
    mode: Option<ModeArg>,

    /// How long it may take altogether.
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = units::parse_seconds)]
    timeout: Duration,

    #[command(flatten)]
    cluster: ClusterArgs,
}

impl MonArgs {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<(), CliError> {
        match self.question {
            Question::Command { command, options } => options.ask(parse(&command)?),
            Question::Status { options } => options.ask(status()),
        }
    }
}

/// A command: a JSON object.
type Command = serde_json::Map<String, Value>;

fn status() -> Command {
    Command::from_iter([("prefix".to_owned(), "status".into())])
}

fn parse(text: &str) -> Result<Command, CliError> {
    let command: Command = serde_json::from_str(text).map_err(CliError::BadCommand)?;
    match command.get("prefix") {
        Some(Value::String(_)) => Ok(command),
        _ => Err(CliError::BadCommand(serde::de::Error::missing_field("prefix"))),
    }
}

impl MonOptions {
    /// Sends the command and prints what comes back.
    fn ask(&self, mut command: Command) -> Result<(), CliError> {
        if self.json {
            command.entry("format").or_insert_with(|| "json".into());
        }
        let deadline = Instant::now() + self.timeout;
        let mon = self.log_in()?;
        let left = deadline.saturating_duration_since(Instant::now());
        let answer = mon.send_command(&Value::from(command).to_string(), Bytes::new(), left).wait()?;
        print(answer)
    }

    fn log_in(&self) -> Result<MonClient, CliError> {
        let mut config = self.cluster.mon_config(&self.cluster.name()?)?;
        config.connect_within = self.timeout;
        if let Some(mode) = self.mode {
            config = config.with_modes(mode.modes());
        }
        Ok(MonClient::connect(config)?)
    }
}

/// The output to standard output; the remark for people, which some commands make, to standard error.
fn print(answer: CommandOutput) -> Result<(), CliError> {
    if answer.code < 0 {
        return Err(CliError::Command { code: answer.code, status: answer.status });
    }
    if !answer.status.is_empty() {
        output::note(&answer.status);
    }
    let text = String::from_utf8_lossy(&answer.output);
    match text.trim_matches('\n') {
        "" => Ok(()),
        text => output::print(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_objects_with_a_prefix() {
        assert_eq!(Value::from(status()).to_string(), r#"{"prefix":"status"}"#);
        assert!(parse(r#"{"prefix": "osd tree", "format": "json"}"#).is_ok());
        for text in ["", "status", "[]", "{}", r#"{"prefix": 1}"#, r#""prefix""#] {
            assert!(matches!(parse(text), Err(CliError::BadCommand(_))), "{text}");
        }
    }
}
