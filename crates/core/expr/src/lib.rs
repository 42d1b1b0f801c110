//! The expression language of notification triggers: `expr-lang/expr` as Argo CD compiles it, without a description of the
//! variables. Read once, evaluated often, within limits. Knows nothing of applications, services or clocks.

mod ast;
mod builtins;
mod check;
mod error;
mod eval;
mod fold;
mod json;
mod lex;
mod nature;
mod operators;
mod parse;
mod pattern;
mod text;

pub mod namespaces;
pub mod time;
pub mod value;

pub use error::ExprError;
pub use value::{Function, Parameter, Value};

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Longest expression, in bytes.
const LENGTH: usize = 64 << 10;

/// An expression that was read and checked.
#[derive(Clone, Debug)]
pub struct Program {
    source: String,
    root: ast::Node,
}

/// How far an evaluation may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Nodes and elements that are looked at.
    pub steps: usize,
    /// Elements of lists and maps that are made; the original's limit is a million.
    pub memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 5_000_000, memory: 1_000_000 }
    }
}

impl Program {
    /// Reads an expression.
    pub fn compile(source: &str) -> Result<Self, ExprError> {
        if source.len() > LENGTH {
            let message = format!("compilation failed: expression is longer than {LENGTH} bytes");
            return Err(error::Failure::new(0, message).bind(""));
        }
        let root = parse::parse(source)
            .and_then(|root| check::check(&root).map(|()| root))
            .and_then(fold::fold)
            .map_err(|failure| failure.bind(source))?;
        Ok(Self { source: source.to_owned(), root })
    }

    /// The text it was read from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Evaluates it. A variable that is not there is nil.
    pub fn run(
        &self,
        variables: &BTreeMap<String, Value>,
        now: Timestamp,
        limits: Limits,
    ) -> Result<Value, ExprError> {
        self.run_in(variables, now, &time::Zone::Utc, limits)
    }

    /// The same where clocks on the wall show the time of a zone.
    pub fn run_in(
        &self,
        variables: &BTreeMap<String, Value>,
        now: Timestamp,
        local: &time::Zone,
        limits: Limits,
    ) -> Result<Value, ExprError> {
        let (memory, steps) = (limits.memory, limits.steps);
        let budget = builtins::Budget { memory, steps, now, local: local.clone() };
        eval::evaluate(&self.root, variables, budget).map_err(|mut failure| {
            failure.message = text::brief(&failure.message);
            failure.bind(&self.source)
        })
    }
}
