//! Every question of `cases/asked.txt` gets the recorded answer of the original, unless `cases/different.tsv` says why not.

use std::collections::BTreeMap;
use std::sync::Arc;

use expr::{Limits, Program, Value, namespaces};
use jiff::Timestamp;
use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_oneof, proptest};

fn environment() -> BTreeMap<String, Value> {
    let application: serde_json::Value =
        serde_json::from_str(include_str!("../cases/application.json")).expect("a JSON object");
    let unavailable: Arc<namespaces::Lookup> = Arc::new(|_: &str| Err("not here".to_owned()));
    BTreeMap::from([
        ("app".to_owned(), Value::from_json(&application)),
        ("context".to_owned(), Value::texts([("argocdUrl", "https://argocd.example".to_owned())])),
        ("time".to_owned(), namespaces::time(now(), &expr::time::Zone::Utc)),
        ("strings".to_owned(), namespaces::strings()),
        ("repo".to_owned(), namespaces::repo(Arc::clone(&unavailable), unavailable)),
        ("sync".to_owned(), namespaces::sync()),
    ])
}

fn now() -> Timestamp {
    "2024-05-01T12:00:00Z".parse().expect("a time")
}

/// Stage, type and text of an answer.
fn answered(question: &str, environment: &BTreeMap<String, Value>) -> [String; 3] {
    let program = match Program::compile(&question.replace('⏎', "\n")) {
        Ok(program) => program,
        Err(error) => return ["compile".to_owned(), String::new(), error.to_string()],
    };
    match program.run(environment, now(), Limits::default()) {
        Ok(value) => ["value".to_owned(), value.type_name().to_owned(), value.to_string()],
        Err(error) => ["run".to_owned(), String::new(), error.to_string()],
    }
}

/// What the original said: stage, type and text.
fn expected(recorded: &serde_json::Value) -> [String; 3] {
    let text = |key: &str| recorded[key].as_str().unwrap_or_default().to_owned();
    match (&recorded["compile"], &recorded["run"]) {
        (serde_json::Value::String(error), _) => ["compile".to_owned(), String::new(), error.clone()],
        (_, serde_json::Value::String(error)) => ["run".to_owned(), String::new(), error.clone()],
        _ => ["value".to_owned(), text("type"), text("value")],
    }
}

fn check(answers: &str, least: usize) {
    let environment = environment();
    let different: BTreeMap<&str, &str> =
        include_str!("../cases/different.tsv").lines().filter_map(|line| line.rsplit_once('\t')).collect();
    let (mut asked, mut wrong) = (0, Vec::new());
    for line in answers.lines().skip(1) {
        let recorded: serde_json::Value = serde_json::from_str(line).expect("a JSON object");
        let question = recorded["asked"].as_str().expect("a question");
        let (expected, found) = (expected(&recorded), answered(question, &environment));
        asked += 1;
        let function = expected[1].starts_with("func(") && found[1] == "func";
        match (found == expected || function, different.contains_key(question)) {
            (false, false) => {
                wrong.push(format!("{question}\n  expected {expected:?}\n  found    {found:?}"));
            }
            (true, true) => wrong.push(format!("{question}\n  is no longer different")),
            _ => {}
        }
    }
    assert!(asked >= least, "{asked}");
    assert!(wrong.is_empty(), "{} of {asked} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_answers_are_those_of_the_original() {
    check(include_str!("../cases/answers.jsonl"), 900);
}

#[test]
fn generated_questions_are_answered_as_the_original_does() {
    check(include_str!("../cases/generated.jsonl"), 1000);
}

fn run(source: &str, limits: Limits) -> Result<Value, String> {
    let program = Program::compile(source).map_err(|error| error.message)?;
    program.run(&environment(), now(), limits).map_err(|error| error.message)
}

#[test]
fn limits_are_errors() {
    let limits = Limits { steps: 20_000, memory: 10_000 };
    let deep = format!("{}1{}", "(".repeat(5_000), ")".repeat(5_000));
    let chained = vec!["1"; 3_000].join(" - ");
    let steep = format!("{}true", "not ".repeat(5_000));
    for source in [deep.as_str(), chained.as_str(), steep.as_str(), &"[".repeat(3_000), &"1".repeat(100_000)]
    {
        let message = run(source, limits).expect_err("too much");
        assert!(message.contains("compilation failed"), "{message}");
    }
    let doubling = "reduce(1..40, #acc + #acc, \"ab\")";
    assert_eq!(run(doubling, limits).expect_err("too long"), "memory budget exceeded");
    let inside = "reduce(1..5000, [#acc], 0)";
    assert_eq!(run(inside, limits).expect_err("too deep"), "value is nested too deeply");
    let nested = "map(1..100, map(1..100, map(1..100, #)))";
    assert_eq!(run(nested, limits).expect_err("too many"), "memory budget exceeded");
    let counted = "count(1..9000, # * 2 + 1 > 3)";
    assert_eq!(run(counted, limits).expect_err("too long"), "step budget exceeded");
    let elvis = format!("{}true{}", "(".repeat(40), " ?: false)".repeat(40));
    assert!(matches!(run(&elvis, limits), Ok(Value::Bool(true))));
    let comparisons = format!("{}1{}", "(1 < ".repeat(40), " < 2)".repeat(40));
    assert!(run(&comparisons, limits).is_err(), "a truth is no number");
}

#[test]
fn the_deepest_tree_fits_a_small_stack() {
    let sources =
        ["(", "[", "{a: ", "-", "not ", "map([1], ", "1 + (", "true ? (", "len(", "a?.[", "let x = 1; ("];
    let close = |open: &str| match open.trim_start_matches(|it: char| !"([{".contains(it)).chars().next_back()
    {
        Some('(') => ")",
        Some('[') => "]",
        Some('{') => "}",
        _ if open.contains('(') => ")",
        _ if open.contains('{') => "}",
        _ => "",
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    let work = move || {
        for open in sources {
            for depth in [20, 40, 60, 98, 190, 400] {
                let source = format!("{}1{}", open.repeat(depth), close(open).repeat(depth));
                let _ = run(&source, Limits::default());
            }
        }
    };
    thread.spawn(work).expect("a thread").join().expect("no overflow");
}

#[test]
fn information_of_an_operation_is_found() {
    let found = run(r#"sync.GetInfoItem(app, "Reason") + sync.GetInfoItem(app, "Nope")"#, Limits::default());
    assert_eq!(found.expect("a text").to_string(), "release");
    let refused = run(r#"repo.GetCommitMetadata("abc").Author"#, Limits::default());
    assert_eq!(refused.expect_err("nobody to ask"), "not here");
}

/// Pieces that expressions are made of, put together as they come.
fn pieces() -> impl Strategy<Value = String> {
    let known = [
        "app",
        ".",
        "?.",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        "#",
        "1",
        "2.5",
        "\"a\"",
        "'b'",
        "`c`",
        "b'x'",
        "nil",
        "true",
        "not",
        "in",
        "matches",
        "contains",
        "and",
        "||",
        "??",
        "?",
        ":",
        ",",
        ";",
        "let",
        "x",
        "=",
        "if",
        "else",
        "..",
        "+",
        "-",
        "*",
        "**",
        "/",
        "%",
        "==",
        "<",
        "|",
        "map",
        "filter",
        "reduce",
        "sortBy",
        "len",
        "date",
        "duration",
        "time",
        "Now",
        "Format",
        "status",
        "resources",
        "split",
        "replace",
        "repeat",
        "toJSON",
        "get",
        "int",
        "#acc",
        "#index",
        "::",
        "//",
        "/*",
        "\\",
        "é",
        "\n",
        "9223372036854775807",
    ];
    let piece = prop_oneof![8 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => ".{0,3}"];
    prop::collection::vec(piece, 0..25).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_expression_panics(source in prop_oneof![pieces(), any::<String>()]) {
        let _ = run(&source, Limits { steps: 10_000, memory: 10_000 });
    }

    #[test]
    fn no_layout_panics(layout in "[-0-9JanMoFebPMpmMSTZ:., _é]{0,24}", text in ".{0,24}", seconds in any::<i32>()) {
        let moment = expr::time::Time::at(Timestamp::from_second(i64::from(seconds)).expect("a time"));
        let written = expr::time::format(&moment, &layout);
        let _ = expr::time::parse(&layout, &written);
        let _ = expr::time::parse(&layout, &text);
    }
}
