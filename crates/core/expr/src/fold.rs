//! What is settled before anything is known: `true && x` is `x`, `x && false` is false whatever `x` would say. The original
//! does so, and an expression that never fails because of it must not fail here.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::ast::{Binary, Compared, Kind, Member, Node, Unary};
use crate::error::Failure;
use crate::operators::arithmetic;
use crate::value::{IntKind, Value};

pub(crate) fn fold(node: Node) -> Result<Node, Failure> {
    let Node { kind, at, .. } = node;
    let kind = match kind {
        Kind::Unary(unary, text, inner) => folded_unary(unary, text, fold(*inner)?),
        Kind::Binary(binary, text, left, right) => {
            folded_binary(at, binary, text, fold(*left)?, fold(*right)?)?
        }
        Kind::Comparison(first, others) => {
            let others = others.into_iter().map(|it| Ok(Compared { right: fold(it.right)?, ..it }));
            Kind::Comparison(boxed(*first)?, others.collect::<Result<_, Failure>>()?)
        }
        Kind::InTexts(inner, texts) => Kind::InTexts(boxed(*inner)?, texts),
        Kind::MatchesPattern(inner, pattern) => Kind::MatchesPattern(boxed(*inner)?, pattern),
        Kind::Chain(inner) => Kind::Chain(boxed(*inner)?),
        Kind::Member(member) => {
            let Member { base, property, optional, method } = member;
            Kind::Member(Member { base: boxed(*base)?, property: boxed(*property)?, optional, method })
        }
        Kind::Slice(inner, from, to) => {
            let end = |end: Option<Box<Node>>| end.map(|node| boxed(*node)).transpose();
            Kind::Slice(boxed(*inner)?, end(from)?, end(to)?)
        }
        Kind::Call(callee, arguments) => Kind::Call(boxed(*callee)?, all(arguments)?),
        Kind::Builtin(builtin, arguments) => Kind::Builtin(builtin, all(arguments)?),
        Kind::Predicate(inner) => Kind::Predicate(boxed(*inner)?),
        Kind::Let(name, value, body) => Kind::Let(name, boxed(*value)?, boxed(*body)?),
        Kind::Sequence(nodes) => Kind::Sequence(all(nodes)?),
        Kind::Conditional(condition, yes, no) => {
            Kind::Conditional(boxed(*condition)?, boxed(*yes)?, boxed(*no)?)
        }
        Kind::OrElse(condition, no) => Kind::OrElse(boxed(*condition)?, boxed(*no)?),
        Kind::Array(nodes) => folded_array(all(nodes)?),
        Kind::Map(pairs) => {
            let pairs = pairs.into_iter().map(|(key, value)| Ok((fold(key)?, fold(value)?)));
            Kind::Map(pairs.collect::<Result<_, Failure>>()?)
        }
        plain => plain,
    };
    Ok(Node::new(at, kind))
}

fn boxed(node: Node) -> Result<Box<Node>, Failure> {
    fold(node).map(Box::new)
}

fn all(nodes: Vec<Node>) -> Result<Vec<Node>, Failure> {
    nodes.into_iter().map(fold).collect()
}

fn folded_unary(unary: Unary, text: &'static str, inner: Node) -> Kind {
    match (unary, &inner.kind) {
        (Unary::Minus, Kind::Integer(value)) => Kind::Integer(value.wrapping_neg()),
        (Unary::Minus, Kind::Float(value)) => Kind::Float(-value),
        (Unary::Plus, Kind::Integer(_) | Kind::Float(_)) => inner.kind,
        (Unary::Not, Kind::Bool(value)) => Kind::Bool(!value),
        _ => Kind::Unary(unary, text, Box::new(inner)),
    }
}

fn folded_binary(
    at: usize,
    binary: Binary,
    text: &'static str,
    left: Node,
    right: Node,
) -> Result<Kind, Failure> {
    let unfolded = |left: Node, right: Node| Kind::Binary(binary, text, Box::new(left), Box::new(right));
    Ok(match (binary, &left.kind, &right.kind) {
        (Binary::And, Kind::Bool(true), _) | (Binary::Or, Kind::Bool(false), _) => right.kind,
        (Binary::And, _, Kind::Bool(true)) | (Binary::Or, _, Kind::Bool(false)) => left.kind,
        (Binary::And, Kind::Bool(false), _) | (Binary::And, _, Kind::Bool(false)) => Kind::Bool(false),
        (Binary::Or, Kind::Bool(true), _) | (Binary::Or, _, Kind::Bool(true)) => Kind::Bool(true),
        (Binary::Equal, Kind::Integer(left), Kind::Integer(right)) => Kind::Bool(left == right),
        (Binary::Equal, Kind::Text(left), Kind::Text(right)) => Kind::Bool(left == right),
        (Binary::Equal, Kind::Bool(left), Kind::Bool(right)) => Kind::Bool(left == right),
        (Binary::Modulo, Kind::Integer(_), Kind::Integer(0)) => {
            return Err(Failure::new(at, "integer divide by zero"));
        }
        (
            Binary::Add
            | Binary::Subtract
            | Binary::Multiply
            | Binary::Divide
            | Binary::Modulo
            | Binary::Power,
            Kind::Integer(_) | Kind::Float(_) | Kind::Text(_),
            Kind::Integer(_) | Kind::Float(_) | Kind::Text(_),
        ) => {
            let (one, other) = (literal(&left), literal(&right));
            let value = one.zip(other).and_then(|(one, other)| arithmetic(binary, text, &one, &other).ok());
            match value {
                Some(Value::Int(value, IntKind::Int)) => Kind::Integer(value),
                Some(Value::Float(value)) => Kind::Float(value),
                Some(Value::Text(text)) if text.len() < 10_000 => Kind::Text(text),
                _ => unfolded(left, right),
            }
        }
        (Binary::In, _, Kind::Array(_) | Kind::Constant(_)) => match texts(&right) {
            Some(texts) => Kind::InTexts(Box::new(left), texts),
            None => unfolded(left, right),
        },
        (Binary::Matches, _, Kind::Text(pattern)) => match crate::pattern::compile(pattern) {
            Ok(pattern) => Kind::MatchesPattern(Box::new(left), pattern),
            Err(message) => return Err(Failure::new(at, message)),
        },
        _ => unfolded(left, right),
    })
}

fn literal(node: &Node) -> Option<Value> {
    Some(match &node.kind {
        Kind::Integer(value) => Value::int(*value),
        Kind::Float(value) => Value::Float(*value),
        Kind::Text(text) => Value::Text(Arc::clone(text)),
        Kind::Bool(value) => Value::Bool(*value),
        _ => return None,
    })
}

fn folded_array(nodes: Vec<Node>) -> Kind {
    let values: Option<Vec<Value>> = nodes.iter().map(literal).collect();
    match values {
        Some(values) if !values.is_empty() => Kind::Constant(Value::list(values)),
        _ => Kind::Array(nodes),
    }
}

/// The texts of a list of nothing else.
fn texts(node: &Node) -> Option<BTreeSet<Arc<str>>> {
    let Kind::Constant(Value::List(list)) = &node.kind else { return None };
    let text = |value: &Value| match value {
        Value::Text(text) => Some(Arc::clone(text)),
        _ => None,
    };
    list.items.iter().map(text).collect()
}
