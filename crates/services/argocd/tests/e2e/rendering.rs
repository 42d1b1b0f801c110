//! Charts, kustomizations and Jsonnet become live as plain manifests do, through all components.

use crate::installation::{Installation, NAMESPACE, Part, installation, sync_status};
use serde_json::{Value, json};
use testkit::git_repo::GitRepo;

const FILES: [(&str, &str); 8] = [
    ("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 1.0.0\n"),
    ("chart/values.yaml", "value: chart\n"),
    (
        "chart/templates/map.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  value: {{ .Values.value | quote }}\n",
    ),
    ("base/kustomization.yaml", "resources: [map.yaml]\n"),
    ("base/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map\ndata:\n  value: base\n"),
    (
        "overlay/kustomization.yaml",
        "resources: [../base]\nconfigMapGenerator:\n- name: made\n  literals: [value=made]\npatches:\n- patch: |\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: map}\n    data: {value: patched}\n",
    ),
    ("jsonnet/map.jsonnet", "local lib = import 'vendor/lib.libsonnet'; lib.map(std.extVar('name'))"),
    (
        "jsonnet/vendor/lib.libsonnet",
        "{ map(name):: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name }, data: { value: 'jsonnet' } } }",
    ),
];

pub fn declare(installation: &Installation, name: &str, sources: &Value) {
    let (key, value) = if sources.is_array() { ("sources", sources) } else { ("source", sources) };
    installation
        .kube
        .create(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {
                "project": "default", key: value,
                "destination": {"server": "https://kubernetes.default.svc", "namespace": name},
                "syncPolicy": {"automated": {}, "syncOptions": ["CreateNamespace=true"]},
            },
        }))
        .unwrap();
}

/// Whether the repo-server has a child that is there to evaluate Jsonnet.
fn evaluates_in_a_child(installation: &Installation) -> bool {
    let id = installation.id(Part::RepoServer);
    let tasks = std::fs::read_dir(format!("/proc/{id}/task")).unwrap().flatten();
    let children = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let children: Vec<String> =
        children.flat_map(|ids| ids.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
    let mut environments =
        children.iter().map(|id| std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default());
    let named = |environment: Vec<u8>| {
        let environment = String::from_utf8_lossy(&environment).into_owned();
        environment.contains("ARGOCD_BINARY_NAME=argocd-jsonnet-evaluator")
            && !environment.contains("REDIS_PASSWORD")
    };
    environments.any(named)
}

#[test]
fn every_engine_makes_things_live() {
    let installation = installation();
    let mut repository = GitRepo::from_files("engines", &FILES).unwrap();
    let url = repository.url();
    let mut values = GitRepo::from_files("values", &[("values/prod.yaml", "value: referenced\n")]).unwrap();
    let source = |path: &str, more: Value| {
        let mut source = json!({"repoURL": url, "path": path, "targetRevision": "HEAD"});
        if let (Value::Object(source), Value::Object(more)) = (&mut source, more) {
            source.extend(more);
        }
        source
    };
    declare(
        &installation,
        "charted",
        &source("chart", json!({"helm": {"parameters": [{"name": "value", "value": "a,b"}]}})),
    );
    let chart = source(
        "chart",
        json!({"helm": {"valueFiles": ["$values/values/prod.yaml"], "releaseName": "release"}}),
    );
    declare(
        &installation,
        "referring",
        &json!([chart, {"repoURL": values.url(), "targetRevision": "HEAD", "ref": "values"}]),
    );
    declare(&installation, "kustomized", &source("overlay", json!({"kustomize": {"namePrefix": "own-"}})));
    let variables =
        json!({"directory": {"jsonnet": {"extVars": [{"name": "name", "value": "$ARGOCD_APP_NAME-map"}]}}});
    declare(&installation, "evaluated", &source("jsonnet", variables));
    for name in ["charted", "referring", "kustomized", "evaluated"] {
        installation.until_synced(name);
    }
    let value = |namespace: &str, name: &str| installation.value(namespace, name);
    assert_eq!(value("charted", "charted").as_deref(), Some("a,b"));
    assert_eq!(value("referring", "release").as_deref(), Some("referenced"));
    assert_eq!(value("kustomized", "own-map").as_deref(), Some("patched"));
    assert_eq!(value("evaluated", "evaluated-map").as_deref(), Some("jsonnet"));
    let types = ["charted", "kustomized", "evaluated"]
        .map(|name| installation.application(name)["status"]["sourceType"].as_str().map(str::to_owned));
    assert_eq!(types.map(Option::unwrap_or_default), ["Helm", "Kustomize", "Directory"]);
    assert!(evaluates_in_a_child(&installation), "Jsonnet is evaluated where it can be ended");

    // A values file of another repository is read anew, though the chart's own files stay as they were.
    values.change("values/prod.yaml", "value: changed\n").unwrap();
    installation.succeed(&["app", "get", "referring", "--refresh"]);
    installation.until_application("referring", "the other source's change is live", |application| {
        sync_status(application) == "Synced" && value("referring", "release").as_deref() == Some("changed")
    });

    // What does not render is told, and what is live stays.
    repository.change("chart/templates/map.yaml", "{{ .Values.value | nonsense }}\n").unwrap();
    installation.succeed(&["app", "get", "charted", "--refresh"]);
    installation.until_application("charted", "the template's error", |application| {
        let conditions = application["status"]["conditions"].to_string();
        sync_status(application) == "Unknown"
            && conditions.contains("nonsense")
            && conditions.contains("map.yaml")
    });
    assert_eq!(value("charted", "charted").as_deref(), Some("a,b"));
    for name in ["charted", "referring", "kustomized", "evaluated"] {
        installation.succeed(&["app", "delete", name, "--yes"]);
    }
}

#[test]
fn what_is_synced_of_a_hydrated_application_is_where_it_is_pushed() {
    let installation = installation();
    let map = |value: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map\ndata:\n  value: {value}\n")
    };
    let dry = GitRepo::from_files("dry", &[("app/map.yaml", &map("dry"))]).unwrap();
    let wet = GitRepo::from_files("wet", &[("out/map.yaml", &map("wet"))]).unwrap();
    wet.git(&["push", "-q", "origin", "HEAD:refs/heads/env"]).unwrap();
    let application = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "hydrated", "namespace": NAMESPACE},
        "spec": {
            "project": "default",
            "sourceHydrator": {
                "drySource": {"repoURL": dry.url(), "path": "app", "targetRevision": "HEAD"},
                "syncSource": {"repoURL": wet.url(), "targetBranch": "env", "path": "out"},
            },
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "hydrated"},
            "syncPolicy": {"automated": {}, "syncOptions": ["CreateNamespace=true"]},
        },
    });
    installation.kube.create(application).unwrap();
    installation.until_synced("hydrated");
    assert_eq!(installation.value("hydrated", "map").as_deref(), Some("wet"));
    let found = installation.application("hydrated");
    let source = &found["status"]["sync"]["comparedTo"]["source"];
    assert_eq!((&source["repoURL"], &source["targetRevision"]), (&json!(wet.url()), &json!("env")));
    assert_eq!(found["status"]["history"][0]["source"]["repoURL"], json!(wet.url()));

    // What a revision would be rendered to is told of the dry source.
    let shown = installation.succeed(&["app", "manifests", "hydrated", "--revision", "HEAD"]);
    assert!(shown.contains("value: dry"), "{shown}");
    let live = installation.succeed(&["app", "manifests", "hydrated", "--source", "live"]);
    assert!(live.contains("value: wet"), "{live}");
    installation.succeed(&["app", "delete", "hydrated", "--yes"]);
}

#[test]
fn the_users_own_health_check_is_heeded_as_soon_as_it_is_written() {
    let installation = installation();
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: judged\ndata:\n  state: bad\n";
    let mut repository = GitRepo::from_files("judged", &[("app/map.yaml", map)]).unwrap();
    let url = repository.url();
    declare(&installation, "judged", &json!({"repoURL": url, "path": "app", "targetRevision": "HEAD"}));
    installation.until_synced("judged");
    let script = "local health = {status = 'Healthy', message = ''}\nif obj.data ~= nil and obj.data.state == 'bad' then\n  health = {status = 'Degraded', message = 'the state is ' .. obj.data.state}\nend\nreturn health\n";
    installation.set("argocd-cm", "resource.customizations.health.ConfigMap", Some(script));
    let health = |application: &Value| application["status"]["health"]["status"].as_str().map(str::to_owned);
    installation
        .until_application("judged", "Degraded", |found| health(found).as_deref() == Some("Degraded"));
    let told = installation.succeed(&["app", "get", "judged", "--output", "json"]);
    assert!(told.contains("the state is bad"), "{told}");
    repository.change("app/map.yaml", &map.replace("bad", "good")).unwrap();
    installation.succeed(&["app", "get", "judged", "--refresh"]);
    installation.until_synced("judged");
    installation.set("argocd-cm", "resource.customizations.health.ConfigMap", None);
    installation.succeed(&["app", "delete", "judged", "--yes"]);
}

/// A chart that looks at its surroundings.
const LOOKING: [(&str, &str); 2] = [
    ("app/Chart.yaml", "apiVersion: v2\nname: looking\nversion: 1.0.0\n"),
    (
        "app/templates/map.yaml",
        r#"apiVersion: v1
kind: ConfigMap
metadata: {name: seen}
data:
  size: {{ dig "data" "size" "none" (lookup "v1" "ConfigMap" .Release.Namespace "settings") | quote }}
  key: {{ dig "data" "key" "none" (lookup "v1" "Secret" .Release.Namespace "hidden") | quote }}
  elsewhere: {{ dig "data" "size" "none" (lookup "v1" "ConfigMap" "looked-elsewhere" "settings") | quote }}
  namespace: {{ dig "metadata" "name" "none" (lookup "v1" "Namespace" "" .Release.Namespace) | quote }}
  all: {{ range (lookup "v1" "ConfigMap" "" "").items }}{{ if eq .metadata.name "settings" }}{{ .metadata.namespace }} {{ end }}{{ end }}.
"#,
    ),
];

#[test]
fn charts_look_up_what_their_project_permits() {
    let installation = installation();
    let kube = &installation.kube;
    let repository = GitRepo::from_files("looking", &LOOKING).unwrap();
    for namespace in ["looking", "looked-elsewhere"] {
        kube.create(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}))
            .unwrap();
        kube.create(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": namespace},
            "data": {"size": "3"},
        }))
        .unwrap();
    }
    kube.create(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hidden", "namespace": "looking"},
        "stringData": {"key": "hi"},
    }))
    .unwrap();
    kube.create(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": "looking", "namespace": NAMESPACE},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"server": "https://kubernetes.default.svc", "namespace": "looking"}],
        },
    }))
    .unwrap();
    let permit = |lookups: &str| {
        let annotations = json!({"metadata": {"annotations": {"argocd.argoproj.io/helm-lookup": lookups}}});
        kube.merge("argoproj.io/v1alpha1", "AppProject", NAMESPACE, "looking", annotations);
        installation.succeed(&["app", "get", "looking", "--refresh"]);
    };
    kube.create(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "looking", "namespace": NAMESPACE},
        "spec": {
            "project": "looking",
            "source": {"repoURL": repository.url(), "path": "app", "targetRevision": "HEAD"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "looking"},
            "syncPolicy": {"automated": {"selfHeal": true}},
        },
    }))
    .unwrap();
    let seen = || {
        let found = kube.find("v1", "ConfigMap", "looking", "seen").unwrap_or_default();
        ["size", "key", "elsewhere", "namespace", "all"].map(|key| {
            found["data"][key].as_str().unwrap_or_default().trim_end_matches('.').trim().to_owned()
        })
    };
    let until = |what: &str, expected: [&str; 5]| {
        installation.until_application("looking", what, |application| {
            sync_status(application) == "Synced" && seen() == expected
        });
    };
    until("nothing is seen without leave", ["none", "none", "none", "none", ""]);
    permit("*");
    until("all but Secrets, and in the project's namespaces", ["3", "none", "none", "looking", "looking"]);
    permit("v1/ConfigMap, v1/Secret");
    until("what is named", ["3", "aGk=", "none", "none", "looking"]);
    // The users who ask for manifests see the same.
    let shown = installation.succeed(&["app", "manifests", "looking", "--source", "git"]);
    assert!(shown.contains("size: \"3\"") && shown.contains("key: aGk="), "{shown}");
    // What is looked at changes, and so does what is made of it.
    kube.merge("v1", "ConfigMap", "looking", "settings", json!({"data": {"size": "4"}}));
    installation.succeed(&["app", "get", "looking", "--refresh"]);
    until("the change", ["4", "aGk=", "none", "none", "looking"]);
    // A slip in the annotation is told, and nothing is taken for absent meanwhile.
    permit("ConfigMap");
    installation.until_application("looking", "the slip", |application| {
        let conditions = application["status"]["conditions"].to_string();
        sync_status(application) == "Unknown" && conditions.contains("is no kind")
    });
    assert_eq!(seen()[0], "4");
    installation.succeed(&["app", "delete", "looking", "--yes"]);
}
