//! Replacing `$variables`.

use std::cell::Cell;

/// Variables replaced within the values of others: a bound for options that name each other in a circle.
const MAX_DEPTH: u32 = 8;
/// Variables replaced in one text, with those in their values.
const MAX_VARIABLES: u32 = 1000;

/// `text` with every `$name` and `${name}` for which `value` knows a value replaced by it; others stay as they are.
pub(super) fn expand(text: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let left = Cell::new(MAX_VARIABLES);
    Expansion { value, left: &left, depth: MAX_DEPTH }.of(text)
}

#[derive(Clone, Copy)]
struct Expansion<'a> {
    value: &'a dyn Fn(&str) -> Option<String>,
    left: &'a Cell<u32>,
    depth: u32,
}

impl Expansion<'_> {
    fn of(self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            rest = match self.variable(after) {
                Some((value, following)) => {
                    out.push_str(&value);
                    following
                }
                None => {
                    out.push('$'); // and what follows is ordinary text
                    after
                }
            };
        }
        out + rest
    }

    /// The value of the variable whose name `text` starts with, and what follows the name.
    fn variable(self, text: &str) -> Option<(String, &str)> {
        let depth = self.depth.checked_sub(1)?;
        let left = self.left.get().checked_sub(1)?;
        let (name, following) = split_name(text)?;
        let value = (self.value)(name)?;
        self.left.set(left);
        Some((Self { depth, ..self }.of(&value), following))
    }
}

/// The variable's name at the start of `text`, and what follows it.
fn split_name(text: &str) -> Option<(&str, &str)> {
    if let Some(braced) = text.strip_prefix('{') {
        return braced.split_once('}');
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}
