//! Walks a tree and writes what it says.

use crate::ast::{At, Branch, Invocation, Node, Pipe, Template};
use crate::machine::Machine;
use crate::print;
use crate::value::{Element, Value};
use std::sync::Arc;

/// Why an execution stopped: the message, complete.
pub(crate) type Fault = Box<str>;

pub(crate) enum Flow {
    Next,
    Break,
    Continue,
}

/// One template being executed.
pub(crate) struct Frame<'t, 'm, 'o> {
    pub(crate) machine: &'m mut Machine<'o>,
    pub(crate) template: &'t Template,
    pub(crate) out: &'m mut Vec<u8>,
    pub(crate) variables: Vec<(u32, Value)>,
    pub(crate) at: At<'t>,
    /// Whether the dot is a member of a `[]interface {}` or the like, which messages tell.
    pub(crate) dot_is_interface: bool,
}

/// Executes a template by itself: `$` and the dot are `data`.
pub(crate) fn execute(
    machine: &mut Machine<'_>,
    template: &Arc<Template>,
    data: &Value,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    let template = template.clone();
    if machine.depth >= machine.limits.depth {
        let limit = machine.limits.depth;
        return Err(format!("template: {}: exceeded maximum template depth ({limit})", template.name).into());
    }
    machine.depth += 1;
    let mut frame = Frame {
        machine,
        template: &template,
        out,
        variables: vec![(0, data.clone())],
        at: At::Start,
        dot_is_interface: false,
    };
    let walked = frame.list(data, &template.root);
    machine.depth -= 1;
    walked.map(drop)
}

impl<'t> Frame<'t, '_, '_> {
    /// An error at the node that is being evaluated.
    pub(crate) fn fault(&self, message: impl AsRef<str>) -> Fault {
        let location = self.template.location(self.at.offset());
        let name = crate::quote::quote(self.template.name.as_bytes());
        format!("template: {location}: executing {name} at <{}>: {}", self.at, message.as_ref()).into()
    }

    pub(crate) fn list(&mut self, dot: &Value, list: &'t [Node]) -> Result<Flow, Fault> {
        if let Err(message) = self.machine.check_stack() {
            return Err(self.fault(message));
        }
        for node in list {
            if let Err(message) = self.machine.spend(1) {
                return Err(self.fault(message));
            }
            let flow = match node {
                Node::Text(start, end) => {
                    let source = self.template.source.as_bytes();
                    self.write(source.get(*start..*end).unwrap_or_default())?
                }
                Node::Action(pipe) => self.action(dot, pipe)?,
                Node::If(branch) => self.branch(dot, branch, false)?,
                Node::With(branch) => self.branch(dot, branch, true)?,
                Node::Range(branch) => self.range(dot, branch)?,
                Node::Template(invocation) => self.invoke(dot, invocation)?,
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if !matches!(flow, Flow::Next) {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<Flow, Fault> {
        self.out.extend_from_slice(bytes);
        let length = self.out.len();
        match self.machine.grow(length - length.saturating_sub(bytes.len())) {
            Ok(()) if length <= self.machine.limits.output => Ok(Flow::Next),
            Ok(()) => {
                let limit = self.machine.limits.output;
                Err(self.fault(format!("{}more than {limit} bytes of output", crate::machine::LIMIT)))
            }
            Err(message) => Err(self.fault(message)),
        }
    }

    fn action(&mut self, dot: &Value, pipe: &'t Pipe) -> Result<Flow, Fault> {
        let value = self.pipeline(dot, pipe)?;
        if !pipe.declared.is_empty() {
            return Ok(Flow::Next);
        }
        match &value {
            Value::Missing => self.write(b"<no value>"),
            Value::String(text) => self.write(text.as_bytes()),
            other => {
                if let Value::Object(object) = other
                    && let Some(text) = object.shown()
                {
                    return self.write(text.as_bytes());
                }
                let mut text = Vec::new();
                print::write_plain(&mut text, other);
                self.write(&text)
            }
        }
    }

    fn branch(&mut self, dot: &Value, branch: &'t Branch, with: bool) -> Result<Flow, Fault> {
        let mark = self.variables.len();
        let value = self.pipeline(dot, &branch.pipe)?;
        let flow = if value.truth() {
            if with {
                let outer = std::mem::replace(&mut self.dot_is_interface, false);
                let flow = self.list(&value, &branch.list);
                self.dot_is_interface = outer;
                flow
            } else {
                self.list(dot, &branch.list)
            }
        } else if let Some(otherwise) = &branch.otherwise {
            self.list(dot, otherwise)
        } else {
            Ok(Flow::Next)
        };
        self.variables.truncate(mark);
        flow
    }

    fn range(&mut self, dot: &Value, branch: &'t Branch) -> Result<Flow, Fault> {
        let mark = self.variables.len();
        let outer = self.dot_is_interface;
        let flow = self.range_over(dot, branch);
        self.variables.truncate(mark);
        self.dot_is_interface = outer;
        flow
    }

    fn range_over(&mut self, dot: &Value, branch: &'t Branch) -> Result<Flow, Fault> {
        let value = self.pipeline(dot, &branch.pipe)?;
        self.dot_is_interface = false;
        let mut ran = false;
        if let Some(count) = value.integer() {
            if branch.pipe.declared.len() > 1 {
                let shown = print::plain(&value);
                return Err(self.fault(format!("can't use {shown} to iterate over more than one variable")));
            }
            let mut index = 0_i128;
            while index < count {
                ran = true;
                let item = like(&value, index);
                if matches!(self.iteration(branch, Value::Missing, &item)?, Flow::Break) {
                    return Ok(Flow::Next);
                }
                index += 1;
            }
        } else {
            match &value {
                Value::List(list) => {
                    self.dot_is_interface = list.element == Element::Any;
                    for (index, item) in list.items.iter().enumerate() {
                        ran = true;
                        let index = Value::Int(i64::try_from(index).unwrap_or(i64::MAX));
                        if matches!(self.iteration(branch, index, item)?, Flow::Break) {
                            return Ok(Flow::Next);
                        }
                    }
                }
                Value::Map(map) => {
                    self.dot_is_interface = map.element == Element::Any;
                    for (key, item) in map.entries() {
                        ran = true;
                        if matches!(self.iteration(branch, Value::String(key), &item)?, Flow::Break) {
                            return Ok(Flow::Next);
                        }
                    }
                }
                Value::Bytes(bytes) => {
                    for (index, byte) in bytes.as_bytes().iter().enumerate() {
                        ran = true;
                        let index = Value::Int(i64::try_from(index).unwrap_or(i64::MAX));
                        if matches!(self.iteration(branch, index, &Value::Uint8(*byte))?, Flow::Break) {
                            return Ok(Flow::Next);
                        }
                    }
                }
                Value::Object(object) if matches!(object.kind(), "map" | "slice") => {
                    for (key, item) in object.members() {
                        ran = true;
                        if matches!(self.iteration(branch, key, &item)?, Flow::Break) {
                            return Ok(Flow::Next);
                        }
                    }
                }
                Value::Missing | Value::Nil => {}
                other => {
                    let shown = print::plain(other);
                    return Err(self.fault(format!("range can't iterate over {shown}")));
                }
            }
        }
        match &branch.otherwise {
            Some(otherwise) if !ran => {
                self.dot_is_interface = false;
                self.list(dot, otherwise)
            }
            _ => Ok(Flow::Next),
        }
    }

    fn iteration(&mut self, branch: &'t Branch, index: Value, item: &Value) -> Result<Flow, Fault> {
        let mark = self.variables.len();
        // An empty body has no nodes that would be counted.
        if let Err(message) = self.machine.spend(1) {
            return Err(self.fault(message));
        }
        match branch.pipe.declared.as_slice() {
            [] => {}
            [only] if branch.pipe.assign => self.assign(*only, item.clone())?,
            [_] => self.set_top(1, item.clone()),
            [first, second, ..] if branch.pipe.assign => {
                self.assign(*first, index)?;
                self.assign(*second, item.clone())?;
            }
            [..] => {
                self.set_top(1, item.clone());
                self.set_top(2, index);
            }
        }
        let interface = self.dot_is_interface;
        let flow = self.list(item, &branch.list);
        self.dot_is_interface = interface;
        self.variables.truncate(mark);
        Ok(match flow? {
            Flow::Break => Flow::Break,
            _ => Flow::Next,
        })
    }

    fn invoke(&mut self, dot: &Value, invocation: &'t Invocation) -> Result<Flow, Fault> {
        self.at = At::Invocation(invocation);
        let Some(template) = self.machine.layer.get(&invocation.name).cloned() else {
            let name = crate::quote::quote(invocation.name.as_bytes());
            return Err(self.fault(format!("template {name} not defined")));
        };
        if self.machine.depth >= self.machine.limits.depth {
            let limit = self.machine.limits.depth;
            return Err(self.fault(format!("exceeded maximum template depth ({limit})")));
        }
        let data = match &invocation.pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Value::Missing,
        };
        execute(self.machine, &template, &data, self.out)?;
        Ok(Flow::Next)
    }

    fn set_top(&mut self, from_top: usize, value: Value) {
        let length = self.variables.len();
        if let Some(variable) = length.checked_sub(from_top).and_then(|at| self.variables.get_mut(at)) {
            variable.1 = value;
        }
    }

    /// Sets a variable that is there already.
    pub(crate) fn assign(&mut self, id: u32, value: Value) -> Result<(), Fault> {
        match self.variables.iter_mut().rev().find(|(known, _)| *known == id) {
            Some(variable) => {
                variable.1 = value;
                Ok(())
            }
            None => Err(self.undefined(id)),
        }
    }

    pub(crate) fn variable(&self, id: u32) -> Result<Value, Fault> {
        match self.variables.iter().rev().find(|(known, _)| *known == id) {
            Some((_, value)) => Ok(value.clone()),
            None => Err(self.undefined(id)),
        }
    }

    fn undefined(&self, id: u32) -> Fault {
        let name = usize::try_from(id).ok().and_then(|index| self.template.variables.get(index));
        self.fault(format!("undefined variable: {}", name.map_or("$", AsRef::as_ref)))
    }
}

/// A number of the same type.
fn like(value: &Value, index: i128) -> Value {
    match value {
        Value::Int64(_) => Value::Int64(i64::try_from(index).unwrap_or(i64::MAX)),
        Value::Int32(_) => Value::Int32(i32::try_from(index).unwrap_or(i32::MAX)),
        Value::Uint8(_) => Value::Uint8(u8::try_from(index).unwrap_or(u8::MAX)),
        Value::Uint64(_) => Value::Uint64(u64::try_from(index).unwrap_or(u64::MAX)),
        Value::Duration(_) => Value::Duration(i64::try_from(index).unwrap_or(i64::MAX)),
        _ => Value::Int(i64::try_from(index).unwrap_or(i64::MAX)),
    }
}
