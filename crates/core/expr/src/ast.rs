//! What an expression is made of.

use std::collections::BTreeSet;
use std::sync::Arc;

use regex::Regex;

use crate::builtins::Builtin;
use crate::value::Value;

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Place in characters from the start.
    pub(crate) at: usize,
    /// Longest way down, so that no recursion goes too deep.
    pub(crate) depth: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unary {
    Not,
    Plus,
    Minus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    More,
    MoreOrEqual,
    LessOrEqual,
    In,
    Matches,
    Contains,
    StartsWith,
    EndsWith,
    Range,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Coalesce,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Nil,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(Arc<str>),
    Bytes(Arc<[u8]>),
    /// A list of literals, made once.
    Constant(Value),
    Identifier(Arc<str>),
    /// The operator as it was written, for messages.
    Unary(Unary, &'static str, Box<Node>),
    Binary(Binary, &'static str, Box<Node>, Box<Node>),
    /// `a < b < c`: each is looked at once.
    Comparison(Box<Node>, Vec<Compared>),
    /// `x in ["a", "b"]`.
    InTexts(Box<Node>, BTreeSet<Arc<str>>),
    /// `x matches "…"`, the expression made once.
    MatchesPattern(Box<Node>, Regex),
    Chain(Box<Node>),
    Member(Member),
    Slice(Box<Node>, Option<Box<Node>>, Option<Box<Node>>),
    Call(Box<Node>, Vec<Node>),
    Builtin(Builtin, Vec<Node>),
    Predicate(Box<Node>),
    Pointer(Arc<str>),
    Let(Arc<str>, Box<Node>, Box<Node>),
    Sequence(Vec<Node>),
    Conditional(Box<Node>, Box<Node>, Box<Node>),
    /// `a ?: b`: the condition, if it holds.
    OrElse(Box<Node>, Box<Node>),
    Array(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// One step of `a < b < c`.
#[derive(Clone, Debug)]
pub(crate) struct Compared {
    pub(crate) binary: Binary,
    pub(crate) text: &'static str,
    pub(crate) at: usize,
    pub(crate) right: Node,
}

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) base: Box<Node>,
    pub(crate) property: Box<Node>,
    pub(crate) optional: bool,
    pub(crate) method: bool,
}

impl Node {
    pub(crate) fn new(at: usize, kind: Kind) -> Self {
        let mut deepest = 0;
        kind.each(&mut |child| deepest = deepest.max(child.depth));
        Self { kind, at, depth: deepest + 1 }
    }

    pub(crate) fn text(&self) -> Option<&Arc<str>> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Kind {
    fn each(&self, visit: &mut dyn FnMut(&Node)) {
        match self {
            Self::Nil
            | Self::Bool(_)
            | Self::Integer(_)
            | Self::Float(_)
            | Self::Text(_)
            | Self::Bytes(_)
            | Self::Constant(_)
            | Self::Identifier(_)
            | Self::Pointer(_) => {}
            Self::Unary(_, _, node)
            | Self::InTexts(node, _)
            | Self::MatchesPattern(node, _)
            | Self::Chain(node)
            | Self::Predicate(node) => visit(node),
            Self::Binary(_, _, left, right) | Self::Let(_, left, right) | Self::OrElse(left, right) => {
                visit(left);
                visit(right);
            }
            Self::Comparison(first, others) => {
                visit(first);
                others.iter().for_each(|other| visit(&other.right));
            }
            Self::Member(member) => {
                visit(&member.base);
                visit(&member.property);
            }
            Self::Slice(node, from, to) => {
                visit(node);
                from.iter().chain(to).for_each(|node| visit(node));
            }
            Self::Call(callee, arguments) => {
                visit(callee);
                arguments.iter().for_each(visit);
            }
            Self::Builtin(_, nodes) | Self::Sequence(nodes) | Self::Array(nodes) => {
                nodes.iter().for_each(visit);
            }
            Self::Conditional(condition, yes, no) => {
                visit(condition);
                visit(yes);
                visit(no);
            }
            Self::Map(pairs) => pairs.iter().for_each(|(key, value)| {
                visit(key);
                visit(value);
            }),
        }
    }
}

impl Binary {
    /// The operator of this name with its precedence; every one but `**` groups to the left.
    pub(crate) fn find(name: &str) -> Option<(Self, &'static str, u32)> {
        Some(match name {
            "or" => (Self::Or, "or", 10),
            "||" => (Self::Or, "||", 10),
            "and" => (Self::And, "and", 15),
            "&&" => (Self::And, "&&", 15),
            "==" => (Self::Equal, "==", 20),
            "!=" => (Self::NotEqual, "!=", 20),
            "<" => (Self::Less, "<", 20),
            ">" => (Self::More, ">", 20),
            ">=" => (Self::MoreOrEqual, ">=", 20),
            "<=" => (Self::LessOrEqual, "<=", 20),
            "in" => (Self::In, "in", 20),
            "matches" => (Self::Matches, "matches", 20),
            "contains" => (Self::Contains, "contains", 20),
            "startsWith" => (Self::StartsWith, "startsWith", 20),
            "endsWith" => (Self::EndsWith, "endsWith", 20),
            ".." => (Self::Range, "..", 25),
            "+" => (Self::Add, "+", 30),
            "-" => (Self::Subtract, "-", 30),
            "*" => (Self::Multiply, "*", 60),
            "/" => (Self::Divide, "/", 60),
            "%" => (Self::Modulo, "%", 60),
            "**" => (Self::Power, "**", 100),
            "^" => (Self::Power, "^", 100),
            "??" => (Self::Coalesce, "??", 500),
            _ => return None,
        })
    }

    pub(crate) fn is_comparison(self) -> bool {
        matches!(self, Self::Less | Self::More | Self::MoreOrEqual | Self::LessOrEqual)
    }
}
