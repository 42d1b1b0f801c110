//! Tokens to a tree, by precedence.

use std::sync::Arc;

use crate::ast::{Binary, Compared, Kind, Member, Node, Unary};
use crate::builtins::{Argument, Builtin};
use crate::error::Failure;
use crate::lex::{Lexer, Token, TokenKind, is_word};

/// Deepest nesting in the text; the original knows no limit but its stack.
const DEPTH: usize = 50;
/// Longest way down the tree: `a && b && c` is one deeper with each.
const TREE: usize = 150;
/// Most nodes, as in the original.
const NODES: usize = 10_000;

pub(crate) fn parse(source: &str) -> Result<Node, Failure> {
    let mut lexer = Lexer::new(source);
    let current = lexer.next_token()?;
    let mut parser = Parser { lexer, current, stashed: None, predicates: 0, depth: 0, nodes: 0 };
    let node = parser.sequence()?;
    if parser.current.kind == TokenKind::End { Ok(node) } else { Err(parser.unexpected()) }
}

struct Parser {
    lexer: Lexer,
    current: Token,
    stashed: Option<Token>,
    /// Depth of predicates, where `#` and `.` mean the element.
    predicates: usize,
    depth: usize,
    nodes: usize,
}

type Parsed<T = Node> = Result<T, Failure>;

impl Parser {
    fn advance(&mut self) -> Parsed<Token> {
        if self.current.kind == TokenKind::End && self.stashed.is_none() {
            return Err(self.failure("unexpected end of expression"));
        }
        let next = match self.stashed.take() {
            Some(token) => token,
            None => self.lexer.next_token()?,
        };
        Ok(std::mem::replace(&mut self.current, next))
    }

    fn expect(&mut self, kind: TokenKind, text: &str) -> Parsed<Token> {
        if self.current.is(kind, text) { self.advance() } else { Err(self.unexpected()) }
    }

    fn expect_operator(&mut self, text: &str) -> Parsed<Token> {
        self.expect(TokenKind::Operator, text)
    }

    fn expect_bracket(&mut self, text: &str) -> Parsed<Token> {
        self.expect(TokenKind::Bracket, text)
    }

    fn expect_identifier(&mut self) -> Parsed<Token> {
        if self.current.kind == TokenKind::Identifier { self.advance() } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> Failure {
        self.failure(format!("unexpected token {}", self.current))
    }

    fn failure(&self, message: impl Into<String>) -> Failure {
        Failure::new(self.current.at, message)
    }

    fn node(&mut self, at: usize, kind: Kind) -> Parsed {
        self.nodes += 1;
        if self.nodes > NODES {
            return Err(self.failure("compilation failed: expression exceeds maximum allowed nodes"));
        }
        let node = Node::new(at, kind);
        if node.depth > TREE {
            return Err(self.failure("compilation failed: expression is nested too deeply"));
        }
        Ok(node)
    }

    /// Every way down goes through here or through [`Parser::node`].
    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.failure("compilation failed: expression is nested too deeply"));
        }
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn sequence(&mut self) -> Parsed {
        let first = self.expression(0)?;
        let mut nodes = vec![first];
        while self.current.is_operator(";") {
            self.advance()?;
            if self.current.kind == TokenKind::End {
                break;
            }
            nodes.push(self.expression(0)?);
        }
        match nodes.len() {
            1 => Ok(nodes.remove(0)),
            _ => self.node(nodes[0].at, Kind::Sequence(nodes)),
        }
    }

    fn expression(&mut self, precedence: u32) -> Parsed {
        self.deeper(|parser| parser.expression_inside(precedence))
    }

    fn expression_inside(&mut self, precedence: u32) -> Parsed {
        if precedence == 0 && self.current.is_operator("let") {
            return self.declaration();
        }
        if precedence == 0 && self.current.is_operator("if") {
            return self.if_else();
        }
        let mut left = self.primary()?;
        let mut previous = String::new();
        while self.current.kind == TokenKind::Operator {
            let mut operator = self.current.clone();
            let mut negated = false;
            if operator.text == "not" {
                let not = self.advance()?;
                if !matches!(
                    self.current.text.as_str(),
                    "contains" | "matches" | "startsWith" | "endsWith" | "in"
                ) {
                    return Err(self.unexpected());
                }
                match Binary::find(&self.current.text) {
                    Some((_, _, found)) if found >= precedence => operator = self.current.clone(),
                    _ => {
                        self.stashed = Some(std::mem::replace(&mut self.current, not));
                        break;
                    }
                }
                negated = true;
            }
            if operator.text == "|" && precedence == 0 {
                self.advance()?;
                let name = self.expect_identifier()?;
                left = self.call(&name, vec![left])?;
            } else {
                match Binary::find(&operator.text) {
                    Some((binary, text, found)) if found >= precedence => {
                        self.advance()?;
                        if previous == "??" && operator.text != "??" {
                            let message = format!(
                                "Operator ({}) and coalesce expressions (??) cannot be mixed. Wrap either by parentheses.",
                                operator.text
                            );
                            return Err(Failure::new(operator.at, message));
                        }
                        left = self.operation(left, (binary, text, found), operator.at, negated)?;
                    }
                    _ => break,
                }
            }
            previous = operator.text;
        }
        if precedence == 0 { self.conditional(left) } else { Ok(left) }
    }

    fn operation(
        &mut self,
        left: Node,
        (binary, text, precedence): (Binary, &'static str, u32),
        at: usize,
        negated: bool,
    ) -> Parsed {
        if binary.is_comparison() {
            return self.comparison(left, (binary, text, precedence), at);
        }
        let right = self.expression(if binary == Binary::Power { precedence } else { precedence + 1 })?;
        let node = self.node(at, Kind::Binary(binary, text, Box::new(left), Box::new(right)))?;
        if negated { self.node(at, Kind::Unary(Unary::Not, "not", Box::new(node))) } else { Ok(node) }
    }

    fn comparison(&mut self, first: Node, operator: (Binary, &'static str, u32), at: usize) -> Parsed {
        let (binary, text, precedence) = operator;
        let right = self.expression(precedence + 1)?;
        let mut others = vec![Compared { binary, text, at, right }];
        while self.current.kind == TokenKind::Operator {
            let Some((binary, text, _)) = Binary::find(&self.current.text).filter(|it| it.0.is_comparison())
            else {
                break;
            };
            let at = self.advance()?.at;
            let right = self.expression(precedence + 1)?;
            others.push(Compared { binary, text, at, right });
        }
        match others.len() {
            1 => {
                let Compared { binary, text, at, right } = others.remove(0);
                self.node(at, Kind::Binary(binary, text, Box::new(first), Box::new(right)))
            }
            _ => self.node(at, Kind::Comparison(Box::new(first), others)),
        }
    }

    fn declaration(&mut self) -> Parsed {
        self.expect_operator("let")?;
        let name = self.expect_identifier()?;
        self.expect_operator("=")?;
        let value = self.expression(0)?;
        self.expect_operator(";")?;
        let body = self.deeper(Self::sequence)?;
        self.node(name.at, Kind::Let(Arc::from(name.text), Box::new(value), Box::new(body)))
    }

    fn if_else(&mut self) -> Parsed {
        self.deeper(|parser| {
            parser.advance()?;
            let condition = parser.expression(0)?;
            let yes = parser.block()?;
            parser.expect_operator("else")?;
            let no = if parser.current.is_operator("if") { parser.if_else()? } else { parser.block()? };
            parser.node(0, Kind::Conditional(Box::new(condition), Box::new(yes), Box::new(no)))
        })
    }

    fn block(&mut self) -> Parsed {
        self.expect_bracket("{")?;
        let node = self.sequence()?;
        self.expect_bracket("}")?;
        Ok(node)
    }

    fn conditional(&mut self, mut node: Node) -> Parsed {
        while self.current.is_operator("?") {
            self.advance()?;
            let kind = if self.current.is_operator(":") {
                self.advance()?;
                Kind::OrElse(Box::new(node), Box::new(self.expression(0)?))
            } else {
                let yes = self.expression(0)?;
                self.expect_operator(":")?;
                Kind::Conditional(Box::new(node), Box::new(yes), Box::new(self.expression(0)?))
            };
            node = self.node(self.current.at, kind)?;
        }
        Ok(node)
    }

    fn primary(&mut self) -> Parsed {
        let token = self.current.clone();
        let unary = match token.text.as_str() {
            "not" => Some((Unary::Not, "not", 50)),
            "!" => Some((Unary::Not, "!", 50)),
            "-" => Some((Unary::Minus, "-", 90)),
            "+" => Some((Unary::Plus, "+", 90)),
            _ => None,
        };
        if let (TokenKind::Operator, Some((unary, text, precedence))) = (token.kind, unary) {
            self.advance()?;
            let operand = self.expression(precedence)?;
            let node = self.node(token.at, Kind::Unary(unary, text, Box::new(operand)))?;
            return self.postfix(node);
        }
        if token.is_bracket("(") {
            self.advance()?;
            let node = self.sequence()?;
            self.expect_bracket(")")?;
            return self.postfix(node);
        }
        if self.predicates > 0 && (token.is_operator("#") || token.is_operator(".")) {
            let mut name = String::new();
            if token.text == "#" {
                self.advance()?;
                if self.current.kind == TokenKind::Identifier {
                    name = self.advance()?.text;
                }
            }
            let node = self.node(token.at, Kind::Pointer(Arc::from(name)))?;
            return self.postfix(node);
        }
        if token.is_operator("::") {
            self.advance()?;
            let name = self.expect_identifier()?;
            let node = self.call(&name, Vec::new())?;
            return self.postfix(node);
        }
        self.secondary(token)
    }

    fn secondary(&mut self, token: Token) -> Parsed {
        let at = token.at;
        let node = match token.kind {
            TokenKind::Identifier => {
                self.advance()?;
                match token.text.as_str() {
                    "true" => return self.node(at, Kind::Bool(true)),
                    "false" => return self.node(at, Kind::Bool(false)),
                    "nil" => return self.node(at, Kind::Nil),
                    _ if self.current.is_bracket("(") => self.call(&token, Vec::new())?,
                    _ => self.node(at, Kind::Identifier(Arc::from(token.text)))?,
                }
            }
            TokenKind::Number => {
                self.advance()?;
                let kind = self.number(&token.text)?;
                return self.node(at, kind);
            }
            TokenKind::String => {
                self.advance()?;
                self.node(at, Kind::Text(Arc::from(token.text)))?
            }
            TokenKind::Bytes => {
                self.advance()?;
                self.node(at, Kind::Bytes(Arc::from(token.bytes)))?
            }
            _ if token.text == "[" => self.array(at)?,
            _ if token.text == "{" => self.map(at)?,
            _ => return Err(self.unexpected()),
        };
        self.postfix(node)
    }

    fn number(&self, written: &str) -> Parsed<Kind> {
        let text = written.replace('_', "");
        let lower = text.to_ascii_lowercase();
        let integer = |digits: &str, base: u32, name: &str| {
            i64::from_str_radix(digits, base).map(Kind::Integer).map_err(|error| {
                let reason = match error.kind() {
                    std::num::IntErrorKind::PosOverflow => "value out of range",
                    _ => "invalid syntax",
                };
                let quoted = crate::text::quoted(&text);
                self.failure(format!("invalid {name} literal: strconv.ParseInt: parsing {quoted}: {reason}"))
            })
        };
        if let Some(digits) = lower.strip_prefix("0x") {
            return integer(digits, 16, "hex");
        }
        if lower.contains(['.', 'e']) {
            let parsed = lower.parse::<f64>().ok();
            let reason = match parsed {
                Some(value) if value.is_finite() => return Ok(Kind::Float(value)),
                Some(_) => "value out of range",
                None => "invalid syntax",
            };
            let quoted = crate::text::quoted(&text);
            return Err(self
                .failure(format!("invalid float literal: strconv.ParseFloat: parsing {quoted}: {reason}")));
        }
        if let Some(digits) = lower.strip_prefix("0b") {
            return integer(digits, 2, "binary");
        }
        if let Some(digits) = lower.strip_prefix("0o") {
            return integer(digits, 8, "octal");
        }
        integer(&lower, 10, "integer")
    }

    fn call(&mut self, name: &Token, arguments: Vec<Node>) -> Parsed {
        let Some(builtin) = Builtin::find(&name.text) else {
            let callee = self.node(name.at, Kind::Identifier(Arc::from(name.text.as_str())))?;
            let arguments = self.arguments(arguments)?;
            return self.node(name.at, Kind::Call(Box::new(callee), arguments));
        };
        let arguments = match builtin.predicate_arguments() {
            Some(expected) => self.predicate_arguments(expected, arguments)?,
            None => self.arguments(arguments)?,
        };
        self.node(name.at, Kind::Builtin(builtin, arguments))
    }

    fn predicate_arguments(&mut self, expected: &[Argument], mut arguments: Vec<Node>) -> Parsed<Vec<Node>> {
        self.expect_bracket("(")?;
        let rest = &expected[arguments.len()..];
        for (place, argument) in rest.iter().enumerate() {
            if self.current.is_bracket(")") {
                if argument.is_optional() {
                    break;
                }
                return Err(self.failure(format!("expected at least {} arguments", rest.len())));
            }
            if place > 0 {
                self.expect_operator(",")?;
            }
            arguments.push(match argument {
                Argument::Expression | Argument::OptionalExpression => self.expression(0)?,
                Argument::Predicate | Argument::OptionalPredicate => self.predicate()?,
            });
        }
        if self.current.is_operator(",") {
            self.advance()?;
        }
        self.expect_bracket(")")?;
        Ok(arguments)
    }

    fn arguments(&mut self, mut arguments: Vec<Node>) -> Parsed<Vec<Node>> {
        let given = arguments.len();
        self.expect_bracket("(")?;
        while !self.current.is_bracket(")") {
            if arguments.len() > given {
                self.expect_operator(",")?;
            }
            if self.current.is_bracket(")") {
                break;
            }
            arguments.push(self.expression(0)?);
        }
        self.expect_bracket(")")?;
        Ok(arguments)
    }

    fn predicate(&mut self) -> Parsed {
        let at = self.current.at;
        self.predicates += 1;
        let node = if self.current.is_bracket("{") {
            self.advance()?;
            self.sequence()?
        } else {
            let node = self.expression(0)?;
            if self.current.is_operator(";") {
                return Err(self.failure("wrap predicate with brackets { and }"));
            }
            self.predicates -= 1;
            return self.node(at, Kind::Predicate(Box::new(node)));
        };
        self.predicates -= 1;
        self.expect_bracket("}")?;
        self.node(at, Kind::Predicate(Box::new(node)))
    }

    fn array(&mut self, at: usize) -> Parsed {
        self.expect_bracket("[")?;
        let mut nodes = Vec::new();
        while !self.current.is_bracket("]") {
            if !nodes.is_empty() {
                self.expect_operator(",")?;
                if self.current.is_bracket("]") {
                    break;
                }
            }
            nodes.push(self.expression(0)?);
        }
        self.expect_bracket("]")?;
        self.node(at, Kind::Array(nodes))
    }

    fn map(&mut self, at: usize) -> Parsed {
        self.expect_bracket("{")?;
        let mut pairs = Vec::new();
        while !self.current.is_bracket("}") {
            if !pairs.is_empty() {
                self.expect_operator(",")?;
                if self.current.is_bracket("}") {
                    break;
                }
                if self.current.is_operator(",") {
                    return Err(self.unexpected());
                }
            }
            let key = match self.current.kind {
                TokenKind::Number | TokenKind::String | TokenKind::Identifier => {
                    let token = self.advance()?;
                    self.node(token.at, Kind::Text(Arc::from(token.text)))?
                }
                _ if self.current.is_bracket("(") => self.expression(0)?,
                _ => {
                    return Err(self.failure(format!(
                        "a map key must be a quoted string, a number, a identifier, or an expression enclosed in \
                         parentheses (unexpected token {})",
                        self.current
                    )));
                }
            };
            self.expect_operator(":")?;
            let value = self.expression(0)?;
            self.nodes += 1;
            pairs.push((key, value));
        }
        self.expect_bracket("}")?;
        self.node(at, Kind::Map(pairs))
    }

    fn postfix(&mut self, mut node: Node) -> Parsed {
        loop {
            let token = self.current.clone();
            node = match (token.kind, token.text.as_str()) {
                (TokenKind::Operator, "." | "?.") => {
                    self.advance()?;
                    let optional = token.text == "?.";
                    if optional && self.current.is_bracket("[") {
                        let at = self.advance()?.at;
                        self.index(node, at, true)?
                    } else {
                        self.property(node, optional)?
                    }
                }
                (TokenKind::Bracket, "[") => {
                    self.advance()?;
                    self.index(node, token.at, false)?
                }
                _ => return Ok(node),
            };
        }
    }

    fn property(&mut self, node: Node, optional: bool) -> Parsed {
        let name = self.advance()?;
        let is_name = match name.kind {
            TokenKind::Identifier => true,
            TokenKind::Operator => is_word(&name.text),
            _ => false,
        };
        if !is_name {
            return Err(self.failure("expected name"));
        }
        let property = self.node(name.at, Kind::Text(Arc::from(name.text)))?;
        let (base, is_chain) = match node.kind {
            Kind::Chain(inner) => (inner, true),
            kind => (Box::new(Node { kind, ..node }), false),
        };
        let method = self.current.is_bracket("(");
        let member = Member { base, property: Box::new(property), optional, method };
        let mut node = self.node(name.at, Kind::Member(member))?;
        if method {
            let arguments = self.arguments(Vec::new())?;
            node = self.node(name.at, Kind::Call(Box::new(node), arguments))?;
        }
        if is_chain || optional { self.node(name.at, Kind::Chain(Box::new(node))) } else { Ok(node) }
    }

    fn index(&mut self, node: Node, at: usize, optional: bool) -> Parsed {
        let node = Box::new(node);
        if self.current.is_operator(":") {
            self.advance()?;
            let to = if self.current.is_bracket("]") { None } else { Some(Box::new(self.expression(0)?)) };
            let node = self.node(at, Kind::Slice(node, None, to))?;
            self.expect_bracket("]")?;
            return Ok(node);
        }
        let from = Box::new(self.expression(0)?);
        if self.current.is_operator(":") {
            self.advance()?;
            let to = if self.current.is_bracket("]") { None } else { Some(Box::new(self.expression(0)?)) };
            let node = self.node(at, Kind::Slice(node, Some(from), to))?;
            self.expect_bracket("]")?;
            return Ok(node);
        }
        let member = Member { base: node, property: from, optional, method: false };
        let mut node = self.node(at, Kind::Member(member))?;
        if optional {
            node = self.node(at, Kind::Chain(Box::new(node)))?;
        }
        self.expect_bracket("]")?;
        Ok(node)
    }
}
