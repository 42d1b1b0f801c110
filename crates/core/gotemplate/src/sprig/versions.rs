//! Semantic versions.

use super::text;
use crate::functions::Line;
use crate::value::{Object, Value};
use semver_range::{Range, Version};
use std::cmp::Ordering;
use std::rc::Rc;

pub(super) const LINES: &[Line] = &[
    ("semver", "s", |_, a| version(&text(a, 0).to_str())),
    ("semverCompare", "ss", |_, a| {
        let (range, candidate) = (text(a, 0), text(a, 1));
        let range =
            Range::parse(&range.to_str()).map_err(|_| format!("improper constraint: {}", range.to_str()))?;
        let candidate = Version::parse(&candidate.to_str()).map_err(|_| INVALID.to_owned())?;
        Ok(Value::Bool(range.contains(&candidate)))
    }),
];

const INVALID: &str = "invalid semantic version";

fn version(text: &str) -> Result<Value, String> {
    let version = Version::parse(text).map_err(|_| INVALID.to_owned())?;
    Ok(Value::Object(Rc::new(Semver { version, original: text.to_owned() })))
}

struct Semver {
    version: Version,
    original: String,
}

impl Semver {
    fn compare(&self, arguments: &[Value]) -> Result<Ordering, String> {
        let other = match arguments {
            [Value::Object(other)] => other.text().and_then(|text| Version::parse(&text).ok()),
            _ => None,
        };
        let other = other.ok_or("wrong type for value; expected *semver.Version")?;
        Ok(self.version.cmp(&other))
    }

    fn next(&self, numbers: [u64; 3]) -> Value {
        let [major, minor, patch] = numbers;
        let mark = if self.original.starts_with('v') { "v" } else { "" };
        let version = Version { major, minor, patch, prerelease: String::new(), metadata: String::new() };
        let original = format!("{mark}{version}");
        Value::Object(Rc::new(Self { version, original }))
    }
}

impl Object for Semver {
    fn type_name(&self) -> &'static str {
        "*semver.Version"
    }

    fn kind(&self) -> &'static str {
        "ptr"
    }

    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        let version = &self.version;
        let (major, minor, patch) = (version.major, version.minor, version.patch);
        let told = |answer: fn(Ordering) -> bool| {
            Some(self.compare(arguments).map(|order| Value::Bool(answer(order))))
        };
        match name {
            "Major" => Some(Ok(Value::Uint64(major))),
            "Minor" => Some(Ok(Value::Uint64(minor))),
            "Patch" => Some(Ok(Value::Uint64(patch))),
            "Prerelease" => Some(Ok(Value::text(version.prerelease.as_str()))),
            "Metadata" => Some(Ok(Value::text(version.metadata.as_str()))),
            "Original" => Some(Ok(Value::text(self.original.as_str()))),
            "String" => Some(Ok(Value::text(version.to_string()))),
            "Compare" => Some(self.compare(arguments).map(|order| Value::Int(order as i64))),
            "LessThan" => told(Ordering::is_lt),
            "LessThanEqual" => told(Ordering::is_le),
            "GreaterThan" => told(Ordering::is_gt),
            "GreaterThanEqual" => told(Ordering::is_ge),
            "Equal" => told(Ordering::is_eq),
            "IncMajor" => Some(Ok(self.next([major.wrapping_add(1), 0, 0]))),
            "IncMinor" => Some(Ok(self.next([major, minor.wrapping_add(1), 0]))),
            "IncPatch" => {
                let step = u64::from(!version.is_prerelease());
                Some(Ok(self.next([major, minor, patch.wrapping_add(step)])))
            }
            _ => None,
        }
    }

    fn text(&self) -> Option<String> {
        Some(self.version.to_string())
    }

    fn json(&self) -> Value {
        Value::text(self.version.to_string())
    }
}
