//! Keyring files: who has which key.

use crate::{AuthError, AuthName, BadAuthName, BadKey, CryptoKey};
use alloc::collections::BTreeMap;
use alloc::string::String;
use core::str::FromStr;

/// What a keyring says about one entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyringEntry {
    /// Its key.
    pub key: CryptoKey,
    /// Its capabilities by service, as far as the file names them. Monitors decide by their own database; nothing
    /// here depends on them.
    pub caps: BTreeMap<String, String>,
}

/// A keyring file, read.
///
/// ```text
/// # comment
/// [client.admin]
///     key = AQ...==
///     caps mon = "allow *"
/// ```
/// Options that are not known are passed over, as Ceph does. A name that appears twice has the later lines' options.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keyring {
    entries: BTreeMap<AuthName, KeyringEntry>,
}

/// A text that is not a keyring: the line (from 1) and what is wrong there. Repeats nothing of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("keyring line {line}: {problem}")]
pub struct BadKeyring {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: KeyringProblem,
}

/// What can be wrong with a line of a keyring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringProblem {
    /// A section's bracket is not closed.
    #[error("the section's name is not closed by a bracket")]
    OpenSection,
    /// A section is not named after an entity.
    #[error("{0}")]
    Name(BadAuthName),
    /// Something stands before the first section.
    #[error("an option stands before the first section; a section such as [client.admin] must come first")]
    OutsideSection,
    /// A line is neither section nor option.
    #[error("neither a section nor OPTION = VALUE")]
    NotAnOption,
    /// The key is no key.
    #[error("{0}")]
    Key(BadKey),
    /// A section has no key.
    #[error("the section that starts here has no key")]
    NoKey,
}

impl Keyring {
    /// The entry of `name`.
    pub fn get(&self, name: &AuthName) -> Option<&KeyringEntry> {
        self.entries.get(name)
    }

    /// The key of `name`.
    ///
    /// # Errors
    /// [`AuthError::NoKey`].
    pub fn key(&self, name: &AuthName) -> Result<&CryptoKey, AuthError> {
        let entry = self.get(name);
        let no_key = || AuthError::NoKey { name: name.clone() };
        entry.map(|e| &e.key).ok_or_else(no_key)
    }

    /// Every name and its entry, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&AuthName, &KeyringEntry)> {
        self.entries.iter()
    }
}

/// Reads a whole file's text.
impl FromStr for Keyring {
    type Err = BadKeyring;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut reader = Reader::default();
        for (i, line) in text.lines().enumerate() {
            let at = |problem| BadKeyring { line: i + 1, problem };
            reader.line(i + 1, line).map_err(at)?;
        }
        reader.finish()
    }
}

/// Sections read so far; a section's key may come on any of its lines.
#[derive(Default)]
struct Reader {
    sections: BTreeMap<AuthName, Section>,
    current: Option<AuthName>,
}

struct Section {
    line: usize,
    key: Option<CryptoKey>,
    caps: BTreeMap<String, String>,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), KeyringProblem> {
        let line = without_comment(line).trim();
        match line.strip_prefix('[') {
            _ if line.is_empty() => Ok(()),
            Some(name) => self.section(number, name),
            None => self.option(line),
        }
    }

    fn section(&mut self, number: usize, name: &str) -> Result<(), KeyringProblem> {
        let name = name.strip_suffix(']').ok_or(KeyringProblem::OpenSection)?;
        let name: AuthName = name.trim().parse().map_err(KeyringProblem::Name)?;
        self.sections.entry(name.clone()).or_insert(Section {
            line: number,
            key: None,
            caps: BTreeMap::new(),
        });
        self.current = Some(name);
        Ok(())
    }

    fn option(&mut self, line: &str) -> Result<(), KeyringProblem> {
        let (option, value) = line.split_once('=').ok_or(KeyringProblem::NotAnOption)?;
        let section = self.current.as_ref().and_then(|n| self.sections.get_mut(n));
        let section = section.ok_or(KeyringProblem::OutsideSection)?;
        let value = without_quotes(value.trim());
        let mut words = option.split_whitespace();
        match (words.next(), words.next()) {
            (Some("key"), None) => {
                section.key = Some(value.parse().map_err(KeyringProblem::Key)?);
            }
            (Some("caps"), Some(service)) => {
                section.caps.insert(service.into(), value.into());
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<Keyring, BadKeyring> {
        let entry = |(name, section): (AuthName, Section)| {
            let key = section.key.ok_or(BadKeyring { line: section.line, problem: KeyringProblem::NoKey })?;
            let caps = section.caps;
            Ok((name, KeyringEntry { key, caps }))
        };
        let entries = self.sections.into_iter().map(entry).collect::<Result<_, _>>()?;
        Ok(Keyring { entries })
    }
}

/// Cuts at the first `#` or `;` that is not within quotes.
fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    let end = line.find(|c| {
        quoted ^= c == '"';
        !quoted && matches!(c, '#' | ';')
    });
    &line[..end.unwrap_or(line.len())]
}

fn without_quotes(value: &str) -> &str {
    let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    inner.unwrap_or(value)
}

#[cfg(test)]
mod tests;
