//! One execution: its templates, its limits, what it has used, what it may ask.

use crate::ast::Template;
use crate::functions::Functions;
use crate::outside::{Outside, Randomness};
use crate::parse;
use crate::stack::StackGuard;
use crate::text::Text;
use crate::value::{Map, Value};
use regex::bytes::Regex;
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;

/// What a key that is not there means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// Nothing: printed as `<no value>`, and its fields are nothing again.
    #[default]
    Default,
    /// The zero value of the map's members: what Helm asks for.
    Zero,
    /// An error: what ApplicationSets can ask for.
    Error,
}

/// How much an execution may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one output, and of any one text on the way.
    pub output: usize,
    /// Steps: nodes and calls, and one for every 64 bytes that a function is given or makes.
    pub steps: u64,
    /// Nested templates.
    pub depth: usize,
    /// Bytes of stack. Leave room below what the thread has.
    pub stack: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { output: 64 << 20, steps: 100_000_000, depth: 1000, stack: 1200 << 10 }
    }
}

/// Templates by name. A layer sees those below it.
pub(crate) struct Layer {
    pub(crate) below: Option<Rc<Layer>>,
    pub(crate) templates: Rc<HashMap<Arc<str>, Arc<Template>>>,
}

impl Layer {
    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Template>> {
        let mut layer = self;
        loop {
            if let Some(template) = layer.templates.get(name) {
                return Some(template);
            }
            layer = layer.below.as_deref()?;
        }
    }
}

/// The templates of one `tpl` text.
pub(crate) type Parsed = Rc<HashMap<Arc<str>, Arc<Template>>>;

pub(crate) struct Machine<'o> {
    pub(crate) layer: Rc<Layer>,
    pub(crate) functions: &'o Functions,
    pub(crate) outside: &'o mut dyn Outside,
    pub(crate) missing_key: MissingKey,
    pub(crate) limits: Limits,
    pub(crate) stack: StackGuard,
    pub(crate) steps: u64,
    pub(crate) depth: usize,
    /// How deep each template is in itself, by `include`.
    pub(crate) included: HashMap<Text, u32>,
    regexes: HashMap<Text, Result<Regex, String>>,
    parsed: HashMap<(Arc<str>, Text), Result<Parsed, String>>,
    changed: Vec<Weak<Map>>,
}

/// The limit was passed; nothing can catch it.
pub(crate) const LIMIT: &str = "limit exceeded: ";

impl<'o> Machine<'o> {
    pub(crate) fn new(
        layer: Rc<Layer>,
        functions: &'o Functions,
        outside: &'o mut dyn Outside,
        missing_key: MissingKey,
        limits: Limits,
    ) -> Self {
        Self {
            layer,
            functions,
            outside,
            missing_key,
            limits,
            stack: StackGuard::new(limits.stack),
            steps: 0,
            depth: 0,
            included: HashMap::new(),
            regexes: HashMap::new(),
            parsed: HashMap::new(),
            changed: Vec::new(),
        }
    }

    /// Counts work. Every loop over input passes here.
    pub(crate) fn spend(&mut self, steps: u64) -> Result<(), String> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > self.limits.steps {
            return Err(format!("{LIMIT}more than {} steps", self.limits.steps));
        }
        Ok(())
    }

    /// Counts a text before it is made.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), String> {
        if bytes > self.limits.output {
            return Err(format!("{LIMIT}more than {} bytes of text", self.limits.output));
        }
        self.spend(u64::try_from(bytes / 64).unwrap_or(u64::MAX))
    }

    /// Counts the members of a list before it is made.
    pub(crate) fn items(&mut self, count: usize) -> Result<(), String> {
        self.grow(count.saturating_mul(32))
    }

    pub(crate) fn check_stack(&self) -> Result<(), String> {
        if self.stack.exhausted() {
            return Err(format!("{LIMIT}templates are nested too deep"));
        }
        Ok(())
    }

    pub(crate) fn randomness(&mut self) -> Randomness<'_> {
        Randomness { outside: self.outside, failure: None }
    }

    /// A compiled expression, remembered for the execution.
    pub(crate) fn regex(&mut self, pattern: &Text) -> Result<Regex, String> {
        if let Some(known) = self.regexes.get(pattern) {
            return known.clone();
        }
        let compiled = crate::regexp::compile(&pattern.to_str());
        self.regexes.insert(pattern.clone(), compiled.clone());
        compiled
    }

    /// The templates of a text given to `tpl`, remembered for the execution.
    pub(crate) fn parsed(&mut self, name: &Arc<str>, text: &Text) -> Result<Parsed, String> {
        let key = (name.clone(), text.clone());
        if let Some(known) = self.parsed.get(&key) {
            return known.clone();
        }
        let parsed = parse::parse(name, &text.to_str(), self.functions).map(|templates| {
            let named = templates.into_iter().map(|template| (template.name.clone(), Arc::new(template)));
            Rc::new(named.collect::<HashMap<_, _>>())
        });
        self.parsed.insert(key, parsed.clone());
        parsed
    }

    /// Sets a member and remembers maps that may now hold themselves.
    pub(crate) fn set(&mut self, map: &Rc<Map>, key: Text, value: Value) {
        if matches!(value, Value::Map(_) | Value::List(_)) {
            if self.changed.len() > 100_000 {
                self.changed.retain(|known| known.strong_count() > 0);
            }
            self.changed.push(Rc::downgrade(map.owner()));
        }
        map.insert(key, value);
    }
}

impl Drop for Machine<'_> {
    /// A map that holds itself would never be freed: such a map is emptied.
    fn drop(&mut self) {
        let mut seen: Vec<*const Map> = Vec::new();
        for map in std::mem::take(&mut self.changed).iter().filter_map(Weak::upgrade) {
            let address = Rc::as_ptr(&map);
            if let Err(place) = seen.binary_search(&address) {
                seen.insert(place, address);
                if holds(&map, address) {
                    map.clear();
                }
            }
        }
    }
}

/// Whether a map can be reached from itself. Looks at a bounded number of values.
fn holds(map: &Rc<Map>, target: *const Map) -> bool {
    let mut pending: Vec<Value> = map.entries().into_iter().map(|(_, value)| value).collect();
    let mut budget = 200_000_usize;
    while let Some(value) = pending.pop() {
        if budget == 0 {
            return true;
        }
        budget -= 1;
        match value {
            Value::Map(inner) if Rc::as_ptr(inner.owner()) == target => return true,
            Value::Map(inner) => pending.extend(inner.entries().into_iter().map(|(_, value)| value)),
            Value::List(list) => pending.extend(list.items.iter().cloned()),
            _ => {}
        }
    }
    false
}
