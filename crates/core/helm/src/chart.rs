//! A chart as loaded: shared, never changed.

use crate::error::{Error, MissingDependency};
use crate::lock::{self, Lock};
use crate::metadata::Metadata;
use crate::options::ValuesLimits;
use bytes::Bytes;
use object::yaml;
use serde_json::{Map, Value};
use std::sync::Arc;

/// A file of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path in the chart.
    pub name: String,
    /// What it holds.
    pub data: Bytes,
}

/// A chart and the charts in its `charts/`. Cheap to copy; may be kept and rendered from any thread.
#[derive(Clone, Debug)]
pub struct Chart {
    /// `Chart.yaml`.
    pub metadata: Metadata,
    /// `values.yaml`, its numbers as Go reads them: floats.
    pub values: Arc<Map<String, Value>>,
    /// `values.schema.json`.
    pub schema: Option<Bytes>,
    /// What lies in `templates/`, in the order of the paths.
    pub templates: Arc<[File]>,
    /// Everything else.
    pub files: Arc<[File]>,
    /// `Chart.lock`.
    pub(crate) lock: Option<Arc<Lock>>,
    /// The charts in `charts/`, by the names of their folders or archives.
    pub dependencies: Arc<[Chart]>,
}

impl Chart {
    /// The chart's name.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Dependencies that `Chart.yaml` names and `charts/` lacks, in the versions of `Chart.lock` where there is one.
    /// An error when that was made for other dependencies.
    pub fn missing_dependencies(&self) -> Result<Vec<MissingDependency>, Error> {
        lock::missing(self)
    }

    /// Puts a chart into `charts/`.
    pub fn add_dependency(&mut self, chart: Chart) {
        self.dependencies = self.dependencies.iter().cloned().chain(std::iter::once(chart)).collect();
    }
}

/// Numbers as `encoding/json` decodes them into `interface {}`: every one a float.
pub(crate) fn with_floats(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            number.as_f64().and_then(serde_json::Number::from_f64).map_or(Value::Null, Value::Number)
        }
        Value::Array(items) => Value::Array(items.into_iter().map(with_floats).collect()),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(key, member)| (key, with_floats(member))).collect())
        }
        other => other,
    }
}

/// Reads a values file: a map, or nothing.
pub(crate) fn read_values(text: &[u8], limits: ValuesLimits) -> Result<Map<String, Value>, String> {
    let limits = yaml::Limits { bytes: limits.bytes, nodes: limits.values, ..yaml::Limits::default() };
    match yaml::decode_within(text, &limits).map_err(|error| error.message)? {
        Value::Null => Ok(Map::new()),
        Value::Object(members) => {
            Ok(members.into_iter().map(|(key, member)| (key, with_floats(member))).collect())
        }
        other => {
            let found = match other {
                Value::Bool(_) => "bool",
                Value::Number(_) => "number",
                Value::String(_) => "string",
                _ => "array",
            };
            Err(format!(
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
            ))
        }
    }
}
