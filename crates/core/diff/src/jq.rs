//! jq path expressions: which paths of an object they name, and these paths removed.
//!
//! Only the paths come from jq; they are removed here, in jq's own way (`delpaths([path(F)])`, which is how jq
//! defines `del(F)`). An expression sees no environment, no time and no input, and cannot go on for ever: what
//! jq has for that is refused when it is compiled, and [`crate::bounded`] counts the steps of the rest.

use crate::bounded::{self, Bounded, Means, Supply};
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Ctx, Native, Vars};
use jaq_json::{Num, Val, read};
use serde_json::Value;
use std::fmt;

/// Paths looked at before an expression counts as failed.
const MOST_PATHS: usize = 20_000;
/// Longest expression.
const LONGEST: usize = 16 * 1024;
/// Most words and signs of an expression.
const MOST_WORDS: usize = 1000;
/// Deepest nesting of an expression.
const DEEPEST: usize = 64;
/// What loops without end, or reaches outside.
const REFUSED: [&str; 16] = [
    "def",
    "until",
    "while",
    "repeat",
    "recurse_down",
    "infinite",
    "range",
    "limit_by",
    "input",
    "inputs",
    "env",
    "now",
    "halt",
    "halt_error",
    "debug",
    "stderr",
];

type Filter = jaq_core::compile::Filter<Native<Bounded>>;

/// A compiled path expression.
pub(crate) struct JqPath {
    filter: Filter,
    text: String,
}

impl fmt::Debug for JqPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("JqPath").field(&self.text).finish()
    }
}

/// An expression that is none, or one that is not let run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPath {
    /// Not jq.
    #[error("jq path expression {0:?} does not compile")]
    Syntax(String),
    /// Could run for ever or look outside.
    #[error("jq path expression {expression:?} may not use {word}")]
    Refused {
        /// The expression.
        expression: String,
        /// What it uses.
        word: String,
    },
}

/// An evaluation that was stopped: it took too many steps, or too much memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stopped {
    /// The expression.
    pub(crate) expression: String,
}

enum Step {
    Name(String),
    Index(i64),
    Slice(Option<i64>, Option<i64>),
}

impl JqPath {
    pub(crate) fn compile(expression: &str) -> Result<Self, InvalidPath> {
        let syntax = || InvalidPath::Syntax(expression.to_owned());
        if expression.len() > LONGEST {
            return Err(syntax());
        }
        if let Some(word) = refused_word(expression) {
            return Err(InvalidPath::Refused { expression: expression.to_owned(), word });
        }
        // A name no expression can know of: it is defined after it.
        const PATHS: &str = "paths_of_the_expression";
        if deepest(expression) > DEEPEST || words(expression) > MOST_WORDS {
            return Err(syntax());
        }
        let definitions = bounded::definitions(expression, PATHS).ok_or_else(syntax)?;
        let arena = Arena::default();
        let modules =
            Loader::new(definitions).load(&arena, File { code: PATHS, path: () }).map_err(|_| syntax())?;
        let filter = jaq_core::Compiler::default()
            .with_funs(bounded::functions())
            .compile(modules)
            .map_err(|_| syntax())?;
        Ok(Self { filter, text: expression.to_owned() })
    }

    /// Removes the paths the expression names. One that fails removes nothing.
    pub(crate) fn remove(&self, value: &mut Value) -> Result<(), Stopped> {
        let Some(mut paths) = self.paths(value)? else { return Ok(()) };
        // From the end, so that what goes first moves nothing that goes later.
        paths.sort_by(|left, right| compare(right, left));
        paths.dedup_by(|left, right| compare(left, right).is_eq());
        let mut changed = value.clone();
        if paths.iter().all(|path| remove(&mut changed, path)) {
            *value = changed;
        }
        Ok(())
    }

    fn paths(&self, value: &Value) -> Result<Option<Vec<Vec<Step>>>, Stopped> {
        let stopped = || Stopped { expression: self.text.clone() };
        let Ok(input) = read::parse_single(value.to_string().as_bytes()) else { return Ok(None) };
        let supply = Supply::new();
        let means = Means { program: &self.filter.lut, supply: &supply };
        let context = Ctx::<Bounded>::new(means, Vars::new([]));
        let mut paths = Vec::new();
        for found in self.filter.id.run((context, input)) {
            let steps = match found {
                Ok(Val::Arr(steps)) => steps.iter().map(step).collect::<Option<Vec<_>>>(),
                Ok(_) => None,
                Err(ended) => match ended.get_err() {
                    Ok(_failure) => None,
                    Err(_) => return Err(stopped()),
                },
            };
            let Some(steps) = steps else { return Ok(None) };
            paths.push(steps);
            if paths.len() > MOST_PATHS {
                return Err(stopped());
            }
        }
        Ok(Some(paths))
    }
}

/// The words and signs of an expression: what it is read and compiled by may call itself for each.
fn words(expression: &str) -> usize {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let (mut count, mut within) = (0, false);
    for character in expression.chars() {
        count += usize::from(!(character.is_whitespace() || within && is_word(character)));
        within = is_word(character);
    }
    count
}

/// How deeply an expression may nest, counted generously.
fn deepest(expression: &str) -> usize {
    const NESTING: [&str; 6] = ["try", "if", "reduce", "foreach", "label", "def"];
    let (mut depth, mut most, mut before) = (0_usize, 0_usize, '|');
    let mut signs = 0_usize;
    for character in expression.chars().filter(|character| !character.is_whitespace()) {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            // A sign, and no difference.
            '-' if !before.is_alphanumeric() && !matches!(before, '_' | '.' | '"' | ')' | ']' | '}') => {
                signs += 1;
            }
            _ => {}
        }
        most = most.max(depth);
        before = character;
    }
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let words = expression.split(|character| !is_word(character));
    most + signs + words.filter(|word| NESTING.contains(word)).count()
}

/// The first word outside of texts that is refused.
fn refused_word(expression: &str) -> Option<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut characters = expression.chars().peekable();
    let mut member = false;
    while let Some(character) = characters.next() {
        if character.is_alphanumeric() || matches!(character, '_' | '$') {
            word.push(character);
            continue;
        }
        if !word.is_empty() {
            words.push((std::mem::take(&mut word), member, character));
        }
        member = character == '.';
        if character == '"' && !expression.contains("\\(") {
            while let Some(inside) = characters.next() {
                match inside {
                    '\\' => {
                        characters.next();
                    }
                    '"' => break,
                    _ => {}
                }
            }
        }
    }
    words.push((word, member, ' '));
    words.into_iter().find_map(|(word, member, after)| {
        let refused =
            REFUSED.contains(&word.as_str()) || word == "$ENV" || (word == "recurse" && after == '(');
        // `.spec.env` is a field; `env` is not.
        (refused && !member).then_some(word)
    })
}

fn step(value: &Val) -> Option<Step> {
    let integer = |value: &Val| match value {
        Val::Num(number) => number_as_i64(number),
        _ => None,
    };
    match value {
        Val::TStr(text) => Some(Step::Name(String::from_utf8_lossy(text).into_owned())),
        Val::Num(number) => number_as_i64(number).map(Step::Index),
        Val::Obj(range) => {
            let bound = |name: &str| range.get(&Val::from(name.to_owned())).and_then(integer);
            Some(Step::Slice(bound("start"), bound("end")))
        }
        _ => None,
    }
}

fn number_as_i64(number: &Num) -> Option<i64> {
    number.as_isize().and_then(|number| i64::try_from(number).ok())
}

/// jq's order of paths: numbers before names, shorter before longer.
fn compare(left: &[Step], right: &[Step]) -> std::cmp::Ordering {
    let rank = |step: &Step| match step {
        Step::Index(at) => (0, *at, 0, String::new()),
        Step::Name(name) => (1, 0, 0, name.clone()),
        Step::Slice(start, end) => (2, start.unwrap_or(0), end.unwrap_or(i64::MAX), String::new()),
    };
    left.iter().map(rank).cmp(right.iter().map(rank))
}

/// Removes one path; what is not there is no failure, what is of another shape is.
fn remove(value: &mut Value, path: &[Step]) -> bool {
    let Some((first, rest)) = path.split_first() else {
        *value = Value::Null;
        return true;
    };
    match (value, first) {
        (Value::Null, _) => true,
        (Value::Object(members), Step::Name(name)) => {
            if rest.is_empty() {
                members.remove(name);
                return true;
            }
            members.get_mut(name).is_none_or(|inner| remove(inner, rest))
        }
        (Value::Array(items), Step::Index(at)) => {
            let Some(at) = wrap(*at, items.len()).filter(|at| *at < items.len()) else { return true };
            if rest.is_empty() {
                items.remove(at);
                return true;
            }
            remove(&mut items[at], rest)
        }
        (Value::Array(items), Step::Slice(start, end)) if rest.is_empty() => {
            let start = start.map_or(Some(0), |at| wrap(at, items.len())).unwrap_or(0).min(items.len());
            let end = end.map_or(Some(items.len()), |at| wrap(at, items.len())).unwrap_or(0).min(items.len());
            if start < end {
                items.drain(start..end);
            }
            true
        }
        _ => false,
    }
}

fn wrap(at: i64, length: usize) -> Option<usize> {
    let at = if at < 0 { at + i64::try_from(length).ok()? } else { at };
    usize::try_from(at).ok()
}
