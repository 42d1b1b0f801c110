//! Templates by name, and executing them.

use crate::ast::Template;
use crate::exec;
use crate::functions::Functions;
use crate::machine::{Layer, Limits, Machine, MissingKey};
use crate::outside::Outside;
use crate::parse;
use crate::value::Value;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// Why a template could not be read or executed. Prints as Go does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is no template.
    #[error("{0}")]
    Parse(String),
    /// It failed while it ran.
    #[error("{0}")]
    Execute(String),
    /// A limit was passed.
    #[error("{0}")]
    Limit(String),
    /// There is no template of that name.
    #[error("template: no template {0:?} found")]
    NoTemplate(String),
}

/// Compiled templates that see each other. Compile once, execute as often as wanted, from any thread.
#[derive(Clone)]
pub struct Templates {
    functions: Functions,
    templates: HashMap<Arc<str>, Arc<Template>>,
}

impl Templates {
    /// A set without templates.
    pub fn new(functions: Functions) -> Self {
        Self { functions, templates: HashMap::new() }
    }

    /// Reads a text as the template `name`, with those it defines. A template of a name that is there already
    /// replaces it, unless the new one is empty.
    pub fn parse(&mut self, name: &str, text: &str) -> Result<(), Error> {
        for template in parse::parse(name, text, &self.functions).map_err(Error::Parse)? {
            let known = self.templates.contains_key(&template.name);
            if !known || !template.is_empty() {
                self.templates.insert(template.name.clone(), Arc::new(template));
            }
        }
        Ok(())
    }

    /// Whether there is a template of that name.
    pub fn has(&self, name: &str) -> bool {
        self.templates.contains_key(name)
    }

    /// The names of all templates, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.templates.keys().map(AsRef::as_ref).collect();
        names.sort_unstable();
        names
    }

    /// Starts executions that share their limits and what they have learnt.
    pub fn session<'o>(
        &'o self,
        outside: &'o mut dyn Outside,
        missing_key: MissingKey,
        limits: Limits,
    ) -> Session<'o> {
        let layer = Rc::new(Layer { below: None, templates: Rc::new(self.templates.clone()) });
        Session { machine: Machine::new(layer, &self.functions, outside, missing_key, limits) }
    }

    /// Executes one template.
    pub fn execute(
        &self,
        name: &str,
        data: &Value,
        outside: &mut dyn Outside,
        missing_key: MissingKey,
        limits: Limits,
    ) -> Result<String, Error> {
        self.session(outside, missing_key, limits).execute(name, data)
    }
}

/// Executions one after another: limits count for all of them together. Drop the data before the session, so
/// that maps which came to hold themselves are freed.
pub struct Session<'o> {
    machine: Machine<'o>,
}

impl Session<'_> {
    /// Executes a template. Bytes that are no UTF-8 become U+FFFD.
    pub fn execute(&mut self, name: &str, data: &Value) -> Result<String, Error> {
        let Some(template) = self.machine.layer.get(name).cloned() else {
            return Err(Error::NoTemplate(name.to_owned()));
        };
        let mut out = Vec::with_capacity(template.source.len());
        exec::execute(&mut self.machine, &template, data, &mut out).map_err(|message| {
            if message.contains(crate::machine::LIMIT) {
                Error::Limit(message.into())
            } else {
                Error::Execute(message.into())
            }
        })?;
        Ok(String::from_utf8(out)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }
}
