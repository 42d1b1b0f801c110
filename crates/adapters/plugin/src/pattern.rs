//! Paths matched as Go's `filepath.Match` and the `zglob` library do: parts between slashes are matched one by one,
//! so that `*` stays within a part. With `**`, which stands for any number of parts, and `{a,b}` where asked for.

/// Longest pattern, in bytes.
const LONGEST: usize = 4096;
/// Patterns that braces may make of one.
const MOST_ALTERNATIVES: usize = 256;

/// The text is no pattern. The words are those of Go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("syntax error in pattern")]
pub struct BadPattern;

/// Which signs mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// `filepath.Match`: `*`, `?`, `[a-z]`, `[^a-z]`, `\x`.
    Plain,
    /// `zglob`: beside these, `**` and `{a,b}`.
    Deep,
}

/// A pattern ready to match.
#[derive(Clone, Debug)]
pub struct Pattern {
    alternatives: Vec<Vec<Part>>,
}

#[derive(Clone, Debug)]
enum Part {
    Any,
    Signs(Vec<Sign>),
}

#[derive(Clone, Debug)]
enum Sign {
    Literal(char),
    One,
    Many,
    Set { negated: bool, ranges: Vec<(char, char)> },
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str, syntax: Syntax) -> Result<Self, BadPattern> {
        if text.len() > LONGEST {
            return Err(BadPattern);
        }
        let texts = match syntax {
            Syntax::Plain => vec![text.to_owned()],
            Syntax::Deep => expand(text)?,
        };
        let mut alternatives = Vec::new();
        for text in texts {
            let parts = text.split('/').filter(|part| !matches!(*part, "" | "."));
            let read = |part: &str| match (part, syntax) {
                ("**", Syntax::Deep) => Ok(Part::Any),
                (part, _) => signs(part).map(Part::Signs),
            };
            alternatives.push(parts.map(read).collect::<Result<Vec<_>, _>>()?);
        }
        Ok(Self { alternatives })
    }

    /// Whether a path, parts between slashes, matches as a whole.
    pub fn matches(&self, path: &str) -> bool {
        let names: Vec<Vec<char>> =
            path.split('/').filter(|part| !part.is_empty()).map(|part| part.chars().collect()).collect();
        self.alternatives.iter().any(|parts| parts_match(parts, &names))
    }
}

/// Every text that braces stand for.
fn expand(text: &str) -> Result<Vec<String>, BadPattern> {
    let Some(open) = text.find('{') else { return Ok(vec![text.to_owned()]) };
    let mut depth = 0;
    let (mut start, mut choices, mut close) = (open + 1, Vec::new(), None);
    for (at, sign) in text.char_indices().skip_while(|(at, _)| *at < open) {
        match sign {
            '{' => depth += 1,
            ',' if depth == 1 => {
                choices.push(&text[start..at]);
                start = at + 1;
            }
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            choices.push(&text[start..at]);
            close = Some(at);
            break;
        }
    }
    let close = close.ok_or(BadPattern)?;
    let mut all = Vec::new();
    for choice in choices {
        all.extend(expand(&format!("{}{choice}{}", &text[..open], &text[close + 1..]))?);
        if all.len() > MOST_ALTERNATIVES {
            return Err(BadPattern);
        }
    }
    Ok(all)
}

fn signs(part: &str) -> Result<Vec<Sign>, BadPattern> {
    let mut signs = Vec::new();
    let mut rest = part.chars();
    while let Some(sign) = rest.next() {
        signs.push(match sign {
            '*' => Sign::Many,
            '?' => Sign::One,
            '\\' => Sign::Literal(rest.next().ok_or(BadPattern)?),
            '[' => set(&mut rest)?,
            other => Sign::Literal(other),
        });
    }
    Ok(signs)
}

fn set(rest: &mut std::str::Chars<'_>) -> Result<Sign, BadPattern> {
    let negated = rest.as_str().starts_with('^');
    if negated {
        rest.next();
    }
    let mut ranges = Vec::new();
    loop {
        if rest.as_str().starts_with(']') && !ranges.is_empty() {
            rest.next();
            return Ok(Sign::Set { negated, ranges });
        }
        let first = set_member(rest)?;
        let mut last = first;
        if rest.as_str().starts_with('-') {
            rest.next();
            last = set_member(rest)?;
        }
        ranges.push((first, last));
    }
}

fn set_member(rest: &mut std::str::Chars<'_>) -> Result<char, BadPattern> {
    match rest.next().ok_or(BadPattern)? {
        '-' | ']' => Err(BadPattern),
        '\\' => rest.next().ok_or(BadPattern),
        other => Ok(other),
    }
}

/// Follows all that could match so far: pattern × path steps at the most.
fn parts_match(parts: &[Part], names: &[Vec<char>]) -> bool {
    // reach[n]: the parts so far match the first n names.
    let mut reach = vec![false; names.len() + 1];
    reach[0] = true;
    for part in parts {
        let mut next = vec![false; names.len() + 1];
        match part {
            Part::Any => {
                let mut reached = false;
                for at in 0..=names.len() {
                    reached |= reach[at];
                    next[at] = reached;
                }
            }
            Part::Signs(signs) => {
                for (at, name) in names.iter().enumerate() {
                    next[at + 1] = reach[at] && name_matches(signs, name);
                }
            }
        }
        reach = next;
    }
    reach[names.len()]
}

fn name_matches(signs: &[Sign], name: &[char]) -> bool {
    let mut reach = vec![false; name.len() + 1];
    reach[0] = true;
    for sign in signs {
        let mut next = vec![false; name.len() + 1];
        if let Sign::Many = sign {
            let mut reached = false;
            for at in 0..=name.len() {
                reached |= reach[at];
                next[at] = reached;
            }
        } else {
            for (at, found) in name.iter().enumerate() {
                next[at + 1] = reach[at] && fits(sign, *found);
            }
        }
        reach = next;
    }
    reach[name.len()]
}

fn fits(sign: &Sign, found: char) -> bool {
    match sign {
        Sign::Literal(wanted) => *wanted == found,
        Sign::One | Sign::Many => true,
        Sign::Set { negated, ranges } => {
            ranges.iter().any(|(first, last)| (*first..=*last).contains(&found)) != *negated
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, Syntax};

    #[test]
    fn parts_are_matched_one_by_one() {
        for (pattern, path, expected) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "b/a.yaml", false),
            (".git/*", ".git/config", true),
            (".git/*", ".git/refs/heads", false),
            ("./subdir/s*.yaml", "subdir/some.yaml", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("**", "a/b", false),
            ("{a,b}", "a", false),
        ] {
            assert_eq!(
                Pattern::parse(pattern, Syntax::Plain).unwrap().matches(path),
                expected,
                "{pattern} {path}"
            );
        }
        for pattern in ["[", "[a", "[]", "a\\", "[a-]"] {
            assert!(Pattern::parse(pattern, Syntax::Plain).is_err(), "{pattern}");
        }
    }

    #[test]
    fn stars_and_braces_go_deep() {
        for (pattern, path, expected) in [
            ("**/Chart.yaml", "Chart.yaml", true),
            ("**/Chart.yaml", "a/b/Chart.yaml", true),
            ("**/Chart.yaml", "a/b/Chart.yml", false),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a/**/b", "c/a/b", false),
            ("*.{yaml,yml}", "a.yml", true),
            ("*.{yaml,yml}", "a.json", false),
            ("{a,b/{c,d}}/x", "b/d/x", true),
        ] {
            assert_eq!(
                Pattern::parse(pattern, Syntax::Deep).unwrap().matches(path),
                expected,
                "{pattern} {path}"
            );
        }
        assert!(Pattern::parse("{a", Syntax::Deep).is_err());
        assert!(Pattern::parse(&"{a,b}".repeat(20), Syntax::Deep).is_err());
        // What makes other matchers go back and forth for ever.
        let hard = Pattern::parse(&"*a".repeat(50), Syntax::Plain).unwrap();
        assert!(!hard.matches(&"a".repeat(49)));
    }
}
