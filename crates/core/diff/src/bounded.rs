//! jq that ends. Every step of an evaluation is paid for from a fixed supply, and so is what it makes; what goes
//! beyond the supply, or deeper than the stack should, is stopped, and no `try` of the expression can catch that.
//!
//! The interpreter knows no such thing. An expression, and the definitions it can call, are rewritten before they
//! are compiled: whatever yields a value passes it through a filter that counts. Names with a `!` are ours: nobody
//! can write them.

use jaq_core::box_iter::box_once;
use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::native::{Fun, v};
use jaq_core::ops::{Cmp, Math};
use jaq_core::path::{Part, Path};
use jaq_core::{Ctx, Cv, DataT, Exn, Lut, Native, ValR, ValXs, data::HasLut};
use jaq_json::{Num, Val};
use std::cell::Cell;
use std::collections::BTreeSet;

/// Steps of one evaluation: far more than any object needs, and well under a second's work.
const STEPS: u64 = 2_000_000;
/// Weight of the heaviest value: texts weigh a unit a byte, all else [`NODE`].
const HEAVIEST: u64 = 8 << 20;
const NODE: u64 = 16;
/// Weight that is made for a step.
const WEIGHT_A_STEP: u64 = 16;
/// Deepest value that an expression may make or read from a text.
const DEEPEST: usize = 256;
/// Deepest nesting of an expression.
const DEEPEST_EXPRESSION: usize = 100;
/// Stack that an evaluation may take.
const STACK: usize = 512 * 1024;
/// Bits of the largest number.
const WIDEST: u64 = 64 * 1024;

const STEP: &str = "step!";
const MADE: &str = "made!";
const OPERAND: &str = "$operand!";
/// Filters whose outputs are parts of their input, or nothing at all.
const MAKES_NOTHING: [&str; 7] = ["first", "last", "limit", "skip", "range", "error_empty", "empty"];
/// Filters that see or touch something beside their input.
const OUTSIDE: [&str; 7] =
    ["debug_empty", "stderr_empty", "env", "now", "halt", "localtime", "strflocaltime"];
/// Filters whose price depends on what they are given: these definitions pay first. The names they call are changed to
/// those of [`own_name`] afterwards.
const PRICED: &str = "
    def matches($pattern; $flags): pay_pattern($pattern) | unpaid_matches($pattern; $flags);
    def split_matches($pattern; $flags): pay_pattern($pattern) | unpaid_split_matches($pattern; $flags);
    def split_($pattern; $flags): pay_pattern($pattern) | unpaid_split_($pattern; $flags);
    def contains($other): pay_product($other) | unpaid_contains($other);
    def indices($other): pay_product($other) | unpaid_indices($other);
    def fromjson: pay_text | unpaid_fromjson;
";

/// What is left of the supply.
#[derive(Debug)]
pub(crate) struct Supply {
    steps: Cell<u64>,
    stack: usize,
}

impl Supply {
    pub(crate) fn new() -> Self {
        Self { steps: Cell::new(STEPS), stack: stack_now() }
    }

    /// Pays, or ends the evaluation.
    fn pay<'a>(&self, steps: u64) -> Result<(), Exn<'a, Val>> {
        let left = self.steps.get().checked_sub(steps).filter(|_| self.stack.abs_diff(stack_now()) < STACK);
        self.steps.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or_else(|| Exn::halt(1))
    }

    /// Pays for a value that was made.
    fn pay_for<'a>(&self, value: &Val) -> Result<(), Exn<'a, Val>> {
        match weight(value, DEEPEST) {
            Some(weight) => self.pay(1 + weight / WEIGHT_A_STEP),
            None => Err(Exn::halt(1)),
        }
    }
}

/// Where the stack ends at present.
fn stack_now() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(&here).addr()
}

/// What a value weighs, shared parts counted wherever they stand; nothing for one that is too heavy or too deep.
fn weight(value: &Val, depth: usize) -> Option<u64> {
    let text = |length: usize| NODE.checked_add(u64::try_from(length).ok()?);
    let sum = |total: u64, part: Option<u64>| Some(total + part?).filter(|total| *total <= HEAVIEST);
    let found = match value {
        Val::TStr(bytes) | Val::BStr(bytes) => text(bytes.len()),
        Val::Num(Num::BigInt(number)) => text(usize::try_from(number.bits() / 8).ok()?),
        Val::Num(Num::Dec(digits)) => text(digits.len()),
        Val::Null | Val::Bool(_) | Val::Num(_) => Some(NODE),
        Val::Arr(items) => {
            let inner = depth.checked_sub(1)?;
            items.iter().try_fold(NODE, |total, item| sum(total, weight(item, inner)))
        }
        Val::Obj(members) => {
            let inner = depth.checked_sub(1)?;
            members.iter().try_fold(NODE, |total, (name, member)| {
                sum(sum(total, weight(name, inner))?, weight(member, inner))
            })
        }
    };
    found.filter(|weight| *weight <= HEAVIEST)
}

/// What an evaluation runs with.
pub(crate) struct Bounded;

/// The program, and the supply.
#[derive(Clone)]
pub(crate) struct Means<'a> {
    pub(crate) program: &'a Lut<Bounded>,
    pub(crate) supply: &'a Supply,
}

impl DataT for Bounded {
    type V<'a> = Val;
    type Data<'a> = Means<'a>;
}

impl<'a> HasLut<'a, Bounded> for Means<'a> {
    fn lut(&self) -> &'a Lut<Bounded> {
        self.program
    }
}

fn supply<'a>(context: &Ctx<'a, Bounded>) -> &'a Supply {
    context.data().supply
}

/// The filters a rewritten expression calls, those of the interpreter's that are let in among them.
pub(crate) fn functions() -> Vec<Fun<Bounded>> {
    let interpreters = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let mut functions: Vec<Fun<Bounded>> = interpreters
        .map(|(name, arguments, native)| {
            let native = if OUTSIDE.contains(&name) { nothing() } else { native };
            (own_name(name), arguments, native)
        })
        .collect();
    let step = Native::<Bounded>::new(|cv| box_once(supply(&cv.0).pay(1).map(|()| cv.1)))
        .with_paths(|cv| box_once(supply(&cv.0).pay(1).map(|()| cv.1)))
        .with_update(|cv, update| match supply(&cv.0).pay(1) {
            Ok(()) => update(cv.1),
            Err(end) => box_once(Err(end)),
        });
    functions.push((STEP, v(0), step));
    let made = Native::<Bounded>::new(|cv| box_once(supply(&cv.0).pay_for(&cv.1).map(|()| cv.1)));
    functions.push((MADE, v(0), made));
    let pay_product = Native::<Bounded>::new(|mut cv| {
        let other = cv.0.pop_var();
        let price = price(&cv.1, &other);
        paid(cv, price)
    });
    let pay_pattern = Native::<Bounded>::new(|mut cv| {
        let pattern = cv.0.pop_var();
        let price = price_of_pattern(&cv.1, &pattern);
        paid(cv, price)
    });
    let pay_text = Native::<Bounded>::new(|cv| {
        let price = price_of_text(&cv.1);
        paid(cv, price)
    });
    functions.push(("pay_product!", v(1), pay_product));
    functions.push(("pay_pattern!", v(1), pay_pattern));
    functions.push(("pay_text!", v(0), pay_text));
    functions.push(("+!", v(2), Native::new(|cv| math(Math::Add, cv))));
    functions.push(("-!", v(2), Native::new(|cv| math(Math::Sub, cv))));
    functions.push(("*!", v(2), Native::new(|cv| math(Math::Mul, cv))));
    functions.push(("/!", v(2), Native::new(|cv| math(Math::Div, cv))));
    functions.push(("%!", v(2), Native::new(|cv| math(Math::Rem, cv))));
    functions.push(("<!", v(2), Native::new(|cv| compare(Cmp::Lt, cv))));
    functions.push((">!", v(2), Native::new(|cv| compare(Cmp::Gt, cv))));
    functions.push(("<=!", v(2), Native::new(|cv| compare(Cmp::Le, cv))));
    functions.push((">=!", v(2), Native::new(|cv| compare(Cmp::Ge, cv))));
    functions.push(("==!", v(2), Native::new(|cv| compare(Cmp::Eq, cv))));
    functions.push(("!=!", v(2), Native::new(|cv| compare(Cmp::Ne, cv))));
    functions
}

/// In place of what an expression may not do: it fails.
fn nothing() -> Native<Bounded> {
    Native::new(|cv| box_once(Err(Exn::from(jaq_core::Error::new(cv.1)))))
}

/// The input, once a price is paid; the end where that is beyond all means.
fn paid<'a>(cv: Cv<'a, Bounded>, price: Option<u64>) -> ValXs<'a, Val> {
    let paid = price.ok_or_else(|| Exn::halt(1)).and_then(|steps| supply(&cv.0).pay(steps));
    box_once(paid.map(|()| cv.1))
}

fn math<'a>(operation: Math, mut cv: Cv<'a, Bounded>) -> ValXs<'a, Val> {
    let right = cv.0.pop_var();
    let left = cv.0.pop_var();
    let price = match operation {
        Math::Mul => product(&left, &right),
        Math::Sub | Math::Div | Math::Rem => price(&left, &right),
        Math::Add => Some(1),
    };
    let paid = price.ok_or_else(|| Exn::halt(1)).and_then(|steps| supply(&cv.0).pay(steps));
    let result = paid.and_then(|()| {
        let result: ValR<Val> = operation.run(left, right);
        let result = result.map_err(Exn::from)?;
        supply(&cv.0).pay_for(&result).map(|()| result)
    });
    box_once(result)
}

fn compare<'a>(operation: Cmp, mut cv: Cv<'a, Bounded>) -> ValXs<'a, Val> {
    let right = cv.0.pop_var();
    let left = cv.0.pop_var();
    let paid = match (&left, &right) {
        (Val::Arr(_), Val::Arr(_)) | (Val::Obj(_), Val::Obj(_)) => supply(&cv.0).pay_for(&left),
        _ => supply(&cv.0).pay(1),
    };
    box_once(paid.map(|()| Val::from(operation.run(&left, &right))))
}

/// The price of multiplying; nothing where the product were too large.
fn product(left: &Val, right: &Val) -> Option<u64> {
    let bits = |value: &Val| match value {
        Val::Num(Num::BigInt(number)) => number.bits(),
        _ => 64,
    };
    match (left, right) {
        (Val::Num(left), Val::Num(right)) => {
            let (left, right) = (Val::Num(left.clone()), Val::Num(right.clone()));
            let (left, right) = (bits(&left), bits(&right));
            (left + right <= WIDEST).then(|| 1 + left * right / (64 * 64))
        }
        (Val::TStr(text) | Val::BStr(text), Val::Num(times))
        | (Val::Num(times), Val::TStr(text) | Val::BStr(text)) => {
            let length = u64::try_from(text.len()).ok()?.max(1);
            let times = times.as_isize().map_or(HEAVIEST, |times| u64::try_from(times).unwrap_or(0));
            let made = length.checked_mul(times).filter(|made| *made <= HEAVIEST)?;
            Some(1 + made / WEIGHT_A_STEP)
        }
        _ => price(left, right),
    }
}

/// The price of whatever looks at each part of one value for each of another; nothing where it is beyond all means.
fn price(input: &Val, asked: &Val) -> Option<u64> {
    let (input_weight, asked_weight) = (weight(input, DEEPEST)?, weight(asked, DEEPEST)?);
    Some(1 + (input_weight / NODE).checked_mul(asked_weight / NODE)? / WEIGHT_A_STEP)
}

/// The price of looking for a pattern in a text: by the states it has, counted generously.
fn price_of_pattern(input: &Val, pattern: &Val) -> Option<u64> {
    const MOST_STATES: u64 = 200_000;
    const A_CLASS: u64 = 200;
    let bytes = |value: &Val| match value {
        Val::TStr(text) | Val::BStr(text) => text.to_vec(),
        _ => Vec::new(),
    };
    let (input, pattern) = (bytes(input), bytes(pattern));
    let classes = u64::try_from(pattern.iter().filter(|byte| **byte == b'\\').count()).ok()?;
    let mut states = 4 * u64::try_from(pattern.len()).ok()? + A_CLASS * classes;
    for (at, _) in pattern.iter().enumerate().filter(|(_, byte)| **byte == b'{') {
        let inside = pattern.iter().skip(at + 1).take_while(|byte| byte.is_ascii_digit() || **byte == b',');
        let inside: Vec<u8> = inside.copied().collect();
        let counts = inside.split(|byte| *byte == b',').filter_map(|count| std::str::from_utf8(count).ok());
        let most =
            counts.filter(|count| !count.is_empty()).map(|count| count.parse().unwrap_or(u64::MAX)).max();
        states = states.checked_mul(most.unwrap_or(1).max(1)).filter(|states| *states <= MOST_STATES)?;
    }
    let length = u64::try_from(input.len()).ok()? + 64;
    (states <= MOST_STATES).then(|| 1 + states.saturating_mul(length) / WEIGHT_A_STEP)
}

/// The price of reading a text as JSON; nothing for one that is nested too deeply, or holds a number without end.
fn price_of_text(input: &Val) -> Option<u64> {
    const LONGEST_NUMBER: usize = 4096;
    let (Val::TStr(text) | Val::BStr(text)) = input else { return Some(1) };
    let (mut depth, mut digits) = (0_usize, 0_usize);
    for byte in text.iter() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        if depth > DEEPEST || digits > LONGEST_NUMBER {
            return None;
        }
    }
    Some(1 + u64::try_from(text.len()).ok()? / WEIGHT_A_STEP)
}

/// What an interpreter's filter, or one that only [`PRICED`] calls, is called here.
fn own_name(name: &'static str) -> &'static str {
    match name {
        "matches" | "unpaid_matches" => "matches!",
        "split_matches" | "unpaid_split_matches" => "split_matches!",
        "split_" | "unpaid_split_" => "split_!",
        "contains" | "unpaid_contains" => "contains!",
        "indices" | "unpaid_indices" => "indices!",
        "fromjson" | "unpaid_fromjson" => "fromjson!",
        "pay_product" => "pay_product!",
        "pay_pattern" => "pay_pattern!",
        "pay_text" => "pay_text!",
        other => other,
    }
}

/// The definitions an expression may call, rewritten, and after them the expression under a name that yields the paths
/// it names. Nothing when it is no expression.
pub(crate) fn definitions<'s>(expression: &'s str, paths: &'static str) -> Option<Vec<Def<&'s str>>> {
    const EXPRESSION: &str = "expression!";
    let natives: BTreeSet<&str> = functions().iter().map(|function| function.0).collect();
    let rewriting = Rewriting { natives };
    let priced: Vec<Def<&'static str>> = jaq_core::load::parse(PRICED, |parser| parser.defs())?;
    let priced = priced.into_iter().map(|mut definition| {
        rename(&mut definition.body);
        definition
    });
    let given = priced.chain(jaq_core::defs()).chain(jaq_std::defs()).chain(jaq_json::defs());
    let mut definitions: Vec<Def<&'s str>> = given.map(|given| rewriting.definition(given)).collect();
    let body = jaq_core::load::parse(expression, |parser| parser.term())?;
    if deeper_than(&body, DEEPEST_EXPRESSION) {
        return None;
    }
    definitions.push(rewriting.definition(Def { name: EXPRESSION, args: Vec::new(), body }));
    let body = Term::Call("path", vec![Term::Call(EXPRESSION, Vec::new())]);
    definitions.push(Def { name: paths, args: Vec::new(), body });
    Some(definitions)
}

/// Whether an expression nests deeper than that: compiling and running it goes down as deep.
fn deeper_than(term: &Term<&str>, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return true };
    let deeper = |term: &Term<&str>| deeper_than(term, depth);
    let in_pattern = |pattern: &Pattern<&str>| pattern_deeper_than(pattern, depth);
    match term {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Var(_) | Term::Break(_) => false,
        Term::Str(_, parts) => parts.iter().any(|part| matches!(part, StrPart::Term(term) if deeper(term))),
        Term::Arr(items) => items.as_deref().is_some_and(deeper),
        Term::Obj(members) => {
            members.iter().any(|(name, value)| deeper(name) || value.as_ref().is_some_and(deeper))
        }
        Term::Neg(term) | Term::Label(_, term) => deeper(term),
        Term::BinOp(left, operator, right) => {
            let bound = matches!(operator, BinaryOp::Pipe(Some(pattern)) if in_pattern(pattern));
            bound || deeper(left) || deeper(right)
        }
        Term::Fold(_, items, pattern, terms) => {
            deeper(items) || in_pattern(pattern) || terms.iter().any(deeper)
        }
        Term::TryCatch(tried, caught) => deeper(tried) || caught.as_deref().is_some_and(deeper),
        Term::IfThenElse(branches, otherwise) => {
            branches.iter().any(|(when, then)| deeper(when) || deeper(then))
                || otherwise.as_deref().is_some_and(deeper)
        }
        Term::Def(definitions, term) => {
            definitions.iter().any(|definition| deeper(&definition.body)) || deeper(term)
        }
        Term::Call(_, arguments) => arguments.iter().any(deeper),
        Term::Path(term, path) => {
            let part = |part: &Part<Term<&str>>| match part {
                Part::Index(at) => deeper(at),
                Part::Range(from, to) => from.iter().chain(to).any(deeper),
            };
            deeper(term) || path.0.iter().any(|(it, _)| part(it))
        }
    }
}

fn pattern_deeper_than(pattern: &Pattern<&str>, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return true };
    match pattern {
        Pattern::Var(_) => false,
        Pattern::Arr(items) => items.iter().any(|item| pattern_deeper_than(item, depth)),
        Pattern::Obj(members) => members
            .iter()
            .any(|(name, pattern)| deeper_than(name, depth) || pattern_deeper_than(pattern, depth)),
    }
}

/// Gives what [`PRICED`] calls the names that nobody else can.
fn rename(term: &mut Term<&'static str>) {
    match term {
        Term::Call(name, _) => *name = own_name(name),
        Term::BinOp(left, _, right) => {
            rename(left);
            rename(right);
        }
        _ => {}
    }
}

struct Rewriting<'n> {
    natives: BTreeSet<&'n str>,
}

impl Rewriting<'_> {
    /// Whoever is called pays, so that nobody calls for ever; the last call of a body stays the last.
    fn definition<'s>(&self, definition: Def<&'s str>) -> Def<&'s str> {
        let body = then(Term::Call(STEP, Vec::new()), self.term(definition.body));
        Def { body, ..definition }
    }

    fn term<'s>(&self, term: Term<&'s str>) -> Term<&'s str> {
        let inner = |term: Box<Term<&'s str>>| Box::new(self.term(*term));
        let all = |terms: Vec<Term<&'s str>>| terms.into_iter().map(|term| self.term(term)).collect();
        match term {
            Term::Id => Term::Call(STEP, Vec::new()),
            leaf @ (Term::Recurse | Term::Num(_) | Term::Var(_)) => stepping(leaf),
            text @ Term::Str(..) => made(self.plain(text)),
            Term::Arr(items) => made(Term::Arr(items.map(inner))),
            Term::Obj(members) => {
                let member = |(name, value): (_, Option<_>)| match value {
                    Some(value) => (self.term(name), Some(self.term(value))),
                    // `{$x}` and `{"x"}` mean something by their form.
                    None => (self.plain(name), None),
                };
                made(Term::Obj(members.into_iter().map(member).collect()))
            }
            Term::Neg(term) => stepping(Term::Neg(inner(term))),
            Term::BinOp(left, operator, right) => self.binary(*left, operator, *right),
            Term::Label(name, term) => Term::Label(name, inner(term)),
            Term::Break(name) => Term::Break(name),
            Term::Fold(name, items, pattern, terms) => {
                stepping(Term::Fold(name, inner(items), self.pattern(pattern), all(terms)))
            }
            Term::TryCatch(tried, caught) => Term::TryCatch(inner(tried), caught.map(inner)),
            Term::IfThenElse(branches, otherwise) => {
                let branch = |(when, then)| (self.term(when), self.term(then));
                Term::IfThenElse(branches.into_iter().map(branch).collect(), otherwise.map(inner))
            }
            Term::Def(definitions, term) => {
                let definitions = definitions.into_iter().map(|it| self.definition(it)).collect();
                Term::Def(definitions, inner(term))
            }
            Term::Call(name, arguments) => {
                let call = Term::Call(name, all(arguments));
                match name {
                    _ if MAKES_NOTHING.contains(&name) => stepping(call),
                    _ if self.natives.contains(name) => made(call),
                    _ => call,
                }
            }
            Term::Path(term, path) => {
                let part = |part| match part {
                    Part::Index(at) => Part::Index(self.term(at)),
                    Part::Range(from, to) => {
                        Part::Range(from.map(|it| self.term(it)), to.map(|it| self.term(it)))
                    }
                };
                let path = path.0.into_iter().map(|(it, optional)| (part(it), optional)).collect();
                stepping(Term::Path(inner(term), Path(path)))
            }
        }
    }

    /// A text or a variable, rewritten inside only.
    fn plain<'s>(&self, term: Term<&'s str>) -> Term<&'s str> {
        let part = |part| match part {
            StrPart::Term(term) => StrPart::Term(self.term(term)),
            other => other,
        };
        match term {
            Term::Str(format, parts) => Term::Str(format, parts.into_iter().map(part).collect()),
            other => other,
        }
    }

    fn binary<'s>(
        &self,
        left: Term<&'s str>,
        operator: BinaryOp<&'s str>,
        right: Term<&'s str>,
    ) -> Term<&'s str> {
        let (left, right) = (self.term(left), self.term(right));
        let both = |left, operator, right| Term::BinOp(Box::new(left), operator, Box::new(right));
        match operator {
            BinaryOp::Math(operation) => Term::Call(name_of_math(operation), vec![left, right]),
            BinaryOp::Cmp(operation) => Term::Call(name_of_comparison(operation), vec![left, right]),
            // `left += right` is what the interpreter makes of it: `right as $x | left |= . + $x`.
            BinaryOp::UpdateMath(operation) => {
                let operands = vec![Term::Id, Term::Var(OPERAND)];
                let update = both(left, BinaryOp::Update, Term::Call(name_of_math(operation), operands));
                let bind = BinaryOp::Pipe(Some(Pattern::Var(OPERAND)));
                made(both(right, bind, update))
            }
            BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateAlt => made(both(left, operator, right)),
            BinaryOp::Pipe(pattern) => {
                let pattern = pattern.map(|pattern| self.pattern(pattern));
                both(left, BinaryOp::Pipe(pattern), right)
            }
            BinaryOp::Comma | BinaryOp::Alt | BinaryOp::Or | BinaryOp::And => both(left, operator, right),
        }
    }

    fn pattern<'s>(&self, pattern: Pattern<&'s str>) -> Pattern<&'s str> {
        match pattern {
            Pattern::Var(name) => Pattern::Var(name),
            Pattern::Arr(items) => Pattern::Arr(items.into_iter().map(|item| self.pattern(item)).collect()),
            Pattern::Obj(members) => {
                let member = |(name, pattern)| (self.term(name), self.pattern(pattern));
                Pattern::Obj(members.into_iter().map(member).collect())
            }
        }
    }
}

fn then<'s>(left: Term<&'s str>, right: Term<&'s str>) -> Term<&'s str> {
    Term::BinOp(Box::new(left), BinaryOp::Pipe(None), Box::new(right))
}

fn stepping(term: Term<&str>) -> Term<&str> {
    then(term, Term::Call(STEP, Vec::new()))
}

fn made(term: Term<&str>) -> Term<&str> {
    then(term, Term::Call(MADE, Vec::new()))
}

fn name_of_math(operation: Math) -> &'static str {
    match operation {
        Math::Add => "+!",
        Math::Sub => "-!",
        Math::Mul => "*!",
        Math::Div => "/!",
        Math::Rem => "%!",
    }
}

fn name_of_comparison(operation: Cmp) -> &'static str {
    match operation {
        Cmp::Lt => "<!",
        Cmp::Le => "<=!",
        Cmp::Gt => ">!",
        Cmp::Ge => ">=!",
        Cmp::Eq => "==!",
        Cmp::Ne => "!=!",
    }
}
