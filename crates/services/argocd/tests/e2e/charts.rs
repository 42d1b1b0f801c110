//! Charts out of chart repositories and registries, and artifacts of registries, become live through all components.

use crate::installation::{Installation, NAMESPACE, Part, condition, installation, sync_status};
use crate::rendering::declare;
use archive::Packer;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use testkit::git_http::{self, GitHttp};
use testkit::git_repo::GitRepo;
use testkit::registry::{self, Artifact, Registry, Storage};

const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const CHART_CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const CONTENT_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const TEMPLATE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-{{ .Chart.Name }}\ndata:\n  value: {{ .Values.value | quote }}\n";

fn packed(files: &[(&str, &str)]) -> Vec<u8> {
    let mut packer = Packer::new(Vec::new());
    for (path, text) in files {
        packer.file(path, text.as_bytes(), false).unwrap();
    }
    packer.finish().unwrap()
}

/// The chart `guestbook`, which says its version.
fn chart(version: &str) -> Vec<u8> {
    packed(&[
        ("guestbook/Chart.yaml", &format!("apiVersion: v2\nname: guestbook\nversion: {version}\n")),
        ("guestbook/values.yaml", &format!("value: from {version}\n")),
        ("guestbook/templates/map.yaml", TEMPLATE),
    ])
}

fn offer(folder: &Path, versions: &[&str]) {
    let mut index = "apiVersion: v1\nentries:\n  guestbook:\n".to_owned();
    for version in versions {
        fs::write(folder.join(format!("guestbook-{version}.tgz")), chart(version)).unwrap();
        index.push_str(&format!("  - {{version: {version}, urls: [guestbook-{version}.tgz]}}\n"));
    }
    fs::write(folder.join("index.yaml"), index).unwrap();
}

pub fn register(installation: &Installation, name: &str, data: &Value) {
    installation.kube.apply(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "name": name, "namespace": NAMESPACE, "labels": {"argocd.argoproj.io/secret-type": "repository"},
        },
        "stringData": data,
    }));
}

fn revision(installation: &Installation, name: &str) -> String {
    let application = installation.application(name);
    application["status"]["sync"]["revision"].as_str().unwrap_or_default().to_owned()
}

fn user() -> Option<(String, String)> {
    Some(("user".to_owned(), "open-sesame".to_owned()))
}

/// Lets the repo-server trust an authority for `localhost`.
fn trust(installation: &Installation, authority: &str) {
    installation.set("argocd-tls-certs-cm", "localhost", Some(authority));
    installation.mount_trusted();
}

#[test]
fn charts_of_a_repository_become_live() {
    let installation = installation();
    let folder = tempfile::tempdir().unwrap();
    offer(folder.path(), &["1.0.0", "1.1.0", "2.0.0"]);
    let options = git_http::Options { basic_auth: user(), tls: false };
    let server = GitHttp::serve_files(folder.path(), &options).unwrap();
    let url = server.url("");
    let source = json!({
        "repoURL": url, "chart": "guestbook", "targetRevision": "1.x",
        "helm": {"parameters": [{"name": "value", "value": "set"}]},
    });
    // Without credentials nothing is read, and the user learns why.
    declare(&installation, "chart-http", &source);
    installation.until_application("chart-http", "the refusal", |application| {
        condition(application, "ComparisonError").contains("401 Unauthorized")
    });
    register(
        &installation,
        "charts",
        &json!({"type": "helm", "name": "charts", "url": url, "username": "user", "password": "open-sesame"}),
    );
    installation
        .until_application("chart-http", "synced", |application| sync_status(application) == "Synced");
    assert_eq!(revision(&installation, "chart-http"), "1.1.0");
    assert_eq!(installation.value("chart-http", "chart-http-guestbook").as_deref(), Some("set"));
    assert_eq!(installation.application("chart-http")["status"]["sourceType"], "Helm");

    // A new version that fits is taken by itself.
    offer(folder.path(), &["1.0.0", "1.1.0", "1.2.0", "2.0.0"]);
    installation.succeed(&["app", "get", "chart-http", "--refresh"]);
    installation.until_application("chart-http", "the new version", |_| {
        revision(&installation, "chart-http") == "1.2.0"
    });

    // A chart in Git that needs one from there gets it, by the name of the repository.
    let own = "apiVersion: v2\nname: own\nversion: 1.0.0\ndependencies:\n- {name: guestbook, version: 1.0.x, repository: '@charts'}\n";
    let repository = GitRepo::from_files("needing", &[("chart/Chart.yaml", own)]).unwrap();
    let source = json!({"repoURL": repository.url(), "path": "chart", "targetRevision": "HEAD"});
    declare(&installation, "chart-needing", &source);
    installation.until_synced("chart-needing");
    assert_eq!(installation.value("chart-needing", "chart-needing-guestbook").as_deref(), Some("from 1.0.0"));

    // What is not there is told, and what is live stays.
    let missing = json!({"spec": {"source": {"targetRevision": "9.9.9"}}});
    installation.kube.merge("argoproj.io/v1alpha1", "Application", NAMESPACE, "chart-http", missing);
    installation.until_application("chart-http", "the missing version", |application| {
        condition(application, "ComparisonError").contains("version \"9.9.9\" not found in")
            && sync_status(application) == "Unknown"
    });
    assert_eq!(installation.value("chart-http", "chart-http-guestbook").as_deref(), Some("set"));
    for part in Part::ALL {
        assert!(!installation.log(part).contains("open-sesame"), "{} told the password", part.name());
    }
    for name in ["chart-http", "chart-needing"] {
        installation.succeed(&["app", "delete", name, "--yes"]);
    }
}

#[test]
fn charts_and_artifacts_of_registries_become_live() {
    let installation = installation();
    let storage = Storage::new().unwrap();
    let open = Registry::serve(&storage, &registry::Options::default()).unwrap();
    let push_chart = |version: &str| {
        let content = chart(version);
        let layers = [(CHART_LAYER, content.as_slice())];
        let artifact = Artifact { config_type: CHART_CONFIG, layers: &layers, annotations: &[] };
        open.push("charts/guestbook", version, &artifact).unwrap()
    };
    push_chart("1.0.0");
    push_chart("1.1.0");
    let push = |tag: &str, value: &str| {
        let map =
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map\ndata:\n  value: {value}\n");
        let kustomization = "resources: [map.yaml]\nnamePrefix: own-\n";
        let content = packed(&[
            ("plain/map.yaml", &map),
            ("built/map.yaml", &map),
            ("built/kustomization.yaml", kustomization),
        ]);
        let layers = [(CONTENT_LAYER, content.as_slice())];
        let artifact =
            Artifact { config_type: "application/vnd.oci.empty.v1+json", layers: &layers, annotations: &[] };
        open.push("team/app", tag, &artifact).unwrap()
    };
    let first = push("1.0.0", "first");
    let locked = registry::Options { basic_auth: user(), tls: true };
    let registry = Registry::serve(&storage, &locked).unwrap();
    trust(&installation, registry.certificate_authority().unwrap());
    let charts = format!("{}/charts", registry.address());
    let artifact = format!("oci://{}/team/app", open.address());
    register(
        &installation,
        "registry",
        &json!({"type": "helm", "enableOCI": "true", "name": "registry", "url": charts, "username": "user", "password": "open-sesame"}),
    );
    register(
        &installation,
        "artifact",
        &json!({"type": "oci", "url": artifact, "insecureOCIForceHttp": "true"}),
    );
    declare(
        &installation,
        "chart-oci",
        &json!({"repoURL": charts, "chart": "guestbook", "targetRevision": "^1.0"}),
    );
    let plain = json!({"repoURL": artifact, "path": "plain", "targetRevision": "1.x"});
    declare(&installation, "artifact-plain", &plain);
    let built = json!({"repoURL": artifact, "path": "built", "targetRevision": first});
    declare(&installation, "artifact-built", &built);
    for name in ["chart-oci", "artifact-plain", "artifact-built"] {
        installation.until_synced(name);
    }
    let value = |namespace: &str, name: &str| installation.value(namespace, name);
    assert_eq!(value("chart-oci", "chart-oci-guestbook").as_deref(), Some("from 1.1.0"));
    assert_eq!(revision(&installation, "chart-oci"), "1.1.0");
    assert_eq!(value("artifact-plain", "map").as_deref(), Some("first"));
    assert_eq!(value("artifact-built", "own-map").as_deref(), Some("first"));
    assert_eq!(revision(&installation, "artifact-plain"), first);

    // A newer tag that fits is taken; what names a digest stays.
    let second = push("1.1.0", "second");
    installation.succeed(&["app", "get", "artifact-plain", "--refresh"]);
    installation.succeed(&["app", "get", "artifact-built", "--refresh"]);
    installation.until_application("artifact-plain", "the newer tag is live", |_| {
        revision(&installation, "artifact-plain") == second
            && value("artifact-plain", "map").as_deref() == Some("second")
    });
    assert_eq!(value("artifact-built", "own-map").as_deref(), Some("first"));
    for name in ["chart-oci", "artifact-plain", "artifact-built"] {
        installation.succeed(&["app", "delete", name, "--yes"]);
    }
}
