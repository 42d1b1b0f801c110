//! Random values: what stands in values files, fields of objects, and arguments.

use super::chance::Chance;
use serde_json::{Map, Value, json};

/// Scalars as YAML writes them, odd ones among them.
pub(crate) const SCALARS: [&str; 44] = [
    "1",
    "0",
    "-7",
    "1.5",
    "-0.25",
    "1e3",
    "1e21",
    "123456789",
    "1234567.0",
    "0.1",
    "1.0",
    "12345678901234567890",
    "true",
    "false",
    "yes",
    "off",
    "null",
    "~",
    "\"\"",
    "''",
    "\"null\"",
    "\"true\"",
    "\"12\"",
    "\"1.50\"",
    "0x1F",
    "0o17",
    "017",
    "1_000",
    ".5",
    "2024-01-02",
    "\"2024-01-02T03:04:05Z\"",
    "abc",
    "two words",
    "\"it's\"",
    "\"quo\\\"te\"",
    "\"line\\nbreak\"",
    "\"trailing \"",
    "\"- dash\"",
    "\"a: b\"",
    "\"# no comment\"",
    "\"{{ x }}\"",
    "\"ünï\"",
    "\"10:20\"",
    "\"*star\"",
];

/// Values as JSON, the same range.
pub(crate) fn scalar(chance: &mut Chance) -> Value {
    let numbers = [
        json!(1),
        json!(0),
        json!(-7),
        json!(1.5),
        json!(1e21),
        json!(123_456_789),
        json!(0.1),
        json!(3.0),
        json!(1e-7),
        json!(9_007_199_254_740_993_i64),
        json!(1_000_000),
    ];
    let texts = [
        "",
        "a",
        "abc",
        "Hello World",
        "12",
        "-3.7",
        "0x1f",
        "010",
        "true",
        "null",
        "a,b,c",
        "a-b_c.d",
        "x: y",
        "- z",
        "# c",
        " pad ",
        "line\nbreak",
        "tail\n",
        "it's \"q\"",
        "ünï☃",
        "1.2.3",
        "v1.2.3-rc.1+b",
        "2020-02-29",
        "yes",
        "~",
        "1e3",
        "%d",
        "https://u:p@h:80/p?q=1#f",
        "fooBarBaz",
        "snake_case-kebab",
        "$1",
        "{{ .Values.a }}",
        "aGVsbG8=",
        "@x",
        "*a",
        "!t",
        "&a",
        "\t",
        "a\\b",
        "0",
        "1_000",
        "=",
        "<<",
        "null ",
    ];
    match chance.below(10) {
        0..=2 => chance.pick(&numbers).clone(),
        3 => json!(chance.percent(50)),
        4 if chance.percent(60) => Value::Null,
        _ => json!(*chance.pick(&texts)),
    }
}

/// Keys: few, so that they meet.
pub(crate) const KEYS: [&str; 8] = ["a", "b", "c", "d", "name", "enabled", "list", "e.f"];

pub(crate) fn map(chance: &mut Chance, depth: usize) -> Map<String, Value> {
    let keys = chance.some(&KEYS, 45);
    keys.into_iter().map(|key| ((*key).to_owned(), value(chance, depth))).collect()
}

pub(crate) fn value(chance: &mut Chance, depth: usize) -> Value {
    if depth == 0 {
        return scalar(chance);
    }
    match chance.below(10) {
        0..=4 => scalar(chance),
        5..=7 => Value::Object(map(chance, depth - 1)),
        _ => Value::Array((0..chance.below(4)).map(|_| value(chance, depth - 1)).collect()),
    }
}
