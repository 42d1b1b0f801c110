//! What of the recorded objects ours stores otherwise on purpose, place by place; everything else of such an object is
//! compared like any other.

use crate::run::root;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

const LIST: &str = "crates/tools/transcripts/differing-objects.yaml";

/// One place of a recorded object.
struct Place {
    /// A JSON pointer into what was recorded.
    at: String,
    /// What ours has there, unless it has nothing.
    ours: Option<Value>,
    /// The beginning of the point in `docs/differences.md` that says why.
    because: String,
}

/// The places of each object.
pub(super) struct Differing(BTreeMap<String, Vec<Place>>);

impl Differing {
    pub(super) fn read() -> Result<Self> {
        let path = root().join(LIST);
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("read {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let value: Value = object::yaml::decode(text.as_bytes())?;
        let objects = value.as_object().context("a map of objects")?;
        let mut all = BTreeMap::new();
        for (name, places) in objects {
            let places = places.as_array().with_context(|| format!("{name}: a list of places"))?;
            let places = places.iter().map(Place::parse).collect::<Result<Vec<_>>>();
            all.insert(name.clone(), places.with_context(|| name.clone())?);
        }
        Ok(Self(all))
    }

    fn places(&self, file: &str) -> &[Place] {
        self.0.get(file).map_or(&[], Vec::as_slice)
    }

    /// Puts into what was recorded what ours has in its places. A place that is not there is an error.
    pub(super) fn put(&self, file: &str, recorded: &mut Value) -> Result<()> {
        // What is taken out of a list moves what comes after it.
        for place in self.places(file).iter().rev() {
            place.put(recorded).with_context(|| format!("{file}: {}", place.at))?;
        }
        Ok(())
    }

    /// Why the object differs, each reason once.
    pub(super) fn reasons(&self, file: &str) -> Vec<&str> {
        let mut reasons: Vec<&str> = self.places(file).iter().map(|place| place.because.as_str()).collect();
        reasons.dedup();
        reasons
    }
}

impl Place {
    fn parse(value: &Value) -> Result<Self> {
        let text = |name: &str| value[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
        Ok(Self { at: text("at")?, ours: value.get("ours").cloned(), because: text("because")? })
    }

    fn put(&self, recorded: &mut Value) -> Result<()> {
        let (holder, name) = self.at.rsplit_once('/').context("no pointer")?;
        let name = name.replace("~1", "/").replace("~0", "~");
        match (recorded.pointer_mut(holder), &self.ours) {
            (Some(Value::Object(fields)), Some(ours)) => drop(fields.insert(name, ours.clone())),
            (Some(Value::Object(fields)), None) => drop(fields.remove(&name).context("nothing is there")?),
            (Some(Value::Array(items)), ours) => match (name.parse::<usize>(), ours) {
                (Ok(at), Some(ours)) if at < items.len() => items[at] = ours.clone(),
                (Ok(at), None) if at < items.len() => drop(items.remove(at)),
                (Err(_), Some(ours)) if name == "-" => items.push(ours.clone()),
                _ => bail!("nothing is there"),
            },
            _ => bail!("nothing is there"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_reason_begins_a_point_of_the_differences() {
        let text = fs::read_to_string(root().join("docs/differences.md")).unwrap();
        let points = text.replace("\n  ", " ");
        let points: Vec<&str> = points.lines().filter_map(|line| line.strip_prefix("- ")).collect();
        for (name, places) in &Differing::read().unwrap().0 {
            for place in places {
                let known = points.iter().any(|point| point.starts_with(&place.because));
                assert!(known, "{name}: no point begins with {:?}", place.because);
            }
        }
    }

    #[test]
    fn places_are_written_left_out_and_added() {
        let text = "one:\n- {at: /a/b, ours: 2, because: x}\n- {at: /list/0, because: x}\n- {at: /list/-, ours: 9, because: z}\n";
        let differing = Differing::parse(text).unwrap();
        let mut recorded = json!({"a": {"b": 1}, "list": [7, 8]});
        differing.put("one", &mut recorded).unwrap();
        assert_eq!(recorded, json!({"a": {"b": 2}, "list": [8, 9]}));
        assert_eq!(differing.reasons("one"), ["x", "z"]);
        differing.put("another", &mut recorded).unwrap();
        assert!(differing.put("one", &mut json!({"a": 1, "list": [1]})).is_err());
    }
}
