//! Templates with the recorded answers of Helm's engine: see `cases/recorder`. `CASES` names another file to run.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the cases are files, and how many agree is told"
)]

use gotemplate::{Element, Functions, Limits, Map, MapType, MissingKey, Outside, Templates, Text, Value};
use std::collections::BTreeMap;
use std::path::PathBuf;

struct World;

impl Outside for World {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn random(&mut self, buffer: &mut [u8]) -> Result<(), String> {
        for (index, byte) in buffer.iter_mut().enumerate() {
            *byte = u8::try_from(index * 73 % 251).unwrap();
        }
        Ok(())
    }
}

fn run(case: &serde_json::Value, shared: &serde_json::Value) -> Result<String, String> {
    let values = case.get("values").unwrap_or(shared);
    let mut templates = Templates::new(Functions::helm());
    let name = "x/templates/case.yaml";
    for (partial, text) in case["partials"].as_object().into_iter().flatten() {
        templates
            .parse(&format!("x/templates/{partial}"), text.as_str().unwrap())
            .map_err(|error| error.to_string())?;
    }
    templates.parse(name, case["template"].as_str().unwrap()).map_err(|error| error.to_string())?;
    let Value::Map(values) = Value::from_json(values) else { panic!("values are a map") };
    static VALUES: MapType =
        MapType { name: "chartutil.Values", methods: &[], call: |_, _, _| Err("no methods".into()) };
    let values = Map::of(Element::Any, Some(&VALUES), values.entries().into_iter().collect());
    let release = Map::any(BTreeMap::from([(Text::from("Name"), Value::from("rel"))]));
    let data = Map::any(BTreeMap::from([(Text::from("Values"), values), (Text::from("Release"), release)]));
    let text = templates
        .execute(name, &data, &mut World, MissingKey::Zero, Limits::default())
        .map_err(|error| error.to_string())?;
    Ok(text.replace("<no value>", ""))
}

#[test]
fn templates_answer_as_recorded() {
    let cases = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("cases/answers.jsonl");
    let path = std::env::var_os("CASES").map_or(cases, PathBuf::from);
    let text = std::fs::read_to_string(path).unwrap();
    let values =
        std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("cases/values.json")).unwrap();
    let values: serde_json::Value = serde_json::from_str(&values).unwrap();
    let (mut total, mut words, mut errors) = (0, 0, 0);
    let mut failed = Vec::new();
    for line in text.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        total += 1;
        let (expected, wanted) = (case["expected"].as_str(), case["error"].as_str());
        let got = run(&case, &values);
        let template = &case["template"];
        match (&got, expected) {
            (Ok(got), Some(expected)) if got == expected => {}
            (Err(message), None) => {
                errors += 1;
                if Some(message.as_str()) == wanted {
                    words += 1;
                } else if std::env::var_os("CASES").is_some() {
                    println!("WORDS {template}\n  ours   {message}\n  theirs {}", wanted.unwrap_or_default());
                }
            }
            _ => failed.push(format!("{template}\n  ours   {got:?}\n  theirs {expected:?} {wanted:?}")),
        }
    }
    println!("{total} cases, {} differ; {words} of {errors} errors word for word", failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
