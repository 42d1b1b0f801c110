//! In which members two specifications differ, in the words of the original, which users' scripts know: the names of Go's
//! structures and the places in lists, and never a value.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The members of a project's specification and of what is in it, in their order, where JSON calls them otherwise.
const MEMBERS: &[(&str, &str)] = &[
    ("sourceRepos", "SourceRepos"),
    ("destinations", "Destinations"),
    ("server", "Server"),
    ("namespace", "Namespace"),
    ("defaultServiceAccount", "DefaultServiceAccount"),
    ("group", "Group"),
    ("kind", "Kind"),
    ("name", "Name"),
    ("schedule", "Schedule"),
    ("duration", "Duration"),
    ("applications", "Applications"),
    ("namespaces", "Namespaces"),
    ("clusters", "Clusters"),
    ("manualSync", "ManualSync"),
    ("timeZone", "TimeZone"),
    ("andOperator", "UseAndOperator"),
    ("description", "Description"),
    ("policies", "Policies"),
    ("iat", "IssuedAt"),
    ("exp", "ExpiresAt"),
    ("id", "ID"),
    ("jwtTokens", "JWTTokens"),
    ("groups", "Groups"),
    ("roles", "Roles"),
    ("clusterResourceWhitelist", "ClusterResourceWhitelist"),
    ("namespaceResourceBlacklist", "NamespaceResourceBlacklist"),
    ("warn", "Warn"),
    ("ignore", "Ignore"),
    ("orphanedResources", "OrphanedResources"),
    ("syncWindows", "SyncWindows"),
    ("namespaceResourceWhitelist", "NamespaceResourceWhitelist"),
    ("keyID", "KeyID"),
    ("signatureKeys", "SignatureKeys"),
    ("clusterResourceBlacklist", "ClusterResourceBlacklist"),
    ("sourceNamespaces", "SourceNamespaces"),
    ("permitOnlyProjectScopedClusters", "PermitOnlyProjectScopedClusters"),
    ("destinationServiceAccounts", "DestinationServiceAccounts"),
    ("sourceIntegrity", "SourceIntegrity"),
];

/// The paths of all differences, one after another.
pub(super) fn differing(existing: &Value, wanted: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(&mut Vec::new(), existing, wanted, &mut found);
    found
}

fn compare(path: &mut Vec<String>, one: &Value, other: &Value, found: &mut Vec<String>) {
    match (one, other) {
        _ if one == other => {}
        (Value::Object(one), Value::Object(other)) => members(path, one, other, found),
        (Value::Array(_) | Value::Null, Value::Array(_)) | (Value::Array(_), Value::Null) => {
            list(path, items(one), items(other), found);
        }
        _ => found.extend(path.iter().cloned()),
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn members(
    path: &mut Vec<String>,
    one: &Map<String, Value>,
    other: &Map<String, Value>,
    found: &mut Vec<String>,
) {
    for (name, shown) in MEMBERS {
        let side = |members: &Map<String, Value>| members.get(*name).cloned().unwrap_or_default();
        let (one, other) = (side(one), side(other));
        if one != other {
            path.push((*shown).to_owned());
            compare(path, &one, &other, found);
            path.pop();
        }
    }
}

/// Lists are compared as sets; what is missing on both sides at one place is compared there.
fn list(path: &mut Vec<String>, one: &[Value], other: &[Value], found: &mut Vec<String>) {
    let mut missing: Vec<usize> = Vec::new();
    let mut sides: BTreeMap<usize, (Option<&Value>, Option<&Value>)> = BTreeMap::new();
    for (place, item) in alone(one, other) {
        missing.push(place);
        sides.entry(place).or_default().0 = Some(item);
    }
    for (place, item) in alone(other, one) {
        if !sides.contains_key(&place) {
            missing.push(place);
        }
        sides.entry(place).or_default().1 = Some(item);
    }
    let nothing = Value::Object(Map::new());
    for place in missing {
        path.push(place.to_string());
        match sides.get(&place).copied().unwrap_or_default() {
            (Some(one), Some(other)) => compare(path, one, other, found),
            // Of what is on one side only, what it says.
            (Some(item), None) | (None, Some(item)) if item.is_object() => {
                compare(path, &nothing, item, found);
            }
            _ => found.extend(path.iter().cloned()),
        }
        path.pop();
    }
}

/// Items of a list that another one does not have, each counted once.
fn alone<'l>(list: &'l [Value], other: &[Value]) -> Vec<(usize, &'l Value)> {
    let mut used = vec![false; other.len()];
    let mut has = |item: &Value| {
        let place = (0..other.len()).find(|place| !used[*place] && other[*place] == *item);
        place.inspect(|place| used[*place] = true).is_some()
    };
    list.iter().enumerate().filter(|(_, item)| !has(item)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(existing: &Value, wanted: &Value) -> String {
        differing(existing, wanted).join(",")
    }

    #[test]
    fn differences_are_told_as_they_were_recorded() {
        let existing =
            json!({"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*", "name": "x"}]});
        let wanted = json!({"sourceRepos": ["!"], "destinations": [{"server": "*", "namespace": "*"}]});
        assert_eq!(told(&existing, &wanted), "SourceRepos,0,Destinations,0,Name");
        let existing = json!({
            "sourceRepos": ["*"], "description": "d",
            "destinations": [{"server": "a", "namespace": "b"}, {"server": "c", "namespace": "d"}],
        });
        assert_eq!(
            told(&existing, &json!({})),
            "SourceRepos,0,Destinations,0,Server,Destinations,0,Namespace,Destinations,1,Server,Destinations,1,Namespace,Description"
        );
        assert_eq!(told(&existing, &existing), "");
    }

    #[test]
    fn order_is_no_difference_and_a_repetition_is_one() {
        let list = |names: &[&str]| json!({"sourceNamespaces": names});
        assert_eq!(told(&list(&["a", "b"]), &list(&["b", "a"])), "");
        assert_eq!(told(&list(&["a", "a"]), &list(&["a"])), "SourceNamespaces,1");
    }

    #[test]
    fn every_member_of_a_project_has_its_name() {
        let text = include_str!("../../../../../proto/pkg/apis/application/v1alpha1/generated.proto");
        let spec = text.split("message AppProjectSpec {").nth(1).and_then(|rest| rest.split('}').next());
        let fields = spec.expect("the message").lines().filter_map(|line| line.split(" = ").next());
        let names: Vec<_> =
            fields.filter_map(|field| field.split(' ').next_back()).filter(|name| !name.is_empty()).collect();
        assert!(names.len() > 12, "{names:?}");
        for name in names {
            assert!(MEMBERS.iter().any(|(known, _)| *known == name), "{name}");
        }
    }
}
