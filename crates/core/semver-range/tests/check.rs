//! Every answer the originals' library gave, asked again of ours.

use semver_range::{Range, Version, highest};

const ANSWERS: &str = include_str!("../cases/answers.tsv");

fn unquote(field: &str) -> String {
    field.trim_start_matches('"').trim_end_matches('"').replace("\\\"", "\"")
}

#[test]
fn answers_equal_the_recorded_ones() {
    let mut versions: Vec<(String, Version)> = Vec::new();
    let mut failures = Vec::new();
    for line in ANSWERS.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields.as_slice() {
            ["version", text, expected] => {
                let text = unquote(text);
                let version = Version::parse(&text);
                let shown = version.as_ref().map_or_else(|_| "invalid".to_owned(), ToString::to_string);
                if shown != *expected {
                    failures.push(format!("version {text:?}: {shown}, recorded {expected}"));
                }
                versions.extend(version.map(|version| (text, version)));
            }
            ["order", low, sign, high] => {
                let (low, high) = (Version::parse(low).unwrap(), Version::parse(high).unwrap());
                if (*sign == "<") != (low < high) || (*sign == "=") != (low == high) {
                    failures.push(format!("order {low} {sign} {high}"));
                }
            }
            ["range", text, expected] => {
                let text = unquote(text);
                let shown = match Range::parse(&text) {
                    Err(_) => "invalid".to_owned(),
                    Ok(range) => {
                        versions.sort_by(|left, right| left.1.cmp(&right.1));
                        let inside: Vec<&str> = versions
                            .iter()
                            .filter(|(_, version)| range.contains(version))
                            .map(|(text, _)| text.as_str())
                            .collect();
                        inside.join(" ")
                    }
                };
                if shown != *expected {
                    failures.push(format!("range {text:?}:\n   ours     {shown}\n   recorded {expected}"));
                }
            }
            _ => failures.push(format!("unreadable line {line:?}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(ANSWERS.lines().count() > 150, "the table is there");
}

#[test]
fn the_highest_candidate_keeps_its_spelling() {
    let tags = ["v1.2", "release", "v1.10.0", "1.9.9", "v2.0.0-rc.1", "v2"];
    let pick = |range: &str| highest(&Range::parse(range).unwrap(), tags);
    assert_eq!(pick("1.x"), Some("v1.10.0"));
    assert_eq!(pick("~1.2"), Some("v1.2"));
    assert_eq!(pick("*"), Some("v2"));
    assert_eq!(pick("<2.0.0-z >1.99.0-a"), Some("v2.0.0-rc.1"));
    assert_eq!(pick(">=3"), None);
}

proptest::proptest! {
    #[test]
    fn any_text_is_an_answer_never_a_panic(text in "[0-9xX*.v<>=!~^|, a-c+\n-]{0,24}") {
        let version = Version::parse("1.2.3-rc.1").unwrap();
        if let Ok(range) = Range::parse(&text) {
            range.contains(&version);
        }
    }
}
