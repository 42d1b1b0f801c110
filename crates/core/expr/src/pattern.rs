//! Go's regular expressions: classes are of ASCII, `\Q…\E` quotes.

use regex::{Regex, RegexBuilder};

/// Largest compiled expression, in bytes.
const SIZE: usize = 1 << 20;

pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    let translated = translated(pattern);
    RegexBuilder::new(&translated).size_limit(SIZE).build().map_err(|error| {
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        format!("error parsing regexp: {reason}: `{}`", crate::text::brief(pattern))
    })
}

fn translated(pattern: &str) -> String {
    let mut result = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    let mut in_class = false;
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                let Some(escaped) = characters.next() else {
                    result.push('\\');
                    break;
                };
                match (escaped, in_class) {
                    ('d', false) => result.push_str("[0-9]"),
                    ('d', true) => result.push_str("0-9"),
                    ('D', _) => result.push_str("[^0-9]"),
                    ('w', false) => result.push_str("[0-9A-Za-z_]"),
                    ('w', true) => result.push_str("0-9A-Za-z_"),
                    ('W', _) => result.push_str("[^0-9A-Za-z_]"),
                    ('s', false) => result.push_str("[\\t\\n\\f\\r ]"),
                    ('s', true) => result.push_str("\\t\\n\\f\\r "),
                    ('S', _) => result.push_str("[^\\t\\n\\f\\r ]"),
                    ('b', false) => result.push_str("(?-u:\\b)"),
                    ('B', false) => result.push_str("(?-u:\\B)"),
                    ('Q', false) => {
                        let rest = characters.as_str();
                        let end = rest.find("\\E").unwrap_or(rest.len());
                        result.push_str(&regex::escape(&rest[..end]));
                        characters = rest[end..].strip_prefix("\\E").unwrap_or("").chars();
                    }
                    (other, _) => {
                        result.push('\\');
                        result.push(other);
                    }
                }
            }
            '[' if in_class => {
                // Only a named class is one inside of another.
                result.push_str(if characters.as_str().starts_with(':') { "[" } else { "\\[" });
            }
            '&' | '~' if in_class => {
                result.push('\\');
                result.push(character);
            }
            '[' => {
                in_class = true;
                result.push('[');
                let rest = characters.as_str();
                let negated = rest.starts_with('^');
                if negated {
                    result.push('^');
                    characters.next();
                }
                if characters.as_str().starts_with(']') {
                    result.push_str("\\]");
                    characters.next();
                }
            }
            ']' if in_class => {
                // The end of a named class is not the end of the class around it.
                let named = result.ends_with(':');
                in_class = named;
                result.push(']');
            }
            other => result.push(other),
        }
    }
    result
}
