//! Which kinds a cluster serves. A group that cannot answer takes only its own kinds with it.

use crate::cluster::Cluster;
use crate::error::Error;
use crate::request::Call;
use object::{GroupKind, GroupVersionKind};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
     application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// A kind at one version, and how to reach its objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiResource {
    /// API group; empty for the core group.
    pub group: String,
    /// Version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Name in URLs.
    pub plural: String,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// `get`, `list`, `watch`, …
    pub verbs: BTreeSet<String>,
    /// `status`, `scale`, `log`, …
    pub subresources: BTreeSet<String>,
}

impl ApiResource {
    /// Group, version and kind.
    pub fn gvk(&self) -> GroupVersionKind {
        GroupVersionKind::new(&self.group, &self.version, &self.kind)
    }

    /// Group and kind.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind::new(&self.group, &self.kind)
    }

    /// `apps/v1`, or `v1`.
    pub fn api_version(&self) -> String {
        self.gvk().api_version()
    }

    /// Whether the kind has a verb.
    pub fn can(&self, verb: &str) -> bool {
        self.verbs.contains(verb)
    }

    /// Whether its objects can be listed and watched.
    pub fn is_watchable(&self) -> bool {
        self.can("list") && self.can("watch")
    }

    /// How kubectl names the kind in its messages: `deployment.apps`, `service`.
    pub fn kubectl_name(&self) -> String {
        let kind = self.kind.to_lowercase();
        if self.group.is_empty() { kind } else { format!("{kind}.{}", self.group) }
    }

    /// Path of the collection, in a namespace unless that is empty.
    pub(crate) fn collection(&self, namespace: &str) -> String {
        let mut path = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        if self.namespaced && !namespace.is_empty() {
            path = format!("{path}/namespaces/{}", segment(namespace));
        }
        format!("{path}/{}", self.plural)
    }

    /// Path of one object.
    pub(crate) fn path(&self, namespace: &str, name: &str) -> String {
        format!("{}/{}", self.collection(namespace), segment(name))
    }
}

/// One segment of a path. Names come from manifests: a slash or a question mark in one must not reach
/// another object.
pub(crate) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b':') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    match out.as_str() {
        "." => "%2E".into(),
        ".." => "%2E%2E".into(),
        _ => out,
    }
}

/// A version of a group that is registered but did not say which kinds it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedGroup {
    /// API group.
    pub group: String,
    /// Version.
    pub version: String,
    /// Why.
    pub reason: String,
}

/// What a cluster serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    /// Every kind at every version, groups and versions in the server's order of preference.
    pub resources: Vec<ApiResource>,
    /// Groups whose kinds are not known now.
    pub failed_groups: Vec<FailedGroup>,
}

impl Discovery {
    /// The kind at exactly this version.
    pub fn find(&self, gvk: &GroupVersionKind) -> Option<&ApiResource> {
        self.resources.iter().find(|resource| {
            resource.kind == gvk.kind && resource.version == gvk.version && resource.group == gvk.group
        })
    }

    /// The kind at the version the server prefers.
    pub fn preferred(&self, kind: &GroupKind) -> Option<&ApiResource> {
        self.resources.iter().find(|resource| resource.kind == kind.kind && resource.group == kind.group)
    }

    /// Each kind once, at the version the server prefers.
    pub fn preferred_resources(&self) -> Vec<&ApiResource> {
        let mut seen = BTreeSet::new();
        self.resources.iter().filter(|resource| seen.insert((&resource.group, &resource.kind))).collect()
    }

    /// Why the kinds of a group are not known, if so. Another version of it may be.
    pub fn failure(&self, group: &str, version: &str) -> Option<&FailedGroup> {
        self.failed_groups.iter().find(|failed| failed.group == group && failed.version == version)
    }

    /// What charts and plugins see as the cluster's API versions: `apps/v1` and `apps/v1/Deployment`, for
    /// kinds that can be listed and watched; sorted.
    pub fn api_versions(&self) -> Vec<String> {
        let mut versions = BTreeSet::new();
        for resource in self.resources.iter().filter(|resource| resource.is_watchable()) {
            let api_version = resource.api_version();
            versions.insert(format!("{api_version}/{}", resource.kind));
            versions.insert(api_version);
        }
        versions.into_iter().collect()
    }
}

impl Cluster {
    /// What the cluster serves, as last discovered; asks when nothing is known yet.
    pub async fn discovery(&self) -> Result<Arc<Discovery>, Error> {
        match self.known() {
            Some(known) => Ok(known),
            None => self.discover_after(None).await,
        }
    }

    /// Asks the cluster anew what it serves.
    pub async fn refresh_discovery(&self) -> Result<Arc<Discovery>, Error> {
        let before = self.known();
        self.discover_after(before.as_ref()).await
    }

    /// How to reach objects of a kind; asks the cluster again when the kind is not known.
    pub async fn resource(&self, gvk: &GroupVersionKind) -> Result<ApiResource, Error> {
        let known = self.discovery().await?;
        if let Some(resource) = known.find(gvk) {
            return Ok(resource.clone());
        }
        let known = self.discover_after(Some(&known)).await?;
        if let Some(resource) = known.find(gvk) {
            return Ok(resource.clone());
        }
        match known.failure(&gvk.group, &gvk.version) {
            Some(failed) => Err(Error::GroupUnavailable { kind: gvk.clone(), reason: failed.reason.clone() }),
            None => Err(Error::UnknownKind(gvk.clone())),
        }
    }

    fn known(&self) -> Option<Arc<Discovery>> {
        self.inner().discovered.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Discovers unless someone else did since `before` was read.
    async fn discover_after(&self, before: Option<&Arc<Discovery>>) -> Result<Arc<Discovery>, Error> {
        let _one = self.inner().discovering.lock().await;
        if let Some(now) = self.known()
            && !before.is_some_and(|before| Arc::ptr_eq(before, &now))
        {
            return Ok(now);
        }
        let found = Arc::new(self.discover().await?);
        *self.inner().discovered.write().unwrap_or_else(PoisonError::into_inner) = Some(found.clone());
        Ok(found)
    }

    async fn discover(&self) -> Result<Discovery, Error> {
        let mut found = Discovery::default();
        for path in ["/api", "/apis"] {
            let mut call = Call::get(format!("discover {path}"), path.into());
            call.accept = AGGREGATED;
            match self.fetch_json::<Answer>(&call).await? {
                Answer { kind, items, .. } if kind == "APIGroupDiscoveryList" => {
                    items.into_iter().for_each(|group| add_aggregated(&mut found, group));
                }
                Answer { versions, .. } if path == "/api" => {
                    for version in versions {
                        self.add_legacy(&mut found, "", &version).await;
                    }
                }
                Answer { groups, .. } => {
                    for group in groups {
                        for version in group.in_order() {
                            self.add_legacy(&mut found, &group.name, &version).await;
                        }
                    }
                }
            }
        }
        found
            .failed_groups
            .sort_by(|left, right| (&left.group, &left.version).cmp(&(&right.group, &right.version)));
        Ok(found)
    }

    /// Servers before 1.26: one request for each version of each group.
    async fn add_legacy(&self, found: &mut Discovery, group: &str, version: &str) {
        let path =
            if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
        match self.fetch_json::<LegacyList>(&Call::get(format!("discover {path}"), path)).await {
            Ok(list) => add_legacy_list(found, group, version, list),
            Err(error) => found.failed_groups.push(FailedGroup {
                group: group.into(),
                version: version.into(),
                reason: error.message(),
            }),
        }
    }
}

fn add_aggregated(found: &mut Discovery, group: AggregatedGroup) {
    for version in group.versions {
        if version.freshness == "Stale" {
            // What the server remembers of a group that does not answer may be wrong by now.
            found.failed_groups.push(FailedGroup {
                group: group.metadata.name.clone(),
                version: version.version.clone(),
                reason: "stale GroupVersion discovery: the API server behind the group does not answer"
                    .into(),
            });
            continue;
        }
        for resource in version.resources {
            // Some resources are only a place for subresources and have no kind of their own.
            let Some(kind) = resource.response_kind.map(|kind| kind.kind).filter(|kind| !kind.is_empty())
            else {
                continue;
            };
            found.resources.push(ApiResource {
                group: group.metadata.name.clone(),
                version: version.version.clone(),
                kind,
                plural: resource.resource,
                namespaced: resource.scope == "Namespaced",
                verbs: resource.verbs.into_iter().collect(),
                subresources: resource.subresources.into_iter().map(|sub| sub.subresource).collect(),
            });
        }
    }
}

fn add_legacy_list(found: &mut Discovery, group: &str, version: &str, list: LegacyList) {
    let mut subresources = BTreeMap::<String, BTreeSet<String>>::new();
    for resource in &list.resources {
        if let Some((plural, subresource)) = resource.name.split_once('/') {
            subresources.entry(plural.into()).or_default().insert(subresource.into());
        }
    }
    for resource in list.resources.into_iter().filter(|resource| !resource.name.contains('/')) {
        found.resources.push(ApiResource {
            group: group.into(),
            version: version.into(),
            kind: resource.kind,
            subresources: subresources.remove(&resource.name).unwrap_or_default(),
            plural: resource.name,
            namespaced: resource.namespaced,
            verbs: resource.verbs.into_iter().collect(),
        });
    }
}

/// Either form of answer to `/api` and `/apis`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    kind: String,
    items: Vec<AggregatedGroup>,
    versions: Vec<String>,
    groups: Vec<LegacyGroup>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AggregatedGroup {
    metadata: Named,
    versions: Vec<AggregatedVersion>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AggregatedVersion {
    version: String,
    freshness: String,
    resources: Vec<AggregatedResource>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct AggregatedResource {
    resource: String,
    response_kind: Option<ResponseKind>,
    scope: String,
    verbs: Vec<String>,
    subresources: Vec<Subresource>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ResponseKind {
    kind: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Subresource {
    subresource: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct LegacyGroup {
    name: String,
    versions: Vec<LegacyVersion>,
    preferred_version: LegacyVersion,
}

impl LegacyGroup {
    /// Versions, the preferred one first.
    fn in_order(&self) -> Vec<String> {
        let mut versions: Vec<_> = self.versions.iter().map(|version| version.version.clone()).collect();
        versions.sort_by_key(|version| *version != self.preferred_version.version);
        versions
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LegacyVersion {
    version: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LegacyList {
    resources: Vec<LegacyResource>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LegacyResource {
    name: String,
    kind: String,
    namespaced: bool,
    verbs: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_collection() {
        let resource = ApiResource {
            version: "v1".into(),
            kind: "ConfigMap".into(),
            plural: "configmaps".into(),
            namespaced: true,
            ..ApiResource::default()
        };
        assert_eq!(
            resource.path("a", "../secrets/x?y"),
            "/api/v1/namespaces/a/configmaps/..%2Fsecrets%2Fx%3Fy"
        );
        assert_eq!(resource.path("..", ".."), "/api/v1/namespaces/%2E%2E/configmaps/%2E%2E");
        assert_eq!(resource.path("a", "system:node"), "/api/v1/namespaces/a/configmaps/system:node");
    }

    #[test]
    fn a_stale_group_is_failed_and_the_others_stay() {
        let mut found = Discovery::default();
        let groups: Vec<AggregatedGroup> = serde_json::from_value(serde_json::json!([
            {"metadata": {"name": "apps"}, "versions": [{"version": "v1", "freshness": "Current", "resources": [
                {"resource": "deployments", "responseKind": {"kind": "Deployment"}, "scope": "Namespaced",
                 "verbs": ["list", "watch"], "subresources": [{"subresource": "status"}]}]}]},
            {"metadata": {"name": "metrics.k8s.io"}, "versions": [{"version": "v1beta1", "freshness": "Stale",
                "resources": [{"resource": "pods", "responseKind": {"kind": "PodMetrics"}}]}]},
        ]))
        .unwrap();
        groups.into_iter().for_each(|group| add_aggregated(&mut found, group));
        assert_eq!(found.api_versions(), ["apps/v1", "apps/v1/Deployment"]);
        assert!(found.failure("metrics.k8s.io", "v1beta1").is_some());
        assert!(found.find(&GroupVersionKind::new("apps", "v1", "Deployment")).is_some());
    }
}
