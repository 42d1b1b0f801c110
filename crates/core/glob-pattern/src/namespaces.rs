//! How `--application-namespaces` and a project's `sourceNamespaces` are written: globs, or regular expressions between
//! slashes. The expressions are those of .NET, which look around; the documented way to except one namespace is
//! `/^((?!not-this).)*$/`.

use crate::{InvalidPattern, Pattern};
use fancy_regex::{Regex, RegexBuilder};

/// Steps back that a search may take. A name has at most 63 letters; whoever writes more than this into a pattern meets nothing.
const MOST_STEPS: usize = 100_000;
/// What a compiled expression may take, in bytes.
const LARGEST: usize = 1 << 20;

/// A pattern of namespaces, ready to match.
#[derive(Clone, Debug)]
pub struct NamespacePattern(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Glob(Pattern),
    Expression(Box<Regex>),
}

impl NamespacePattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        let inner = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        match inner.filter(|inner| !inner.is_empty()) {
            Some(inner) => {
                let read = RegexBuilder::new(inner)
                    .backtrack_limit(MOST_STEPS)
                    .delegate_size_limit(LARGEST)
                    .build()
                    .map_err(|error| InvalidPattern::Expression(error.to_string()))?;
                Ok(Self(Kind::Expression(Box::new(read))))
            }
            None => Pattern::parse(text, &[]).map(|glob| Self(Kind::Glob(glob))),
        }
    }

    /// Whether a namespace matches. A search without end finds nothing.
    pub fn matches(&self, namespace: &str) -> bool {
        match &self.0 {
            Kind::Glob(glob) => glob.matches(namespace),
            Kind::Expression(expression) => expression.is_match(namespace).unwrap_or(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(pattern: &str, namespace: &str) -> bool {
        NamespacePattern::parse(pattern).is_ok_and(|pattern| pattern.matches(namespace))
    }

    #[test]
    fn globs_and_expressions_are_told_apart_by_their_slashes() {
        for (pattern, namespace, wanted) in [
            ("team-*", "team-a", true),
            ("team-*", "a-team-a", false),
            ("/^dev[0-9]$/", "dev1", true),
            ("/^dev[0-9]$/", "dev12", false),
            // Found anywhere.
            ("/ev/", "dev1", true),
            ("/^((?!not-allowed).)*$/", "allowed", true),
            ("/^((?!not-allowed).)*$/", "x-not-allowed", false),
            ("/^(a|b)-\\1$/", "a-a", true),
            ("/^(a|b)-\\1$/", "a-b", false),
            ("/(/", "(", false),
            ("//", "", false),
            ("/", "/", true),
        ] {
            assert_eq!(permits(pattern, namespace), wanted, "{pattern} {namespace}");
        }
    }

    #[test]
    fn a_search_that_goes_back_and_back_ends() {
        let name = "a".repeat(63);
        assert!(!permits("/^(?=(a+)+$)(a*)*b\\1$/", &name));
        assert!(!permits("/^(a+)+(?!a)b$/", &name));
    }
}
