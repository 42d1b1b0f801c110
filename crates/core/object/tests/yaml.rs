//! YAML against the answers of the library the original uses.

use proptest::prelude::*;
use serde_json::Value;

/// See the README beside it.
const CASES: &str = include_str!("../cases/yaml/sigs-yaml.jsonl");
/// What helm and kustomize wrote for real charts.
const DOCUMENTS: &str = include_str!("../cases/yaml/documents.yaml");

fn cases() -> Vec<Value> {
    CASES.lines().map(|line| serde_json::from_str(line).expect("a case is a JSON line")).collect()
}

#[test]
fn decodes_as_the_original() {
    let mut failures = Vec::new();
    for case in cases() {
        let Some(text) = case["decode"].as_str() else { continue };
        let answer = match object::yaml::decode(text.as_bytes()) {
            Ok(value) => object::to_go_json(&value),
            Err(error) => error.message.replace("error converting YAML to JSON: ", ""),
        };
        let expected = case["json"].as_str().or(case["error"].as_str()).unwrap();
        if answer != expected {
            failures.push(format!("{text:?}\n  expected {expected}\n  found    {answer}"));
        }
    }
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}

/// Characters the original escapes or leaves bare against YAML's own list of printable ones. Ours reads back
/// as the same text, which theirs does not always.
const OTHERWISE_ESCAPED: [char; 4] = ['\u{1f600}', '\u{85}', '\u{2028}', '\u{feff}'];

#[test]
fn encodes_as_the_original() {
    let mut failures = Vec::new();
    for case in cases() {
        let Some(value) = case.get("encode") else { continue };
        let answer = object::yaml::encode(value);
        let Some(expected) = case["yaml"].as_str() else { continue };
        if answer != expected && !value.to_string().contains(OTHERWISE_ESCAPED) {
            failures.push(format!("{value}\n  expected {expected:?}\n  found    {answer:?}"));
        }
        let back = object::yaml::decode(answer.as_bytes()).unwrap();
        if back != *value && object::to_go_json(&back) != object::to_go_json(value) {
            failures.push(format!("{value}\n  reads back as {back}"));
        }
    }
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn documents_read_back() {
    let documents =
        object::yaml::decode_documents(DOCUMENTS.as_bytes(), &object::yaml::Limits::default()).unwrap();
    assert!(documents.len() > 5);
    for document in documents {
        let written = object::yaml::encode(&document.value);
        assert_eq!(object::yaml::decode(written.as_bytes()).unwrap(), document.value, "{written}");
    }
}

#[test]
fn lines_count_from_the_start_of_the_text() {
    let text = b"# first\na: 1\n---\n---\nb: 2\n---\nc: d: e\n";
    let limits = object::yaml::Limits::default();
    let error = object::yaml::decode_documents(text, &limits).unwrap_err();
    assert_eq!(error.line, Some(7));
    assert_eq!(
        error.to_string(),
        "error converting YAML to JSON: yaml: mapping values are not allowed in this context"
    );
    let documents = object::yaml::decode_documents(&text[..text.len() - 12], &limits).unwrap();
    assert_eq!(documents.iter().map(|document| document.line).collect::<Vec<_>>(), [1, 4]);
}

#[test]
fn limits_hold() {
    use object::yaml::{Limits, decode, decode_documents};
    let mut laughs = String::from("a: &a [x,x,x,x,x,x,x,x,x]\n");
    for (name, last) in ('b'..='z').zip('a'..) {
        laughs.push_str(&format!(
            "{name}: &{name} [*{last},*{last},*{last},*{last},*{last},*{last},*{last},*{last},*{last}]\n"
        ));
    }
    let error = decode(laughs.as_bytes()).unwrap_err();
    assert!(error.message.contains("excessive aliasing"), "{error}");
    let deep = "[".repeat(100_000);
    assert!(decode(deep.as_bytes()).unwrap_err().message.contains("nested deeper"));
    let many = "a: 1\n---\n".repeat(10);
    let limits = Limits { documents: 5, ..Limits::default() };
    assert!(decode_documents(many.as_bytes(), &limits).unwrap_err().message.contains("documents"));
    let limits = Limits { bytes: 5, ..Limits::default() };
    assert!(decode_documents(many.as_bytes(), &limits).unwrap_err().message.contains("larger"));
    let limits = Limits { nodes: 5, ..Limits::default() };
    assert!(decode_documents(b"[1,2,3,4,5,6]", &limits).unwrap_err().message.contains("values"));
}

/// Text that is likely to reach deep into the scanner.
fn yaml_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("a: "),
        Just("- "),
        Just("\n"),
        Just("  "),
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just("&x "),
        Just("*x"),
        Just("!!int "),
        Just("!<a"),
        Just("!t,"),
        Just("|\n"),
        Just(">-\n"),
        Just("\""),
        Just("'"),
        Just("\\"),
        Just("#"),
        Just("? "),
        Just(": "),
        Just("<<: "),
        Just("%TAG ! x"),
        Just("---"),
        Just("..."),
        Just("\t"),
        Just("1"),
        Just("\u{feff}"),
        Just("é"),
        Just("\r"),
        Just("\0"),
        Just("@"),
        Just("\\x4"),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = object::yaml::decode_documents(&bytes, &object::yaml::Limits::default());
    }

    #[test]
    fn yaml_like_text_is_answered_and_reads_back(text in yaml_like()) {
        if let Ok(value) = object::yaml::decode(text.as_bytes()) {
            let written = object::yaml::encode(&value);
            prop_assert_eq!(object::yaml::decode(written.as_bytes()), Ok(value), "{}", written);
        }
    }

    #[test]
    fn any_text_reads_back(text in any::<String>(), name in any::<String>()) {
        let value = serde_json::json!({ name: [text, 1.5, null] });
        let written = object::yaml::encode(&value);
        prop_assert_eq!(object::yaml::decode(written.as_bytes()), Ok(value), "{}", written);
    }
}
