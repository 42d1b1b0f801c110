//! How ours compares with the original, for one input.

use anyhow::Context;
use serde_json::Value;
use std::collections::BTreeSet;

/// Of the places that differ, so many are told.
const SHOWN_PLACES: usize = 6;
/// Of a value, so much is shown.
const SHOWN_LETTERS: usize = 300;

/// What came of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The same; the texts, too, or the first lines of the errors.
    Equal { exactly: bool },
    /// Both accept, and what comes out differs.
    Different(String),
    /// The original refuses.
    WronglyAccepted(String),
    /// The original accepts.
    WronglyRefused(String),
}

impl Answer {
    /// What is wrong, if anything.
    pub(crate) fn problem(&self) -> Option<String> {
        match self {
            Self::Equal { .. } => None,
            Self::Different(text) => Some(format!("different\n{text}")),
            Self::WronglyAccepted(text) => Some(format!("wrongly accepted: the original says {text}")),
            Self::WronglyRefused(text) => Some(format!("wrongly refused: {text}")),
        }
    }

    /// Errors on both sides agree; their first lines may, too.
    pub(crate) fn of_errors(ours: &str, theirs: &str) -> Self {
        Self::Equal { exactly: ours.lines().next() == theirs.lines().next() }
    }

    /// Values agree, or their differences are told.
    pub(crate) fn of_values(ours: &Value, theirs: &Value, exactly: bool) -> Self {
        let mut places = Vec::new();
        differences(ours, theirs, "", &mut places);
        if places.is_empty() {
            return Self::Equal { exactly };
        }
        let more = places.len().saturating_sub(SHOWN_PLACES);
        places.truncate(SHOWN_PLACES);
        if more > 0 {
            places.push(format!("and {more} more"));
        }
        Self::Different(places.join("\n"))
    }

    /// Texts of manifests hold the same documents in the same order.
    pub(crate) fn of_manifests(ours: &str, theirs: &str) -> anyhow::Result<Self> {
        let exactly = ours == theirs;
        let theirs = documents(theirs).context("read what the original made")?;
        Ok(match documents(ours) {
            Ok(ours) => Self::of_values(&Value::Array(ours), &Value::Array(theirs), exactly),
            Err(error) => Self::Different(format!("ours is no YAML: {error}")),
        })
    }

    /// Whether ours differs only where two answers of the original to the same input differ, too.
    pub(crate) fn varies(ours: &str, first: &str, again: &str) -> bool {
        let (Ok(ours), Ok(first), Ok(again)) = (documents(ours), documents(first), documents(again)) else {
            return false;
        };
        let places = |other: Vec<Value>| {
            let mut places = Vec::new();
            differences(&Value::Array(other), &Value::Array(first.clone()), "", &mut places);
            let path = |place: String| place.split(": ours ").next().unwrap_or_default().to_owned();
            places.into_iter().map(path).collect::<BTreeSet<String>>()
        };
        places(ours).is_subset(&places(again))
    }

    /// Texts are the same to the byte, or not.
    pub(crate) fn of_texts(ours: &str, theirs: &str) -> Self {
        if ours == theirs {
            return Self::Equal { exactly: true };
        }
        Self::Different(format!("ours   {ours:?}\ntheirs {theirs:?}"))
    }
}

fn differences(ours: &Value, theirs: &Value, path: &str, places: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for key in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
                match (ours.get(key), theirs.get(key)) {
                    (Some(ours), Some(theirs)) => differences(ours, theirs, &format!("{path}/{key}"), places),
                    (Some(ours), None) => {
                        places.push(format!("{path}/{key}: ours {}, theirs nothing", short(ours)));
                    }
                    (None, theirs) => places.push(format!(
                        "{path}/{key}: ours nothing, theirs {}",
                        short(theirs.unwrap_or(&Value::Null))
                    )),
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                differences(ours, theirs, &format!("{path}/{index}"), places);
            }
        }
        _ if ours != theirs => places.push(format!("{path}: ours {}, theirs {}", short(ours), short(theirs))),
        _ => {}
    }
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(SHOWN_LETTERS).collect()
}

/// The documents of a text that are not empty.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>, object::yaml::YamlError> {
    let documents = object::yaml::decode_documents(text.as_bytes(), &object::yaml::Limits::default())?;
    Ok(documents.into_iter().map(|document| document.value).filter(|value| !value.is_null()).collect())
}

#[cfg(test)]
mod tests {
    use super::Answer;
    use serde_json::json;

    #[test]
    fn every_kind_of_difference_is_told() {
        let ours = json!([{"a": 1, "b": [1, 2], "only": null}]);
        let theirs = json!([{"a": 2, "b": [1], "other": null}]);
        let Answer::Different(text) = Answer::of_values(&ours, &theirs, false) else { panic!("they differ") };
        let expected = "/0/a: ours 1, theirs 2\n/0/b: ours [1,2], theirs [1]\n/0/only: ours null, theirs nothing\n\
                        /0/other: ours nothing, theirs null";
        assert_eq!(text, expected);
        assert_eq!(Answer::of_values(&ours, &ours, true), Answer::Equal { exactly: true });
    }
}
