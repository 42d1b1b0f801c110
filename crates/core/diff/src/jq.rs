//! jq path expressions: which paths of an object they name, and these paths removed.
//!
//! Only the paths come from jq; they are removed here, in jq's own way (`delpaths([path(F)])`, which is how jq
//! defines `del(F)`). An expression sees no environment, no time and no input, and cannot loop for ever: what
//! jq has for that is refused when it is compiled. A deadline, if one is wanted, is the caller's.

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Ctx, Native, Vars, data, unwrap_valr};
use jaq_json::{Num, Val, read};
use serde_json::Value;
use std::fmt;

/// Paths looked at before an expression counts as failed.
const MOST_PATHS: usize = 100_000;
/// Longest expression.
const LONGEST: usize = 16 * 1024;
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

type Filter = jaq_core::compile::Filter<Native<data::JustLut<Val>>>;

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
        let code = format!("path({expression})");
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let functions = functions.filter(|function| function.0 != "env");
        let arena = Arena::default();
        let modules = Loader::new(definitions)
            .load(&arena, File { code: code.as_str(), path: () })
            .map_err(|_| syntax())?;
        let filter =
            jaq_core::Compiler::default().with_funs(functions).compile(modules).map_err(|_| syntax())?;
        Ok(Self { filter, text: expression.to_owned() })
    }

    /// Removes the paths the expression names. One that fails removes nothing.
    pub(crate) fn remove(&self, value: &mut Value) {
        let Some(mut paths) = self.paths(value) else { return };
        // From the end, so that what goes first moves nothing that goes later.
        paths.sort_by(|left, right| compare(right, left));
        paths.dedup_by(|left, right| compare(left, right).is_eq());
        let mut changed = value.clone();
        if paths.iter().all(|path| remove(&mut changed, path)) {
            *value = changed;
        }
    }

    fn paths(&self, value: &Value) -> Option<Vec<Vec<Step>>> {
        let input = read::parse_single(value.to_string().as_bytes()).ok()?;
        let context = Ctx::<data::JustLut<Val>>::new(&self.filter.lut, Vars::new([]));
        let mut paths = Vec::new();
        for found in self.filter.id.run((context, input)).map(unwrap_valr) {
            let Ok(Val::Arr(steps)) = found else { return None };
            paths.push(steps.iter().map(step).collect::<Option<Vec<_>>>()?);
            if paths.len() > MOST_PATHS {
                return None;
            }
        }
        Some(paths)
    }
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
