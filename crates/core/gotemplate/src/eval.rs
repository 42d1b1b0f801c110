//! Evaluates pipelines: commands, fields, methods, calls, and the types of arguments.

use crate::ast::{At, Command, Expression, Number, Pipe, Term};
use crate::exec::{Fault, Frame};
use crate::functions::{Body, Function, Type};
use crate::machine::MissingKey;
use crate::text::Text;
use crate::time;
use crate::value::{Element, Value};
use std::sync::Arc;

impl<'t> Frame<'t, '_, '_> {
    pub(crate) fn pipeline(&mut self, dot: &Value, pipe: &'t Pipe) -> Result<Value, Fault> {
        self.at = At::Pipe(pipe);
        let mut value = None;
        for command in &pipe.commands {
            let result = self.command(dot, command, value)?;
            // What comes out of an interface is what was in it; out of a nil one comes nothing.
            value = Some(if matches!(result, Value::Nil) { Value::Missing } else { result });
        }
        let value = value.unwrap_or_default();
        for &id in &pipe.declared {
            if pipe.assign {
                self.assign(id, value.clone())?;
            } else {
                self.variables.push((id, value.clone()));
            }
        }
        Ok(value)
    }

    fn command(&mut self, dot: &Value, command: &'t Command, last: Option<Value>) -> Result<Value, Fault> {
        let Some(first) = command.arguments.first() else { return Ok(Value::Missing) };
        let arguments = &command.arguments;
        match &first.term {
            Term::Field(_) | Term::Chain(..) | Term::Variable(..) => {
                self.operand(dot, first, arguments, last.as_ref())
            }
            Term::Function(function) => {
                self.at = At::Expression(first);
                self.call(dot, function, At::Command(command), arguments, last)
            }
            Term::Pipe(pipe) => {
                self.not_a_function(arguments, last.as_ref())?;
                self.pipeline(dot, pipe)
            }
            term => {
                self.at = At::Expression(first);
                self.not_a_function(arguments, last.as_ref())?;
                match term {
                    Term::Bool(flag) => Ok(Value::Bool(*flag)),
                    Term::Dot => Ok(dot.clone()),
                    Term::Number(number) => self.constant(number),
                    Term::String(text, _) => Ok(Value::String(text.clone())),
                    _ => Err(self.fault("nil is not a command")),
                }
            }
        }
    }

    fn not_a_function(&self, arguments: &[Expression], last: Option<&Value>) -> Result<(), Fault> {
        match arguments.first() {
            Some(first) if arguments.len() > 1 || last.is_some() => {
                Err(self.fault(format!("can't give argument to non-function {first}")))
            }
            _ => Ok(()),
        }
    }

    /// A field, chain or variable, with what follows it as arguments of a method.
    fn operand(
        &mut self,
        dot: &Value,
        expression: &'t Expression,
        arguments: &'t [Expression],
        last: Option<&Value>,
    ) -> Result<Value, Fault> {
        self.at = At::Expression(expression);
        match &expression.term {
            Term::Field(fields) => {
                let interface = self.dot_is_interface;
                self.fields(dot, dot.clone(), interface, expression, fields, arguments, last)
            }
            Term::Variable(id, _, fields) => {
                let value = self.variable(*id)?;
                if fields.is_empty() {
                    self.not_a_function(arguments, last)?;
                    return Ok(value);
                }
                self.fields(dot, value, false, expression, fields, arguments, last)
            }
            Term::Chain(inner, fields) => {
                if matches!(inner.term, Term::Nil) {
                    return Err(self.fault(format!("indirection through explicit nil in {expression}")));
                }
                let receiver = self.untyped_argument(dot, inner)?;
                self.fields(dot, receiver, false, expression, fields, arguments, last)
            }
            _ => Ok(Value::Missing),
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "what a chain of fields needs: where, from what, with what"
    )]
    fn fields(
        &mut self,
        dot: &Value,
        mut receiver: Value,
        mut interface: bool,
        node: &'t Expression,
        fields: &'t [Text],
        arguments: &'t [Expression],
        last: Option<&Value>,
    ) -> Result<Value, Fault> {
        let Some((final_field, path)) = fields.split_last() else { return Ok(receiver) };
        for field in path {
            // The common case without a detour: a map has the key, and its type no method of that name.
            if let Value::Map(map) = &receiver
                && map.named.is_none_or(|named| named.arguments(field.as_bytes()).is_none())
                && let Some(next) = map.get(field.as_bytes())
            {
                interface = map.element == Element::Any;
                receiver = next;
                continue;
            }
            let any = matches!(&receiver, Value::Map(map) if map.element == Element::Any);
            receiver = self.field(dot, &receiver, interface, field, node, &[], None)?;
            interface = any;
        }
        self.field(dot, &receiver, interface, final_field, node, arguments, last)
    }

    #[expect(clippy::too_many_arguments, reason = "what a field needs: where, from what, with what")]
    fn field(
        &mut self,
        dot: &Value,
        receiver: &Value,
        interface: bool,
        field: &Text,
        node: &'t Expression,
        arguments: &'t [Expression],
        last: Option<&Value>,
    ) -> Result<Value, Fault> {
        let name = field.to_str();
        let has_arguments = arguments.len() > 1 || last.is_some();
        match receiver {
            Value::Missing => {
                if self.machine.missing_key == MissingKey::Error {
                    let key = crate::quote::quote(field.as_bytes());
                    return Err(self.fault(format!("nil data; no entry for key {key}")));
                }
                return Ok(Value::Missing);
            }
            Value::Nil => {
                return Err(self.fault(format!("nil pointer evaluating interface {{}}.{name}")));
            }
            Value::Map(map) => {
                if let Some(result) = self.method(dot, receiver, &name, node, arguments, last)? {
                    return Ok(result);
                }
                if has_arguments {
                    return Err(self.fault(format!("{name} is not a method but has arguments")));
                }
                if let Some(value) = map.get(field.as_bytes()) {
                    return Ok(value);
                }
                return match self.machine.missing_key {
                    MissingKey::Default => Ok(Value::Missing),
                    MissingKey::Zero => Ok(map.element.zero()),
                    MissingKey::Error => {
                        let key = crate::quote::quote(field.as_bytes());
                        Err(self.fault(format!("map has no entry for key {key}")))
                    }
                };
            }
            _ => {}
        }
        if let Some(result) = self.method(dot, receiver, &name, node, arguments, last)? {
            return Ok(result);
        }
        if let Value::Object(object) = receiver
            && let Some(value) = object.field(&name)
        {
            if has_arguments {
                return Err(self.fault(format!("{name} has arguments but cannot be invoked as function")));
            }
            return Ok(value);
        }
        if matches!(receiver, Value::Object(object) if object.kind() == "map") {
            return Ok(Value::Missing);
        }
        let type_name = if interface { "interface {}".to_owned() } else { receiver.type_name() };
        Err(self.fault(format!("can't evaluate field {name} in type {type_name}")))
    }

    /// Calls a method when the receiver has it.
    fn method(
        &mut self,
        dot: &Value,
        receiver: &Value,
        name: &str,
        node: &'t Expression,
        arguments: &'t [Expression],
        last: Option<&Value>,
    ) -> Result<Option<Value>, Fault> {
        let given = arguments.get(1..).unwrap_or_default();
        let wanted = match receiver {
            Value::Object(_) | Value::Time(_) | Value::Duration(_) => Type::Any,
            Value::Map(map) => {
                let Some(wanted) = map.named.and_then(|named| named.arguments(name.as_bytes())) else {
                    return Ok(None);
                };
                let got = given.len() + usize::from(last.is_some());
                if got != wanted {
                    return Err(
                        self.fault(format!("wrong number of args for {name}: want {wanted} got {got}"))
                    );
                }
                Type::String
            }
            _ => return Ok(None),
        };
        let mut values = Vec::new();
        for argument in given {
            values.push(self.argument(dot, wanted, argument)?);
        }
        if let Some(last) = last {
            values.push(self.check_type(last.clone(), wanted)?);
        }
        let result = match receiver {
            Value::Map(map) => map.named.map(|named| (named.call)(map, name, &values)),
            Value::Object(object) => object.call(name, &values),
            Value::Time(instant) => time::method(instant, name, &values, self.machine.outside.time_zone()),
            Value::Duration(duration) => time::duration_method(*duration, name),
            _ => None,
        };
        match result {
            None => Ok(None),
            Some(Ok(value)) => Ok(Some(value)),
            Some(Err(message)) => {
                self.at = At::Expression(node);
                Err(self.fault(format!("error calling {name}: {message}")))
            }
        }
    }

    fn constant(&self, number: &Number) -> Result<Value, Fault> {
        if let Some((real, imaginary)) = number.complex {
            return Ok(Value::Complex(real, imaginary));
        }
        let text = &*number.text;
        let hex = text.len() > 2
            && (text.starts_with("0x") || text.starts_with("0X"))
            && !text.contains(['p', 'P']);
        if let Some(float) = number.float
            && !hex
            && !text.starts_with('\'')
            && text.contains(['.', 'e', 'E', 'p', 'P'])
        {
            return Ok(Value::Float(float));
        }
        match number.int {
            Some(int) => Ok(Value::Int(int)),
            None => Err(self.fault(format!("{text} overflows int"))),
        }
    }

    fn untyped_argument(&mut self, dot: &Value, inner: &'t Expression) -> Result<Value, Fault> {
        match &inner.term {
            Term::Pipe(pipe) => self.pipeline(dot, pipe),
            Term::Function(function) => {
                self.at = At::Expression(inner);
                self.call(dot, function, At::Expression(inner), &[], None)
            }
            _ => self.argument(dot, Type::Any, inner),
        }
    }

    /// Evaluates an argument for a parameter of the given type.
    fn argument(&mut self, dot: &Value, wanted: Type, argument: &'t Expression) -> Result<Value, Fault> {
        self.at = At::Expression(argument);
        let value = match &argument.term {
            Term::Dot => dot.clone(),
            Term::Nil => {
                if matches!(wanted, Type::Any | Type::Map | Type::List) {
                    return Ok(Value::Nil);
                }
                return Err(self.fault(format!("cannot assign nil to {}", wanted.name())));
            }
            Term::Field(_) | Term::Variable(..) | Term::Chain(..) => {
                self.operand(dot, argument, std::slice::from_ref(argument), None)?
            }
            Term::Pipe(pipe) => self.pipeline(dot, pipe)?,
            Term::Function(function) => self.call(dot, function, At::Expression(argument), &[], None)?,
            Term::Bool(_) | Term::Number(_) | Term::String(..) => {
                return self.constant_argument(wanted, argument);
            }
        };
        self.check_type(value, wanted)
    }

    fn constant_argument(&mut self, wanted: Type, argument: &'t Expression) -> Result<Value, Fault> {
        let expected = match (wanted, &argument.term) {
            (Type::Any | Type::Bool, Term::Bool(flag)) => return Ok(Value::Bool(*flag)),
            (Type::Any | Type::String, Term::String(text, _)) => return Ok(Value::String(text.clone())),
            (Type::Any, Term::Number(number)) => return self.constant(number),
            (Type::Int, Term::Number(Number { int: Some(int), .. })) => return Ok(Value::Int(*int)),
            (Type::Uint32, Term::Number(Number { uint: Some(uint), .. })) => {
                return Ok(Value::Uint64(*uint));
            }
            (Type::Float, Term::Number(Number { float: Some(float), .. })) => {
                return Ok(Value::Float(*float));
            }
            (Type::Int, _) => "integer",
            (Type::Uint32, _) => "unsigned integer",
            (Type::Bool, _) => "bool",
            (Type::Float, _) => "float",
            (Type::String, _) => "string",
            _ => {
                let name = wanted.name();
                return Err(self.fault(format!("can't handle {argument} for arg of type {name}")));
            }
        };
        Err(self.fault(format!("expected {expected}; found {argument}")))
    }

    /// A value for a parameter of the given type, as Go's assignability has it.
    fn check_type(&self, value: Value, wanted: Type) -> Result<Value, Fault> {
        let fits = match (wanted, &value) {
            (Type::Any | Type::Map | Type::List, Value::Missing) => return Ok(Value::Nil),
            (_, Value::Missing) => {
                return Err(self.fault(format!("invalid value; expected {}", wanted.name())));
            }
            (Type::Any, _)
            | (Type::String, Value::String(_))
            | (Type::Int, Value::Int(_))
            | (Type::Bool, Value::Bool(_))
            | (Type::Float, Value::Float(_))
            | (Type::Time, Value::Time(_)) => true,
            (Type::Map, Value::Map(map)) => map.element == Element::Any,
            (Type::List, Value::List(list)) => list.element == Element::Any,
            (Type::Certificate, Value::Object(object)) => object.type_name() == Type::Certificate.name(),
            _ => false,
        };
        if fits {
            return Ok(value);
        }
        let got = if matches!(value, Value::Nil) { "interface {}".to_owned() } else { value.type_name() };
        Err(self.fault(format!("wrong type for value; expected {}; got {got}", wanted.name())))
    }

    fn call(
        &mut self,
        dot: &Value,
        function: &Arc<Function>,
        node: At<'t>,
        arguments: &'t [Expression],
        last: Option<Value>,
    ) -> Result<Value, Fault> {
        let arguments = arguments.get(1..).unwrap_or_default();
        let count = arguments.len() + usize::from(last.is_some());
        let (name, fixed) = (&function.name, function.fixed.len());
        if function.variadic.is_some() {
            if count < fixed {
                let given = arguments.len();
                return Err(
                    self.fault(format!("wrong number of args for {name}: want at least {fixed} got {given}"))
                );
            }
        } else if count != fixed {
            return Err(self.fault(format!("wrong number of args for {name}: want {fixed} got {count}")));
        }
        if let Body::And | Body::Or = function.body {
            let or = matches!(function.body, Body::Or);
            return self.short_circuit(dot, or, arguments, last);
        }
        if let Err(message) = self.machine.spend(1).and_then(|()| self.machine.check_stack()) {
            return Err(self.fault(message));
        }
        let wanted =
            |index: usize| function.fixed.get(index).copied().or(function.variadic).unwrap_or(Type::Any);
        let mut values = Vec::with_capacity(count);
        for (index, argument) in arguments.iter().enumerate() {
            values.push(self.argument(dot, wanted(index), argument)?);
        }
        if let Some(last) = last {
            values.push(self.check_type(last, wanted(arguments.len()))?);
        }
        // What a function reads costs as what it makes: a hash or a search over a long text in a loop is no free ride.
        let length = |value: &Value| match value {
            Value::String(text) | Value::Bytes(text) => text.len(),
            _ => 0,
        };
        let read: usize = values.iter().map(length).sum();
        if let Err(message) = self.machine.spend(read as u64 / 64) {
            return Err(self.fault(message));
        }
        if &**name == "call"
            && let Some(callee) = arguments.first()
            && values.first().is_some_and(|value| !value.is_nil() && value.kind() != "func")
        {
            let type_name = values[0].type_name();
            self.at = node;
            return Err(self.fault(format!("error calling call: non-function {callee} of type {type_name}")));
        }
        let result = match &function.body {
            Body::Native(native) => native(self.machine, &values),
            Body::Custom(custom) => custom(&values),
            Body::And | Body::Or => Ok(Value::Missing),
        };
        result.map_err(|message| {
            self.at = node;
            self.fault(format!("error calling {name}: {message}"))
        })
    }

    fn short_circuit(
        &mut self,
        dot: &Value,
        or: bool,
        arguments: &'t [Expression],
        last: Option<Value>,
    ) -> Result<Value, Fault> {
        let mut value = Value::Missing;
        for argument in arguments {
            value = self.argument(dot, Type::Any, argument)?;
            if value.truth() == or {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }
}
