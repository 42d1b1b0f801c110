//! What a render is told besides the chart.

use crate::chart::read_values;
use crate::error::Error;
use crate::strvals;
use gotemplate::Limits;
use serde_json::{Map, Value};

/// The release that is rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its revision.
    pub revision: i64,
    /// Whether it replaces an earlier one.
    pub upgrade: bool,
}

/// A values file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuesFile {
    /// Its name, for messages.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// How much values may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValuesLimits {
    /// Bytes of one text, and of all texts and parameters that the user gives together.
    pub bytes: usize,
    /// Values of one text, aliases expanded, and of all that is merged for a chart and its dependencies.
    pub values: usize,
}

impl Default for ValuesLimits {
    fn default() -> Self {
        Self { bytes: 32 << 20, values: 2_000_000 }
    }
}

/// Everything a render is told besides the chart. Numbers in values files become floats and those of `set` stay
/// whole, as in Helm.
#[derive(Clone, Debug)]
pub struct Options {
    /// The release.
    pub release: Release,
    /// Version of the cluster, as `1.31.0`.
    pub kube_version: String,
    /// API versions the cluster has, besides those Helm always assumes.
    pub api_versions: Vec<String>,
    /// Values files: a later one overrides those before it.
    pub values: Vec<ValuesFile>,
    /// `--set-json`
    pub set_json: Vec<String>,
    /// `--set`
    pub set: Vec<String>,
    /// `--set-string`
    pub set_string: Vec<String>,
    /// `--set-file`: the place, and what the file holds.
    pub set_file: Vec<(String, String)>,
    /// Leaves out what lies in `crds/`.
    pub skip_crds: bool,
    /// Leaves out test hooks.
    pub skip_tests: bool,
    /// Takes values as they are, whatever `values.schema.json` says.
    pub skip_schema_validation: bool,
    /// How much templates may do.
    pub limits: Limits,
    /// How much values may be.
    pub values_limits: ValuesLimits,
}

impl Options {
    /// A render of a release with nothing set.
    pub fn new(name: &str, namespace: &str, kube_version: &str) -> Self {
        Self {
            release: Release { name: name.into(), namespace: namespace.into(), revision: 1, upgrade: false },
            kube_version: kube_version.into(),
            api_versions: Vec::new(),
            values: Vec::new(),
            set_json: Vec::new(),
            set: Vec::new(),
            set_string: Vec::new(),
            set_file: Vec::new(),
            skip_crds: false,
            skip_tests: false,
            skip_schema_validation: false,
            limits: Limits::default(),
            values_limits: ValuesLimits::default(),
        }
    }

    /// Whether what the user says is not too much to be read. Names the largest part of it.
    fn check_size(&self) -> Result<(), Error> {
        let flags =
            [("--set-json", &self.set_json), ("--set", &self.set), ("--set-string", &self.set_string)];
        let flags = flags.into_iter().flat_map(|(flag, texts)| texts.iter().map(move |text| (flag, text)));
        let files = self.values.iter().map(|file| (file.name.as_str(), &file.text));
        let contents = self.set_file.iter().map(|(name, text)| (name.as_str(), text));
        let parts: Vec<(&str, usize)> =
            files.chain(flags).chain(contents).map(|(name, text)| (name, text.len())).collect();
        let limit = self.values_limits.bytes;
        if parts.iter().map(|(_, bytes)| bytes).sum::<usize>() <= limit {
            return Ok(());
        }
        let (name, bytes) = parts.into_iter().max_by_key(|(_, bytes)| *bytes).unwrap_or_default();
        Err(Error::Limit(format!(
            "values files and parameters together are larger than the limit of {limit} bytes; the largest is {name}, of {bytes}"
        )))
    }

    /// All that the user says, merged in Helm's order.
    pub(crate) fn user_values(&self) -> Result<Map<String, Value>, Error> {
        self.check_size()?;
        let mut values = Map::new();
        for file in &self.values {
            let read = read_values(file.text.as_bytes(), self.values_limits)
                .map_err(|error| Error::Values(format!("failed to parse {}: {error}", file.name)))?;
            merge(&mut values, read);
        }
        let failed = |flag: &str| {
            let flag = flag.to_owned();
            move |error: String| Error::Values(format!("failed parsing {flag} data: {error}"))
        };
        for text in &self.set_json {
            strvals::parse_json_into(text, &mut values)
                .map_err(|_| Error::Values(format!("failed parsing --set-json data {text}")))?;
        }
        for text in &self.set {
            strvals::parse_into(text, &mut values).map_err(failed("--set"))?;
        }
        for text in &self.set_string {
            strvals::parse_string_into(text, &mut values).map_err(failed("--set-string"))?;
        }
        for (name, content) in &self.set_file {
            strvals::parse_file_into(name, content, &mut values).map_err(failed("--set-file"))?;
        }
        Ok(values)
    }
}

/// Maps are merged; everything else is replaced, null included.
fn merge(target: &mut Map<String, Value>, source: Map<String, Value>) {
    for (key, value) in source {
        match (target.get_mut(&key), value) {
            (Some(Value::Object(existing)), Value::Object(members)) => merge(existing, members),
            (_, value) => drop(target.insert(key, value)),
        }
    }
}

/// The API versions Helm assumes of every cluster.
pub fn default_api_versions() -> impl Iterator<Item = &'static str> {
    include_str!("api-versions.txt").lines().filter(|line| !line.is_empty())
}
