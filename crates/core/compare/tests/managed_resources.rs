//! What leaves a comparison for the API and the cache.

use api::v1alpha1::{AppProject, Application};
use compare::{Facts, compare, diff_options, orphaned_condition, targets};
use health::Checks;
use object::{AppInstance, Object};
use project::Cluster;
use serde_json::{Value, json};
use settings::{CompareOptions, Customizations, ResourceFilter, Tracking};
use std::collections::{BTreeMap, BTreeSet};

fn managed(target: Vec<Value>, live: Vec<Value>) -> Vec<api::v1alpha1::ResourceDiff> {
    let object = |value: Value| Object::from_value(value).expect("a valid case");
    let application: Application = serde_json::from_value(
        json!({"metadata": {"name": "a", "namespace": "argocd"}, "spec": {"destination": {"server": "s", "namespace": "web"}}}),
    )
    .expect("a valid case");
    let project: AppProject = serde_json::from_value(
        json!({"metadata": {"name": "p"}, "spec": {"destinations": [{"server": "*", "namespace": "*"}]}}),
    )
    .expect("a valid case");
    let tracking = Tracking::default();
    let options =
        diff_options(&application, &Customizations::default(), CompareOptions::default(), &tracking)
            .expect("a valid case");
    let facts = Facts {
        application: &application,
        instance: &AppInstance::new("argocd", "a", "argocd"),
        project: &project,
        cluster: &Cluster { server: "s".into(), name: "s".into() },
        own_clusters: &[],
        tracking: &tracking,
        filter: &ResourceFilter::default(),
        diff: Ok(&options),
        server_side: None,
        namespaced: &|_| Some(true),
        checks: &Checks::default(),
        now: "2024-01-01T00:00:00Z".parse().expect("a valid case"),
    };
    let lives: BTreeMap<_, _> = live.into_iter().map(object).map(|it| (it.key(), it)).collect();
    let loaded = targets(Ok(target.into_iter().map(object).collect()), &facts);
    let (comparison, _) = compare(loaded, Ok(lives), &facts);
    assert!(!format!("{comparison:?}").contains("canary"));
    comparison.managed_resources(&options, &BTreeSet::from(["token".to_owned()])).expect("a valid case")
}

#[test]
fn no_value_of_a_secret_leaves() {
    let mark = json!({"argocd.argoproj.io/tracking-id": "a:/Secret:web/s", "token": "canary-0"});
    let found = managed(
        vec![
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "annotations": {"token": "canary-1"}}, "stringData": {"plain": "canary-2"}}),
        ],
        vec![
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "web", "resourceVersion": "9", "annotations": mark}, "data": {"plain": "Y2FuYXJ5LTM="}}),
        ],
    );
    let text = serde_json::to_string(&found).expect("a valid case");
    for canary in ["canary", "Y2FuYXJ5", "Y2FuYXJ5LTI="] {
        assert!(!text.contains(canary), "{canary} in {text}");
    }
    assert!(found[0].modified && text.contains("++++"));
    assert_eq!(found[0].resource_version, "9");
}

#[test]
fn what_is_not_there_is_null_and_names_are_in_order() {
    let map = |name: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "web", "annotations": {"argocd.argoproj.io/tracking-id": format!("a:/ConfigMap:web/{name}")}}});
    let found = managed(vec![map("b"), map("a")], vec![map("b"), map("c")]);
    let states: Vec<_> = found
        .iter()
        .map(|it| (it.name.as_str(), it.target_state == "null", it.live_state == "null", it.modified))
        .collect();
    assert_eq!(states, [("a", false, true, true), ("b", false, false, false), ("c", true, false, false)]);
    assert_eq!(found[2].predicted_live_state, "null");
}

#[test]
fn orphans_are_told_where_the_project_asks() {
    let project = |warn: Value| -> AppProject {
        serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": {"orphanedResources": warn}}))
            .expect("a valid case")
    };
    let now = "2024-01-01T00:00:00Z".parse().expect("a valid case");
    let told =
        |warn: Value, count: usize| orphaned_condition(&project(warn), count, now).map(|it| it.message);
    assert_eq!(told(json!({"warn": true}), 1), Some("Application has 1 orphaned resources".into()));
    assert_eq!(told(json!({"warn": true}), 0), None);
    assert_eq!(told(json!({}), 1), None);
    assert_eq!(told(Value::Null, 1), None);
}
