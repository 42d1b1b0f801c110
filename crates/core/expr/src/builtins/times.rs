//! Times. What `now` is, the caller says.

use super::{Budget, Call, Signature, argument, as_text};
use crate::nature::Nature;
use crate::time::{LAYOUTS, RFC3339, Time, Zone, parse, parse_duration, parse_in};
use crate::value::Value;

pub(super) const FUNCTIONS: &[(&str, Signature, Call)] = &[
    ("now", Signature::Rule(now_rule), now),
    ("duration", Signature::Overloads(&[&[Nature::Text]], Nature::Duration), duration),
    ("date", Signature::Rule(date_rule), date),
    ("timezone", Signature::Overloads(&[&[Nature::Text]], Nature::Zone), timezone),
];

fn now_rule(arguments: &[Nature]) -> Result<Nature, String> {
    match arguments {
        [] | [Nature::Zone] => Ok(Nature::Time),
        _ => Err(format!("invalid number of arguments (expected 0, got {})", arguments.len())),
    }
}

fn date_rule(arguments: &[Nature]) -> Result<Nature, String> {
    let rest = match arguments {
        [] => return Err("invalid number of arguments (expected at least 1, got 0)".to_owned()),
        [Nature::Zone, rest @ ..] => rest,
        all => all,
    };
    match rest.len() {
        0..=3 => Ok(Nature::Time),
        given => Err(format!("invalid number of arguments (expected at most 3, got {given})")),
    }
}

fn now(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    let now = Time::at(budget.now).in_zone(budget.local.clone());
    match arguments {
        [] => Ok(Value::Time(now)),
        [Value::Zone(zone)] => Ok(Value::Time(now.in_zone(zone.clone()))),
        _ => Err(format!("invalid number of arguments (expected 0, got {})", arguments.len())),
    }
}

fn duration(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    parse_duration(as_text(argument(arguments, 0)?)?).map(Value::Duration)
}

fn timezone(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    Zone::find(as_text(argument(arguments, 0)?)?).map(Value::Zone)
}

fn date(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    let (zone, rest) = match arguments {
        [Value::Zone(zone), rest @ ..] => (zone.clone(), rest),
        all => (Zone::Utc, all),
    };
    let text = as_text(argument(rest, 0)?)?;
    let layout =
        |name: &str| LAYOUTS.iter().find(|(it, _)| *it == name).map_or(RFC3339, |(_, layout)| layout);
    match rest {
        [_, layout] => parse_in(as_text(layout)?, text, &zone).map(Value::Time),
        [_, layout, zone] => parse_in(as_text(layout)?, text, &Zone::find(as_text(zone)?)?).map(Value::Time),
        _ => {
            let known = ["2006-01-02", "15:04:05", "2006-01-02 15:04:05", RFC3339];
            let named = ["RFC822", "RFC850", "RFC1123"].map(layout);
            known
                .into_iter()
                .chain(named)
                .find_map(|layout| parse_in(layout, text, &zone).ok())
                .map(Value::Time)
                .ok_or_else(|| format!("invalid date {text}"))
        }
    }
}

/// `time.Parse` of the namespace: RFC 3339 only.
pub(crate) fn parse_rfc3339(text: &str) -> Result<Time, String> {
    parse(RFC3339, text)
}
