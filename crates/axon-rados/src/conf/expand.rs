//! Replacing `$variables`.

/// Variables within values of variables that are followed before the rest is left as it is: a bound for options that
/// name each other in a circle.
const MAX_DEPTH: u32 = 8;

/// `text` with every `$name` and `${name}` for which `value` knows a value replaced by it; others stay as they are.
pub(super) fn expand(text: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    expand_within(text, value, MAX_DEPTH)
}

fn expand_within(text: &str, value: &dyn Fn(&str) -> Option<String>, depth: u32) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        rest = after;
        let Some((name, following)) = split_name(after) else {
            out.push('$');
            continue;
        };
        match value(name).filter(|_| depth > 0) {
            Some(found) => out.push_str(&expand_within(&found, value, depth - 1)),
            None => {
                out.push('$');
                continue; // the name is ordinary text
            }
        }
        rest = following;
    }
    out + rest
}

/// The variable's name at the start of `text`, and what follows it.
fn split_name(text: &str) -> Option<(&str, &str)> {
    if let Some(braced) = text.strip_prefix('{') {
        return braced.split_once('}');
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}
