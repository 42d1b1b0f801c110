//! `plugin.yaml`: what the plugin is called and which commands it consists of.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use wire::repository::ParameterAnnouncement;

const FILE: &str = "plugin.yaml";
const KIND: &str = "ConfigManagementPlugin";

/// Why `plugin.yaml` cannot be used. The words after "invalid" are the original's.
#[derive(Debug, thiserror::Error)]
pub enum InvalidConfiguration {
    /// It cannot be read.
    #[error("read {path}: {error}")]
    Read {
        /// The file.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// It is no such file.
    #[error("read {path}: {reason}")]
    Parse {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A field has a value that cannot be.
    #[error("invalid plugin configuration file. {0}")]
    Field(String),
}

/// A plugin's configuration.
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    pub(crate) name: String,
    pub(crate) spec: Spec,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Document {
    kind: String,
    metadata: Metadata,
    spec: Spec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Spec {
    pub(crate) version: String,
    pub(crate) init: Command,
    pub(crate) generate: Command,
    pub(crate) discover: Discover,
    pub(crate) parameters: Parameters,
    pub(crate) preserve_file_mode: bool,
    pub(crate) provide_git_creds: bool,
}

/// A program and its arguments.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Command {
    #[serde(deserialize_with = "list")]
    pub(crate) command: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) args: Vec<String>,
}

impl Command {
    pub(crate) fn is_given(&self) -> bool {
        !self.command.is_empty()
    }

    /// The program and its arguments in one row.
    pub(crate) fn words(&self) -> Vec<&str> {
        self.command.iter().chain(&self.args).map(String::as_str).collect()
    }
}

/// How the plugin tells whether it takes a folder.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Discover {
    pub(crate) find: Find,
    pub(crate) file_name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Find {
    pub(crate) glob: String,
    #[serde(flatten)]
    pub(crate) command: Command,
}

impl Discover {
    pub(crate) fn is_configured(&self) -> bool {
        !self.file_name.is_empty() || !self.find.glob.is_empty() || self.find.command.is_given()
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parameters {
    #[serde(rename = "static", deserialize_with = "list")]
    pub(crate) fixed: Vec<Announcement>,
    pub(crate) dynamic: Command,
}

/// A parameter the plugin knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Announcement {
    name: String,
    title: String,
    tooltip: String,
    required: bool,
    item_type: String,
    collection_type: String,
    string: String,
    #[serde(deserialize_with = "list")]
    array: Vec<String>,
    map: Option<BTreeMap<String, String>>,
}

impl From<Announcement> for ParameterAnnouncement {
    fn from(from: Announcement) -> Self {
        Self {
            name: from.name,
            title: from.title,
            tooltip: from.tooltip,
            required: from.required,
            item_type: from.item_type,
            collection_type: from.collection_type,
            string: from.string,
            array: from.array,
            map: from.map.unwrap_or_default(),
        }
    }
}

/// A list that may be written as `null`.
fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Configuration {
    /// Reads `plugin.yaml` of a folder.
    pub fn read(folder: &Path) -> Result<Self, InvalidConfiguration> {
        let file = folder.join(FILE);
        let path = file.display().to_string();
        let text =
            std::fs::read(&file).map_err(|error| InvalidConfiguration::Read { path: path.clone(), error })?;
        Self::parse(&text, &path)
    }

    /// Reads the text of a `plugin.yaml`.
    pub fn parse(text: &[u8], path: &str) -> Result<Self, InvalidConfiguration> {
        let wrong = |reason: String| InvalidConfiguration::Parse { path: path.to_owned(), reason };
        let value = object::yaml::decode(text).map_err(|error| wrong(error.to_string()))?;
        let value = if value.is_null() { serde_json::json!({}) } else { value };
        let document: Document = serde_json::from_value(value).map_err(|error| wrong(error.to_string()))?;
        let Document { kind, metadata: Metadata { name }, spec } = document;
        let refuse = |reason: String| Err(InvalidConfiguration::Field(reason));
        if name.is_empty() {
            return refuse("metadata.name should be non-empty.".into());
        }
        if kind != KIND {
            return refuse(format!("kind should be {KIND}, found {kind}"));
        }
        if !spec.generate.is_given() {
            return refuse("spec.generate command should be non-empty".into());
        }
        // Both become the name of a file.
        for (field, value) in [("metadata.name", &name), ("spec.version", &spec.version)] {
            if value.contains(['/', '\0']) || value.starts_with('.') {
                return refuse(format!("{field} {value:?} cannot be part of the name of a socket"));
            }
        }
        Ok(Self { name, spec })
    }

    /// The name with the version, as applications say it.
    pub fn full_name(&self) -> String {
        if self.spec.version.is_empty() {
            self.name.clone()
        } else {
            format!("{}-{}", self.name, self.spec.version)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Configuration;

    const GOOD: &str = "apiVersion: argoproj.io/v1alpha1\nkind: ConfigManagementPlugin\nmetadata: {name: shell}\nspec:\n  version: v1.0\n  generate: {command: [sh, -c], args: [cat *.yaml]}\n";

    fn refused(text: &str) -> String {
        Configuration::parse(text.as_bytes(), "plugin.yaml").unwrap_err().to_string()
    }

    #[test]
    fn fields_are_read() {
        let more = "  init: {command: [a]}\n  discover: {find: {command: [f], args: [g], glob: '**/x'}, fileName: why}\n  preserveFileMode: true\n  provideGitCreds: true\n  lockRepo: true\n  parameters:\n    static: [{name: size, itemType: number, required: true, map: {a: b}}]\n    dynamic: {command: [d]}\n";
        let read = Configuration::parse(format!("{GOOD}{more}").as_bytes(), "").unwrap();
        assert_eq!(read.full_name(), "shell-v1.0");
        assert_eq!(read.spec.generate.words(), ["sh", "-c", "cat *.yaml"]);
        assert_eq!(read.spec.discover.find.command.words(), ["f", "g"]);
        assert_eq!(
            (read.spec.discover.find.glob.as_str(), read.spec.discover.file_name.as_str()),
            ("**/x", "why")
        );
        assert!(read.spec.preserve_file_mode && read.spec.provide_git_creds && read.spec.init.is_given());
        assert_eq!(read.spec.parameters.fixed[0].item_type, "number");
        let plain = Configuration::parse(GOOD.replace("  version: v1.0\n", "").as_bytes(), "").unwrap();
        assert_eq!(plain.full_name(), "shell");
        assert!(!plain.spec.discover.is_configured());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let invalid = "invalid plugin configuration file. ";
        assert_eq!(refused(""), format!("{invalid}metadata.name should be non-empty."));
        assert_eq!(
            refused(&GOOD.replace("kind: ConfigManagementPlugin", "kind: Pod")),
            format!("{invalid}kind should be ConfigManagementPlugin, found Pod")
        );
        assert_eq!(
            refused(&GOOD.replace("[sh, -c]", "[]")),
            format!("{invalid}spec.generate command should be non-empty")
        );
        assert!(refused(&GOOD.replace("shell", "../shell")).contains("cannot be part"));
        assert!(refused(&GOOD.replace("[sh, -c]", "5")).starts_with("read plugin.yaml: invalid type"));
        assert!(refused("a: [").starts_with("read plugin.yaml: "));
    }
}
