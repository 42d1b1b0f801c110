//! Texts.

use base64::Engine as _;

use super::{Budget, Call, Signature, argument, as_text, to_int};
use crate::nature::Nature;
use crate::value::{ListKind, Value};

const TEXT: &[Nature] = &[Nature::Text];
const TEXTS: &[Nature] = &[Nature::Text, Nature::Text];
const ANY: &[Nature] = &[Nature::Any];

pub(super) const FUNCTIONS: &[(&str, Signature, Call)] = &[
    ("type", Signature::Overloads(&[ANY], Nature::Text), type_of),
    ("string", Signature::Overloads(&[ANY], Nature::Text), string),
    ("trim", Signature::Overloads(&[TEXT, TEXTS], Nature::Text), trim),
    ("trimPrefix", Signature::Overloads(&[TEXTS, TEXT], Nature::Text), trim_prefix),
    ("trimSuffix", Signature::Overloads(&[TEXTS, TEXT], Nature::Text), trim_suffix),
    ("upper", Signature::Overloads(&[TEXT], Nature::Text), upper),
    ("lower", Signature::Overloads(&[TEXT], Nature::Text), lower),
    ("split", Signature::Overloads(SPLIT, Nature::Texts), split),
    ("splitAfter", Signature::Overloads(SPLIT, Nature::Texts), split_after),
    ("replace", Signature::Overloads(REPLACE, Nature::Text), replace),
    ("repeat", Signature::Overloads(&[&[Nature::Text, Nature::Int]], Nature::Text), repeat),
    ("join", Signature::Overloads(JOIN, Nature::Text), join),
    ("indexOf", Signature::Overloads(&[TEXTS], Nature::Int), index_of),
    ("lastIndexOf", Signature::Overloads(&[TEXTS], Nature::Int), last_index_of),
    ("hasPrefix", Signature::Overloads(&[TEXTS], Nature::Bool), has_prefix),
    ("hasSuffix", Signature::Overloads(&[TEXTS], Nature::Bool), has_suffix),
    ("toJSON", Signature::Overloads(&[ANY], Nature::Text), to_json),
    ("fromJSON", Signature::Overloads(&[TEXT], Nature::Any), from_json),
    ("toBase64", Signature::Overloads(&[TEXT], Nature::Text), to_base64),
    ("fromBase64", Signature::Overloads(&[TEXT], Nature::Text), from_base64),
];

const SPLIT: &[&[Nature]] = &[TEXTS, &[Nature::Text, Nature::Text, Nature::Int]];
const REPLACE: &[&[Nature]] =
    &[&[Nature::Text, Nature::Text, Nature::Text, Nature::Int], &[Nature::Text, Nature::Text, Nature::Text]];
const JOIN: &[&[Nature]] =
    &[&[Nature::Texts, Nature::Text], &[Nature::AnyList, Nature::Text], &[Nature::AnyList], &[Nature::Texts]];

fn text_at(arguments: &[Value], place: usize) -> Result<&str, String> {
    as_text(argument(arguments, place)?)
}

fn new_text(text: String, budget: &mut Budget) -> Result<Value, String> {
    budget.take_text(text.len())?;
    Ok(Value::text(text))
}

fn type_of(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    let value = argument(arguments, 0)?;
    Ok(Value::text(match value {
        Value::Nil => "nil",
        Value::Time(_) | Value::Duration(_) => value.type_name(),
        Value::Int(..) if value.number().is_none() => value.type_name(),
        Value::Int(..) => match value.type_name() {
            "uint8" => "uint",
            _ => "int",
        },
        Value::Float(_) => "float",
        Value::Bytes(_) | Value::List(_) => "array",
        Value::Map(_) if matches!(value.kind_name(), "struct") => value.type_name(),
        Value::Zone(_) => "unknown",
        other => other.kind_name(),
    }))
}

fn string(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    new_text(argument(arguments, 0)?.to_string(), budget)
}

fn trim(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    let text = text_at(arguments, 0)?;
    Ok(Value::text(match arguments.len() {
        1 => text.trim(),
        _ => {
            let set = text_at(arguments, 1)?;
            text.trim_matches(|character| set.contains(character))
        }
    }))
}

fn affix(arguments: &[Value]) -> Result<&str, String> {
    if arguments.len() == 2 { text_at(arguments, 1) } else { Ok(" ") }
}

fn trim_prefix(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    let prefix = affix(arguments)?;
    let text = text_at(arguments, 0)?;
    Ok(Value::text(text.strip_prefix(prefix).unwrap_or(text)))
}

fn trim_suffix(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    let suffix = affix(arguments)?;
    let text = text_at(arguments, 0)?;
    Ok(Value::text(text.strip_suffix(suffix).unwrap_or(text)))
}

fn upper(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    new_text(text_at(arguments, 0)?.chars().map(to_upper).collect(), budget)
}

fn lower(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    new_text(text_at(arguments, 0)?.chars().map(to_lower).collect(), budget)
}

/// One character for one, as Go maps them: `ß` stays.
pub(crate) fn to_upper(character: char) -> char {
    let mut upper = character.to_uppercase();
    upper.next().filter(|_| upper.next().is_none()).unwrap_or(character)
}

/// One character for one.
pub(crate) fn to_lower(character: char) -> char {
    let mut lower = character.to_lowercase();
    lower.next().filter(|_| lower.next().is_none()).unwrap_or(if character == 'İ' { 'i' } else { character })
}

fn pieces(arguments: &[Value], budget: &mut Budget, keep: bool) -> Result<Value, String> {
    let (text, separator) = (text_at(arguments, 0)?, text_at(arguments, 1)?);
    let most = match arguments.get(2) {
        Some(most) => to_int(most)?,
        None => -1,
    };
    let most = if most < 0 { usize::MAX } else { usize::try_from(most).unwrap_or(usize::MAX) };
    let mut parts = Vec::new();
    let mut rest = text;
    while parts.len().saturating_add(1) < most {
        let end = match separator {
            "" => rest.chars().next().map(char::len_utf8).filter(|length| *length < rest.len()),
            separator => rest.find(separator),
        };
        let Some(end) = end else { break };
        let kept = if keep { end + separator.len() } else { end };
        parts.push(Value::text(&rest[..kept]));
        rest = &rest[end + separator.len()..];
    }
    if most > 0 && !(separator.is_empty() && rest.is_empty()) {
        parts.push(Value::text(rest));
    }
    budget.take(parts.len())?;
    budget.take_text(text.len())?;
    Ok(Value::list_of(ListKind::Texts, parts))
}

fn split(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    pieces(arguments, budget, false)
}

fn split_after(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    pieces(arguments, budget, true)
}

fn replace(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    let (text, old, new) = (text_at(arguments, 0)?, text_at(arguments, 1)?, text_at(arguments, 2)?);
    let most = match arguments.get(3) {
        Some(most) => to_int(most)?,
        None => -1,
    };
    let most = if most < 0 { usize::MAX } else { usize::try_from(most).unwrap_or(usize::MAX) };
    let found = if old.is_empty() { text.len() + 1 } else { text.matches(old).count() };
    let grown = found.min(most).saturating_mul(new.len()).saturating_add(text.len());
    budget.take_text(grown)?;
    Ok(Value::text(text.replacen(old, new, most)))
}

fn repeat(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    let (text, times) = (text_at(arguments, 0)?, to_int(argument(arguments, 1)?)?);
    let count = usize::try_from(times)
        .map_err(|_| format!("invalid argument for repeat (expected positive integer, got {times})"))?;
    if count > 1_000_000 {
        return Err("memory budget exceeded".to_owned());
    }
    budget.take(text.len().saturating_mul(count))?;
    Ok(Value::text(text.repeat(count)))
}

fn join(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    let glue = if arguments.len() == 2 { text_at(arguments, 1)? } else { "" };
    let list = argument(arguments, 0)?;
    let Value::List(items) = list else {
        let name = if matches!(list, Value::Nil) { "%!s(<nil>)" } else { list.type_name() };
        return Err(format!("invalid argument for join (type {name})"));
    };
    if !matches!(items.kind, ListKind::Any | ListKind::Texts) {
        return Err(format!("invalid argument for join (type {})", list.type_name()));
    }
    let texts: Vec<&str> = items.items.iter().map(as_text).collect::<Result<_, _>>()?;
    budget.take_text(texts.iter().map(|text| text.len() + glue.len()).sum())?;
    Ok(Value::text(texts.join(glue)))
}

fn found(place: Option<usize>) -> Value {
    place.map_or(Value::int(-1), Value::count)
}

fn index_of(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    Ok(found(text_at(arguments, 0)?.find(text_at(arguments, 1)?)))
}

fn last_index_of(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    Ok(found(text_at(arguments, 0)?.rfind(text_at(arguments, 1)?)))
}

fn has_prefix(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    Ok(Value::Bool(text_at(arguments, 0)?.starts_with(text_at(arguments, 1)?)))
}

fn has_suffix(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    Ok(Value::Bool(text_at(arguments, 0)?.ends_with(text_at(arguments, 1)?)))
}

fn to_json(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    new_text(crate::json::encode(argument(arguments, 0)?)?, budget)
}

fn from_json(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    let text = text_at(arguments, 0)?;
    budget.take_text(text.len())?;
    crate::json::decode(text)
}

fn to_base64(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    new_text(base64::engine::general_purpose::STANDARD.encode(text_at(arguments, 0)?), budget)
}

fn from_base64(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    // As Go's decoder, which passes over line ends.
    let text: String = text_at(arguments, 0)?.chars().filter(|it| !matches!(it, '\r' | '\n')).collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(&text).map_err(|error| {
        let place = match error {
            base64::DecodeError::InvalidByte(place, _) | base64::DecodeError::InvalidLastSymbol(place, _) => {
                place
            }
            _ => text.len() / 4 * 4,
        };
        format!("illegal base64 data at input byte {place}")
    })?;
    Ok(Value::text(String::from_utf8_lossy(&bytes).into_owned()))
}
