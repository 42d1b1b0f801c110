//! jq path expressions that would take for ever, or all memory there is: each is stopped, and says which one it was.

use diff::{DiffError, DiffOptions, IgnoreDifference, Rules, diff, respecting_ignored};
use object::Object;
use serde_json::{Map, json};
use std::collections::BTreeMap;
use std::sync::Arc;

fn options(expressions: &[&str]) -> DiffOptions {
    let ignore: IgnoreDifference =
        serde_json::from_value(json!({"group": "*", "kind": "*", "jqPathExpressions": expressions}))
            .expect("a rule");
    let rules = Rules::compile(&[ignore], &BTreeMap::new()).expect("a valid rule");
    DiffOptions { rules: Arc::new(rules), ..DiffOptions::default() }
}

fn map(a: &str) -> Object {
    let mut data = Map::new();
    for number in 0..200 {
        data.insert(format!("key-{number}"), json!("value"));
    }
    data.insert("a".into(), json!(a));
    data.insert("nested".into(), json!("[".repeat(100_000)));
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data});
    Object::from_value(object).expect("an object")
}

fn stops(expression: &str) {
    let options = options(&[expression, ".data.b"]);
    let (target, live) = (map("one"), map("two"));
    let stopped = DiffError::Stopped { object: "/ConfigMap//x".into(), expression: expression.into() };
    assert_eq!(diff(Some(&target), Some(&live), &options).expect_err(expression), stopped);
    assert_eq!(respecting_ignored(&target, &live, &options).expect_err(expression), stopped);
    assert!(options.rules.without_ignored(&target).is_some_and(|rest| rest == target), "{expression}");
    assert!(stopped.to_string().contains(&format!("jq path expression {expression:?}")));
}

#[test]
fn texts_without_end() {
    stops(".data[(\"x\" * 10000000000)]");
    stops(".data[(10000000000 * \"x\")]");
    stops(".data | select((.a *= 10000000000).a == 1)");
    stops(&format!(".data[(.data.a | {} .)]", "(. + .) | ".repeat(40)));
    stops(&format!(".data[(.data.a | {} .)]", "\"\\(.)\\(.)\" | ".repeat(40)));
    stops(".data[(reduce .. as $x (\"x\"; . + .))]");
}

#[test]
fn loops_without_end() {
    stops("(.. as $a | .. as $b | .. as $c | .. as $d | .)? | select(false)");
    stops("try (.. as $a | .. as $b | .. as $c | .. as $d | .) catch . | select(false)");
    stops(".. as $a | .. as $b | .. as $c | .. as $d | select(false)");
    stops("select([.data | to_entries | combinations(1000000000)] == [])");
    stops("select(([.data[]] | [[.[], .[]], .[:3]] | [.[0], .[0], .[0], .[0], .[0]] | combinations) == 1)");
    stops("first(.. as $a | .. as $b | .. as $c | .. as $d | select(false))");
    stops("select(any(.. as $a | .. as $b | .. as $c | .. as $d | .; . == 1))");
}

#[test]
fn values_without_end() {
    stops(&format!("select(({} tojson) == 1)", "[., .] | ".repeat(40)));
    stops(&format!("select(({} .) == 1)", "[., .] | ".repeat(40)));
    stops("select((reduce (.. as $a | .. | .) as $x (0; [.])) == 1)");
    stops("select((reduce (.. as $a | .. | .) as $x (1000; . * .)) == 1)");
    stops("select(.data.nested | fromjson == 1)");
}

#[test]
fn quadratic_and_worse() {
    stops("select(([..] | [.[], .[], .[], .[]]) as $x | (.. | .. | $x - $x) == 1)");
    stops("select(([..] | [.[], .[], .[], .[]]) as $x | (.. | .. | $x | contains($x)) == 1)");
    stops(".data[] | select(test(\"((a{1000}){1000}){1000}\"))");
    stops(".data.nested | select(test(\"(\\\\w+){100}\"))");
}

#[test]
fn what_is_asked_in_earnest_is_answered() {
    let answered = |expression: &str, same: bool| {
        let found = diff(Some(&map("one")), Some(&map("two")), &options(&[expression]));
        assert_eq!(found.expect(expression).modified, !same, "{expression}");
    };
    answered(".data.a", true);
    answered(".data | .a, .b", true);
    answered(".data[\"a\"]?", true);
    answered(".data | to_entries[] | .value", false);
    answered(".data | with_entries(select(.key == \"a\"))", false);
    answered("first(.data.a, .data.b)", true);
    answered("limit(2; .data.a, .data.b)", true);
    answered(".data[(.data | keys[] | select(startswith(\"a\")))]", true);
    answered(".data[(.data | to_entries[] | select(.value | test(\"^(one|two)$\")) | .key)]", true);
    answered("select(.metadata.name | contains(\"x\")) | .data.a", true);
    answered(".. | .a?", true);
    answered("paths | select(false)", false);
    answered("if .kind == \"ConfigMap\" then .data.a else .data.b end", true);
    answered(".data.none // .data.a", true);
    answered("getpath([\"data\", \"a\"])", true);
    answered(".data | select(length * 2 - 1 > 100 and (.a | length) + 1 == 4) | .a", true);
    // What fails removes nothing.
    answered(".data.a | error(\"x\")", false);
    answered("(.data.a | stderr_empty), .data.a", false);
}

/// Each is read, compiled and dropped by functions that call themselves.
#[test]
fn expressions_as_deep_as_they_may_be() {
    let deep = |text: &str| {
        let ignore = json!({"group": "*", "kind": "*", "jqPathExpressions": [format!("{text}.")]});
        let ignore: IgnoreDifference = serde_json::from_value(ignore).expect("a rule");
        let Ok(rules) = Rules::compile(&[ignore], &BTreeMap::new()) else { return };
        let options = DiffOptions { rules: Arc::new(rules), ..DiffOptions::default() };
        let _ = diff(Some(&map("one")), Some(&map("two")), &options);
    };
    for part in [
        "(",
        "[",
        "{a:",
        "-",
        ".|",
        ".,",
        ". as $a|",
        "try ",
        "if . then ",
        "label $x|",
        ".+",
        ".and ",
        ".//",
        ".[",
        ".a",
    ] {
        // Up to what is let in, and far beyond.
        for times in [50, 100, 150, 200, 240, 300, 330, 400, 490, 700, 990, 16_000 / part.len()] {
            println!("{part} {times}");
            deep(&part.repeat(times));
        }
    }
}
