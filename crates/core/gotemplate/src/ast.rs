//! A compiled template: its tree, and how nodes are shown in messages.

use crate::functions::Function;
use crate::text::Text;
use std::fmt;
use std::sync::Arc;

/// One template: a file, or a `define` or `block` in one.
pub(crate) struct Template {
    pub(crate) name: Arc<str>,
    /// The file it stands in.
    pub(crate) file: Arc<str>,
    /// The text of that file, for positions.
    pub(crate) source: Arc<str>,
    /// The variables' names, `$` included.
    pub(crate) variables: Arc<[Box<str>]>,
    pub(crate) root: Vec<Node>,
}

pub(crate) enum Node {
    /// A part of the source: where it begins and ends.
    Text(usize, usize),
    Action(Pipe),
    If(Box<Branch>),
    With(Box<Branch>),
    Range(Box<Branch>),
    Template(Box<Invocation>),
    Break,
    Continue,
}

pub(crate) struct Branch {
    pub(crate) pipe: Pipe,
    pub(crate) list: Vec<Node>,
    pub(crate) otherwise: Option<Vec<Node>>,
}

pub(crate) struct Invocation {
    pub(crate) at: usize,
    pub(crate) name: Arc<str>,
    pub(crate) pipe: Option<Pipe>,
}

pub(crate) struct Pipe {
    pub(crate) at: usize,
    pub(crate) assign: bool,
    /// The variables it sets.
    pub(crate) declared: Vec<u32>,
    pub(crate) commands: Vec<Command>,
    variables: Vec<Box<str>>,
}

impl Pipe {
    pub(crate) fn new(at: usize) -> Self {
        Self {
            at,
            assign: false,
            declared: Vec::new(),
            commands: Vec::with_capacity(1),
            variables: Vec::new(),
        }
    }

    pub(crate) fn declare(&mut self, id: u32, name: &str) {
        self.declared.push(id);
        self.variables.push(name.into());
    }
}

pub(crate) struct Command {
    pub(crate) at: usize,
    pub(crate) arguments: Vec<Expression>,
}

pub(crate) struct Expression {
    pub(crate) at: usize,
    pub(crate) term: Term,
}

pub(crate) enum Term {
    Dot,
    Nil,
    Bool(bool),
    Number(Number),
    /// The text, and how it was written.
    String(Text, Box<str>),
    Field(Vec<Text>),
    Variable(u32, Box<str>, Vec<Text>),
    Function(Arc<Function>),
    Chain(Box<Expression>, Vec<Text>),
    Pipe(Box<Pipe>),
}

/// A constant: what it may be taken for depends on where it stands.
pub(crate) struct Number {
    pub(crate) text: Box<str>,
    pub(crate) int: Option<i64>,
    pub(crate) uint: Option<u64>,
    pub(crate) float: Option<f64>,
    pub(crate) complex: Option<(f64, f64)>,
}

/// What is being evaluated, for messages.
#[derive(Clone, Copy)]
pub(crate) enum At<'t> {
    Start,
    Pipe(&'t Pipe),
    Command(&'t Command),
    Expression(&'t Expression),
    Invocation(&'t Invocation),
}

impl At<'_> {
    pub(crate) fn offset(self) -> usize {
        match self {
            Self::Start => 0,
            Self::Pipe(pipe) => pipe.at,
            Self::Command(command) => command.at,
            Self::Expression(expression) => expression.at,
            Self::Invocation(invocation) => invocation.at,
        }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => Ok(()),
            Self::Pipe(pipe) => pipe.fmt(formatter),
            Self::Command(command) => command.fmt(formatter),
            Self::Expression(expression) => expression.fmt(formatter),
            Self::Invocation(invocation) => {
                let name = crate::quote::quote(invocation.name.as_bytes());
                write!(formatter, "{{{{template {name}")?;
                if let Some(pipe) = &invocation.pipe {
                    write!(formatter, " {pipe}")?;
                }
                formatter.write_str("}}")
            }
        }
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            let names: Vec<&str> = self.variables.iter().map(AsRef::as_ref).collect();
            write!(formatter, "{} {} ", names.join(", "), if self.assign { "=" } else { ":=" })?;
        }
        for (index, command) in self.commands.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" | ")?;
            }
            command.fmt(formatter)?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, argument) in self.arguments.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" ")?;
            }
            match &argument.term {
                Term::Pipe(pipe) => write!(formatter, "({pipe})")?,
                _ => argument.fmt(formatter)?,
            }
        }
        Ok(())
    }
}

fn write_fields(formatter: &mut fmt::Formatter<'_>, fields: &[Text]) -> fmt::Result {
    fields.iter().try_for_each(|field| write!(formatter, ".{}", field.to_str()))
}

impl fmt::Display for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.term {
            Term::Dot => formatter.write_str("."),
            Term::Nil => formatter.write_str("nil"),
            Term::Bool(flag) => write!(formatter, "{flag}"),
            Term::Number(number) => formatter.write_str(&number.text),
            Term::String(_, written) => formatter.write_str(written),
            Term::Field(fields) => write_fields(formatter, fields),
            Term::Variable(_, name, fields) => {
                formatter.write_str(name)?;
                write_fields(formatter, fields)
            }
            Term::Function(function) => formatter.write_str(&function.name),
            Term::Chain(inner, fields) => {
                match &inner.term {
                    Term::Pipe(pipe) => write!(formatter, "({pipe})")?,
                    _ => inner.fmt(formatter)?,
                }
                write_fields(formatter, fields)
            }
            Term::Pipe(pipe) => pipe.fmt(formatter),
        }
    }
}

impl Template {
    /// `file:line:column` of a place in it; the column counts bytes from 0, as Go's does.
    pub(crate) fn location(&self, offset: usize) -> String {
        let before = self.source.get(..offset).unwrap_or(&self.source);
        let column = before.rfind('\n').map_or(before.len(), |newline| before.len() - newline - 1);
        let line = before.matches('\n').count() + 1;
        format!("{}:{line}:{column}", self.file)
    }

    /// Whether it holds nothing but white space: such a template does not replace another of its name.
    pub(crate) fn is_empty(&self) -> bool {
        is_empty(&self.root, &self.source)
    }
}

/// Whether a list holds nothing but white space and comments.
pub(crate) fn is_empty(list: &[Node], source: &str) -> bool {
    list.iter().all(|node| match node {
        Node::Text(start, end) => source.get(*start..*end).unwrap_or_default().trim().is_empty(),
        _ => false,
    })
}
