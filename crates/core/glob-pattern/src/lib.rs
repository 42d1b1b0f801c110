//! Globs as Argo CD's users write them: `*`, `**`, `?`, `[a-z]`, `{a,b}`. Decides nothing else.
//!
//! A pattern becomes a small program whose states are all followed at once, so that no pattern takes more
//! than pattern × text steps.

mod namespaces;

pub use namespaces::NamespacePattern;

/// Longest pattern, in characters.
const MAX_LENGTH: usize = 4096;
/// Deepest nesting of braces.
const MAX_DEPTH: usize = 16;

/// A pattern ready to match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    program: Vec<Step>,
    separators: Vec<char>,
}

/// Why a text is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// A `[` or `{` is never closed.
    #[error("{0:?} is never closed")]
    Unclosed(char),
    /// A `[]` holds nothing.
    #[error("empty character set")]
    EmptySet,
    /// A regular expression that is none.
    #[error("{0}")]
    Expression(String),
    /// Too long, or braces too deep.
    #[error("pattern is too long or nested too deep")]
    TooLarge,
    /// A `\` stands at the end.
    #[error("nothing follows the last backslash")]
    OpenEscape,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Literal(char),
    NoSeparator,
    Any,
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    /// Goes on at both places.
    Fork(usize, usize),
    Jump(usize),
}

impl Pattern {
    /// Reads a pattern. With separators, `*` and `?` do not cross them.
    pub fn parse(text: &str, separators: &[char]) -> Result<Self, InvalidPattern> {
        let characters: Vec<char> = text.chars().collect();
        if characters.len() > MAX_LENGTH {
            return Err(InvalidPattern::TooLarge);
        }
        let mut parser = Parser { characters: &characters, at: 0, program: Vec::new() };
        parser.sequence(0)?;
        Ok(Self { program: parser.program, separators: separators.to_vec() })
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        let mut states = States::new(self.program.len());
        states.add(&self.program, 0);
        for character in text.chars() {
            let mut next = States::new(self.program.len());
            for &state in &states.list {
                let Some(step) = self.program.get(state) else { continue };
                if self.takes(step, character) {
                    next.add(&self.program, state + 1);
                }
            }
            if next.list.is_empty() {
                return false;
            }
            states = next;
        }
        states.seen[self.program.len()]
    }

    fn takes(&self, step: &Step, character: char) -> bool {
        match step {
            Step::Literal(literal) => *literal == character,
            Step::NoSeparator => !self.separators.contains(&character),
            Step::Any => true,
            Step::Set { negated, ranges } => {
                let within = ranges.iter().any(|(low, high)| (*low..=*high).contains(&character));
                within != *negated
            }
            Step::Fork(..) | Step::Jump(_) => false,
        }
    }
}

/// Whether a text matches a pattern; a pattern that does not parse matches nothing.
pub fn matches(pattern: &str, text: &str, separators: &[char]) -> bool {
    Pattern::parse(pattern, separators).is_ok_and(|pattern| pattern.matches(text))
}

/// The places in the program that are followed, forks and jumps already taken.
struct States {
    list: Vec<usize>,
    seen: Vec<bool>,
}

impl States {
    fn new(length: usize) -> Self {
        Self { list: Vec::new(), seen: vec![false; length + 1] }
    }

    fn add(&mut self, program: &[Step], start: usize) {
        let mut pending = vec![start];
        while let Some(state) = pending.pop() {
            if std::mem::replace(&mut self.seen[state], true) {
                continue;
            }
            match program.get(state) {
                Some(Step::Fork(left, right)) => pending.extend([*right, *left]),
                Some(Step::Jump(target)) => pending.push(*target),
                _ => self.list.push(state),
            }
        }
    }
}

struct Parser<'a> {
    characters: &'a [char],
    at: usize,
    program: Vec<Step>,
}

impl Parser<'_> {
    /// Up to the end, or up to the `,` or `}` that ends an alternative.
    fn sequence(&mut self, depth: usize) -> Result<(), InvalidPattern> {
        if depth > MAX_DEPTH {
            return Err(InvalidPattern::TooLarge);
        }
        while let Some(&character) = self.characters.get(self.at) {
            if depth > 0 && matches!(character, ',' | '}') {
                return Ok(());
            }
            self.at += 1;
            match character {
                '*' => self.star(),
                '?' => self.program.push(Step::NoSeparator),
                '[' => self.set()?,
                '{' => self.alternatives(depth)?,
                '\\' => {
                    let escaped = *self.characters.get(self.at).ok_or(InvalidPattern::OpenEscape)?;
                    self.at += 1;
                    self.program.push(Step::Literal(escaped));
                }
                _ => self.program.push(Step::Literal(character)),
            }
        }
        Ok(())
    }

    fn star(&mut self) {
        let mut one = Step::NoSeparator;
        while self.characters.get(self.at) == Some(&'*') {
            self.at += 1;
            one = Step::Any;
        }
        let start = self.program.len();
        self.program.extend([Step::Fork(start + 1, start + 3), one, Step::Jump(start)]);
    }

    fn set(&mut self) -> Result<(), InvalidPattern> {
        let negated = self.characters.get(self.at) == Some(&'!');
        self.at += usize::from(negated);
        let mut ranges = Vec::new();
        loop {
            let low = *self.characters.get(self.at).ok_or(InvalidPattern::Unclosed('['))?;
            self.at += 1;
            if low == ']' {
                break;
            }
            let dash = self.characters.get(self.at) == Some(&'-');
            match self.characters.get(self.at + 1) {
                Some(&high) if dash && high != ']' => {
                    self.at += 2;
                    ranges.push((low, high));
                }
                _ => ranges.push((low, low)),
            }
        }
        if ranges.is_empty() {
            return Err(InvalidPattern::EmptySet);
        }
        self.program.push(Step::Set { negated, ranges });
        Ok(())
    }

    fn alternatives(&mut self, depth: usize) -> Result<(), InvalidPattern> {
        let mut exits = Vec::new();
        loop {
            let fork = self.program.len();
            self.program.push(Step::Jump(fork + 1));
            self.sequence(depth + 1)?;
            let end = self.characters.get(self.at).copied().ok_or(InvalidPattern::Unclosed('{'))?;
            self.at += 1;
            exits.push(self.program.len());
            self.program.push(Step::Jump(0));
            if end == '}' {
                break;
            }
            self.program[fork] = Step::Fork(fork + 1, self.program.len());
        }
        let after = self.program.len();
        for exit in exits {
            self.program[exit] = Step::Jump(after);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, matches};

    #[test]
    fn patterns_match_as_users_expect() {
        let rows: &[(&str, &str, &[char], bool)] = &[
            ("*", "", &[], true),
            ("*", "a/b", &[], true),
            ("*", "a/b", &['/'], false),
            ("**", "a/b", &['/'], true),
            ("https://github.com/argoproj/*", "https://github.com/argoproj/argo-cd", &['/'], true),
            ("https://github.com/argoproj/*", "https://github.com/argoproj/a/b", &['/'], false),
            ("https://gitlab.com/group/**", "https://gitlab.com/group/a/b", &['/'], true),
            ("team?-*", "team1-web", &[], true),
            ("team?-*", "team12-web", &[], false),
            ("?", "/", &['/'], false),
            ("[ab]x", "bx", &[], true),
            ("[!ab]x", "bx", &[], false),
            ("[0-9]*", "7up", &[], true),
            ("{a,b*,c{d,e}}z", "bbbz", &[], true),
            ("{a,b*,c{d,e}}z", "cez", &[], true),
            ("{a,b*,c{d,e}}z", "cz", &[], false),
            ("{,x}y", "y", &[], true),
            ("a,b}", "a,b}", &[], true),
            (r"a\*", "a*", &[], true),
            (r"a\*", "ab", &[], false),
            ("[", "[", &[], false),
            ("{a", "a", &[], false),
            (r"a\", r"a\", &[], false),
            ("", "", &[], true),
            ("", "a", &[], false),
            ("日*", "日本", &[], true),
        ];
        for (pattern, text, separators, expected) in rows {
            assert_eq!(matches(pattern, text, separators), *expected, "{pattern:?} on {text:?}");
        }
    }

    #[test]
    fn a_hostile_pattern_is_quick_and_a_deep_one_refused() {
        let pattern = "*a".repeat(500);
        assert!(!matches(&pattern, &"a".repeat(499), &[]));
        assert!(Pattern::parse(&"{".repeat(40), &[]).is_err());
        assert!(Pattern::parse(&"a".repeat(5000), &[]).is_err());
    }
}
