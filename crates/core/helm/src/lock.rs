//! `Chart.lock` (and `requirements.lock`): the versions that were chosen for a chart's dependencies, and whether they
//! were chosen for these.

use crate::chart::Chart;
use crate::error::{Error, MissingDependency};
use crate::metadata::{Dependency, scalar};
use object::to_go_json;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A lock as it stands in the chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lock {
    digest: String,
    chosen: Vec<Chosen>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Chosen {
    name: String,
    repository: String,
    version: String,
}

impl Lock {
    pub(crate) fn read(text: &[u8]) -> Result<Self, String> {
        let value = object::yaml::decode(text).map_err(|error| error.message)?;
        let text = |value: &Value, name: &str| scalar(&value[name]).unwrap_or_default();
        let listed = value["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
        let chosen = listed.iter().map(|item| Chosen {
            name: text(item, "name"),
            repository: text(item, "repository"),
            version: text(item, "version"),
        });
        Ok(Self { digest: text(&value, "digest"), chosen: chosen.collect() })
    }
}

/// What `charts/` lacks, in the versions of the lock where there is one. A lock that was made for other dependencies
/// is refused, as Helm refuses it.
pub(crate) fn missing(chart: &Chart) -> Result<Vec<MissingDependency>, Error> {
    let mut missing = crate::dependencies::missing(chart);
    let Some(lock) = chart.lock.as_deref().filter(|_| !missing.is_empty()) else { return Ok(missing) };
    let wanted = chart.metadata.dependencies.as_deref().unwrap_or_default();
    if !in_step(wanted, lock, chart.metadata.api_version == "v1") {
        let (lock, file) = match chart.metadata.api_version.as_str() {
            "v1" => ("requirements.lock", "requirements.yaml"),
            _ => ("Chart.lock", "Chart.yaml"),
        };
        return Err(Error::Load(format!(
            "the lock file ({lock}) is out of sync with the dependencies file ({file}). Please update the dependencies"
        )));
    }
    for dependency in &mut missing {
        let same =
            |chosen: &&Chosen| chosen.name == dependency.name && chosen.repository == dependency.repository;
        let found = lock.chosen.iter().find(same);
        let found = found.or_else(|| lock.chosen.iter().find(|chosen| chosen.name == dependency.name));
        if let Some(chosen) = found {
            dependency.version.clone_from(&chosen.version);
        }
    }
    Ok(missing)
}

fn in_step(wanted: &[Dependency], lock: &Lock, first_version: bool) -> bool {
    let named = |repository: &str| repository.starts_with('@') || repository.starts_with("alias:");
    // Helm puts addresses in the place of names before it takes the digest; here nobody knows them.
    if wanted.iter().any(|dependency| named(&dependency.repository)) {
        return true;
    }
    let wanted: Vec<String> = wanted.iter().map(json).collect();
    let wanted = wanted.join(",");
    let chosen: Vec<String> = lock
        .chosen
        .iter()
        .map(|chosen| {
            json(&Dependency {
                name: chosen.name.clone(),
                version: chosen.version.clone(),
                repository: chosen.repository.clone(),
                ..Dependency::default()
            })
        })
        .collect();
    let digest = |text: String| {
        let hash = Sha256::digest(text.as_bytes());
        format!("sha256:{}", hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    };
    lock.digest == digest(format!("[[{wanted}],[{}]]", chosen.join(",")))
        || (first_version && lock.digest == digest(format!("{{\"dependencies\":[{wanted}]}}")))
}

/// A dependency as Go's `encoding/json` writes Helm's.
fn json(dependency: &Dependency) -> String {
    let text = |text: &str| to_go_json(&Value::String(text.to_owned()));
    let mut members = vec![format!("\"name\":{}", text(&dependency.name))];
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            members.push(format!("\"{name}\":{}", text(value)));
        }
    };
    add("version", &dependency.version);
    members.push(format!("\"repository\":{}", text(&dependency.repository)));
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            members.push(format!("\"{name}\":{}", text(value)));
        }
    };
    add("condition", &dependency.condition);
    if !dependency.tags.is_empty() {
        let tags: Vec<String> = dependency.tags.iter().map(|tag| text(tag)).collect();
        members.push(format!("\"tags\":[{}]", tags.join(",")));
    }
    if dependency.enabled {
        members.push("\"enabled\":true".to_owned());
    }
    if !dependency.import_values.is_empty() {
        members.push(format!(
            "\"import-values\":{}",
            to_go_json(&Value::Array(dependency.import_values.clone()))
        ));
    }
    if !dependency.alias.is_empty() {
        members.push(format!("\"alias\":{}", text(&dependency.alias)));
    }
    format!("{{{}}}", members.join(","))
}

#[cfg(test)]
mod tests {
    use crate::load;
    use bytes::Bytes;
    use sha2::{Digest, Sha256};
    use source_tree::{MemoryTree, TreePath};

    fn versions(files: &[(&str, String)]) -> Result<Vec<String>, String> {
        let files =
            files.iter().map(|(path, text)| (TreePath::parse(path).unwrap(), Bytes::from(text.clone())));
        let chart = load(&MemoryTree::from_files(files).unwrap(), &TreePath::root()).unwrap();
        let missing = chart.missing_dependencies().map_err(|error| error.to_string())?;
        Ok(missing.into_iter().map(|dependency| dependency.version).collect())
    }

    const CHART: &str = "apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies:\n- {name: db, version: '>=1.0.0', repository: 'https://charts.example', tags: [x], alias: other}\n";

    fn lock(digest: &str) -> String {
        format!(
            "dependencies:\n- {{name: db, version: 1.2.3, repository: 'https://charts.example'}}\ndigest: {digest}\ngenerated: now\n"
        )
    }

    fn digest(text: &str) -> String {
        format!(
            "sha256:{}",
            Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        )
    }

    #[test]
    fn the_lock_decides_which_version_is_taken() {
        let chart = ("Chart.yaml", CHART.to_owned());
        assert_eq!(versions(std::slice::from_ref(&chart)).unwrap(), [">=1.0.0"]);
        let right = digest(
            r#"[[{"name":"db","version":"\u003e=1.0.0","repository":"https://charts.example","tags":["x"],"alias":"other"}],[{"name":"db","version":"1.2.3","repository":"https://charts.example"}]]"#,
        );
        assert_eq!(versions(&[chart.clone(), ("Chart.lock", lock(&right))]).unwrap(), ["1.2.3"]);
        let refused = versions(&[chart, ("Chart.lock", lock("sha256:0"))]).unwrap_err();
        assert_eq!(
            refused,
            "the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml). Please update the dependencies"
        );
    }

    #[test]
    fn locks_of_the_first_version_are_known() {
        let chart = ("Chart.yaml", "apiVersion: v1\nname: a\nversion: 1.0.0\n".to_owned());
        let wanted =
            "dependencies:\n- {name: db, version: 1.x, repository: 'https://charts.example'}\n".to_owned();
        let old = digest(
            r#"{"dependencies":[{"name":"db","version":"1.x","repository":"https://charts.example"}]}"#,
        );
        let files = [chart, ("requirements.yaml", wanted), ("requirements.lock", lock(&old))];
        assert_eq!(versions(&files).unwrap(), ["1.2.3"]);
    }
}
