//! What two ends said to each other over one connection, and files of such records.

use crate::TestbedError;
use std::fmt::Write;
use std::path::PathBuf;
use std::{env, fs};

const HEADER: &str = "axon vector 1";
const BYTES_PER_LINE: usize = 48;

/// Who is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the end that dialled to the end that accepted.
    ToServer,
    /// From the end that accepted to the end that dialled.
    ToClient,
}

/// One connection's bytes, in the order in which they passed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conversation {
    /// What the connection was: `client.admin -> mon.a`.
    pub title: String,
    turns: Vec<(Direction, Vec<u8>)>,
    trimmed: [bool; 2],
}

impl Conversation {
    /// Nothing said yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// Appends bytes that passed; those beyond `limit` in a direction are left out, and everything after them in
    /// that direction.
    pub fn push(&mut self, direction: Direction, bytes: &[u8], limit: usize) {
        let room = match self.trimmed(direction) {
            true => 0,
            false => limit.saturating_sub(self.len(direction)),
        };
        if bytes.len() > room {
            self.trimmed[direction as usize] = true;
        }
        let kept = &bytes[..bytes.len().min(room)];
        if kept.is_empty() {
            return;
        }
        match self.turns.last_mut() {
            Some((last, turn)) if *last == direction => turn.extend_from_slice(kept),
            _ => self.turns.push((direction, kept.to_vec())),
        }
    }

    /// The turns: who was spoken to, and all that was said before the other end spoke.
    pub fn turns(&self) -> impl Iterator<Item = (Direction, &[u8])> {
        self.turns.iter().map(|(d, bytes)| (*d, bytes.as_slice()))
    }

    /// All bytes of a direction.
    pub fn bytes(&self, direction: Direction) -> Vec<u8> {
        let turns = self.turns().filter(|(d, _)| *d == direction);
        turns.flat_map(|(_, bytes)| bytes).copied().collect()
    }

    /// How many bytes of a direction there are.
    pub fn len(&self, direction: Direction) -> usize {
        let turns = self.turns().filter(|(d, _)| *d == direction);
        turns.map(|(_, bytes)| bytes.len()).sum()
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// Whether more was said in that direction than is kept here: the last frame is then likely cut short.
    pub fn trimmed(&self, direction: Direction) -> bool {
        self.trimmed[direction as usize]
    }

    /// A copy with at most `limit` bytes per direction.
    pub fn trim(&self, limit: usize) -> Self {
        let mut copy = Self::new(&self.title);
        for (direction, bytes) in self.turns() {
            copy.push(direction, bytes, limit);
        }
        for (short, was) in copy.trimmed.iter_mut().zip(self.trimmed) {
            *short |= was;
        }
        copy
    }
}

/// A file of `vectors/`: conversations, and what is needed to understand them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vector {
    /// How it was captured, with which versions and keys, as `name: value` lines, in the file's order.
    pub notes: Vec<(String, String)>,
    /// The connections, in the order in which they were accepted.
    pub conversations: Vec<Conversation>,
}

impl Vector {
    /// Where the vectors are: `vectors/` of the checkout this was built from, or `$AXON_VECTORS`.
    pub fn dir() -> PathBuf {
        let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors");
        env::var_os("AXON_VECTORS").map_or_else(|| built.into(), PathBuf::from)
    }

    /// Reads `vectors/NAME.vec`.
    ///
    /// # Errors
    /// When it cannot be read or does not have the format of `vectors/README.md`.
    pub fn load(name: &str) -> Result<Self, TestbedError> {
        let path = Self::dir().join(format!("{name}.vec"));
        let text = fs::read_to_string(&path).map_err(TestbedError::io("read", &path))?;
        Self::parse(&text).map_err(|line| TestbedError::Unexpected {
            what: format!("{}:{line}", path.display()),
            output: text.lines().nth(line - 1).unwrap_or("(end)").into(),
        })
    }

    /// Reads every vector: (name, vector), sorted by name.
    ///
    /// # Errors
    /// When the folder or one of its vectors cannot be read.
    pub fn all() -> Result<Vec<(String, Self)>, TestbedError> {
        let dir = Self::dir();
        let entries = fs::read_dir(&dir).map_err(TestbedError::io("list", &dir))?;
        let mut names: Vec<_> = entries
            .flatten()
            .filter_map(|e| Some(e.file_name().to_str()?.strip_suffix(".vec")?.to_owned()))
            .collect();
        names.sort();
        names.into_iter().map(|name| Ok((name.clone(), Self::load(&name)?))).collect()
    }

    /// Writes `vectors/NAME.vec`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn store(&self, name: &str) -> Result<(), TestbedError> {
        let path = Self::dir().join(format!("{name}.vec"));
        fs::write(&path, self.to_text()).map_err(TestbedError::io("write", path))
    }

    /// The note called `name`.
    pub fn note(&self, name: &str) -> Option<&str> {
        let note = self.notes.iter().find(|(n, _)| n == name);
        note.map(|(_, value)| value.as_str())
    }

    /// Adds a note.
    pub fn with_note(mut self, name: &str, value: impl Into<String>) -> Self {
        self.notes.push((name.into(), value.into()));
        self
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}\n");
        for (name, value) in &self.notes {
            let _ = writeln!(text, "{name}: {value}");
        }
        for conversation in &self.conversations {
            let _ = writeln!(text, "\nconnection {}", conversation.title);
            for (direction, bytes) in conversation.turns() {
                text.push_str(arrow(direction));
                text.push('\n');
                for line in bytes.chunks(BYTES_PER_LINE) {
                    line.iter().for_each(|b| write!(text, "{b:02x}").expect("a string takes all"));
                    text.push('\n');
                }
            }
            for direction in [Direction::ToServer, Direction::ToClient] {
                if conversation.trimmed(direction) {
                    let _ = writeln!(text, "trimmed {}", arrow(direction));
                }
            }
        }
        text
    }

    /// Reads the text of a file; the error is the number of the line that makes no sense.
    fn parse(text: &str) -> Result<Self, usize> {
        let mut vector = Self::default();
        let mut direction = None;
        for (n, line) in text.lines().enumerate() {
            let at = n + 1;
            if n == 0 {
                (line == HEADER).then_some(()).ok_or(at)?;
            } else if let Some(title) = line.strip_prefix("connection ") {
                direction = None;
                vector.conversations.push(Conversation::new(title));
            } else if let Some(conversation) = vector.conversations.last_mut() {
                conversation.read_line(line, &mut direction).ok_or(at)?;
            } else if !line.is_empty() {
                let (name, value) = line.split_once(": ").ok_or(at)?;
                vector.notes.push((name.into(), value.into()));
            }
        }
        Ok(vector)
    }
}

impl Conversation {
    fn read_line(&mut self, line: &str, direction: &mut Option<Direction>) -> Option<()> {
        if let Some(which) = direction_of(line) {
            *direction = Some(which);
        } else if let Some(which) = line.strip_prefix("trimmed ").and_then(direction_of) {
            self.trimmed[which as usize] = true;
        } else if !line.is_empty() {
            self.push((*direction)?, &unhex(line)?, usize::MAX);
        }
        Some(())
    }
}

/// Reads hexadecimal digits.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::ToServer => ">",
        Direction::ToClient => "<",
    }
}

fn direction_of(text: &str) -> Option<Direction> {
    match text {
        ">" => Some(Direction::ToServer),
        "<" => Some(Direction::ToClient),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_reads_back() {
        let mut said = Conversation::new("client.admin -> mon.a");
        said.push(Direction::ToServer, &[7; 100], 1000);
        said.push(Direction::ToClient, b"answer", 4);
        said.push(Direction::ToClient, b"more", 400);
        said.push(Direction::ToServer, b"again", 1000);
        assert_eq!(said.bytes(Direction::ToClient), b"answ");
        let vector = Vector { conversations: vec![said.clone(), said.trim(50)], ..Vector::default() }
            .with_note("peer", "ceph: any");
        assert_eq!(Vector::parse(&vector.to_text()), Ok(vector));
    }

    #[test]
    fn nonsense_is_refused_with_its_line() {
        assert_eq!(Vector::parse("other\n"), Err(1));
        assert_eq!(Vector::parse("axon vector 1\nnote\n"), Err(2));
        let text = "axon vector 1\nconnection x\n>\n0g\n";
        assert_eq!(Vector::parse(text), Err(4));
        assert_eq!(Vector::parse("axon vector 1\nconnection x\n00\n"), Err(3));
    }
}
