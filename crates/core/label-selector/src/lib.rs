//! Label selectors as Kubernetes writes them: `a=b, c!=d, e in (f, g), h notin (i), j, !k, l>1`.

use std::collections::{BTreeMap, BTreeSet};

/// A selector. Without requirements it matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Operator {
    In(BTreeSet<String>),
    NotIn(BTreeSet<String>),
    Exists,
    Missing,
    Greater(i64),
    Less(i64),
}

impl Selector {
    /// Reads a selector.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut words = Words { rest: text.trim() };
        let mut requirements = Vec::new();
        while !words.rest.is_empty() {
            requirements.push(requirement(&mut words)?);
            match words.next() {
                "" => break,
                "," if words.peek().is_empty() => {
                    return Err("found '', expected: identifier after ','".to_owned());
                }
                "," => {}
                other => return Err(format!("found '{other}', expected: ',' or 'end of string'")),
            }
        }
        Ok(Self { requirements })
    }

    /// Whether labels match.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.requirements.iter().all(|requirement| {
            let value = labels.get(&requirement.key);
            match &requirement.operator {
                Operator::In(values) => value.is_some_and(|value| values.contains(value)),
                Operator::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
                Operator::Exists => value.is_some(),
                Operator::Missing => value.is_none(),
                Operator::Greater(bound) => number(value).is_some_and(|number| number > *bound),
                Operator::Less(bound) => number(value).is_some_and(|number| number < *bound),
            }
        })
    }
}

fn number(value: Option<&String>) -> Option<i64> {
    value.and_then(|value| value.parse().ok())
}

struct Words<'t> {
    rest: &'t str,
}

impl<'t> Words<'t> {
    /// The next word or sign; empty at the end.
    fn next(&mut self) -> &'t str {
        let text = self.rest.trim_start();
        let length = match text.as_bytes() {
            [] => 0,
            [b'=', b'=', ..] | [b'!', b'=', ..] => 2,
            [b',' | b'(' | b')' | b'=' | b'!' | b'<' | b'>', ..] => 1,
            _ => text.find(|it: char| it.is_whitespace() || ",()=!<>".contains(it)).unwrap_or(text.len()),
        };
        let (word, rest) = text.split_at(length);
        self.rest = rest;
        word
    }

    fn peek(&self) -> &'t str {
        Words { rest: self.rest }.next()
    }
}

fn is_sign(word: &str) -> bool {
    word.is_empty() || word.starts_with([',', '(', ')', '=', '!', '<', '>'])
}

fn requirement(words: &mut Words<'_>) -> Result<Requirement, String> {
    let mut key = words.next();
    let missing = key == "!";
    if missing {
        key = words.next();
    }
    if is_sign(key) {
        return Err(format!("found '{key}', expected: identifier"));
    }
    let key = key.to_owned();
    if missing {
        return Ok(Requirement { key, operator: Operator::Missing });
    }
    let operator = match words.peek() {
        "" | "," => Operator::Exists,
        sign => {
            words.next();
            match sign {
                "=" | "==" => Operator::In([value(words)].into()),
                "!=" => Operator::NotIn([value(words)].into()),
                "in" => Operator::In(values(words)?),
                "notin" => Operator::NotIn(values(words)?),
                ">" => Operator::Greater(bound(words)?),
                "<" => Operator::Less(bound(words)?),
                other => {
                    return Err(format!(
                        "found '{other}', expected: in, notin, =, ==, !=, gt, lt after '{key}'"
                    ));
                }
            }
        }
    };
    Ok(Requirement { key, operator })
}

/// `a=` asks for an empty value.
fn value(words: &mut Words<'_>) -> String {
    if is_sign(words.peek()) { String::new() } else { words.next().to_owned() }
}

fn bound(words: &mut Words<'_>) -> Result<i64, String> {
    let text = value(words);
    text.parse().map_err(|_| format!("for 'Gt', 'Lt' operators, the value must be an integer, not '{text}'"))
}

fn values(words: &mut Words<'_>) -> Result<BTreeSet<String>, String> {
    if words.next() != "(" {
        return Err("expected: '(' after in or notin".to_owned());
    }
    let mut values = BTreeSet::new();
    loop {
        values.insert(value(words));
        match words.next() {
            "," => {}
            ")" => return Ok(values),
            other => return Err(format!("found '{other}', expected: ',' or ')'")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(selector: &str, expected: bool) {
        let labels = [("team", "x"), ("tier", "3"), ("empty", "")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        assert_eq!(Selector::parse(selector).expect("readable").matches(&labels), expected, "{selector}");
    }

    #[test]
    fn requirements_are_all_asked_for() {
        for selector in [
            "",
            "team=x",
            "team==x,tier",
            "team in (y, x)",
            "team notin (y)",
            "!gone",
            "tier>2",
            "tier < 4",
            "gone!=x",
            "empty=",
            "a.b/c notin (d),team",
        ] {
            check(selector, true);
        }
        for selector in
            ["team=y", "team!=x", "gone", "!team", "team in (y)", "tier>3", "team>1", "team=x,gone"]
        {
            check(selector, false);
        }
    }

    #[test]
    fn what_is_no_selector_is_an_error() {
        for selector in ["=", "a in", "a in (b", "a b", "a>x", "a,", ",a", "(", "!", "a==b==c"] {
            assert!(Selector::parse(selector).is_err(), "{selector}");
        }
    }
}
