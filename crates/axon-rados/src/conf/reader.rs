//! Text to sections.

use super::error::SyntaxProblem;
use std::collections::BTreeMap;
use std::fmt;

/// What a line sets an option to.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Setting {
    /// The value, before variables are replaced.
    pub(super) value: String,
    /// The line, from 1; 0 for what a command line set.
    pub(super) line: usize,
}

/// Without the value, which may be a key.
impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting").field("line", &self.line).finish_non_exhaustive()
    }
}

/// Options by section.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Sections {
    overrides: BTreeMap<String, Setting>,
    by_name: BTreeMap<String, BTreeMap<String, Setting>>,
}

impl Sections {
    /// The option as set in the first of `sections` that sets it; what a command line set comes before all of them.
    pub(super) fn get<'a>(&'a self, sections: &[&str], option: &str) -> Option<&'a Setting> {
        let option = normalize(option);
        let in_file = || sections.iter().find_map(|name| self.by_name.get(*name)?.get(&option));
        self.overrides.get(&option).or_else(in_file)
    }

    /// The option as each section sets it whose name begins with `prefix`, in the order of their names.
    pub(super) fn each<'a>(&'a self, prefix: &'a str, option: &str) -> impl Iterator<Item = &'a Setting> {
        let option = normalize(option);
        let chosen = self.by_name.iter().filter(move |(name, _)| name.starts_with(prefix));
        chosen.filter_map(move |(_, section)| section.get(&option))
    }

    pub(super) fn set_override(&mut self, option: &str, value: &str) {
        let setting = Setting { value: value.to_owned(), line: 0 };
        self.overrides.insert(normalize(option), setting);
    }

    fn section(&mut self, name: &str) -> &mut BTreeMap<String, Setting> {
        self.by_name.entry(name.to_owned()).or_default()
    }
}

/// An option's name in its one spelling: blanks around it gone, blanks within it and dashes as underscores.
fn normalize(option: &str) -> String {
    option.split_whitespace().collect::<Vec<_>>().join("_").replace('-', "_")
}

/// Reads a file's text; an error says in which line.
pub(super) fn read(text: &str) -> Result<Sections, (usize, SyntaxProblem)> {
    let mut sections = Sections::default();
    let mut current = None;
    for (number, line) in joined_lines(text) {
        let at = |problem| (number, problem);
        match read_line(&line).map_err(at)? {
            Line::Empty => {}
            Line::Section(name) => {
                sections.section(&name);
                current = Some(name);
            }
            Line::Option(name, value) => {
                let section = current.as_deref().ok_or(at(SyntaxProblem::OutsideSection))?;
                sections.section(section).insert(name, Setting { value, line: number });
            }
        }
    }
    Ok(sections)
}

/// The lines with their numbers, each joined with the next one while it ends in a backslash.
fn joined_lines(text: &str) -> impl Iterator<Item = (usize, String)> + '_ {
    let mut lines = text.lines().enumerate();
    std::iter::from_fn(move || {
        let (i, first) = lines.next()?;
        let mut joined = first.to_owned();
        while continues(&joined) {
            joined.pop();
            let Some((_, next)) = lines.next() else { break };
            joined.push_str(next);
        }
        Some((i + 1, joined))
    })
}

/// Whether the line ends in a backslash that nothing escapes; comments do not go on.
fn continues(line: &str) -> bool {
    let backslashes = line.bytes().rev().take_while(|b| *b == b'\\').count();
    backslashes % 2 == 1 && !line.trim_start().starts_with(COMMENT)
}

const COMMENT: [char; 2] = ['#', ';'];

enum Line {
    Empty,
    Section(String),
    Option(String, String),
}

fn read_line(line: &str) -> Result<Line, SyntaxProblem> {
    let line = line.trim();
    if line.is_empty() || line.starts_with(COMMENT) {
        return Ok(Line::Empty);
    }
    match line.strip_prefix('[') {
        Some(rest) => read_section(rest),
        None => read_option(line),
    }
}

fn read_section(rest: &str) -> Result<Line, SyntaxProblem> {
    let (name, after) = rest.split_once(']').ok_or(SyntaxProblem::OpenSection)?;
    let name = name.trim();
    if name.is_empty() {
        return Err(SyntaxProblem::NamelessSection);
    }
    only_comment(after, SyntaxProblem::AfterSection)?;
    Ok(Line::Section(name.to_owned()))
}

fn read_option(line: &str) -> Result<Line, SyntaxProblem> {
    let (name, value) = line.split_once('=').ok_or(SyntaxProblem::NotAnOption)?;
    if name.contains(COMMENT) {
        return Err(SyntaxProblem::NotAnOption);
    }
    let name = normalize(name);
    if name.is_empty() {
        return Err(SyntaxProblem::NamelessOption);
    }
    Ok(Line::Option(name, read_value(value.trim())?))
}

fn read_value(text: &str) -> Result<String, SyntaxProblem> {
    match text.chars().next() {
        Some(quote @ ('"' | '\'')) => read_quoted(&text[1..], quote),
        _ => Ok(unescape_until(text, &COMMENT).0.trim_end().to_owned()),
    }
}

fn read_quoted(text: &str, quote: char) -> Result<String, SyntaxProblem> {
    let (value, after) = unescape_until(text, &[quote]);
    let after = after.ok_or(SyntaxProblem::OpenQuote)?;
    only_comment(after, SyntaxProblem::AfterQuote)?;
    Ok(value)
}

/// The text up to the first of `ends` that no backslash escapes, without those backslashes; and what follows that end,
/// if there is one.
fn unescape_until<'a>(text: &'a str, ends: &[char]) -> (String, Option<&'a str>) {
    let mut value = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => value.extend(chars.next()),
            c if ends.contains(&c) => return (value, Some(chars.as_str())),
            c => value.push(c),
        }
    }
    (value, None)
}

fn only_comment(text: &str, problem: SyntaxProblem) -> Result<(), SyntaxProblem> {
    let text = text.trim_start();
    match text.is_empty() || text.starts_with(COMMENT) {
        true => Ok(()),
        false => Err(problem),
    }
}
