//! Whole numbers and floats.

use super::decimal::{self, Decimal};
use super::int;
use crate::cast::{to_float, to_int64, to_text};
use crate::functions::Line;
use crate::machine::Machine;
use crate::number::{float, parse_int};
use crate::value::{Element, List, Value};
use std::rc::Rc;

pub(super) const LINES: &[Line] = &[
    ("atoi", "s", |_, a| {
        let text = super::text(a, 0);
        Ok(Value::Int(parse_int(&text.to_str(), 10).unwrap_or(0)))
    }),
    ("int64", "a", |_, a| Ok(Value::Int64(to_int64(&a[0])))),
    ("int", "a", |_, a| Ok(Value::Int(to_int64(&a[0])))),
    ("float64", "a", |_, a| Ok(Value::Float(to_float(&a[0])))),
    ("seq", "*i", seq),
    ("toDecimal", "a", |_, a| Ok(Value::Int64(parse_int(&to_text(&a[0]).to_str(), 8).unwrap_or(0)))),
    ("until", "i", |machine, a| {
        let end = int(a, 0);
        until_step(machine, 0, end, if end < 0 { -1 } else { 1 }).map(ints)
    }),
    ("untilStep", "iii", |machine, a| until_step(machine, int(a, 0), int(a, 1), int(a, 2)).map(ints)),
    ("add1", "a", |_, a| Ok(Value::Int64(to_int64(&a[0]).wrapping_add(1)))),
    ("add", "*a", |_, a| Ok(Value::Int64(a.iter().map(to_int64).fold(0, i64::wrapping_add)))),
    ("sub", "aa", |_, a| Ok(Value::Int64(to_int64(&a[0]).wrapping_sub(to_int64(&a[1]))))),
    ("div", "aa", |_, a| divided(a, i64::wrapping_div)),
    ("mod", "aa", |_, a| divided(a, i64::wrapping_rem)),
    ("mul", "a*a", |_, a| Ok(Value::Int64(a.iter().map(to_int64).fold(1, i64::wrapping_mul)))),
    ("randInt", "ii", |machine, a| {
        let (low, high) = (int(a, 0), int(a, 1));
        let width = high.checked_sub(low).filter(|width| *width > 0).ok_or("invalid argument to Intn")?;
        let mut randomness = machine.randomness();
        let drawn = randomness.below(width.unsigned_abs());
        match randomness.failure {
            Some(failure) => Err(failure),
            None => Ok(Value::Int(low.wrapping_add(i64::try_from(drawn).unwrap_or(0)))),
        }
    }),
    ("add1f", "a", |_, a| decimal::fold(&a[0], &[Value::Int(1)], |left, right| Ok(left.plus(&right)))),
    ("addf", "*a", |_, a| decimal::fold(&Value::Float(0.0), a, |left, right| Ok(left.plus(&right)))),
    ("subf", "a*a", |_, a| decimal::fold(&a[0], &a[1..], |left, right| Ok(left.minus(&right)))),
    ("mulf", "a*a", |_, a| decimal::fold(&a[0], &a[1..], |left, right| Ok(left.times(&right)))),
    ("divf", "a*a", |_, a| decimal::fold(&a[0], &a[1..], |left: Decimal, right| left.over(&right))),
    ("biggest", "a*a", |_, a| Ok(Value::Int64(a.iter().map(to_int64).max().unwrap_or(0)))),
    ("max", "a*a", |_, a| Ok(Value::Int64(a.iter().map(to_int64).max().unwrap_or(0)))),
    ("min", "a*a", |_, a| Ok(Value::Int64(a.iter().map(to_int64).min().unwrap_or(0)))),
    ("maxf", "a*a", |_, a| Ok(Value::Float(extreme(a, f64::gt)))),
    ("minf", "a*a", |_, a| Ok(Value::Float(extreme(a, f64::lt)))),
    ("ceil", "a", |_, a| Ok(Value::Float(to_float(&a[0]).ceil()))),
    ("floor", "a", |_, a| Ok(Value::Float(to_float(&a[0]).floor()))),
    ("round", "ai*f", |_, a| Ok(Value::Float(round(a)))),
];

fn divided(a: &[Value], operation: fn(i64, i64) -> i64) -> Result<Value, String> {
    let divisor = to_int64(&a[1]);
    if divisor == 0 {
        return Err("runtime error: integer divide by zero".into());
    }
    Ok(Value::Int64(operation(to_int64(&a[0]), divisor)))
}

fn extreme(a: &[Value], better: fn(&f64, &f64) -> bool) -> f64 {
    let pick = |best: f64, next: f64| {
        if best.is_nan() || next.is_nan() {
            f64::NAN
        } else if better(&next, &best) {
            next
        } else {
            best
        }
    };
    a.iter().map(to_float).reduce(pick).unwrap_or(0.0)
}

fn round(a: &[Value]) -> f64 {
    let threshold = a.get(2).map_or(0.5, to_float);
    let power = 10.0_f64.powf(float(int(a, 1)));
    let scaled = power * to_float(&a[0]);
    let rounded = if scaled.fract() >= threshold { scaled.ceil() } else { scaled.floor() };
    rounded / power
}

fn ints(numbers: Vec<i64>) -> Value {
    let items = numbers.into_iter().map(Value::Int).collect();
    Value::List(Rc::new(List { element: Element::Int, nil: false, items }))
}

fn until_step(machine: &mut Machine<'_>, start: i64, stop: i64, step: i64) -> Result<Vec<i64>, String> {
    let forward = stop >= start;
    if step == 0 || forward != (step > 0) {
        return Ok(Vec::new());
    }
    let distance = i128::from(stop) - i128::from(start);
    let length = (distance.abs() + i128::from(step).abs() - 1) / i128::from(step).abs();
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    machine.items(length)?;
    // Go's numbers wrap around and go on: there can be more than are to be expected.
    let goes_on = |number: i64| if forward { number < stop } else { number > stop };
    let mut numbers = Vec::new();
    let mut number = start;
    while goes_on(number) {
        machine.items(usize::from(numbers.len() >= length))?;
        numbers.push(number);
        number = number.wrapping_add(step);
    }
    Ok(numbers)
}

fn seq(machine: &mut Machine<'_>, a: &[Value]) -> Result<Value, String> {
    let number = |index| int(a, index);
    let numbers = match a.len() {
        1 => {
            let step = if number(0) < 1 { -1 } else { 1 };
            until_step(machine, 1, number(0).wrapping_add(step), step)?
        }
        2 => {
            let step = if number(1) < number(0) { -1 } else { 1 };
            until_step(machine, number(0), number(1).wrapping_add(step), step)?
        }
        3 => {
            let (start, step, end) = (number(0), number(1), number(2));
            if end < start && step > 0 {
                return Ok("".into());
            }
            let past = if end < start { -1 } else { 1 };
            until_step(machine, start, end.wrapping_add(past), step)?
        }
        _ => Vec::new(),
    };
    let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
    machine.made(texts.join(" ").into_bytes())
}
