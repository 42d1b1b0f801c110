//! From tokens to trees, with Go's own rules and messages.

use crate::ast::{self, Branch, Command, Expression, Invocation, Node, Number, Pipe, Template, Term};
use crate::functions::Functions;
use crate::lex::{Kind, Lexer, Token};
use crate::number::{float, parse_float, parse_int, parse_uint, truncate};
use crate::quote;
use crate::stack::StackGuard;
use crate::text::Text;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How much stack the parser may use.
const STACK: usize = 700 << 10;

/// Reads a file: its own template, and those it defines. The message of an error is complete.
pub(crate) fn parse(name: &str, text: &str, functions: &Functions) -> Result<Vec<Template>, String> {
    let file: Arc<str> = Arc::from(name);
    let mut parser = Parser {
        lexer: Lexer::new(text),
        tokens: [const { None }; 3],
        peeked: 0,
        file: file.clone(),
        source: Arc::from(text),
        functions,
        scope: Scope::new(),
        trees: BTreeMap::new(),
        action_line: 0,
        stack: StackGuard::new(STACK),
    };
    let root = parser.file()?;
    let scope = std::mem::replace(&mut parser.scope, Scope::new());
    parser.add(&file, root, &scope)?;
    Ok(parser.trees.into_values().collect())
}

/// What belongs to one template while it is read.
struct Scope {
    names: Vec<Box<str>>,
    /// The variables that are known here.
    known: Vec<u32>,
    ranges: usize,
}

impl Scope {
    fn new() -> Self {
        Self { names: vec!["$".into()], known: vec![0], ranges: 0 }
    }

    fn id(&mut self, name: &str) -> u32 {
        let found = self.names.iter().position(|known| **known == *name);
        let index = found.unwrap_or_else(|| {
            self.names.push(name.into());
            self.names.len() - 1
        });
        u32::try_from(index).unwrap_or(u32::MAX)
    }
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    tokens: [Option<Token<'t>>; 3],
    peeked: usize,
    file: Arc<str>,
    source: Arc<str>,
    functions: &'t Functions,
    scope: Scope,
    trees: BTreeMap<Arc<str>, Template>,
    action_line: usize,
    stack: StackGuard,
}

/// What ends a list.
enum End {
    End,
    Else { at_control: bool },
}

impl End {
    fn shown(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else { .. } => "{{else}}",
        }
    }
}

enum Item {
    Node(Node),
    End(End),
}

impl<'t> Parser<'t> {
    fn next(&mut self) -> Token<'t> {
        if self.peeked > 0 {
            self.peeked -= 1;
        } else {
            self.tokens[0] = Some(self.lexer.next_token());
        }
        self.token(self.peeked)
    }

    fn token(&self, index: usize) -> Token<'t> {
        let end = || Token { kind: Kind::Eof, at: self.source.len(), text: "EOF", line: 1 };
        self.tokens.get(index).copied().flatten().unwrap_or_else(end)
    }

    fn backup(&mut self) {
        self.peeked += 1;
    }

    fn backup2(&mut self, first: Token<'t>) {
        self.tokens[1] = Some(first);
        self.peeked = 2;
    }

    fn backup3(&mut self, first: Token<'t>, second: Token<'t>) {
        self.tokens[1] = Some(second);
        self.tokens[2] = Some(first);
        self.peeked = 3;
    }

    fn peek(&mut self) -> Token<'t> {
        if self.peeked == 0 {
            self.peeked = 1;
            self.tokens[0] = Some(self.lexer.next_token());
        }
        self.token(self.peeked - 1)
    }

    fn next_non_space(&mut self) -> Token<'t> {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    fn peek_non_space(&mut self) -> Token<'t> {
        let token = self.next_non_space();
        self.backup();
        token
    }

    fn error<T>(&self, message: impl AsRef<str>) -> Result<T, String> {
        let line = self.token(0).line;
        Err(format!("template: {}:{line}: {}", self.file, message.as_ref()))
    }

    fn unexpected<T>(&self, token: &Token<'_>, context: &str) -> Result<T, String> {
        if token.kind == Kind::Error {
            let mut extra = String::new();
            if self.action_line != 0 && self.action_line != token.line {
                extra = format!(" in action started at {}:{}", self.file, self.action_line);
                if self.lexer.failure().ends_with(" action") {
                    extra = extra[" in action".len()..].to_owned();
                }
            }
            return self.error(format!("{}{extra}", self.lexer.failure()));
        }
        self.error(format!("unexpected {} in {context}", token.shown()))
    }

    fn expect(&mut self, kinds: &[Kind], context: &str) -> Result<Token<'t>, String> {
        let token = self.next_non_space();
        if kinds.contains(&token.kind) { Ok(token) } else { self.unexpected(&token, context) }
    }

    fn add(&mut self, name: &Arc<str>, root: Vec<Node>, scope: &Scope) -> Result<(), String> {
        let empty = ast::is_empty(&root, &self.source);
        if self.trees.get(name).is_some_and(|before| !before.is_empty()) {
            if empty {
                return Ok(());
            }
            let shown = quote::quote(name.as_bytes());
            return self.error(format!("template: multiple definition of template {shown}"));
        }
        let template = Template {
            name: name.clone(),
            file: self.file.clone(),
            source: self.source.clone(),
            variables: scope.names.clone().into(),
            root,
        };
        self.trees.insert(name.clone(), template);
        Ok(())
    }

    fn file(&mut self) -> Result<Vec<Node>, String> {
        let mut root = Vec::new();
        while self.peek().kind != Kind::Eof {
            if self.peek().kind == Kind::LeftDelim {
                let delimiter = self.next();
                if self.next_non_space().kind == Kind::Define {
                    self.definition()?;
                    continue;
                }
                self.backup2(delimiter);
            }
            match self.text_or_action()? {
                Item::End(end) => return self.error(format!("unexpected {}", end.shown())),
                Item::Node(node) => root.push(node),
            }
        }
        Ok(root)
    }

    fn definition(&mut self) -> Result<(), String> {
        let context = "define clause";
        let name = self.expect(&[Kind::String, Kind::RawString], context)?;
        let name = self.unquoted(&name)?;
        self.expect(&[Kind::RightDelim], context)?;
        self.nested_template(&Arc::from(name.to_str()), context)
    }

    /// The body of a `define` or `block`: a template of its own.
    fn nested_template(&mut self, name: &Arc<str>, context: &str) -> Result<(), String> {
        let outer = std::mem::replace(&mut self.scope, Scope::new());
        let outer_line = std::mem::take(&mut self.action_line);
        let (root, end) = self.item_list()?;
        if !matches!(end, End::End) {
            return self.error(format!("unexpected {} in {context}", end.shown()));
        }
        let scope = std::mem::replace(&mut self.scope, outer);
        self.action_line = outer_line;
        self.add(name, root, &scope)
    }

    fn unquoted(&self, token: &Token<'_>) -> Result<Text, String> {
        match quote::unquote(token.text) {
            Some(bytes) => Ok(Text::from(bytes)),
            None => self.error("invalid syntax"),
        }
    }

    fn item_list(&mut self) -> Result<(Vec<Node>, End), String> {
        if self.stack.exhausted() {
            return self.error("template is nested too deep");
        }
        let mut list = Vec::new();
        while self.peek_non_space().kind != Kind::Eof {
            match self.text_or_action()? {
                Item::End(end) => return Ok((list, end)),
                Item::Node(node) => list.push(node),
            }
        }
        self.error("unexpected EOF")
    }

    fn text_or_action(&mut self) -> Result<Item, String> {
        let token = self.next_non_space();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node::Text(token.at, token.at + token.text.len()))),
            Kind::LeftDelim => {
                self.action_line = token.line;
                let item = self.action();
                if item.is_ok() {
                    self.action_line = 0;
                }
                item
            }
            _ => self.unexpected(&token, "input"),
        }
    }

    fn action(&mut self) -> Result<Item, String> {
        let token = self.next_non_space();
        Ok(Item::Node(match token.kind {
            Kind::Block => self.block()?,
            Kind::Break => self.loop_control("break", Node::Break)?,
            Kind::Continue => self.loop_control("continue", Node::Continue)?,
            Kind::Else => {
                let next = self.peek_non_space();
                if matches!(next.kind, Kind::If | Kind::With) {
                    return Ok(Item::End(End::Else { at_control: true }));
                }
                self.expect(&[Kind::RightDelim], "else")?;
                return Ok(Item::End(End::Else { at_control: false }));
            }
            Kind::End => {
                self.expect(&[Kind::RightDelim], "end")?;
                return Ok(Item::End(End::End));
            }
            Kind::If => Node::If(self.control("if")?),
            Kind::Range => Node::Range(self.control("range")?),
            Kind::With => Node::With(self.control("with")?),
            Kind::Template => self.invocation()?,
            _ => {
                self.backup();
                Node::Action(self.pipeline("command", Kind::RightDelim)?)
            }
        }))
    }

    fn loop_control(&mut self, word: &str, node: Node) -> Result<Node, String> {
        let token = self.next_non_space();
        if token.kind != Kind::RightDelim {
            return self.unexpected(&token, &format!("{{{{{word}}}}}"));
        }
        if self.scope.ranges == 0 {
            return self.error(format!("{{{{{word}}}}} outside {{{{range}}}}"));
        }
        Ok(node)
    }

    fn control(&mut self, context: &str) -> Result<Box<Branch>, String> {
        if self.stack.exhausted() {
            return self.error("template is nested too deep");
        }
        let known = self.scope.known.len();
        let pipe = self.pipeline(context, Kind::RightDelim)?;
        let range = usize::from(context == "range");
        self.scope.ranges += range;
        let (list, end) = self.item_list()?;
        self.scope.ranges -= range;
        let otherwise = match end {
            End::End => None,
            End::Else { at_control } => {
                let next = self.peek().kind;
                if at_control && context == "if" && next == Kind::If {
                    self.next();
                    Some(vec![Node::If(self.control("if")?)])
                } else if at_control && context == "with" && next == Kind::With {
                    self.next();
                    Some(vec![Node::With(self.control("with")?)])
                } else {
                    let (list, end) = self.item_list()?;
                    if !matches!(end, End::End) {
                        return self.error(format!("expected end; found {}", end.shown()));
                    }
                    Some(list)
                }
            }
        };
        self.scope.known.truncate(known);
        Ok(Box::new(Branch { pipe, list, otherwise }))
    }

    fn block(&mut self) -> Result<Node, String> {
        let context = "block clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, context)?;
        let pipe = self.pipeline(context, Kind::RightDelim)?;
        self.nested_template(&name, context)?;
        Ok(Node::Template(Box::new(Invocation { at: token.at, name, pipe: Some(pipe) })))
    }

    fn invocation(&mut self) -> Result<Node, String> {
        let context = "template clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, context)?;
        let mut pipe = None;
        if self.next_non_space().kind != Kind::RightDelim {
            self.backup();
            pipe = Some(self.pipeline(context, Kind::RightDelim)?);
        }
        Ok(Node::Template(Box::new(Invocation { at: token.at, name, pipe })))
    }

    fn template_name(&self, token: &Token<'_>, context: &str) -> Result<Arc<str>, String> {
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            return self.unexpected(token, context);
        }
        Ok(Arc::from(self.unquoted(token)?.to_str()))
    }

    fn pipeline(&mut self, context: &str, end: Kind) -> Result<Pipe, String> {
        if self.stack.exhausted() {
            return self.error("max expression depth exceeded");
        }
        let mut pipe = Pipe::new(self.peek_non_space().at);
        self.declarations(&mut pipe, context)?;
        loop {
            let token = self.next_non_space();
            match token.kind {
                kind if kind == end => {
                    self.check_pipeline(&pipe, context)?;
                    return Ok(pipe);
                }
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen => {
                    self.backup();
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return self.unexpected(&token, context),
            }
        }
    }

    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Result<(), String> {
        loop {
            let variable = self.peek_non_space();
            if variable.kind != Kind::Variable {
                return Ok(());
            }
            self.next();
            let after = self.peek();
            let next = self.peek_non_space();
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    pipe.assign = next.kind == Kind::Assign;
                    self.next_non_space();
                    self.declare(pipe, &variable);
                    return Ok(());
                }
                Kind::Char if next.text == "," => {
                    self.next_non_space();
                    self.declare(pipe, &variable);
                    if context != "range" || pipe.declared.len() >= 2 {
                        return self.error(format!("too many declarations in {context}"));
                    }
                    let kind = self.peek_non_space().kind;
                    if !matches!(kind, Kind::Variable | Kind::RightDelim | Kind::RightParen) {
                        return self.error("range can only initialize variables");
                    }
                }
                _ => {
                    if after.kind == Kind::Space {
                        self.backup3(variable, after);
                    } else {
                        self.backup2(variable);
                    }
                    return Ok(());
                }
            }
        }
    }

    fn declare(&mut self, pipe: &mut Pipe, variable: &Token<'_>) {
        let id = self.scope.id(variable.text);
        self.scope.known.push(id);
        pipe.declare(id, variable.text);
    }

    fn check_pipeline(&self, pipe: &Pipe, context: &str) -> Result<(), String> {
        if pipe.commands.is_empty() {
            return self.error(format!("missing value for {context}"));
        }
        for (index, command) in pipe.commands.iter().enumerate().skip(1) {
            let first = command.arguments.first().map(|argument| &argument.term);
            if let Some(Term::Bool(_) | Term::Dot | Term::Nil | Term::Number(_) | Term::String(..)) = first {
                return self.error(format!("non executable command in pipeline stage {}", index + 1));
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Result<Command, String> {
        let mut command = Command { at: self.peek_non_space().at, arguments: Vec::with_capacity(1) };
        loop {
            self.peek_non_space();
            if let Some(operand) = self.operand()? {
                command.arguments.push(operand);
            }
            let token = self.next();
            match token.kind {
                Kind::Space => continue,
                Kind::RightDelim | Kind::RightParen => self.backup(),
                Kind::Pipe => {}
                _ => return self.unexpected(&token, "operand"),
            }
            break;
        }
        if command.arguments.is_empty() {
            return self.error("empty command");
        }
        Ok(command)
    }

    fn operand(&mut self) -> Result<Option<Expression>, String> {
        let Some(mut expression) = self.term()? else { return Ok(None) };
        let next = self.peek();
        if next.kind != Kind::Field {
            return Ok(Some(expression));
        }
        let at = next.at;
        let mut fields = Vec::new();
        while self.peek().kind == Kind::Field {
            let token = self.next();
            fields.push(Text::from(&token.text[1..]));
        }
        match &mut expression.term {
            Term::Field(first) | Term::Variable(_, _, first) => {
                first.extend(fields);
                expression.at = at;
            }
            Term::Bool(_) | Term::String(..) | Term::Number(_) | Term::Nil | Term::Dot => {
                let shown = quote::quote(expression.to_string().as_bytes());
                return self.error(format!("unexpected . after term {shown}"));
            }
            _ => expression = Expression { at, term: Term::Chain(Box::new(expression), fields) },
        }
        Ok(Some(expression))
    }

    fn term(&mut self) -> Result<Option<Expression>, String> {
        let token = self.next_non_space();
        let term = match token.kind {
            Kind::Identifier => match self.functions.get(token.text) {
                Some(function) => Term::Function(function),
                None => {
                    let name = quote::quote(token.text.as_bytes());
                    return self.error(format!("function {name} not defined"));
                }
            },
            Kind::Dot => Term::Dot,
            Kind::Nil => Term::Nil,
            Kind::Variable => {
                let id = self.scope.id(token.text);
                if !self.scope.known.contains(&id) {
                    let name = quote::quote(token.text.as_bytes());
                    return self.error(format!("undefined variable {name}"));
                }
                Term::Variable(id, token.text.into(), Vec::new())
            }
            Kind::Field => Term::Field(vec![Text::from(&token.text[1..])]),
            Kind::Bool => Term::Bool(token.text == "true"),
            Kind::CharConstant | Kind::Complex | Kind::Number => match number(&token) {
                Ok(number) => Term::Number(number),
                Err(message) => return self.error(message),
            },
            Kind::LeftParen => {
                Term::Pipe(Box::new(self.pipeline("parenthesized pipeline", Kind::RightParen)?))
            }
            Kind::String | Kind::RawString => Term::String(self.unquoted(&token)?, token.text.into()),
            _ => {
                self.backup();
                return Ok(None);
            }
        };
        let at = match &term {
            Term::Pipe(pipe) => pipe.at,
            _ => token.at,
        };
        Ok(Some(Expression { at, term }))
    }
}

#[expect(clippy::float_cmp, reason = "a float is a whole number when the round trip gives it back exactly")]
fn number(token: &Token<'_>) -> Result<Number, String> {
    let text = token.text;
    let mut number = Number { text: text.into(), int: None, uint: None, float: None, complex: None };
    if token.kind == Kind::CharConstant {
        let code =
            quote::unquote_char(text).ok_or_else(|| format!("malformed character constant: {text}"))?;
        (number.int, number.uint) = (Some(i64::from(code)), Some(u64::from(code)));
        number.float = Some(f64::from(code));
        return Ok(number);
    }
    let illegal = || format!("illegal number syntax: {}", quote::quote(text.as_bytes()));
    if let Some(imaginary) = text.strip_suffix('i') {
        let split = imaginary.rfind(['+', '-']).filter(|_| token.kind == Kind::Complex).unwrap_or(0);
        let real = if split == 0 { Some(0.0) } else { parse_float(&imaginary[..split]) };
        let imaginary = parse_float(&imaginary[split..]);
        number.complex = Some((real.ok_or_else(illegal)?, imaginary.ok_or_else(illegal)?));
        return Ok(number);
    }
    number.uint = parse_uint(text, 0);
    number.int = parse_int(text, 0);
    if number.int == Some(0) {
        number.uint = Some(0);
    }
    if let Some(int) = number.int {
        number.float = Some(float(int));
    } else if let Some(uint) = number.uint {
        number.float = parse_float(&uint.to_string());
    } else if let Some(value) = parse_float(text) {
        if !text.contains(['.', 'e', 'E', 'p', 'P']) {
            return Err(format!("integer overflow: {}", quote::quote(text.as_bytes())));
        }
        number.float = Some(value);
        let int = truncate(value);
        if float(int) == value {
            number.int = Some(int);
            number.uint = u64::try_from(int).ok();
        }
    } else {
        return Err(illegal());
    }
    Ok(number)
}
