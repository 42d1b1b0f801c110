//! What can be said against an expression before anything is known of its values.

use std::sync::Arc;

use crate::ast::{Binary, Compared, Kind, Member, Node, Unary};
use crate::builtins::{Builtin, Loop, Signature};
use crate::error::Failure;
use crate::nature::Nature;
use crate::time::method_nature;

type Checked = Result<Nature, Failure>;

pub(crate) fn check(node: &Node) -> Result<(), Failure> {
    Checker { scopes: Vec::new(), variables: Vec::new() }.visit(node).map(drop)
}

struct Checker {
    scopes: Vec<Scope>,
    variables: Vec<(Arc<str>, Nature)>,
}

struct Scope {
    collection: Nature,
    has_index: bool,
    has_accumulator: bool,
}

fn fail<T>(node: &Node, message: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::new(node.at, message))
}

impl Checker {
    fn visit(&mut self, node: &Node) -> Checked {
        match &node.kind {
            Kind::Nil => Ok(Nature::Nil),
            Kind::Bool(_) => Ok(Nature::Bool),
            Kind::Integer(_) => Ok(Nature::Int),
            Kind::Float(_) => Ok(Nature::Float),
            Kind::Text(_) => Ok(Nature::Text),
            Kind::Bytes(_) => Ok(Nature::Bytes),
            Kind::Constant(_) => Ok(Nature::AnyList),
            Kind::Identifier(name) => Ok(self.identifier(name)),
            Kind::Unary(unary, text, operand) => self.unary(node, *unary, text, operand),
            Kind::Binary(binary, text, left, right) => self.binary(node, *binary, text, left, right),
            Kind::Comparison(first, others) => self.comparison(first, others),
            Kind::InTexts(inner, _) | Kind::MatchesPattern(inner, _) => {
                self.visit(inner).map(|_| Nature::Bool)
            }
            Kind::Chain(inner) => self.visit(inner),
            Kind::Member(member) => self.member(node, member),
            Kind::Slice(inner, from, to) => self.slice(node, inner, from.as_deref(), to.as_deref()),
            Kind::Call(callee, arguments) => self.call(node, callee, arguments),
            Kind::Builtin(builtin, arguments) => self.builtin(node, *builtin, arguments),
            Kind::Predicate(inner) => self.visit(inner),
            Kind::Pointer(name) => self.pointer(node, name),
            Kind::Let(name, value, body) => self.declaration(node, name, value, body),
            Kind::Sequence(nodes) => nodes.iter().try_fold(Nature::Unknown, |_, node| self.visit(node)),
            Kind::Conditional(condition, yes, no) => self.conditional(condition, Some(yes), no),
            Kind::OrElse(condition, no) => self.conditional(condition, None, no),
            Kind::Array(nodes) => self.array(nodes),
            Kind::Map(pairs) => {
                for (key, value) in pairs {
                    self.visit(key)?;
                    self.visit(value)?;
                }
                Ok(Nature::Map)
            }
        }
    }

    fn identifier(&self, name: &str) -> Nature {
        let variable = self.variables.iter().rev().find(|(it, _)| &**it == name);
        match variable {
            Some((_, nature)) => nature.clone(),
            None if Builtin::find(name).is_some() => Nature::Function,
            None => Nature::Unknown,
        }
    }

    fn unary(&mut self, node: &Node, unary: Unary, text: &str, operand: &Node) -> Checked {
        let nature = self.visit(operand)?;
        match (unary, &nature) {
            (Unary::Not, Nature::Bool | Nature::Unknown | Nature::Any) => Ok(Nature::Bool),
            (Unary::Plus | Unary::Minus, Nature::Int | Nature::Float) => Ok(nature),
            (Unary::Plus | Unary::Minus, Nature::Unknown | Nature::Any) => Ok(Nature::Unknown),
            _ => fail(node, format!("invalid operation: {text} (mismatched type {})", nature.text())),
        }
    }

    fn binary(&mut self, node: &Node, binary: Binary, text: &str, left: &Node, right: &Node) -> Checked {
        let (left_nature, right_nature) = (self.visit(left)?, self.visit(right)?);
        if binary == Binary::Matches
            && let Some(pattern) = right.text()
            && let Err(message) = crate::pattern::compile(pattern)
        {
            return fail(node, message);
        }
        Self::operation(node.at, binary, text, &left_nature, &right_nature)
    }

    fn operation(at: usize, binary: Binary, text: &str, left: &Nature, right: &Nature) -> Checked {
        use Nature::{Bool, Duration, Float, Int, Text, Time, Unknown};
        let both = |nature: &Nature| left == nature && right == nature;
        let numbers = left.is_number() && right.is_number();
        let ordered = [Float, Text, Time, Duration];
        let known = match binary {
            Binary::Equal | Binary::NotEqual => left.comparable_to(right).then_some(Bool),
            Binary::Or | Binary::And => (both(&Bool) || left.may_be(right, &[Bool])).then_some(Bool),
            Binary::Less | Binary::More | Binary::LessOrEqual | Binary::MoreOrEqual => {
                let same = numbers || ordered[1..].iter().any(both);
                (same || left.may_be(right, &ordered)).then_some(Bool)
            }
            Binary::Add => match (left, right) {
                _ if numbers => Some(promoted(left, right)),
                (Text, Text) => Some(Text),
                (Time, Duration) | (Duration, Time) => Some(Time),
                (Duration, Duration) => Some(Duration),
                _ => left.may_be(right, &ordered).then_some(Unknown),
            },
            Binary::Subtract => match (left, right) {
                _ if numbers => Some(promoted(left, right)),
                (Time, Time) | (Duration, Duration) => Some(Duration),
                (Time, Duration) => Some(Time),
                _ => left.may_be(right, &[Float, Time, Duration]).then_some(Unknown),
            },
            Binary::Multiply => match (left, right) {
                _ if numbers => Some(promoted(left, right)),
                (Int | Float | Duration, Duration) | (Duration, Int | Float) => Some(Duration),
                _ => left.may_be(right, &[Float, Duration]).then_some(Unknown),
            },
            Binary::Divide | Binary::Power => (numbers || left.may_be(right, &[Float])).then_some(Float),
            Binary::Modulo => (both(&Int) || left.may_be(right, &[Int])).then_some(Int),
            Binary::Range => (both(&Int) || left.may_be(right, &[Int])).then_some(Int.list_of()),
            Binary::In => return Self::membership(at, left, right),
            Binary::Matches => {
                let text = matches!(left, Text | Nature::Bytes) && *right == Text;
                (text || left.may_be(right, &[Text])).then_some(Bool)
            }
            Binary::Contains | Binary::StartsWith | Binary::EndsWith => {
                (both(&Text) || left.may_be(right, &[Text])).then_some(Bool)
            }
            Binary::Coalesce => Some(match (left, right) {
                (Nature::Nil, other) => other.clone(),
                (_, Nature::Nil) => left.clone(),
                _ if right.assignable_to(left) => left.clone(),
                _ => Unknown,
            }),
        };
        known.map_or_else(|| mismatch(at, text, left, right), Ok)
    }

    fn membership(at: usize, left: &Nature, right: &Nature) -> Checked {
        match right {
            it if it.is_map() => {
                let key = if *right == Nature::Map { Nature::Text } else { Nature::Any };
                if !left.is_open() && !left.assignable_to(&key) {
                    let message = format!("cannot use {} as type {} in map key", left.text(), key.text());
                    return Err(Failure::new(at, message));
                }
                Ok(Nature::Bool)
            }
            it if it.is_list() => {
                let element = it.element();
                if left.comparable_to(&element) {
                    return Ok(Nature::Bool);
                }
                Err(Failure::new(
                    at,
                    format!("cannot use {} as type {} in array", left.text(), element.text()),
                ))
            }
            // A structure to Go: it is asked for its fields.
            Nature::Time if left.is_open() || *left == Nature::Text => Ok(Nature::Bool),
            Nature::Text if left.is_open() => Ok(Nature::Bool),
            it if it.is_open() => Ok(Nature::Bool),
            _ => mismatch(at, "in", left, right),
        }
    }

    fn comparison(&mut self, first: &Node, others: &[Compared]) -> Checked {
        let mut left = self.visit(first)?;
        for other in others {
            let right = self.visit(&other.right)?;
            Self::operation(other.at, other.binary, other.text, &left, &right)?;
            left = right;
        }
        Ok(Nature::Bool)
    }

    fn member(&mut self, node: &Node, member: &Member) -> Checked {
        if matches!(&member.base.kind, Kind::Identifier(name) if &**name == "$env") {
            return Ok(Nature::Unknown);
        }
        let (base, property) = (self.visit(&member.base)?, self.visit(&member.property)?);
        if base.is_open() {
            return Ok(Nature::Unknown);
        }
        let name = member.property.text();
        match (&base, name) {
            (Nature::Nil, Some(name)) => fail(node, format!("type nil has no field {name}")),
            (base, Some(name)) if method_nature(base, name).is_some() => {
                Ok(method_nature(base, name).unwrap_or(Nature::Unknown))
            }
            (Nature::Map, _) if !property.is_open() && property != Nature::Text => {
                let message =
                    format!("cannot use {} to get an element from {}", property.text(), base.text());
                fail(&member.property, message)
            }
            _ if base.is_map() => Ok(base.element()),
            _ if base.is_list() => {
                if property == Nature::Int || property.is_open() {
                    return Ok(base.element());
                }
                let got = property.text();
                fail(
                    &member.property,
                    format!("array elements can only be selected using an integer (got {got})"),
                )
            }
            (_, Some(name)) => {
                let what = if member.method { "method" } else { "field" };
                fail(node, format!("type {} has no {what} {name}", base.text()))
            }
            (_, None) => fail(node, format!("type {}[{}] is undefined", base.text(), property.text())),
        }
    }

    fn slice(&mut self, node: &Node, inner: &Node, from: Option<&Node>, to: Option<&Node>) -> Checked {
        let nature = self.visit(inner)?;
        if nature.is_open() {
            return Ok(Nature::Unknown);
        }
        if !nature.is_list() && nature != Nature::Text {
            return fail(node, format!("cannot slice {}", nature.text()));
        }
        for end in from.into_iter().chain(to) {
            let index = self.visit(end)?;
            if index != Nature::Int && !index.is_open() {
                return fail(end, format!("non-integer slice index {}", index.text()));
            }
        }
        Ok(nature)
    }

    /// Arguments of what comes from outside are not looked at: the original does not either.
    fn call(&mut self, node: &Node, callee: &Node, arguments: &[Node]) -> Checked {
        let name = match &callee.kind {
            Kind::Identifier(name) if &**name == "$env" => return fail(node, "unknown is not callable"),
            Kind::Identifier(name) => name.clone(),
            Kind::Member(member) => member.property.text().cloned().unwrap_or_else(|| Arc::from("function")),
            _ => Arc::from("function"),
        };
        match self.visit(callee)? {
            it if it.is_open() => Ok(Nature::Unknown),
            Nature::Nil => fail(node, format!("{name} is nil; cannot call nil as function")),
            Nature::Method(parameters, result) => {
                self.overloads(node, &name, &[parameters], arguments)?;
                Ok(result.clone())
            }
            Nature::Function => {
                arguments.iter().try_fold(Nature::Unknown, |_, argument| self.visit(argument))
            }
            other => fail(node, format!("{} is not callable", other.text())),
        }
    }

    fn builtin(&mut self, node: &Node, builtin: Builtin, arguments: &[Node]) -> Checked {
        if let Some(kind) = builtin.as_loop() {
            return self.each(builtin.name(), kind, arguments);
        }
        match builtin.signature() {
            Some(Signature::Overloads(overloads, result)) => {
                self.overloads(node, builtin.name(), overloads, arguments)?;
                Ok(result)
            }
            Some(Signature::Rule(rule)) => {
                let natures: Vec<Nature> =
                    arguments.iter().map(|argument| self.visit(argument)).collect::<Result<_, _>>()?;
                let natures: Vec<Nature> = natures.into_iter().map(Nature::into_interface).collect();
                rule(&natures).or_else(|message| fail(node, message))
            }
            Some(Signature::Member) => self.get(node, arguments),
            None => fail(node, format!("unknown builtin {}", builtin.name())),
        }
    }

    fn overloads(
        &mut self,
        node: &Node,
        name: &str,
        overloads: &[&[Nature]],
        arguments: &[Node],
    ) -> Result<(), Failure> {
        let mut last = Ok(());
        for overload in overloads {
            last = self.fits(node, name, overload, arguments)?;
            if last.is_ok() {
                break;
            }
        }
        last
    }

    /// Arguments are looked at up to the first that does not fit; what is wrong inside of one counts for every overload.
    fn fits(
        &mut self,
        node: &Node,
        name: &str,
        overload: &[Nature],
        arguments: &[Node],
    ) -> Result<Result<(), Failure>, Failure> {
        if arguments.len() != overload.len() {
            for argument in arguments {
                self.visit(argument)?;
            }
            let amount = if arguments.len() > overload.len() { "too many" } else { "not enough" };
            return Ok(fail(node, format!("{amount} arguments to call {name}")));
        }
        for (argument, expected) in arguments.iter().zip(overload) {
            let wanted = expected.type_text();
            let message = match self.visit(argument)? {
                Nature::Nil if *expected == Nature::Any => continue,
                Nature::Nil => format!("cannot use nil as argument (type {wanted}) to call {name}"),
                it if it.is_open() || it.assignable_to(expected) => continue,
                other => {
                    let found = other.text();
                    format!("cannot use {found} as argument (type {wanted}) to call {name} ")
                }
            };
            return Ok(fail(argument, message));
        }
        Ok(Ok(()))
    }

    fn get(&mut self, node: &Node, arguments: &[Node]) -> Checked {
        let [from, key] = arguments else {
            return fail(node, format!("invalid number of arguments (expected 2, got {})", arguments.len()));
        };
        let (base, property) = (self.visit(from)?, self.visit(key)?);
        match &base {
            it if it.is_open() => Ok(Nature::Unknown),
            it if it.is_list() => {
                if property == Nature::Int || property.is_open() {
                    return Ok(base.element());
                }
                fail(key, format!("non-integer slice index {}", property.text()))
            }
            it if it.is_map() => {
                if property.is_open() || *it != Nature::Map || property == Nature::Text {
                    return Ok(base.element());
                }
                let message =
                    format!("cannot use {} to get an element from {}", property.text(), base.text());
                fail(key, message)
            }
            other => fail(from, format!("type {} does not support indexing", other.text())),
        }
    }

    fn each(&mut self, name: &str, kind: Loop, arguments: &[Node]) -> Checked {
        let Some(first) = arguments.first() else { return Ok(Nature::Unknown) };
        let collection = self.visit(first)?;
        if !collection.is_list() && !collection.is_open() {
            return fail(first, format!("builtin {name} takes only array (got {})", collection.text()));
        }
        let element = collection.element();
        let Some(predicate) = arguments.get(1) else {
            let sum = if collection.is_open() { Nature::Unknown } else { element };
            return Ok(if kind == Loop::Count { Nature::Int } else { sum });
        };
        self.scopes.push(Scope {
            collection: collection.clone(),
            has_index: matches!(kind, Loop::Map | Loop::Reduce),
            has_accumulator: kind == Loop::Reduce,
        });
        let result = self.visit(predicate);
        self.scopes.pop();
        let result = result?;
        if let Some(third) = arguments.get(2) {
            let nature = self.visit(third)?;
            if kind == Loop::SortBy && nature != Nature::Text && !nature.is_open() {
                let message = format!("sortBy order argument must be a string (got {})", nature.text());
                return fail(third, message);
            }
        }
        if result == Nature::Nil && kind == Loop::Sum {
            let message =
                "cannot use func(interface {}) as argument (type func(interface {}) bool) to call sum ";
            return fail(predicate, message);
        }
        if result == Nature::Nil {
            let inputs = if kind == Loop::Reduce { "two" } else { "one" };
            return fail(predicate, format!("predicate should has {inputs} input and one output param"));
        }
        let is_test = !matches!(kind, Loop::Map | Loop::Sum | Loop::GroupBy | Loop::SortBy | Loop::Reduce);
        if is_test && result != Nature::Bool && !result.is_open() {
            return fail(predicate, format!("predicate should return boolean (got {})", result.text()));
        }
        Ok(match kind {
            Loop::All | Loop::None | Loop::Any | Loop::One => Nature::Bool,
            Loop::Filter if collection.is_open() => Nature::AnyList,
            Loop::Filter => element.list_of(),
            Loop::Map => result.list_of(),
            Loop::Count | Loop::FindIndex | Loop::FindLastIndex => Nature::Int,
            Loop::Sum => result.into_interface(),
            Loop::Reduce => result,
            Loop::Find | Loop::FindLast => element,
            Loop::GroupBy => Nature::Groups(Box::new(element.list_of())),
            Loop::SortBy => collection,
        })
    }

    fn pointer(&mut self, node: &Node, name: &str) -> Checked {
        let Some(scope) = self.scopes.last() else {
            return fail(node, "cannot use pointer accessor outside predicate");
        };
        match name {
            "" => Ok(scope.collection.element()),
            "index" if scope.has_index => Ok(Nature::Int),
            "acc" if scope.has_accumulator => Ok(Nature::Unknown),
            name => fail(node, format!("unknown pointer #{name}")),
        }
    }

    fn declaration(&mut self, node: &Node, name: &Arc<str>, value: &Node, body: &Node) -> Checked {
        if Builtin::find(name).is_some() {
            return fail(node, format!("cannot redeclare builtin {name}"));
        }
        if self.variables.iter().any(|(it, _)| it == name) {
            return fail(node, format!("cannot redeclare variable {name}"));
        }
        let nature = self.visit(value)?;
        self.variables.push((Arc::clone(name), nature));
        let result = self.visit(body);
        self.variables.pop();
        result
    }

    fn conditional(&mut self, condition: &Node, yes: Option<&Node>, no: &Node) -> Checked {
        let nature = self.visit(condition)?;
        if nature != Nature::Bool && !nature.is_open() {
            let message = format!("non-bool expression (type {}) used as condition", nature.text());
            return fail(condition, message);
        }
        let yes = match yes {
            Some(yes) => self.visit(yes)?,
            None => nature,
        };
        let no = self.visit(no)?;
        Ok(match (&yes, &no) {
            (Nature::Nil, _) => no,
            (_, Nature::Nil) => yes,
            _ if yes.assignable_to(&no) => {
                if yes.is_list() && yes != no {
                    return Ok(Nature::AnyList);
                }
                yes
            }
            _ => Nature::Unknown,
        })
    }

    fn array(&mut self, nodes: &[Node]) -> Checked {
        let natures: Vec<Nature> = nodes.iter().map(|node| self.visit(node)).collect::<Result<_, _>>()?;
        let kind = |nature: &Nature| match nature {
            it if it.is_list() => "list",
            it if it.is_map() => "map",
            Nature::Time => "struct",
            Nature::Duration => "int64",
            // Neither has a type.
            Nature::Nil | Nature::Unknown => "",
            other => other.type_text(),
        };
        let alike = natures.windows(2).all(|pair| kind(&pair[0]) == kind(&pair[1]));
        Ok(match natures.last() {
            Some(last) if alike => last.clone().list_of(),
            Some(_) => Nature::AnyList,
            None => Nature::Unknown.list_of(),
        })
    }
}

fn promoted(left: &Nature, right: &Nature) -> Nature {
    if *left == Nature::Float || *right == Nature::Float { Nature::Float } else { Nature::Int }
}

fn mismatch(at: usize, text: &str, left: &Nature, right: &Nature) -> Checked {
    let (left, right) = (left.text(), right.text());
    Err(Failure::new(at, format!("invalid operation: {text} (mismatched types {left} and {right})")))
}
