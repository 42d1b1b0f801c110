//! Evaluation: the tree is walked, with a budget of steps and of memory. Predicates see the element they are asked about.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ast::{Binary, Compared, Kind, Member, Node, Unary};
use crate::builtins::{Budget, Builtin, Loop, as_text, conversion, to_int};
use crate::error::Failure;
use crate::operators::{
    arithmetic, fetch, holds, negated, order, raw_length, slice, sorted, text_among, truth,
};
use crate::value::{IntKind, Key, ListKind, MapKind, Value};

/// Why an evaluation does not go on.
enum Stop {
    Failure(Failure),
    /// `?.` found nil: the chain around it is nil.
    Chain,
}

/// Deepest nesting of lists and maps in a value.
const DEPTH: usize = 200;

type Evaluated<T = Value> = Result<T, Stop>;

pub(crate) fn evaluate(
    node: &Node,
    variables: &BTreeMap<String, Value>,
    budget: Budget,
) -> Result<Value, Failure> {
    let mut machine = Machine { environment: variables, budget, variables: Vec::new(), scopes: Vec::new() };
    match machine.value(node) {
        Ok(value) => Ok(value),
        Err(Stop::Failure(failure)) => Err(failure),
        Err(Stop::Chain) => Ok(Value::Nil),
    }
}

struct Machine<'a> {
    environment: &'a BTreeMap<String, Value>,
    budget: Budget,
    variables: Vec<(Arc<str>, Value)>,
    scopes: Vec<Scope>,
}

struct Scope {
    item: Value,
    index: usize,
    accumulator: Value,
    /// Why elements cannot be had: a map can be counted and not indexed.
    unreadable: Option<&'static str>,
}

trait At<T> {
    fn at(self, node: &Node) -> Evaluated<T>;
}

impl<T> At<T> for Result<T, String> {
    fn at(self, node: &Node) -> Evaluated<T> {
        self.map_err(|message| Stop::Failure(Failure::new(node.at, message)))
    }
}

impl Machine<'_> {
    fn value(&mut self, node: &Node) -> Evaluated {
        self.budget.step(1).at(node)?;
        let value = self.unbounded(node)?;
        if value.depth() > DEPTH {
            return Err("value is nested too deeply".to_owned()).at(node);
        }
        Ok(value)
    }

    fn unbounded(&mut self, node: &Node) -> Evaluated {
        match &node.kind {
            Kind::Nil => Ok(Value::Nil),
            Kind::Bool(value) => Ok(Value::Bool(*value)),
            Kind::Integer(value) => Ok(Value::int(*value)),
            Kind::Float(value) => Ok(Value::Float(*value)),
            Kind::Text(text) => Ok(Value::Text(Arc::clone(text))),
            Kind::Bytes(bytes) => Ok(Value::Bytes(Arc::clone(bytes))),
            Kind::Constant(value) => Ok(value.clone()),
            Kind::Identifier(name) => Ok(self.named(name)),
            Kind::Unary(unary, _, operand) => self.unary(node, *unary, operand),
            Kind::Binary(binary, text, left, right) => self.binary(node, *binary, text, left, right),
            Kind::Comparison(first, others) => self.comparison(first, others),
            Kind::InTexts(needle, texts) => {
                let needle = self.value(needle)?;
                text_among(&needle, texts).map(Value::Bool).at(node)
            }
            Kind::MatchesPattern(text, pattern) => {
                let text = self.value(text)?;
                self.matches(&text, pattern).at(node)
            }
            Kind::Chain(inner) => match self.value(inner) {
                Err(Stop::Chain) => Ok(Value::Nil),
                other => other,
            },
            Kind::Member(member) => self.member(node, member),
            Kind::Slice(inner, from, to) => self.slice(node, inner, from.as_deref(), to.as_deref()),
            Kind::Call(callee, arguments) => self.call(node, callee, arguments),
            Kind::Builtin(builtin, arguments) => self.builtin(node, *builtin, arguments),
            Kind::Predicate(inner) => self.value(inner),
            Kind::Pointer(name) => self.pointer(node, name),
            Kind::Let(name, value, body) => {
                let value = self.value(value)?;
                self.variables.push((Arc::clone(name), value));
                let result = self.value(body);
                self.variables.pop();
                result
            }
            Kind::Sequence(nodes) => {
                let mut last = Value::Nil;
                for node in nodes {
                    last = self.value(node)?;
                }
                Ok(last)
            }
            Kind::Conditional(condition, yes, no) => {
                let condition = self.value(condition)?;
                if truth(&condition).at(node)? { self.value(yes) } else { self.value(no) }
            }
            Kind::OrElse(condition, no) => {
                let condition = self.value(condition)?;
                if truth(&condition).at(node)? { Ok(condition) } else { self.value(no) }
            }
            Kind::Array(nodes) => self.array(node, nodes),
            Kind::Map(pairs) => self.map(node, pairs),
        }
    }

    fn named(&self, name: &str) -> Value {
        if let Some((_, value)) = self.variables.iter().rev().find(|(it, _)| &**it == name) {
            return value.clone();
        }
        if name == "$env" {
            let entries = self.environment.iter().map(|(key, value)| (key.as_str(), value.clone()));
            return Value::map(entries);
        }
        self.environment.get(name).cloned().unwrap_or(Value::Nil)
    }

    fn unary(&mut self, node: &Node, unary: Unary, operand: &Node) -> Evaluated {
        let value = self.value(operand)?;
        match unary {
            Unary::Not => truth(&value).map(|value| Value::Bool(!value)).at(node),
            Unary::Minus => negated(&value).at(node),
            Unary::Plus => Ok(value),
        }
    }

    fn binary(&mut self, node: &Node, binary: Binary, text: &str, left: &Node, right: &Node) -> Evaluated {
        let one = self.value(left)?;
        match binary {
            Binary::Or | Binary::And => {
                let decided = truth(&one).at(node)? == (binary == Binary::Or);
                return if decided { Ok(one) } else { self.value(right) };
            }
            Binary::Coalesce => {
                return if matches!(one, Value::Nil) { self.value(right) } else { Ok(one) };
            }
            _ => {}
        }
        let other = self.value(right)?;
        self.operation(binary, text, &one, &other).at(node)
    }

    fn operation(&mut self, binary: Binary, text: &str, one: &Value, other: &Value) -> Result<Value, String> {
        let text_test = |test: fn(&str, &str) -> bool| {
            if matches!(one, Value::Nil) || matches!(other, Value::Nil) {
                return Ok(Value::Bool(false));
            }
            Ok(Value::Bool(test(as_text(one)?, as_text(other)?)))
        };
        match binary {
            Binary::Equal => Ok(Value::Bool(one.equals(other))),
            Binary::NotEqual => Ok(Value::Bool(!one.equals(other))),
            Binary::Less | Binary::More | Binary::LessOrEqual | Binary::MoreOrEqual => {
                compared(binary, text, one, other).map(Value::Bool)
            }
            Binary::In => {
                self.budget.step(other.items().map_or(0, <[Value]>::len))?;
                holds(other, one).map(Value::Bool)
            }
            Binary::Contains => text_test(|text, part| text.contains(part)),
            Binary::StartsWith => text_test(|text, start| text.starts_with(start)),
            Binary::EndsWith => text_test(|text, end| text.ends_with(end)),
            Binary::Matches => {
                if matches!(one, Value::Nil) || matches!(other, Value::Nil) {
                    return Ok(Value::Bool(false));
                }
                let pattern = as_text(other)?;
                self.budget.step(pattern.len().saturating_mul(16))?;
                self.matches(one, &crate::pattern::compile(pattern)?)
            }
            Binary::Range => self.range(to_int(one)?, to_int(other)?),
            _ => {
                let result = arithmetic(binary, text, one, other)?;
                if let Value::Text(text) = &result {
                    self.budget.take_text(text.len())?;
                }
                Ok(result)
            }
        }
    }

    fn matches(&mut self, text: &Value, pattern: &regex::Regex) -> Result<Value, String> {
        let found = match text {
            Value::Nil => false,
            Value::Bytes(bytes) => pattern.is_match(&String::from_utf8_lossy(bytes)),
            other => {
                let text = match other {
                    Value::Text(text) => text,
                    other => return Err(conversion(other, "[]uint8")),
                };
                self.budget.step(text.len() / 64)?;
                pattern.is_match(text)
            }
        };
        Ok(Value::Bool(found))
    }

    fn range(&mut self, from: i64, to: i64) -> Result<Value, String> {
        let size = if from > to { 0 } else { to.saturating_sub(from).saturating_add(1) };
        self.budget.take(usize::try_from(size).unwrap_or(usize::MAX))?;
        let items = if size == 0 { Vec::new() } else { (from..=to).map(Value::int).collect() };
        Ok(Value::list_of(ListKind::Ints, items))
    }

    fn comparison(&mut self, first: &Node, others: &[Compared]) -> Evaluated {
        let mut left = self.value(first)?;
        for other in others {
            let right = self.value(&other.right)?;
            let holds = compared(other.binary, other.text, &left, &right)
                .map_err(|message| Stop::Failure(Failure::new(other.at, message)))?;
            if !holds {
                return Ok(Value::Bool(false));
            }
            left = right;
        }
        Ok(Value::Bool(true))
    }

    fn member(&mut self, node: &Node, member: &Member) -> Evaluated {
        let base = self.value(&member.base)?;
        if member.optional && matches!(base, Value::Nil) {
            return Err(Stop::Chain);
        }
        let key = self.value(&member.property)?;
        let fetched = fetch(&base, &key, &self.budget.local);
        // The first or last of a filter is found without making the list, and is missed in other words.
        let from_filter =
            matches!(&member.base.kind, Kind::Builtin(it, _) if it.as_loop() == Some(Loop::Filter));
        match (fetched, &member.property.kind) {
            (Err(_), Kind::Integer(0 | -1)) if from_filter => {
                Err("reflect: slice index out of range".to_owned()).at(node)
            }
            (fetched, _) => fetched.at(node),
        }
    }

    fn slice(&mut self, node: &Node, inner: &Node, from: Option<&Node>, to: Option<&Node>) -> Evaluated {
        let value = self.value(inner)?;
        let to = match to {
            Some(to) => self.value(to)?,
            None => Value::count(raw_length(&value).at(node)?),
        };
        let from = match from {
            Some(from) => self.value(from)?,
            None => Value::int(0),
        };
        let part = slice(&value, &from, &to).at(node)?;
        if let Value::List(list) = &part {
            self.budget.step(list.items.len()).at(node)?;
        }
        Ok(part)
    }

    fn values(&mut self, nodes: &[Node]) -> Evaluated<Vec<Value>> {
        nodes.iter().map(|node| self.value(node)).collect()
    }

    fn call(&mut self, node: &Node, callee: &Node, arguments: &[Node]) -> Evaluated {
        let arguments = self.values(arguments)?;
        match self.value(callee)? {
            Value::Function(function) => function.call(&arguments).at(node),
            Value::Nil => Err("invalid operation: cannot call nil".to_owned()).at(node),
            other => {
                let name = other.type_name();
                Err(format!("invalid operation: cannot call non-function of type {name}")).at(node)
            }
        }
    }

    fn array(&mut self, node: &Node, nodes: &[Node]) -> Evaluated {
        let items = self.values(nodes)?;
        self.budget.take(items.len()).at(node)?;
        Ok(Value::list(items))
    }

    fn map(&mut self, node: &Node, pairs: &[(Node, Node)]) -> Evaluated {
        let mut entries = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            entries.push((self.value(key)?, self.value(value)?));
        }
        self.budget.take(entries.len()).at(node)?;
        let mut result = BTreeMap::new();
        // The last one is looked at first; of two values of one key the first stays.
        for (key, value) in entries.into_iter().rev() {
            result.insert(Key::Text(Arc::from(as_text(&key).at(node)?)), value);
        }
        Ok(Value::map_of(MapKind::Texts, result))
    }

    fn pointer(&mut self, node: &Node, name: &str) -> Evaluated {
        let scope =
            self.scopes.last().ok_or_else(|| "cannot use pointer accessor outside predicate".to_owned());
        let scope = scope.at(node)?;
        Ok(match name {
            "index" => Value::count(scope.index),
            "acc" => scope.accumulator.clone(),
            _ => match scope.unreadable {
                Some(reason) => return Err(reason.to_owned()).at(node),
                None => scope.item.clone(),
            },
        })
    }

    fn builtin(&mut self, node: &Node, builtin: Builtin, arguments: &[Node]) -> Evaluated {
        if let Some(kind) = builtin.as_loop() {
            return self.each(node, kind, arguments);
        }
        let arguments = self.values(arguments)?;
        let length: usize = arguments.iter().filter_map(Value::items).map(<[Value]>::len).sum();
        self.budget.step(length).at(node)?;
        builtin.call(&arguments, &mut self.budget).at(node)
    }

    /// The elements that a loop goes over; Go loops over the bytes of a text, too.
    fn elements(&self, value: &Value) -> Result<Vec<Value>, String> {
        let byte = |byte: &u8| Value::Int(i64::from(*byte), IntKind::Byte);
        match value {
            Value::List(list) => Ok(list.items.clone()),
            Value::Text(text) => Ok(text.as_bytes().iter().map(byte).collect()),
            Value::Bytes(bytes) => Ok(bytes.iter().map(byte).collect()),
            Value::Map(map) if value.kind_name() == "map" => Ok(vec![Value::Nil; map.entries.len()]),
            Value::Nil => Err("reflect: call of reflect.Value.Len on zero Value".to_owned()),
            other => Err(format!("reflect: call of reflect.Value.Len on {} Value", other.kind_name())),
        }
    }

    fn each(&mut self, node: &Node, kind: Loop, arguments: &[Node]) -> Evaluated {
        let [collection, rest @ ..] = arguments else { return Ok(Value::Nil) };
        let collection = self.value(collection)?;
        let items = self.elements(&collection).at(node)?;
        self.budget.step(items.len()).at(node)?;
        let predicate = rest.first();
        // What comes first is evaluated outside of the scope in the original as well, but sees it.
        let is_map = matches!(collection, Value::Map(_));
        let unreadable = is_map.then_some("reflect: call of reflect.Value.Index on map Value");
        self.scopes.push(Scope { item: Value::Nil, index: 0, accumulator: Value::Nil, unreadable });
        let result = match kind {
            Loop::Reduce => self.reduce(node, &items, rest),
            Loop::SortBy => self.sort_by(node, items, rest),
            Loop::FindLast | Loop::FindLastIndex => self.find(node, kind, &items, predicate, true),
            Loop::Find | Loop::FindIndex => self.find(node, kind, &items, predicate, false),
            _ => self.gather(node, kind, items, predicate),
        };
        self.scopes.pop();
        result
    }

    /// What the predicate says of an element, or the element itself without one.
    fn asked(&mut self, predicate: Option<&Node>, index: usize, item: &Value) -> Evaluated {
        if let Some(scope) = self.scopes.last_mut() {
            scope.item = item.clone();
            scope.index = index;
        }
        match predicate {
            Some(predicate) => self.value(predicate),
            None => Ok(item.clone()),
        }
    }

    /// Refuses to take an element that cannot be had.
    fn readable(&self, node: &Node) -> Evaluated<()> {
        match self.scopes.last().and_then(|scope| scope.unreadable) {
            Some(reason) => Err(reason.to_owned()).at(node),
            None => Ok(()),
        }
    }

    fn gather(&mut self, node: &Node, kind: Loop, items: Vec<Value>, predicate: Option<&Node>) -> Evaluated {
        let mut count = 0_usize;
        let mut kept = Vec::new();
        let mut sum = Value::int(0);
        let mut groups: BTreeMap<Key, Vec<Value>> = BTreeMap::new();
        for (index, item) in items.into_iter().enumerate() {
            if predicate.is_none() {
                self.readable(node)?;
            }
            let said = self.asked(predicate, index, &item)?;
            match kind {
                Loop::Map => kept.push(said),
                Loop::Sum => sum = arithmetic(Binary::Add, "+", &said, &sum).at(node)?,
                Loop::GroupBy => {
                    self.readable(node)?;
                    groups.entry(group_key(&said).at(node)?).or_default().push(item);
                }
                _ => {
                    let holds = truth(&said).at(node)?;
                    count += usize::from(holds);
                    match (kind, holds) {
                        (Loop::All, false) | (Loop::None, true) => return Ok(Value::Bool(false)),
                        (Loop::Any, true) => return Ok(Value::Bool(true)),
                        (Loop::Filter, true) => {
                            self.readable(node)?;
                            kept.push(item);
                        }
                        _ => {}
                    }
                }
            }
        }
        Ok(match kind {
            Loop::All | Loop::None => Value::Bool(true),
            Loop::Any => Value::Bool(false),
            Loop::One => Value::Bool(count == 1),
            Loop::Count => Value::count(count),
            Loop::Sum => sum,
            Loop::GroupBy => {
                let entries = groups.into_iter().map(|(key, items)| (key, Value::list(items))).collect();
                Value::map_of(MapKind::Groups, entries)
            }
            _ => {
                self.budget.take(kept.len()).at(node)?;
                Value::list(kept)
            }
        })
    }

    fn find(
        &mut self,
        node: &Node,
        kind: Loop,
        items: &[Value],
        predicate: Option<&Node>,
        backwards: bool,
    ) -> Evaluated {
        let count = items.len();
        for step in 0..count {
            let index = if backwards { count - 1 - step } else { step };
            let said = self.asked(predicate, index, &items[index])?;
            if truth(&said).at(node)? {
                if matches!(kind, Loop::Find | Loop::FindLast) {
                    self.readable(node)?;
                }
                return Ok(match kind {
                    Loop::Find | Loop::FindLast => items[index].clone(),
                    _ => Value::count(index),
                });
            }
        }
        Ok(Value::Nil)
    }

    fn sort_by(&mut self, node: &Node, items: Vec<Value>, rest: &[Node]) -> Evaluated {
        let order = match rest.get(1) {
            Some(order) => self.value(order)?,
            None => Value::text("asc"),
        };
        let descending = match &order {
            Value::Text(order) if &**order == "asc" => Ok(false),
            Value::Text(order) if &**order == "desc" => Ok(true),
            Value::Text(_) => Err("unknown order, use asc or desc".to_owned()),
            _ => Err("sortBy order argument must be a string".to_owned()),
        };
        let descending = descending.at(node)?;
        let mut keyed = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let key = self.asked(rest.first(), index, &item)?;
            self.readable(node)?;
            keyed.push((key, item));
        }
        self.budget.take(keyed.len()).at(node)?;
        sorted(keyed, descending).map(Value::list).at(node)
    }

    fn reduce(&mut self, node: &Node, items: &[Value], rest: &[Node]) -> Evaluated {
        let (start, mut accumulator) = match (rest.get(1), items.first()) {
            (Some(initial), _) => (0, self.value(initial)?),
            (None, Some(first)) => {
                self.readable(node)?;
                (1, first.clone())
            }
            (None, None) => {
                return Err("reduce of empty array with no initial value".to_owned()).at(node);
            }
        };
        for (index, item) in items.iter().enumerate().skip(start) {
            if let Some(scope) = self.scopes.last_mut() {
                scope.accumulator = accumulator;
            }
            accumulator = self.asked(rest.first(), index, item)?;
        }
        Ok(accumulator)
    }
}

fn group_key(value: &Value) -> Result<Key, String> {
    Key::of(value).ok_or_else(|| format!("hash of unhashable type: {}", value.type_name()))
}

fn compared(binary: Binary, text: &str, one: &Value, other: &Value) -> Result<bool, String> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = order(one, other, text)?;
    Ok(match binary {
        Binary::Less => order == Some(Less),
        Binary::More => order == Some(Greater),
        Binary::LessOrEqual => matches!(order, Some(Less | Equal)),
        _ => matches!(order, Some(Greater | Equal)),
    })
}
