//! What children give is what this process would; what they would take is bounded, and what is over the bounds is gone.
//! The test program is its own child. One test at a time: each looks at all children of the process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use evaluator::{Evaluators, Program};
use jsonnet::{JsonnetError, Parameters, Variable};
use source_tree::{MemoryTree, MemoryTreeBuilder, Recorded, TreeError, TreePath};
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const CHILD: &str = "EVALUATOR";
const LIMIT: Duration = Duration::from_secs(60);
const ENDLESS: &str = "local f(n) = if n < 2 then n else f(n - 1) + f(n - 2); f(90)";

static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn serves_where_it_is_a_child() {
    if std::env::var_os(CHILD).is_some() {
        evaluator::serve().unwrap();
    }
}

fn evaluators() -> Evaluators {
    Evaluators::new(Program {
        file: std::env::current_exe().unwrap(),
        arguments: ["--exact", "serves_where_it_is_a_child"].map(str::to_owned).to_vec(),
        environment: BTreeMap::from([(CHILD.to_owned(), "1".to_owned())]),
    })
}

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

fn tree(files: &[(&str, &str)]) -> MemoryTree {
    let files = files.iter();
    let built = files.fold(MemoryTreeBuilder::default(), |tree, (name, text)| {
        tree.file(path(name), (*text).to_owned().into_bytes())
    });
    built.link(path("out"), "../secret").build().unwrap()
}

/// The children of this process: their ids.
fn children() -> Vec<u32> {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let texts = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    texts.flat_map(|text| text.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<_>>()).collect()
}

#[test]
fn a_child_gives_and_reads_what_this_process_would() {
    let _turn = turn();
    let evaluators = evaluators();
    let cases = [
        "{ a: 1, b: std.extVar('text'), c: std.extVar('code') }",
        "function(x, y='z') { x: x, y: y }",
        "import 'beside.libsonnet'",
        "{ text: importstr 'vendored.txt', bytes: importbin 'vendored.txt' }",
        "import 'missing.libsonnet'",
        "{ a: 1 / 0 }",
        "{ a: ",
        "error 'on purpose'",
        "{ assert false : 'asserted' }",
        "importstr '../out'",
        "import '../../climbing'",
        "{ big: std.repeat('x', 3000000), deep: std.foldl(function(a, b) [a], std.range(1, 400), 0) }",
        "local f(n) = f(n + 1); f(0)",
    ];
    let parameters = Parameters {
        external: BTreeMap::from([
            ("text".to_owned(), Variable::Text("words".into())),
            ("code".to_owned(), Variable::Code("[1, import 'beside.libsonnet']".into())),
        ]),
        top_level: BTreeMap::from([("x".to_owned(), Variable::Text("given".into()))]),
        libraries: vec![path("lib"), path("other")],
    };
    for text in cases {
        let files = [
            ("app/main.jsonnet", text),
            ("app/beside.libsonnet", "{ beside: (import 'vendored.libsonnet').value }"),
            ("other/vendored.libsonnet", "{ value: 42 }"),
            ("other/vendored.txt", "öffentlich\n"),
        ];
        let (here, there) = (Recorded::new(tree(&files)), Recorded::new(tree(&files)));
        let file = path("app/main.jsonnet");
        let expected = jsonnet::evaluate(&here, &file, &parameters);
        assert_eq!(evaluators.evaluate(&there, &file, &parameters, LIMIT), expected, "{text}");
        let fingerprint = |tree: &Recorded<MemoryTree>| tree.read_set().map(|reads| reads.fingerprint());
        assert_eq!(fingerprint(&there), fingerprint(&here), "{text}");
    }
    assert_eq!(children().len(), 1, "one child served them all");
    drop(evaluators);
    assert!(children().is_empty(), "it ends with those it serves");
}

#[test]
fn what_a_link_leads_out_to_is_refused_in_the_trees_own_words() {
    let _turn = turn();
    let tree = tree(&[("main.jsonnet", "importstr 'out'")]);
    let told = evaluators().evaluate(&tree, &path("main.jsonnet"), &Parameters::default(), LIMIT);
    assert_eq!(told, Err(JsonnetError::Tree(TreeError::OutOfBounds { link: path("out") })));
}

#[test]
fn what_never_ends_is_ended_and_computes_no_more() {
    let _turn = turn();
    let evaluators = evaluators();
    let tree = tree(&[("main.jsonnet", ENDLESS), ("short.jsonnet", "1 + 1")]);
    let began = Instant::now();
    let limit = Duration::from_secs(1);
    let told = evaluators.evaluate(&tree, &path("main.jsonnet"), &Parameters::default(), limit);
    assert_eq!(
        told.unwrap_err().to_string(),
        "main.jsonnet: stopped, as it takes longer than the limit of 1 s"
    );
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(children().is_empty(), "nothing is left that could compute");
    let short = evaluators.evaluate(&tree, &path("short.jsonnet"), &Parameters::default(), LIMIT);
    assert_eq!(short.unwrap().trim(), "2");
}

#[test]
fn what_takes_too_much_memory_is_ended() {
    let _turn = turn();
    let evaluators = evaluators();
    let doubled = "local f(s, n) = if n == 0 then s else f(s + s, n - 1); std.length(f('x', 40))";
    let tree = tree(&[("main.jsonnet", doubled), ("short.jsonnet", "1 + 1")]);
    let told = evaluators.evaluate(&tree, &path("main.jsonnet"), &Parameters::default(), LIMIT).unwrap_err();
    let expected = "main.jsonnet: stopped, as it needs more than the limit of 1073741824 bytes of memory";
    assert_eq!(told.to_string(), expected);
    assert!(!told.retryable(), "it would need as much again");
    let short = evaluators.evaluate(&tree, &path("short.jsonnet"), &Parameters::default(), LIMIT);
    assert_eq!(short.unwrap().trim(), "2");
}

#[test]
fn what_gives_too_much_text_is_refused() {
    let _turn = turn();
    let tree = tree(&[("main.jsonnet", "local s = std.repeat('x', 60 * 1024 * 1024); [s, s]")]);
    let told = evaluators().evaluate(&tree, &path("main.jsonnet"), &Parameters::default(), LIMIT);
    assert_eq!(told.unwrap_err().to_string(), "main.jsonnet gives more than the limit of 104857600 bytes");
}

#[test]
fn a_child_that_is_gone_is_replaced() {
    let _turn = turn();
    let evaluators = evaluators();
    let tree = tree(&[("short.jsonnet", "1 + 1")]);
    let short = || evaluators.evaluate(&tree, &path("short.jsonnet"), &Parameters::default(), LIMIT);
    assert_eq!(short().unwrap().trim(), "2");
    let [child] = children()[..] else { panic!("there is one child") };
    assert!(Command::new("kill").args(["-s", "KILL", &child.to_string()]).status().unwrap().success());
    assert_eq!(short().unwrap().trim(), "2");
    assert!(!children().contains(&child));
}
