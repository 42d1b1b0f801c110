//! What projects permit, row by row.

#![expect(clippy::needless_pass_by_value, reason = "the cases read better without borrows")]

use api::v1alpha1::{AppProject, Application};
use object::ResourceKey;
use project::{
    Cluster, Destination, destination_cluster, effective, ignores_orphan, permits_application_namespace,
    permits_destination, permits_kind, permits_source, validate_application,
};
use serde_json::{Value, json};

fn project(spec: Value) -> AppProject {
    serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec})).expect("a valid case")
}

#[test]
fn sources() {
    let rows: &[(&[&str], &str, bool)] = &[
        (&[], "https://github.com/a/b", false),
        (&["*"], "https://github.com/a/b", true),
        (&["https://github.com/a/*"], "https://github.com/a/b.git", true),
        (&["https://github.com/a/*"], "https://github.com/a/b/c", false),
        (&["https://github.com/*"], "https://github.com/a/b", false),
        (&["https://github.com/**"], "https://github.com/a/b", true),
        (&["git@github.com:a/b.git"], "ssh://git@github.com/A/b", true),
        (&["!https://github.com/a/b", "*"], "https://github.com/a/b.git", false),
        (&["!https://github.com/a/b", "*"], "https://github.com/a/c", true),
        (&["*", "!https://gitlab.com/group/**"], "https://gitlab.com/group/x/y", false),
        (&["!https://github.com/a/b"], "https://github.com/a/c", true),
    ];
    for (sources, repository, expected) in rows {
        let project = project(json!({"sourceRepos": sources}));
        assert_eq!(permits_source(&project, repository), *expected, "{sources:?} {repository}");
    }
}

#[test]
fn destinations() {
    let rows: &[(Value, &str, &str, &str, bool)] = &[
        (json!([]), "https://k", "k", "a", false),
        (json!([{"server": "*", "namespace": "*"}]), "https://k", "k", "a", true),
        (json!([{"server": "https://k", "namespace": "team-*"}]), "https://k", "k", "team-a", true),
        (json!([{"server": "https://k", "namespace": "team-*"}]), "https://k", "k", "kube-system", false),
        (json!([{"name": "k", "namespace": "*"}]), "https://k", "k", "a", true),
        (json!([{"name": "k", "namespace": "*"}]), "https://k", "", "a", false),
        (json!([{"server": "*", "namespace": "!kube-system"}]), "https://k", "k", "kube-system", false),
        (json!([{"server": "*", "namespace": "!kube-system"}]), "https://k", "k", "a", true),
        (
            json!([{"server": "*", "namespace": "*"}, {"server": "!https://k", "namespace": "*"}]),
            "https://k",
            "",
            "a",
            false,
        ),
        (
            json!([{"server": "*", "namespace": "*"}, {"server": "!https://k", "namespace": "*"}]),
            "https://j",
            "",
            "a",
            true,
        ),
        (json!([{"server": "[", "namespace": "*"}]), "https://k", "k", "a", false),
    ];
    for (list, server, name, namespace, expected) in rows {
        let project = project(json!({"destinations": list}));
        let cluster = Cluster { server: (*server).into(), name: (*name).into() };
        let destination = Destination { cluster: &cluster, namespace };
        assert_eq!(permits_destination(&project, destination, &[]), *expected, "{list} {server} {namespace}");
    }
}

#[test]
fn only_clusters_of_the_project_where_it_says_so() {
    let project = project(json!({
        "destinations": [{"server": "*", "namespace": "*"}], "permitOnlyProjectScopedClusters": true
    }));
    let cluster = Cluster { server: "https://k".into(), name: "k".into() };
    let destination = Destination { cluster: &cluster, namespace: "a" };
    assert!(!permits_destination(&project, destination, &[]));
    assert!(permits_destination(&project, destination, std::slice::from_ref(&cluster)));
}

#[test]
fn kinds() {
    let plain = project(json!({}));
    assert!(permits_kind(&plain, "apps", "Deployment", "x", true));
    assert!(!permits_kind(&plain, "", "Namespace", "x", false));
    let picky = project(json!({
        "namespaceResourceWhitelist": [{"group": "apps", "kind": "*"}, {"group": "", "kind": "Secret"}],
        "namespaceResourceBlacklist": [{"group": "apps", "kind": "DaemonSet"}],
        "clusterResourceWhitelist": [{"group": "", "kind": "Namespace", "name": "team-*"}, {"group": "rbac*", "kind": "*"}],
        "clusterResourceBlacklist": [{"group": "*", "kind": "ClusterRoleBinding"}],
    }));
    let rows = [
        ("apps", "Deployment", "x", true, true),
        ("apps", "DaemonSet", "x", true, false),
        ("", "Secret", "x", true, true),
        ("", "ConfigMap", "x", true, false),
        ("", "Namespace", "team-a", false, true),
        ("", "Namespace", "kube-system", false, false),
        ("rbac.authorization.k8s.io", "ClusterRole", "x", false, true),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding", "x", false, false),
        ("apiextensions.k8s.io", "CustomResourceDefinition", "x", false, false),
    ];
    for (group, kind, name, namespaced, expected) in rows {
        assert_eq!(permits_kind(&picky, group, kind, name, namespaced), expected, "{group}/{kind} {name}");
    }
}

#[test]
fn application_namespaces() {
    let project = project(json!({"sourceNamespaces": ["team-*", "/^x[0-9]$/", "/^dev-((?!prod).)*$/"]}));
    for (namespace, expected) in [
        ("", true),
        ("argocd", true),
        ("team-a", true),
        ("x1", true),
        ("x10", false),
        ("other", false),
        ("dev-a", true),
        ("dev-prod", false),
    ] {
        assert_eq!(permits_application_namespace(&project, namespace, "argocd"), expected, "{namespace}");
    }
}

#[test]
fn orphans_worth_no_word() {
    let project = project(json!({"orphanedResources": {"ignore": [
        {"kind": "ConfigMap", "name": "kube-root-*"}, {"group": "*", "kind": "EndpointSlice"}
    ]}}));
    for (group, kind, name, expected) in [
        ("", "ConfigMap", "kube-root-ca.crt", true),
        ("", "ConfigMap", "mine", false),
        ("", "ServiceAccount", "default", true),
        ("", "ServiceAccount", "robot", false),
        ("", "Service", "kubernetes", false),
        ("apps", "ConfigMap", "kube-root-ca.crt", false),
        ("discovery.k8s.io", "EndpointSlice", "x", true),
    ] {
        assert_eq!(
            ignores_orphan(&project, &ResourceKey::new(group, kind, "n", name)),
            expected,
            "{kind}/{name}"
        );
    }
}

#[test]
fn global_projects_and_own_clusters_add() {
    let own = project(json!({"sourceRepos": ["https://a"]}));
    let account = json!({"server": "*", "namespace": "*", "defaultServiceAccount": "deployer"});
    let global = project(json!({
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}], "sourceRepos": ["https://b"],
        "destinationServiceAccounts": [account],
    }));
    let cluster = Cluster { server: "https://k".into(), name: "k".into() };
    let all = effective(&own, &[&global], &["https://c".into()], &[(cluster.clone(), vec!["n".into()])]);
    assert!(["https://a", "https://b", "https://c"].iter().all(|source| permits_source(&all, source)));
    assert!(permits_kind(&all, "", "Namespace", "x", false));
    assert_eq!(all.spec.destination_service_accounts, global.spec.destination_service_accounts);
    assert!(permits_destination(&all, Destination { cluster: &cluster, namespace: "n" }, &[]));
    assert!(!permits_destination(&all, Destination { cluster: &cluster, namespace: "m" }, &[]));
}

fn told(spec: Value, project_spec: Value) -> Vec<String> {
    let application: Application =
        serde_json::from_value(json!({"metadata": {"name": "a"}, "spec": spec})).expect("a valid case");
    let clusters = [Cluster { server: "https://kubernetes.default.svc".into(), name: "in-cluster".into() }];
    let cluster = destination_cluster(&application.spec.destination, &clusters);
    let cluster = cluster.as_ref().map_err(String::as_str);
    let now = "2024-01-01T00:00:00Z".parse().expect("a valid case");
    validate_application(&application, &project(project_spec), cluster, &[], now)
        .into_iter()
        .map(|condition| format!("{}: {}", condition.r#type, condition.message))
        .collect()
}

#[test]
fn invalid_applications_are_told_as_recorded() {
    let open = json!({"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]});
    let here = json!({"server": "https://kubernetes.default.svc", "namespace": "x"});
    let source = json!({"repoURL": "https://r/a.git", "path": "shared"});
    assert_eq!(told(json!({"destination": here, "source": source}), open.clone()), Vec::<String>::new());
    assert_eq!(
        told(json!({"destination": here}), open.clone()),
        [
            "InvalidSpecError: spec.source.repoURL and either spec.source.path or spec.source.chart are required"
        ]
    );
    assert_eq!(
        told(json!({"destination": {"name": "nowhere", "namespace": "x"}, "source": source}), open.clone()),
        ["InvalidSpecError: there are no clusters with this name: nowhere"]
    );
    assert_eq!(
        told(json!({"destination": {"server": "https://unknown.example"}, "source": source}), open.clone()),
        [
            "InvalidSpecError: error getting cluster by server \"https://unknown.example\": rpc error: code = NotFound desc = cluster \"https://unknown.example\" not found"
        ]
    );
    let own = Application::default();
    let own = api::v1alpha1::ApplicationDestination {
        server: "https://kubernetes.default.svc".into(),
        ..own.spec.destination
    };
    assert_eq!(
        destination_cluster(&own, &[]).unwrap_err(),
        "error getting cluster by server \"https://kubernetes.default.svc\": rpc error: code = NotFound desc = cluster \"https://kubernetes.default.svc\" is disabled"
    );
    assert_eq!(
        told(json!({"source": source}), open.clone()),
        ["InvalidSpecError: Destination server missing from app spec"]
    );
    let both = json!({"name": "in-cluster", "server": "https://kubernetes.default.svc"});
    assert_eq!(
        told(json!({"destination": both, "source": source}), open),
        [
            "InvalidSpecError: application destination can't have both name and server defined: in-cluster https://kubernetes.default.svc"
        ]
    );
    let closed =
        json!({"sourceRepos": ["https://other"], "destinations": [{"server": "*", "namespace": "team-a"}]});
    assert_eq!(
        told(json!({"project": "team-a", "destination": here, "source": source}), closed),
        [
            "InvalidSpecError: application repo https://r/a.git is not permitted in project 'team-a'",
            "InvalidSpecError: application destination server 'https://kubernetes.default.svc' and namespace 'x' do not match any of the allowed destinations in project 'team-a'"
        ]
    );
}

#[test]
fn what_is_rendered_and_what_is_synced_must_both_be_permitted() {
    let here = json!({"server": "https://kubernetes.default.svc", "namespace": "x"});
    let spec = |sync: Value| {
        let dry = json!({"repoURL": "https://r/dry", "path": "p", "targetRevision": "main"});
        json!({"destination": here, "sourceHydrator": {"drySource": dry, "syncSource": sync}})
    };
    let elsewhere = spec(json!({"repoURL": "https://r/wet", "targetBranch": "env", "path": "p"}));
    let beside = spec(json!({"targetBranch": "env", "path": "p"}));
    let permits = |sources: &[&str]| json!({"sourceRepos": sources, "destinations": [{"server": "*", "namespace": "*"}]});
    assert_eq!(told(elsewhere.clone(), permits(&["https://r/dry", "https://r/wet"])), Vec::<String>::new());
    assert_eq!(
        told(elsewhere.clone(), permits(&["https://r/dry"])),
        ["InvalidSpecError: sync source repo https://r/wet is not permitted in project 'default'"]
    );
    assert_eq!(
        told(elsewhere, permits(&["https://r/wet"])),
        ["InvalidSpecError: application repo https://r/dry is not permitted in project 'default'"]
    );
    assert_eq!(told(beside, permits(&["https://r/dry"])), Vec::<String>::new());
}

#[test]
fn an_empty_list_of_kinds_permits_none_and_an_absent_one_all() {
    let config_map = |spec: Value| permits_kind(&project(spec), "", "ConfigMap", "a", true);
    assert!(config_map(json!({})));
    assert!(config_map(json!({"namespaceResourceWhitelist": null})));
    assert!(!config_map(json!({"namespaceResourceWhitelist": []})));
    assert!(config_map(json!({"namespaceResourceWhitelist": [{"group": "", "kind": "ConfigMap"}]})));
}
