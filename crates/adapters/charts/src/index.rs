//! `index.yaml`: which charts a repository has, in which versions, and where they lie.

use crate::ChartError;
use libyaml_safer::{Event, EventData, Parser};
use semver_range::{Range, Version, highest};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::panic::AssertUnwindSafe;

/// Versions of all charts together.
const MOST_VERSIONS: usize = 1_000_000;
/// What is kept of an index, in bytes of text.
const MOST_KEPT: usize = 256 << 20;
/// Addresses kept of one version; only the first is used.
const MOST_ADDRESSES: usize = 4;

/// One version of a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Listed {
    /// As it is spelled.
    pub version: String,
    /// Where it lies: whole addresses, or relative to the repository.
    pub urls: Vec<String>,
    /// Digest of the archive, where one is told.
    pub digest: String,
}

/// What a repository lists, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Index {
    #[serde(default)]
    entries: BTreeMap<String, Vec<Listed>>,
}

impl Index {
    /// Reads an index as it comes.
    pub fn read(text: impl Read) -> Result<Self, ChartError> {
        let mut text = BufReader::new(text);
        let invalid = |cause: String| ChartError::InvalidIndex(cause);
        let first = text.fill_buf().map_err(|error| invalid(error.to_string()))?;
        let json = first.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let mut index = if json {
            serde_json::from_reader(text).map_err(|error| invalid(error.to_string()))?
        } else {
            // The event parser keeps a few assertions of its own. Text from outside must never end the process.
            let read = std::panic::catch_unwind(AssertUnwindSafe(|| Reading::new(text).index()));
            read.unwrap_or_else(|_| Err("yaml: unknown problem parsing YAML content".into()))
                .map_err(invalid)?
        };
        index.entries.values_mut().for_each(|versions| versions.retain(|listed| !listed.version.is_empty()));
        Ok(index)
    }

    /// Charts with their versions, in the order of names; versions in the order of the index.
    pub fn charts(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.entries.iter().map(|(name, versions)| {
            (name.as_str(), versions.iter().map(|listed| listed.version.as_str()).collect())
        })
    }

    /// The version a revision means: itself when it is one, else the highest that satisfies it.
    pub fn resolve(&self, chart: &str, revision: &str) -> Result<String, ChartError> {
        if Version::parse(revision).is_ok() {
            return Ok(revision.to_owned());
        }
        let versions = self.versions(chart).ok_or_else(|| ChartError::UnknownChart(chart.to_owned()))?;
        let tags: Vec<&str> = versions.iter().map(|listed| listed.version.as_str()).collect();
        newest(revision, &tags).map_err(ChartError::NoVersion)
    }

    /// What is listed under a version: that spelling, else what Helm makes of it as a constraint.
    pub fn find(&self, chart: &str, version: &str) -> Option<&Listed> {
        let versions = self.versions(chart)?;
        if let Some(exact) = versions.iter().find(|listed| !version.is_empty() && listed.version == version) {
            return Some(exact);
        }
        let range = Range::parse(if version.is_empty() { "*" } else { version }).ok()?;
        let found = highest(&range, versions.iter().map(|listed| listed.version.as_str()))?;
        versions.iter().find(|listed| listed.version == found)
    }

    /// How much memory it takes, about.
    pub(crate) fn weight(&self) -> usize {
        let of = |listed: &Listed| {
            96 + listed.version.len() + listed.urls.iter().map(|url| 24 + url.len()).sum::<usize>()
        };
        self.entries.iter().map(|(name, versions)| name.len() + versions.iter().map(of).sum::<usize>()).sum()
    }

    fn versions(&self, chart: &str) -> Option<&[Listed]> {
        self.entries.get(chart).map(Vec::as_slice).filter(|versions| !versions.is_empty())
    }
}

/// The tag a constraint means: the highest version in it, or the tag of exactly that name. Else why there is none,
/// in the original's words.
fn newest(revision: &str, tags: &[&str]) -> Result<String, String> {
    let range = match Range::parse(revision) {
        Ok(range) => range,
        Err(_) if tags.contains(&revision) => return Ok(revision.to_owned()),
        Err(error) => return Err(format!("failed to determine semver constraint: {error}")),
    };
    let found = highest(&range, tags.iter().copied());
    found
        .map(str::to_owned)
        .ok_or_else(|| format!("version matching constraint not found in {} tags", tags.len()))
}

struct Reading<R: Read> {
    parser: Parser<BufReader<R>>,
    versions: usize,
    kept: usize,
}

impl<R: Read> Reading<R> {
    fn new(text: BufReader<R>) -> Self {
        let mut parser = Parser::new();
        parser.set_encoding(libyaml_safer::Encoding::Utf8);
        parser.set_input(text);
        Self { parser, versions: 0, kept: 0 }
    }

    fn index(mut self) -> Result<Index, String> {
        let mut index = Index::default();
        loop {
            match self.event()?.data {
                EventData::StreamStart { .. } | EventData::DocumentStart { .. } => {}
                EventData::MappingStart { .. } => break,
                EventData::StreamEnd => return Ok(index),
                _ => return Err("the index is no map".into()),
            }
        }
        while let Some(key) = self.key()? {
            if key != "entries" {
                self.skip()?;
                continue;
            }
            match self.event()?.data {
                EventData::MappingStart { .. } => self.entries(&mut index)?,
                other => self.skip_from(&other)?,
            }
        }
        Ok(index)
    }

    fn entries(&mut self, index: &mut Index) -> Result<(), String> {
        while let Some(name) = self.key()? {
            match self.event()?.data {
                EventData::SequenceStart { .. } => {
                    let versions = self.chart()?;
                    self.keep(name.len())?;
                    index.entries.insert(name, versions);
                }
                other => self.skip_from(&other)?,
            }
        }
        Ok(())
    }

    fn chart(&mut self) -> Result<Vec<Listed>, String> {
        let mut versions = Vec::new();
        loop {
            match self.event()?.data {
                EventData::SequenceEnd => return Ok(versions),
                EventData::MappingStart { .. } => {
                    self.versions += 1;
                    if self.versions > MOST_VERSIONS {
                        return Err(format!("the index lists more than {MOST_VERSIONS} versions"));
                    }
                    let listed = self.listed()?;
                    self.keep(listed.version.len() + listed.urls.iter().map(String::len).sum::<usize>())?;
                    versions.push(listed);
                }
                other => self.skip_from(&other)?,
            }
        }
    }

    fn listed(&mut self) -> Result<Listed, String> {
        let mut listed = Listed::default();
        while let Some(key) = self.key()? {
            match (key.as_str(), self.event()?.data) {
                ("version", EventData::Scalar { value, .. }) => listed.version = value,
                ("digest", EventData::Scalar { value, .. }) => listed.digest = value,
                ("urls", EventData::SequenceStart { .. }) => loop {
                    match self.event()?.data {
                        EventData::SequenceEnd => break,
                        EventData::Scalar { value, .. } if listed.urls.len() < MOST_ADDRESSES => {
                            listed.urls.push(value);
                        }
                        other => self.skip_from(&other)?,
                    }
                },
                (_, other) => self.skip_from(&other)?,
            }
        }
        Ok(listed)
    }

    /// The next key of a map; none at its end.
    fn key(&mut self) -> Result<Option<String>, String> {
        loop {
            match self.event()?.data {
                EventData::MappingEnd => return Ok(None),
                EventData::Scalar { value, .. } => return Ok(Some(value)),
                // A key that is no text, with its value.
                other => {
                    self.skip_from(&other)?;
                    self.skip()?;
                }
            }
        }
    }

    fn skip(&mut self) -> Result<(), String> {
        let data = self.event()?.data;
        self.skip_from(&data)
    }

    /// Passes over the value that began with an event.
    fn skip_from(&mut self, first: &EventData) -> Result<(), String> {
        let step = |data: &EventData| match data {
            EventData::MappingStart { .. } | EventData::SequenceStart { .. } => 1_i64,
            EventData::MappingEnd | EventData::SequenceEnd => -1,
            _ => 0,
        };
        let mut depth = step(first);
        while depth > 0 {
            depth += step(&self.event()?.data);
        }
        Ok(())
    }

    fn event(&mut self) -> Result<Event, String> {
        self.parser.parse().map_err(|error| format!("yaml: {error}"))
    }

    fn keep(&mut self, bytes: usize) -> Result<(), String> {
        self.kept += bytes;
        if self.kept > MOST_KEPT {
            return Err(format!("the index lists more than {MOST_KEPT} bytes of names and addresses"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = "apiVersion: v1\nentries:\n  db:\n  - {version: 2.0.0, urls: [db-2.0.0.tgz], name: db}\n  - version: 1.5.0\n    created: 2020-01-01\n    annotations: {a: [1, {b: c}]}\n    urls:\n    - https://cdn.example/db-1.5.0.tgz\n    - https://other.example/db.tgz\n    digest: abc\n  - {version: 1.4.0, urls: [db-1.4.0.tgz]}\n  - {version: 3.0.0-rc.1, urls: [db-3.tgz]}\n  - {urls: [nameless.tgz]}\n  odd: text\n  empty: []\ngenerated: now\n";

    #[test]
    fn the_newest_version_that_fits_is_found() {
        let index = Index::read(INDEX.as_bytes()).unwrap();
        let at = |version: &str| index.find("db", version).map(|listed| listed.urls[0].as_str());
        assert_eq!(at("^1.0"), Some("https://cdn.example/db-1.5.0.tgz"));
        assert_eq!(at("1.4.0"), Some("db-1.4.0.tgz"));
        assert_eq!(at("1.4"), Some("db-1.4.0.tgz"));
        assert_eq!(at(""), Some("db-2.0.0.tgz"));
        assert_eq!(at("3.0.0-rc.1"), Some("db-3.tgz"));
        assert_eq!(at("3.x"), None);
        assert_eq!(at("nonsense"), None);
        assert!(index.find("no", "1.x").is_none());
        assert_eq!(index.charts().next(), Some(("db", vec!["2.0.0", "1.5.0", "1.4.0", "3.0.0-rc.1"])));
    }

    #[test]
    fn revisions_mean_what_the_original_says() {
        let index = Index::read(INDEX.as_bytes()).unwrap();
        let of =
            |chart: &str, revision: &str| index.resolve(chart, revision).map_err(|error| error.to_string());
        assert_eq!(of("db", "1.4.0").unwrap(), "1.4.0");
        // A version is believed; that it is there shows when it is fetched.
        assert_eq!(of("db", "9.9.9").unwrap(), "9.9.9");
        assert_eq!(of("db", "1.x").unwrap(), "1.5.0");
        assert_eq!(of("db", "*").unwrap(), "2.0.0");
        assert_eq!(of("db", ">=3.0.0-0").unwrap(), "3.0.0-rc.1");
        assert_eq!(
            of("db", "^7").unwrap_err(),
            "invalid revision: version matching constraint not found in 4 tags"
        );
        assert!(
            of("db", "main")
                .unwrap_err()
                .starts_with("invalid revision: failed to determine semver constraint: ")
        );
        assert_eq!(of("no", "1.x").unwrap_err(), "chart 'no' not found in index");
        assert_eq!(of("empty", "1.x").unwrap_err(), "chart 'empty' not found in index");
    }

    #[test]
    fn json_is_read_too_tabs_and_all() {
        let text =
            "{\n\t\"entries\": {\"db\": [{\"version\": \"1.0.0\", \"urls\": [\"a.tgz\"], \"home\": 1}]}}";
        let index = Index::read(text.as_bytes()).unwrap();
        assert_eq!(index.find("db", "1.0.0").unwrap().urls, ["a.tgz"]);
    }

    #[test]
    fn what_is_no_index_is_an_error() {
        for text in ["- a\n", "text", "entries: {a: [", "{\"entries\": 3}", "entries:\n\t- x", "%", "&a *a"] {
            assert!(Index::read(text.as_bytes()).is_err(), "{text:?}");
        }
        assert_eq!(Index::read(&b""[..]).unwrap(), Index::default());
        assert_eq!(Index::read(&b"entries: 7"[..]).unwrap(), Index::default());
    }
}
