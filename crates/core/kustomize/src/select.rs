//! Selecting resources: regular expressions over ids, and label selectors.

use crate::error::{Error, Result};
use crate::id::{Gvk, GvkRef, Id};
use regex::Regex;

/// Bytes a compiled expression may take.
const LARGEST_REGEX: usize = 1 << 20;

/// An expression as Go's `regexp` reads it.
pub(crate) fn go_regex(pattern: &str) -> Result<Regex> {
    go_regexp::compile(pattern, LARGEST_REGEX)
        .map_err(|reason| Error::invalid(format!("error parsing regexp: {reason}: `{pattern}`")))
}

/// What `target`, `select` and `reject` say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(crate) id: Id,
    pub(crate) annotations: String,
    pub(crate) labels: String,
}

/// A selector made ready.
#[derive(Debug)]
pub(crate) struct Compiled {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    pub(crate) annotations: Labels,
    pub(crate) labels: Labels,
    pub(crate) empty: bool,
}

impl Selector {
    pub(crate) fn compile(&self) -> Result<Compiled> {
        let part = |text: &str| -> Result<Option<Regex>> {
            if text.is_empty() { Ok(None) } else { go_regex(&format!("^(?:{text})$")).map(Some) }
        };
        let Gvk { group, version, kind } = &self.id.gvk;
        Ok(Compiled {
            group: part(group)?,
            version: part(version)?,
            kind: part(kind)?,
            name: part(&self.id.name)?,
            namespace: part(&self.id.namespace)?,
            annotations: Labels::parse(&self.annotations)?,
            labels: Labels::parse(&self.labels)?,
            empty: self.id.is_empty(),
        })
    }
}

fn matches(regex: Option<&Regex>, text: &str) -> bool {
    regex.is_none_or(|regex| regex.is_match(text))
}

impl Compiled {
    pub(crate) fn matches_gvk(&self, gvk: GvkRef<'_>) -> bool {
        matches(self.group.as_ref(), gvk.group)
            && matches(self.version.as_ref(), gvk.version)
            && matches(self.kind.as_ref(), gvk.kind)
    }

    pub(crate) fn matches_name(&self, name: &str) -> bool {
        matches(self.name.as_ref(), name)
    }

    pub(crate) fn matches_namespace(&self, namespace: &str) -> bool {
        matches(self.namespace.as_ref(), namespace)
    }

    pub(crate) fn matches_id(&self, id: &Id) -> bool {
        self.matches_gvk(id.gvk.borrowed())
            && self.matches_name(&id.name)
            && self.matches_namespace(&id.namespace)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    Absent,
    Greater,
    Less,
}

#[derive(Clone, Debug)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

/// A label selector: all requirements must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Labels {
    requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Sign(&'a str),
    End,
}

impl Labels {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let tokens = tokens(text);
        let mut parser = Parser { tokens: &tokens, at: 0 };
        parser.selector().map_err(|problem| Error::invalid(format!("unable to parse requirement: {problem}")))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    pub(crate) fn matches<'a>(&self, get: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.requirements.iter().all(|requirement| {
            let value = get(&requirement.key);
            let number = |text: &str| text.parse::<i64>().ok();
            match requirement.operator {
                Operator::In => value.is_some_and(|value| requirement.values.iter().any(|one| one == value)),
                Operator::NotIn => {
                    value.is_none_or(|value| requirement.values.iter().all(|one| one != value))
                }
                Operator::Exists => value.is_some(),
                Operator::Absent => value.is_none(),
                Operator::Greater | Operator::Less => {
                    let wanted = requirement.values.first().and_then(|value| number(value));
                    match (value.and_then(number), wanted) {
                        (Some(value), Some(wanted)) if requirement.operator == Operator::Greater => {
                            value > wanted
                        }
                        (Some(value), Some(wanted)) => value < wanted,
                        _ => false,
                    }
                }
            }
        })
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let special = ['=', '!', '(', ')', ',', '>', '<'];
    let space = [' ', '\t', '\r', '\n'];
    loop {
        rest = rest.trim_start_matches(space);
        if rest.is_empty() {
            tokens.push(Token::End);
            return tokens;
        }
        let length = if rest.starts_with(special) {
            if rest.starts_with("==") || rest.starts_with("!=") { 2 } else { 1 }
        } else {
            rest.find(|character| special.contains(&character) || space.contains(&character))
                .unwrap_or(rest.len())
        };
        let (token, after) = rest.split_at(length);
        let sign = token.starts_with(special);
        tokens.push(if sign { Token::Sign(token) } else { Token::Word(token) });
        rest = after;
    }
}

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> &Token<'a> {
        self.tokens.get(self.at).unwrap_or(&Token::End)
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn selector(&mut self) -> Result<Labels, String> {
        let mut requirements = Vec::new();
        loop {
            match self.peek() {
                Token::Word(_) | Token::Sign("!") => {
                    requirements.push(self.requirement()?);
                    match self.next() {
                        Token::End => return Ok(Labels { requirements }),
                        Token::Sign(",") => {
                            if !matches!(self.peek(), Token::Word(_) | Token::Sign("!")) {
                                return Err(found(self.peek(), "identifier after ','"));
                            }
                        }
                        other => return Err(found(&other, "',' or 'end of string'")),
                    }
                }
                Token::End => return Ok(Labels { requirements }),
                other => return Err(found(other, "!, identifier, or 'end of string'")),
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let absent = *self.peek() == Token::Sign("!");
        if absent {
            self.next();
        }
        let key = match self.next() {
            Token::Word(key) => key,
            other => return Err(found(&other, "identifier")),
        };
        check_key(key)?;
        let alone = matches!(self.peek(), Token::End | Token::Sign(","));
        let requirement = |operator, values| Ok(Requirement { key: key.to_owned(), operator, values });
        if absent {
            return requirement(Operator::Absent, Vec::new());
        }
        if alone {
            return requirement(Operator::Exists, Vec::new());
        }
        let (operator, many) = match self.next() {
            Token::Word("in") => (Operator::In, true),
            Token::Word("notin") => (Operator::NotIn, true),
            Token::Sign("=" | "==") => (Operator::In, false),
            Token::Sign("!=") => (Operator::NotIn, false),
            Token::Sign(">") => (Operator::Greater, false),
            Token::Sign("<") => (Operator::Less, false),
            other => return Err(found(&other, "'=', '!=', '==', 'in', notin'")),
        };
        let values = if many { self.values()? } else { vec![self.value()?] };
        if matches!(operator, Operator::Greater | Operator::Less) && values[0].parse::<i64>().is_err() {
            return Err("for 'Gt', 'Lt' operators, the value must be an integer".to_owned());
        }
        values.iter().try_for_each(|value| check_value(key, value))?;
        requirement(operator, values)
    }

    fn value(&mut self) -> Result<String, String> {
        match self.peek() {
            Token::End | Token::Sign(",") => Ok(String::new()),
            Token::Word(word) => {
                let word = (*word).to_owned();
                self.next();
                Ok(word)
            }
            other => Err(found(other, "identifier")),
        }
    }

    fn values(&mut self) -> Result<Vec<String>, String> {
        if self.next() != Token::Sign("(") {
            return Err(found(&self.tokens[self.at - 1], "'('"));
        }
        let mut values = Vec::new();
        let mut word = false;
        loop {
            match self.next() {
                Token::Word(_) if word => return Err(found(&self.tokens[self.at - 1], "',' or ')'")),
                Token::Word(value) => {
                    values.push(value.to_owned());
                    word = true;
                }
                Token::Sign(",") => {
                    if !word {
                        values.push(String::new());
                    }
                    word = false;
                }
                Token::Sign(")") => {
                    if !word {
                        values.push(String::new());
                    }
                    return Ok(values);
                }
                other => return Err(found(&other, "',', or identifier")),
            }
        }
    }
}

fn found(token: &Token<'_>, expected: &str) -> String {
    let text = match token {
        Token::Word(text) | Token::Sign(text) => text,
        Token::End => "",
    };
    format!("found '{text}', expected: {expected}")
}

fn check_key(key: &str) -> Result<(), String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let dns = |prefix: &str| {
        prefix.len() <= 253
            && prefix.split('.').all(|label| {
                !label.is_empty()
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            })
    };
    if prefix.is_none_or(dns) && !name.is_empty() && is_label(name) {
        return Ok(());
    }
    Err(format!("invalid label key {key:?}"))
}

fn check_value(key: &str, value: &str) -> Result<(), String> {
    if value.is_empty() || is_label(value) {
        return Ok(());
    }
    Err(format!("invalid label value: {value:?}: at key: {key:?}"))
}

fn is_label(text: &str) -> bool {
    let edge = |character: Option<char>| character.is_some_and(|character| character.is_ascii_alphanumeric());
    text.len() <= 63
        && edge(text.chars().next())
        && edge(text.chars().next_back())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}
