//! Replacing `$variables`.

use std::cell::Cell;

/// Variables replaced within the values of others: a bound for options that name each other in a circle.
const MAX_DEPTH: u32 = 8;
/// Bytes of the values put into one text, with those put into values: a bound for options that multiply each other. The first
/// value that does not fit is the last one looked up.
const MAX_BYTES: usize = 16 << 10;

/// `text` with every `$name` and `${name}` for which `value` knows a value replaced by it; others stay as they are.
pub(super) fn expand(text: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let left = Cell::new(MAX_BYTES);
    let mut out = String::with_capacity(text.len());
    Expansion { value, left: &left, depth: MAX_DEPTH }.put(text, &mut out);
    out
}

#[derive(Clone, Copy)]
struct Expansion<'a> {
    value: &'a dyn Fn(&str) -> Option<String>,
    left: &'a Cell<usize>,
    depth: u32,
}

impl Expansion<'_> {
    /// Adds `text` to `out`, with its variables replaced.
    fn put(self, text: &str, out: &mut String) {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            rest = match self.variable(after) {
                Some((value, inner, following)) => {
                    inner.put(&value, out);
                    following
                }
                None => {
                    out.push('$'); // and what follows is ordinary text
                    after
                }
            };
        }
        out.push_str(rest);
    }

    /// The value of the variable whose name `text` starts with, by what its own variables are replaced, and what follows
    /// the name.
    fn variable(self, text: &str) -> Option<(String, Self, &str)> {
        let depth = self.depth.checked_sub(1)?;
        let left = self.left.get().checked_sub(1)?; // an empty value takes time, too
        let (name, following) = split_name(text)?;
        let value = (self.value)(name)?;
        let left = left.checked_sub(value.len());
        self.left.set(left.unwrap_or(0));
        left.map(|_| (value, Self { depth, ..self }, following))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_does_not_fit_is_looked_up_once() {
        let looked_up = Cell::new(0);
        let value = |_: &str| {
            looked_up.set(looked_up.get() + 1);
            Some("x".repeat(MAX_BYTES))
        };
        let text = "$x".repeat(1000);
        assert_eq!((expand(&text, &value), looked_up.get()), (text, 1));
    }

    #[test]
    fn nothing_is_looked_up_when_nothing_is_left() {
        let looked_up = Cell::new(0);
        let value = |_: &str| {
            looked_up.set(looked_up.get() + 1);
            Some("x".repeat(MAX_BYTES - 1))
        };
        let expanded = expand("$x$x$x", &value);
        assert_eq!((expanded.len(), looked_up.get()), (MAX_BYTES - 1 + "$x$x".len(), 1));
    }
}
