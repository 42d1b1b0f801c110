//! Go's regular expressions on Rust's: the syntax is RE2's, with what Go reads otherwise. Classes such as `\d` mean ASCII only, a brace that
//! begins no repetition stands for itself, `\Q…\E` quotes, and inside a class only `[:name:]` is special.

use regex::{Regex, RegexBuilder};

/// Largest repetition RE2 takes.
const MOST_REPEATS: usize = 1000;

/// What a compiled expression of the settings may take, in bytes: whoever reads one for later must take what is taken then.
pub const LARGEST_OF_SETTINGS: usize = 4 << 20;

/// Go's words for a pattern that ends with a backslash.
pub const TRAILING: &str = "trailing backslash at end of expression";

/// Go's words for what RE2 does not know.
pub const PERL: &str = "invalid or unsupported Perl syntax";

/// Compiles a pattern for texts; `size` is what the compiled form may take, in bytes. An error is what is wrong, without the
/// pattern.
pub fn compile(pattern: &str, size: usize) -> Result<Regex, String> {
    RegexBuilder::new(&translate(pattern)?).size_limit(size).build().map_err(|error| {
        let problem = error.to_string();
        problem.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
    })
}

/// The pattern as the crate `regex` reads it. An error is what Go says is wrong; what is not found here, `regex` finds.
pub fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern;
    let mut class = false;
    while let Some(character) = rest.chars().next() {
        let tail = &rest[character.len_utf8()..];
        match character {
            '\\' => {
                rest = escape(tail, class, &mut out)?;
                continue;
            }
            '[' if class => {
                // Inside a class only `[:name:]` is special; a plain bracket stands for itself.
                if tail.starts_with(':') && tail.contains(":]") {
                    out.push('[');
                } else {
                    out.push_str("\\[");
                }
            }
            '[' => {
                class = true;
                out.push('[');
                let mut inner = tail;
                if let Some(after) = inner.strip_prefix('^') {
                    out.push('^');
                    inner = after;
                }
                if let Some(after) = inner.strip_prefix(']') {
                    out.push_str("\\]");
                    inner = after;
                }
                rest = inner;
                continue;
            }
            ']' if class => {
                // The end of a `[:name:]` is copied with its name.
                class = false;
                out.push(']');
            }
            '&' | '~' if class => {
                out.push('\\');
                out.push(character);
            }
            // After a class such as `\w`, and before another, a dash stands for itself.
            '-' if class && (tail.starts_with('-') || tail.starts_with('\\') && after_escape(&out)) => {
                out.push_str("\\-");
            }
            '(' if !class && tail.starts_with("?P=") => {
                return Err(PERL.into());
            }
            '{' if !class => {
                let (text, after) = repetition(tail)?;
                out.push_str(&text);
                rest = after;
                continue;
            }
            _ => out.push(character),
        }
        if class
            && character == '['
            && tail.starts_with(':')
            && let Some(end) = tail.find(":]")
        {
            out.push_str(&tail[..end + 2]);
            rest = &tail[end + 2..];
            continue;
        }
        rest = tail;
    }
    Ok(out)
}

/// Whether what was written last is a class such as `\w`, which cannot begin a range.
fn after_escape(out: &str) -> bool {
    ["0-9", "A-Za-z_", "\\r ", "]"].iter().any(|end| out.ends_with(end))
}

/// `{n,m}` is copied when it is a repetition; otherwise the brace stands for itself.
fn repetition(tail: &str) -> Result<(String, &str), String> {
    let Some((inner, after)) = tail.split_once('}') else { return Ok(("\\{".into(), tail)) };
    let (low, high) = inner.split_once(',').map_or((inner, None), |(low, high)| (low, Some(high)));
    let digits = |text: &str| !text.is_empty() && text.len() < 10 && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(low) || high.is_some_and(|high| !high.is_empty() && !digits(high)) {
        return Ok(("\\{".into(), tail));
    }
    let number = |text: &str| text.parse::<usize>().unwrap_or(usize::MAX);
    if number(low) > MOST_REPEATS || high.is_some_and(|high| !high.is_empty() && number(high) > MOST_REPEATS)
    {
        return Err("invalid repeat count".into());
    }
    Ok((format!("{{{inner}}}"), after))
}

/// What follows a backslash.
fn escape<'p>(tail: &'p str, class: bool, out: &mut String) -> Result<&'p str, String> {
    let Some(character) = tail.chars().next() else {
        return Err(TRAILING.into());
    };
    let after = &tail[character.len_utf8()..];
    match (character, class) {
        ('d', false) => out.push_str("[0-9]"),
        ('D', false) => out.push_str("[^0-9]"),
        ('s', false) => out.push_str("[\\t\\n\\x0C\\r ]"),
        ('S', false) => out.push_str("[^\\t\\n\\x0C\\r ]"),
        ('w', false) => out.push_str("[0-9A-Za-z_]"),
        ('W', false) => out.push_str("[^0-9A-Za-z_]"),
        ('d', true) => out.push_str("0-9"),
        ('s', true) => out.push_str("\\t\\n\\x0C\\r "),
        ('w', true) => out.push_str("0-9A-Za-z_"),
        ('D', true) => out.push_str("[^0-9]"),
        ('S', true) => out.push_str("[^\\t\\n\\x0C\\r ]"),
        ('W', true) => out.push_str("[^0-9A-Za-z_]"),
        ('b', false) => out.push_str("(?-u:\\b)"),
        ('B', false) => out.push_str("(?-u:\\B)"),
        ('C', false) => out.push_str("(?s-u:.)"),
        ('Q', false) => {
            let (literal, after) = after.split_once("\\E").unwrap_or((after, ""));
            out.push_str(&regex::escape(literal));
            return Ok(after);
        }
        ('z', false) => out.push_str("\\z"),
        ('A', false) => out.push_str("\\A"),
        ('a', _) => out.push_str("\\x07"),
        ('x' | 'p' | 'P' | 'f' | 'n' | 'r' | 't' | 'v', _) => {
            out.push('\\');
            out.push(character);
            // The braces of `\p{Greek}` and `\x{10FFFF}` are no repetition.
            if matches!(character, 'x' | 'p' | 'P')
                && let Some(end) = after.find('}').filter(|_| after.starts_with('{'))
            {
                out.push_str(&after[..=end]);
                return Ok(&after[end + 1..]);
            }
        }
        ('0'..='7', _) => {
            let digits: String = tail.chars().take(3).take_while(|c| matches!(c, '0'..='7')).collect();
            if character != '0' && digits.len() < 2 {
                return Err("invalid escape sequence".into());
            }
            let code = u32::from_str_radix(&digits, 8).unwrap_or(0);
            out.push_str(&format!("\\x{{{code:X}}}"));
            return Ok(&tail[digits.len()..]);
        }
        _ if character.is_ascii_alphanumeric() => return Err("invalid escape sequence".into()),
        _ => out.push_str(&regex::escape(&character.to_string())),
    }
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::{compile, translate};

    /// As Go's `regexp` answers.
    #[test]
    fn patterns_match_what_they_match_in_go() {
        for (pattern, text, expected) in [
            (r"^(?:${CLUSTER_NAME}-md-0)$", "${CLUSTER_NAME}-md-0", false),
            (r"\$\{NAME\}", "${NAME}", true),
            ("a{b}", "a{b}", true),
            ("a{2}", "aa", true),
            ("^a{2,}$", "aaa", true),
            ("a{,2}", "a{,2}", true),
            ("{", "{", true),
            (r"^\d$", "\u{0663}", false),
            (r"^\w+$", "é", false),
            (r"\Q.*\E", ".*", true),
            (r"\Q.*\E", "ab", false),
            ("[[]", "[", true),
            ("[]a]", "]", true),
            ("[a&&b]", "&", true),
            ("^[[:alpha:]]+$", "ab", true),
        ] {
            let regex = compile(pattern, 1 << 20).expect(pattern);
            assert_eq!(regex.is_match(text), expected, "{pattern} in {text}");
        }
        assert_eq!(translate(r"a\"), Err(super::TRAILING.to_owned()));
        assert_eq!(translate("a{1001}"), Err("invalid repeat count".to_owned()));
        assert_eq!(translate("(?P=name)"), Err(super::PERL.to_owned()));
    }
}
