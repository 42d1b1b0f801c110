//! Label selectors as text: `a=b,c!=d,e in (f,g),!h`. Errors in the words of Kubernetes.

use std::collections::{BTreeMap, BTreeSet};

const OPERATORS: &str = "in, notin, =, ==, !=, gt, lt";

/// What labels must be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    Exists(String),
    Absent(String),
    Among(String, BTreeSet<String>),
    NotAmong(String, BTreeSet<String>),
    Above(String, i64),
    Below(String, i64),
}

impl Selector {
    /// Reads a selector; the empty one takes everything.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let tokens = tokens(text);
        let mut reader = Reader { tokens: &tokens };
        let mut requirements = Vec::new();
        while reader.peek() != "" {
            requirements
                .push(reader.requirement().map_err(|text| format!("unable to parse requirement: {text}"))?);
            match reader.next() {
                "" => break,
                "," if reader.peek() != "" => {}
                "," => return Err(unexpected("", "identifier after ','")),
                other => return Err(unexpected(other, "',' or 'end of string'")),
            }
        }
        Ok(Self(requirements))
    }

    /// Whether labels are as they must be.
    pub(crate) fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|requirement| requirement.holds(labels))
    }
}

impl Requirement {
    fn holds(&self, labels: &BTreeMap<String, String>) -> bool {
        let number = |key: &String| labels.get(key).and_then(|value| value.parse::<i64>().ok());
        match self {
            Self::Exists(key) => labels.contains_key(key),
            Self::Absent(key) => !labels.contains_key(key),
            Self::Among(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Self::NotAmong(key, values) => labels.get(key).is_none_or(|value| !values.contains(value)),
            Self::Above(key, bound) => number(key).is_some_and(|value| value > *bound),
            Self::Below(key, bound) => number(key).is_some_and(|value| value < *bound),
        }
    }
}

fn unexpected(found: &str, expected: &str) -> String {
    format!("found '{found}', expected: {expected}")
}

fn is_special(character: char) -> bool {
    matches!(character, '=' | '!' | '(' | ')' | ',' | '>' | '<')
}

/// Words and signs; signs of two characters stay together.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character.is_whitespace() {
            continue;
        }
        let mut token = String::from(character);
        if is_special(character) {
            if matches!(character, '=' | '!') && characters.peek() == Some(&'=') {
                token.extend(characters.next());
            }
        } else {
            while let Some(next) = characters.next_if(|next| !next.is_whitespace() && !is_special(*next)) {
                token.push(next);
            }
        }
        tokens.push(token);
    }
    tokens
}

struct Reader<'t> {
    tokens: &'t [String],
}

impl<'t> Reader<'t> {
    fn peek(&self) -> &'t str {
        self.tokens.first().map_or("", String::as_str)
    }

    fn next(&mut self) -> &'t str {
        let token = self.peek();
        self.tokens = self.tokens.get(1..).unwrap_or_default();
        token
    }

    fn word(&mut self) -> Result<String, String> {
        match self.next() {
            token if token.is_empty() || token.starts_with(is_special) => {
                Err(unexpected(token, "identifier"))
            }
            token => Ok(token.to_owned()),
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        if self.peek() == "!" {
            self.next();
            return self.word().map(Requirement::Absent);
        }
        let key = self.word()?;
        if matches!(self.peek(), "" | ",") {
            return Ok(Requirement::Exists(key));
        }
        match self.next() {
            "=" | "==" => Ok(Requirement::Among(key, BTreeSet::from([self.value()]))),
            "!=" => Ok(Requirement::NotAmong(key, BTreeSet::from([self.value()]))),
            "in" => Ok(Requirement::Among(key, self.values()?)),
            "notin" => Ok(Requirement::NotAmong(key, self.values()?)),
            ">" | "gt" => Ok(Requirement::Above(key, self.number()?)),
            "<" | "lt" => Ok(Requirement::Below(key, self.number()?)),
            other => Err(unexpected(other, OPERATORS)),
        }
    }

    /// The one value of `=`; it may be empty.
    fn value(&mut self) -> String {
        if matches!(self.peek(), "" | ",") { String::new() } else { self.next().to_owned() }
    }

    fn number(&mut self) -> Result<i64, String> {
        let word = self.word()?;
        word.parse().map_err(|_| unexpected(&word, "a whole number"))
    }

    fn values(&mut self) -> Result<BTreeSet<String>, String> {
        match self.next() {
            "(" => {}
            other => return Err(unexpected(other, "'('")),
        }
        let mut values = BTreeSet::new();
        loop {
            match self.next() {
                ")" => return Ok(values),
                "," => {
                    values.insert(String::new());
                }
                token if token.is_empty() || token.starts_with(is_special) => {
                    return Err(unexpected(token, "',', ')' or identifier"));
                }
                word => {
                    values.insert(word.to_owned());
                    match self.next() {
                        ")" => return Ok(values),
                        "," => {}
                        other => return Err(unexpected(other, "',', ')' or identifier")),
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(selector: &str, labels: &[(&str, &str)]) -> bool {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Selector::parse(selector).unwrap().matches(&labels)
    }

    #[test]
    fn each_operator_means_what_it_says() {
        let labels = [("team", "a"), ("tier", "3")];
        for selector in [
            "",
            "team",
            "!other",
            "team=a",
            "team==a",
            "team!=b",
            "team in (a,b)",
            "team notin (b)",
            "tier gt 2",
            "tier<4",
            "other!=x",
            "team=a , tier",
        ] {
            assert!(matches(selector, &labels), "{selector}");
        }
        for selector in [
            "other",
            "!team",
            "team=b",
            "team!=a",
            "team in (b)",
            "team notin (a)",
            "tier lt 3",
            "team=a,other",
        ] {
            assert!(!matches(selector, &labels), "{selector}");
        }
    }

    #[test]
    fn errors_are_in_the_words_of_kubernetes() {
        let error = |text: &str| Selector::parse(text).unwrap_err();
        assert_eq!(
            error("in("),
            "unable to parse requirement: found '(', expected: in, notin, =, ==, !=, gt, lt"
        );
        assert_eq!(
            error("a in (b"),
            "unable to parse requirement: found '', expected: ',', ')' or identifier"
        );
        assert_eq!(error("=a"), "unable to parse requirement: found '=', expected: identifier");
        assert!(Selector::parse("a,").is_err());
    }
}
