//! `$CEPH_ARGS`: what the environment adds to every command line.
//!
//! | argument | means |
//! |---|---|
//! | `-c FILE`, `--conf FILE` | the configuration file |
//! | `--cluster NAME` | the cluster, whose file is `NAME.conf` |
//! | `-n TYPE.ID`, `--name TYPE.ID` | who to be |
//! | `--id ID`, `--user ID` | the same, as a client |
//! | `-m ADDRS`, `-k FILE` | the options `mon host` and `keyring` |
//! | `--OPTION VALUE`, `--OPTION=VALUE` | any other option |
//!
//! Words are separated by blanks; quotes keep a word together. An option without a value is true.
//!
//! Ceph: `env_to_vec` in `src/common/ceph_argparse.cc`, `md_config_t::parse_argv` in `src/common/config.cc`.

use super::CommandLine;
use super::error::BadArguments;
use axon_auth::AuthName;
use axon_denc::EntityType;
use std::path::PathBuf;

/// Arguments, read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Arguments {
    /// The configuration file.
    pub(super) conf: Option<PathBuf>,
    /// The cluster's name.
    pub(super) cluster: Option<String>,
    /// Who to be.
    pub(super) name: Option<AuthName>,
    /// Options and their values, in their order.
    pub(super) options: Vec<(String, String)>,
}

impl Arguments {
    /// Reads the text of the variable.
    pub(super) fn parse(text: &str) -> Result<Self, BadArguments> {
        let mut words = split(text)?.into_iter().peekable();
        let mut arguments = Self::default();
        while let Some(word) = words.next() {
            let (option, value) = match word.split_once('=') {
                Some((option, value)) if word.starts_with("--") => {
                    (option.to_owned(), Some(value.to_owned()))
                }
                _ => (word.clone(), words.next_if(|next| !next.starts_with('-'))),
            };
            arguments.set(&option, value, &word)?;
        }
        Ok(arguments)
    }

    /// What `command_line` says counts instead.
    pub(super) fn under(mut self, command_line: &CommandLine) -> Self {
        let CommandLine { conf, cluster, name } = command_line.clone();
        self.conf = conf.or(self.conf);
        self.cluster = cluster.or(self.cluster);
        self.name = name.or(self.name);
        self
    }

    fn set(&mut self, option: &str, value: Option<String>, word: &str) -> Result<(), BadArguments> {
        let needed = |value: Option<String>| value.ok_or(BadArguments::NoValue { option: option.to_owned() });
        match option {
            "-c" | "--conf" => self.conf = Some(needed(value)?.into()),
            "--cluster" => self.cluster = Some(needed(value)?),
            "-n" | "--name" => self.name = Some(read_name(needed(value)?)?),
            "--id" | "--user" | "-i" => self.name = Some(AuthName::new(EntityType::Client, needed(value)?)),
            "-m" => self.options.push(("mon host".to_owned(), needed(value)?)),
            "-k" => self.options.push(("keyring".to_owned(), needed(value)?)),
            _ => match option.strip_prefix("--").filter(|name| !name.is_empty()) {
                Some(name) => {
                    let value = value.unwrap_or_else(|| "true".to_owned());
                    self.options.push((name.to_owned(), value));
                }
                None => {
                    // Without its value, which may be a key.
                    let word = word.split_once('=').map_or(word, |(option, _)| option).to_owned();
                    return Err(BadArguments::NoOption { word });
                }
            },
        }
        Ok(())
    }
}

fn read_name(text: String) -> Result<AuthName, BadArguments> {
    text.parse().map_err(|_| BadArguments::BadName { text })
}

/// The words of a text.
fn split(text: &str) -> Result<Vec<String>, BadArguments> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    match quote {
        Some(_) => Err(BadArguments::OpenQuote),
        None => Ok(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Arguments {
        Arguments::parse(text).unwrap()
    }

    #[test]
    fn what_the_words_mean() {
        assert_eq!(parse("  "), Arguments::default());
        let all = parse("-c /a/b.conf --cluster x -n osd.3 -m 1.2.3.4,1.2.3.5 -k '/key ring' --debug-ms=1");
        assert_eq!(all.conf, Some("/a/b.conf".into()));
        assert_eq!(all.cluster.as_deref(), Some("x"));
        assert_eq!(all.name, Some(AuthName::new(EntityType::Osd, "3")));
        let options: Vec<_> = all.options.iter().map(|(o, v)| (o.as_str(), v.as_str())).collect();
        assert_eq!(options, [("mon host", "1.2.3.4,1.2.3.5"), ("keyring", "/key ring"), ("debug-ms", "1")]);
        assert_eq!(parse("--id x").name, Some(AuthName::new(EntityType::Client, "x")));
        assert_eq!(parse("--user=x").name, Some(AuthName::new(EntityType::Client, "x")));
        let flags = parse("--log-to-stderr --mon_host \"a b\"").options;
        assert_eq!(
            flags,
            [("log-to-stderr", "true"), ("mon_host", "a b")].map(|(o, v)| (o.into(), v.into()))
        );
    }

    #[test]
    fn what_means_nothing_is_said() {
        for (text, says) in [
            ("--conf", "--conf needs a value"),
            ("-n nobody", "'nobody' is no name; write TYPE.ID, such as client.admin"),
            ("status", "'status' is no option; write --OPTION VALUE"),
            ("-key=AQ==", "'-key' is no option; write --OPTION VALUE"),
            ("-x 1", "'-x' is no option; write --OPTION VALUE"),
            ("--id 'x", "a quote is not closed"),
        ] {
            assert_eq!(Arguments::parse(text).unwrap_err().to_string(), says);
        }
    }
}
