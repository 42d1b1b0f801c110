//! Every case of `cases/compare`: targets and live objects in, the parts of a status out.

#![expect(clippy::needless_pass_by_value, reason = "the cases read better without borrows")]

use api::v1alpha1::{AppProject, Application};
use compare::{Facts, ServerSide, compare, diff_options, server_side_diff, targets};
use health::{Checks, Limits};
use object::{AppInstance, GroupKind, Object, ResourceKey};
use project::{Cluster, destination_cluster};
use serde_json::{Value, json};
use settings::{CompareOptions, Customizations, ResourceFilter, Tracking};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn objects(list: &Value) -> Vec<Object> {
    list.as_array()
        .into_iter()
        .flatten()
        .map(|it| Object::from_value(it.clone()).expect("a valid case"))
        .collect()
}

/// What a cluster would say.
fn namespaced(kind: &GroupKind) -> Option<bool> {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Namespace")
        | ("rbac.authorization.k8s.io", "ClusterRole")
        | ("apiextensions.k8s.io", "CustomResourceDefinition") => Some(false),
        ("example.com", _) => None,
        _ => Some(true),
    }
}

fn check(_: &Path, text: String) -> datatest_stable::Result<()> {
    let case = object::yaml::decode(text.as_bytes())?;
    let application: Application = serde_json::from_value(case["application"].clone())?;
    let open = json!({"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}], "clusterResourceWhitelist": [{"group": "*", "kind": "*"}]});
    let spec = case.get("project").unwrap_or(&open);
    let project: AppProject = serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec}))?;
    let data = serde_json::from_value(case.get("settings").cloned().unwrap_or_else(|| json!({})))?;
    let tracking = Tracking::parse(&data).0;
    let options =
        diff_options(&application, &Customizations::parse(&data).0, CompareOptions::default(), &tracking);
    let problem = options.as_ref().err().map(ToString::to_string).unwrap_or_default();
    let destination = &application.spec.destination;
    let clusters = [Cluster { server: destination.server.clone(), name: destination.name.clone() }];
    let cluster = destination_cluster(&application.spec.destination, &clusters)?;
    let instance = AppInstance::new(&application.metadata.namespace, &application.metadata.name, "argocd");
    let with_webhooks = server_side_diff(&application, case["serverSideDiff"] == true);
    let predictions: BTreeMap<_, _> =
        objects(&case["predicted"]).into_iter().map(|it| (it.key(), Ok(it))).collect();
    let refused = case.get("refused").and_then(Value::as_object).into_iter().flatten();
    let refused = refused.map(|(key, reason)| {
        let parts: Vec<&str> = key.split('/').collect();
        let reason = reason.as_str().unwrap_or_default().to_owned();
        (ResourceKey::new(parts[0], parts[1], parts[2], parts[3]), Err(reason))
    });
    let predictions: BTreeMap<_, _> = predictions.into_iter().chain(refused).collect();
    let facts = Facts {
        application: &application,
        instance: &instance,
        project: &project,
        cluster: &cluster,
        own_clusters: &[],
        tracking: &tracking,
        filter: &ResourceFilter::parse(&data).0,
        diff: options.as_ref().map_err(|_| problem.as_str()),
        server_side: with_webhooks
            .map(|with_webhooks| ServerSide { predictions: &predictions, with_webhooks }),
        namespaced: &namespaced,
        checks: &Checks::new(&Customizations::parse(&data).0, Limits::default()),
        now: "2024-01-01T00:00:00Z".parse()?,
    };
    let failure = |name: &str| case.get(name).and_then(Value::as_str).map(str::to_owned);
    let loaded = failure("targetsError").map_or_else(|| Ok(objects(&case["targets"])), Err);
    let lives = failure("livesError").map_or_else(
        || Ok(objects(&case["lives"]).into_iter().map(|it| (it.key(), it)).collect::<BTreeMap<_, _>>()),
        Err,
    );
    let (comparison, conditions) = compare(targets(loaded, &facts), lives, &facts);
    let conditions: Vec<Value> =
        conditions.iter().map(|it| json!({"type": it.r#type, "message": it.message})).collect();
    let mut found = json!({
        "sync": comparison.sync.as_str(),
        "health": comparison.health.as_str(),
        "resources": comparison.resource_statuses(false),
        "conditions": conditions,
    });
    if !comparison.health_message.is_empty() {
        found["healthMessage"] = comparison.health_message.as_str().into();
    }
    let mut expected = case["expected"].clone();
    if expected.pointer("/conditions/0/message") == Some(&json!("<any>")) {
        expected["conditions"][0]["message"] = found["conditions"][0]["message"].clone();
    }
    if found != expected {
        let pretty = |value| serde_json::to_string_pretty(value).unwrap_or_default();
        return Err(format!("found {}\nexpected {}", pretty(&found), pretty(&expected)).into());
    }
    assert_eq!(comparison.sync_resources().is_none(), comparison.failed);
    for resource in &comparison.resources {
        assert!(!resource.requires_pruning || resource.target.is_none());
        assert!(!resource.requires_pruning || resource.ours || resource.hook);
    }
    if let Ok(options) = &options {
        let managed = comparison.managed_resources(options, &BTreeSet::new())?;
        assert_eq!(managed.len(), comparison.resources.len());
    }
    Ok(())
}

datatest_stable::harness! {
    { test = check, root = "../../../cases/compare", pattern = r".*\.yaml$" },
}
