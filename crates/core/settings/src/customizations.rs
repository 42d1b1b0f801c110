//! What users changed about single kinds: differences and updates to ignore, health scripts, actions.

use crate::comparison::{CompareOptions, StatusField};
use crate::reader::{Data, Problem, Reader, text, texts};
use api::v1alpha1::{KnownTypeField, OverrideIgnoreDiff, ResourceOverride};
use glob_pattern::matches;
use object::yaml;
use serde_json::Value;
use std::collections::BTreeMap;

const MONOLITH: &str = "resource.customizations";
const ALL: &str = "*/*";
const CRD: &str = "apiextensions.k8s.io/CustomResourceDefinition";

/// Overrides by `group/Kind`, or `Kind` in the core group; `*` and globs stand for several.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Customizations {
    /// The overrides.
    pub overrides: BTreeMap<String, ResourceOverride>,
    /// Whether rules of what not to wake up for are used at all.
    pub ignore_updates_enabled: bool,
    ignore_differences_on_updates: bool,
}

/// The key of a kind in the overrides.
pub fn override_key(group: &str, kind: &str) -> String {
    if group.is_empty() { kind.to_owned() } else { format!("{group}/{kind}") }
}

impl Customizations {
    /// Reads `argocd-cm`: the one big document, then the keys of single kinds, which win.
    pub fn parse(data: &Data) -> (Self, Vec<Problem>) {
        let mut reader = Reader::new(data);
        let mut overrides = monolith(&mut reader);
        split_keys(&mut reader, &mut overrides);
        let (options, problems) = CompareOptions::parse(data);
        let ignored = match options.ignore_status {
            StatusField::All => Some(ALL),
            StatusField::Crd => Some(CRD),
            StatusField::None => None,
        };
        if let Some(key) = ignored {
            let pointers = &mut overrides.entry(key.to_owned()).or_default().ignore_differences.json_pointers;
            if !pointers.iter().any(|pointer| pointer == "/status") {
                pointers.push("/status".into());
            }
        }
        let ignore_updates_enabled = reader.flag("resource.ignoreResourceUpdatesEnabled", true);
        reader.problems.extend(problems);
        let customizations = Self {
            overrides,
            ignore_updates_enabled,
            ignore_differences_on_updates: options.ignore_differences_on_resource_updates,
        };
        (customizations, reader.problems)
    }

    /// Every override that concerns a kind, in the order of their keys.
    pub fn of(&self, group: &str, kind: &str) -> impl Iterator<Item = &ResourceOverride> {
        self.overrides.iter().filter_map(move |(key, value)| concerns(key, group, kind).then_some(value))
    }

    /// The user's health script for a kind: its own before one of a wider pattern.
    pub fn health_script(&self, group: &str, kind: &str) -> Option<&ResourceOverride> {
        let exact =
            self.overrides.get(&override_key(group, kind)).filter(|entry| !entry.health_lua.is_empty());
        exact.or_else(|| self.of(group, kind).find(|entry| !entry.health_lua.is_empty()))
    }

    /// The user's actions for a kind, as written. Patterns have none: the original reads the kind's own key.
    pub fn actions(&self, group: &str, kind: &str) -> Option<&str> {
        let own = self.overrides.get(&override_key(group, kind))?;
        Some(own.actions.as_str()).filter(|actions| !actions.is_empty())
    }

    /// What to leave out when asking whether an update of an object is worth a comparison: as
    /// `ignore_differences` of each override.
    pub fn ignored_updates(&self) -> BTreeMap<String, ResourceOverride> {
        let mut overrides = self.overrides.clone();
        for entry in overrides.values_mut() {
            let differences = std::mem::take(&mut entry.ignore_differences);
            let mut updates = std::mem::take(&mut entry.ignore_resource_updates);
            if self.ignore_differences_on_updates {
                updates.json_pointers.extend(differences.json_pointers);
                updates.jq_path_expressions.extend(differences.jq_path_expressions);
                updates.managed_fields_managers.extend(differences.managed_fields_managers);
            }
            entry.ignore_differences = updates;
        }
        // Written by the API server at every update, whatever the update was.
        let written = ["/metadata/resourceVersion", "/metadata/generation", "/metadata/managedFields"];
        overrides
            .entry(ALL.to_owned())
            .or_default()
            .ignore_differences
            .json_pointers
            .extend(written.map(str::to_owned));
        overrides
    }
}

/// Whether the override under a key is one of a kind's.
pub fn concerns(key: &str, group: &str, kind: &str) -> bool {
    let (key_group, key_kind) = key.split_once('/').unwrap_or(("", key));
    matches(key_group, group, &[]) && matches(key_kind, kind, &[])
}

fn monolith(reader: &mut Reader<'_>) -> BTreeMap<String, ResourceOverride> {
    let mut overrides = BTreeMap::new();
    match reader.yaml(MONOLITH) {
        None => {}
        Some(Value::Object(entries)) => {
            for (key, entry) in &entries {
                let mut problems = Vec::new();
                overrides.insert(key.clone(), from_entry(entry, &mut problems));
                for problem in problems {
                    reader.problem(MONOLITH, format!("{key}: {problem}"));
                }
            }
        }
        Some(_) => reader.problem(MONOLITH, "expected a map of kinds"),
    }
    overrides
}

fn from_entry(entry: &Value, problems: &mut Vec<String>) -> ResourceOverride {
    let flag = |member: &str| entry.get(member).and_then(Value::as_bool).unwrap_or(false);
    let mut rules = |member: &str| match embedded(entry.get(member)) {
        Ok(value) => ignore_rules(&value),
        Err(problem) => {
            problems.push(format!("{member}: {problem}"));
            OverrideIgnoreDiff::default()
        }
    };
    ResourceOverride {
        ignore_differences: rules("ignoreDifferences"),
        ignore_resource_updates: rules("ignoreResourceUpdates"),
        health_lua: text(entry, "health.lua"),
        use_open_libs: flag("health.lua.useOpenLibs"),
        actions: text(entry, "actions"),
        known_type_fields: known_types(entry.get("knownTypeFields").unwrap_or(&Value::Null)),
    }
}

/// Rules are YAML inside a YAML string; a plain map is taken as well.
fn embedded(value: Option<&Value>) -> Result<Value, String> {
    match value {
        None => Ok(Value::Null),
        Some(Value::String(text)) => yaml::decode(text.as_bytes()).map_err(|error| error.to_string()),
        Some(value) => Ok(value.clone()),
    }
}

fn split_keys(reader: &mut Reader<'_>, overrides: &mut BTreeMap<String, ResourceOverride>) {
    let data = reader.data;
    for key in data.keys() {
        let Some(rest) = key.strip_prefix("resource.customizations.") else { continue };
        let Some((field, kind)) = rest.split_once('.') else {
            reader.problem(key, "expected resource.customizations.<field>.<group>_<kind>");
            continue;
        };
        let Some(target) = split_kind(kind) else {
            reader.problem(key, format!("{kind:?} is not <group>_<kind>, <kind> or all"));
            continue;
        };
        apply(reader, key, field, target, overrides);
    }
}

/// `apps_Deployment` → `apps/Deployment`; `all` → every kind.
fn split_kind(text: &str) -> Option<String> {
    match text.split('_').collect::<Vec<_>>()[..] {
        ["all"] => Some(ALL.to_owned()),
        [kind] if !kind.is_empty() => Some(kind.to_owned()),
        [group, kind] => Some(format!("{group}/{kind}")),
        _ => None,
    }
}

fn apply(
    reader: &mut Reader<'_>,
    key: &str,
    field: &str,
    target: String,
    overrides: &mut BTreeMap<String, ResourceOverride>,
) {
    let value = match field {
        "ignoreDifferences" | "ignoreResourceUpdates" | "knownTypeFields" => match reader.yaml(key) {
            Some(value) => value,
            None => return,
        },
        _ => Value::Null,
    };
    let entry = overrides.entry(target).or_default();
    match field {
        "health" => entry.health_lua = reader.text(key).to_owned(),
        "useOpenLibs" => entry.use_open_libs = reader.flag(key, false),
        "actions" => entry.actions = reader.text(key).to_owned(),
        "ignoreDifferences" => entry.ignore_differences = ignore_rules(&value),
        "ignoreResourceUpdates" => entry.ignore_resource_updates = ignore_rules(&value),
        "knownTypeFields" => entry.known_type_fields = known_types(&value),
        _ => reader.problem(key, format!("{field:?} is not a customization")),
    }
}

fn ignore_rules(value: &Value) -> OverrideIgnoreDiff {
    OverrideIgnoreDiff {
        json_pointers: texts(value, "jsonPointers"),
        jq_path_expressions: texts(value, "jqPathExpressions"),
        managed_fields_managers: texts(value, "managedFieldsManagers"),
    }
}

fn known_types(value: &Value) -> Vec<KnownTypeField> {
    let entries = value.as_array().map_or(&[][..], Vec::as_slice);
    entries
        .iter()
        .map(|entry| KnownTypeField { field: text(entry, "field"), r#type: text(entry, "type") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Customizations;

    #[test]
    fn both_forms_are_read_and_the_keys_of_single_kinds_win() {
        let data = [
            (
                "resource.customizations",
                "apps/Deployment:\n  ignoreDifferences: |\n    jsonPointers: [/spec/replicas]\n  health.lua: return 1\n\"*.acme.io/*\":\n  health.lua: return 2\n",
            ),
            ("resource.customizations.ignoreDifferences.apps_Deployment", "jqPathExpressions: ['.spec.x']"),
            ("resource.customizations.ignoreResourceUpdates.all", "jsonPointers: [/status]"),
            ("resource.customizations.health.ConfigMap", "return 3"),
            ("resource.customizations.nonsense.ConfigMap", "x"),
            ("resource.customizations.ignoreDifferences.a_b_c", "{}"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        let (found, problems) = Customizations::parse(&data);
        assert_eq!(problems.len(), 2, "{problems:?}");
        let deployment = &found.overrides["apps/Deployment"];
        assert_eq!(deployment.ignore_differences.jq_path_expressions, [".spec.x"]);
        assert_eq!(deployment.ignore_differences.json_pointers, Vec::<String>::new());
        assert_eq!(deployment.health_lua, "return 1");
        assert_eq!(
            found.health_script("db.acme.io", "Cluster").map(|it| it.health_lua.as_str()),
            Some("return 2")
        );
        assert_eq!(found.health_script("", "ConfigMap").map(|it| it.health_lua.as_str()), Some("return 3"));
        assert_eq!(found.health_script("", "Secret"), None);
        assert_eq!(found.overrides["*/*"].ignore_differences.json_pointers, ["/status"]);
        assert_eq!(found.of("apps", "Deployment").count(), 2);
        let updates = &found.ignored_updates()["*/*"].ignore_differences.json_pointers;
        assert!(
            updates.contains(&"/metadata/resourceVersion".to_owned())
                && updates.contains(&"/status".to_owned())
        );
    }
}
