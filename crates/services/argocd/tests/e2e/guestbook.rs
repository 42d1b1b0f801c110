//! The guestbook, as everybody's first application: in every form a source may have, and from remotes that have to be
//! trusted first. Its Deployment has to become healthy.

use crate::charts::register;
use crate::installation::{Installation, NAMESPACE, Part, condition, installation, sync_status};
use crate::plugins::Sidecar;
use crate::rendering::declare;
use serde_json::{Value, json};
use testkit::git_http::{self, GitHttp};
use testkit::git_repo::GitRepo;
use testkit::sshd::{Key, Sshd};

const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: guestbook-ui\nspec:\n  replicas: REPLICAS\n  selector: {matchLabels: {app: guestbook-ui}}\n  template:\n    metadata: {labels: {app: guestbook-ui}}\n    spec:\n      terminationGracePeriodSeconds: 0\n      containers:\n      - {name: guestbook-ui, image: example.com/guestbook, ports: [{containerPort: 80}]}\n";
const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata:\n  name: guestbook-ui\nspec:\n  ports: [{port: 80, targetPort: 80}]\n  selector: {app: guestbook-ui}\n";

/// One folder for each form.
fn repository(name: &str) -> GitRepo {
    let deployment = DEPLOYMENT.replace("REPLICAS", "1");
    let chart = DEPLOYMENT.replace("REPLICAS", "{{ .Values.replicas }}");
    let yaml = "std.parseYaml(importstr '../plain/deployment.yaml') + { spec+: { replicas: std.extVar('replicas') } }";
    let files = [
        ("plain/deployment.yaml", deployment.as_str()),
        ("plain/service.yaml", SERVICE),
        ("helm/Chart.yaml", "apiVersion: v2\nname: guestbook\nversion: 1.0.0\n"),
        ("helm/values.yaml", "replicas: 1\n"),
        ("helm/templates/deployment.yaml", &chart),
        ("helm/templates/service.yaml", SERVICE),
        (
            "kustomize/kustomization.yaml",
            "resources: [../plain]\nreplicas: [{name: guestbook-ui, count: 2}]\nnamePrefix: own-\n",
        ),
        ("plain/kustomization.yaml", "resources: [deployment.yaml, service.yaml]\n"),
        ("jsonnet/guestbook.jsonnet", &format!("[{yaml}, std.parseYaml(importstr '../plain/service.yaml')]")),
        ("plugin/template", DEPLOYMENT),
        ("settings/values.yaml", "replicas: 3\n"),
        ("service/service.yaml", SERVICE),
    ];
    GitRepo::from_files(name, &files).unwrap()
}

fn replicas(installation: &Installation, namespace: &str, name: &str) -> Option<Value> {
    let found = installation.kube.find("apps/v1", "Deployment", namespace, name)?;
    Some(found["spec"]["replicas"].clone())
}

fn serves(installation: &Installation, namespace: &str, name: &str) -> bool {
    installation.kube.find("v1", "Service", namespace, name).is_some()
}

#[test]
fn the_guestbook_becomes_live_in_every_form() {
    let installation = installation();
    let repository = repository("guestbook");
    let source = |path: &str, more: Value| {
        let mut source = json!({"repoURL": repository.url(), "path": path, "targetRevision": "HEAD"});
        if let (Value::Object(source), Value::Object(more)) = (&mut source, more) {
            source.extend(more);
        }
        source
    };
    let spec = "  generate:\n    command: [sh, -c]\n    args: ['sed \"s/REPLICAS/$ARGOCD_ENV_REPLICAS/\" template']\n";
    let _sidecar = Sidecar::start(&installation, "guestbook", spec);
    let plugin = json!({"plugin": {"name": "guestbook", "env": [{"name": "REPLICAS", "value": "5"}]}});
    let variables = json!([{"name": "replicas", "value": "4", "code": true}]);
    let referring = source("helm", json!({"helm": {"valueFiles": ["$settings/settings/values.yaml"]}}));
    let settings = json!({"repoURL": repository.url(), "targetRevision": "HEAD", "ref": "settings"});
    let mut alone = DEPLOYMENT.replace("REPLICAS", "2").replace("guestbook-ui", "second");
    alone.push_str("---\n");
    alone.push_str(&SERVICE.replace("guestbook-ui", "second"));
    let other = GitRepo::from_files("second", &[("app/all.yaml", &alone)]).unwrap();
    let other = json!({"repoURL": other.url(), "path": "app", "targetRevision": "HEAD"});
    let forms = [
        ("guestbook-plain", source("plain", json!({"directory": {"exclude": "kustomization.yaml"}}))),
        (
            "guestbook-helm",
            source("helm", json!({"helm": {"parameters": [{"name": "replicas", "value": "2"}]}})),
        ),
        ("guestbook-kustomize", source("kustomize", json!({}))),
        ("guestbook-jsonnet", source("jsonnet", json!({"directory": {"jsonnet": {"extVars": variables}}}))),
        ("guestbook-plugin", source("plugin", plugin)),
        ("guestbook-several", json!([referring, settings, other])),
    ];
    for (name, sources) in &forms {
        declare(&installation, name, sources);
    }
    for (name, _) in &forms {
        installation.until_synced(name);
    }
    for (namespace, name, count) in [
        ("guestbook-plain", "guestbook-ui", 1),
        ("guestbook-helm", "guestbook-ui", 2),
        ("guestbook-kustomize", "own-guestbook-ui", 2),
        ("guestbook-jsonnet", "guestbook-ui", 4),
        ("guestbook-plugin", "guestbook-ui", 5),
        ("guestbook-several", "guestbook-ui", 3),
        ("guestbook-several", "second", 2),
    ] {
        assert_eq!(replicas(&installation, namespace, name), Some(json!(count)), "{namespace}");
        assert_eq!(serves(&installation, namespace, name), namespace != "guestbook-plugin", "{namespace}");
    }
    for (name, _) in &forms {
        installation.succeed(&["app", "delete", name, "--yes"]);
    }
}

#[test]
fn the_guestbook_comes_over_https_once_its_authority_is_trusted() {
    let installation = installation();
    let repository = repository("secured");
    let user = Some(("ann".to_owned(), "open-sesame".to_owned()));
    let server =
        GitHttp::serve(&repository.root(), &git_http::Options { basic_auth: user, tls: true }).unwrap();
    let other = git_http::Options { basic_auth: None, tls: true };
    let other = GitHttp::serve(&repository.root(), &other).unwrap();
    let url = server.url("secured.git");
    register(
        &installation,
        "repo-secured",
        &json!({"type": "git", "url": url, "username": "ann", "password": "open-sesame"}),
    );
    let file = installation.home.path().join("authority.pem");
    let add = |server: &GitHttp| {
        std::fs::write(&file, server.certificate_authority().unwrap()).unwrap();
        let file = file.to_str().unwrap();
        installation.succeed(&["cert", "add-tls", "127.0.0.1", "--from", file, "--upsert"]);
        installation.mount_trusted();
    };
    let refused = || {
        installation.until_application("guestbook-https", "the refusal", |application| {
            let told = condition(application, "ComparisonError");
            sync_status(application) == "Unknown"
                && told.contains(
                    "tls: failed to verify certificate: x509: certificate signed by unknown authority",
                )
        });
        assert_eq!(replicas(&installation, "guestbook-https", "own-guestbook-ui"), None);
    };
    let source = json!({"repoURL": url, "path": "kustomize", "targetRevision": "main"});
    declare(&installation, "guestbook-https", &source);
    refused();
    // Another authority is as good as none.
    add(&other);
    installation.succeed(&["app", "get", "guestbook-https", "--hard-refresh"]);
    refused();
    assert!(server.authorized().is_empty(), "no password goes to a server that nobody vouches for");
    add(&server);
    installation.succeed(&["app", "get", "guestbook-https", "--hard-refresh"]);
    installation.until_synced("guestbook-https");
    assert_eq!(replicas(&installation, "guestbook-https", "own-guestbook-ui"), Some(json!(2)));
    assert!(serves(&installation, "guestbook-https", "own-guestbook-ui"));
    assert_eq!(
        installation.application("guestbook-https")["status"]["sync"]["revision"],
        repository.head().unwrap()
    );
    for part in Part::ALL {
        assert!(!installation.log(part).contains("open-sesame"), "{} told the password", part.name());
    }
    installation.succeed(&["app", "delete", "guestbook-https", "--yes"]);
    installation.succeed(&["cert", "rm", "127.0.0.1"]);
    installation.mount_trusted();
    installation.kube.delete("v1", "Secret", NAMESPACE, "repo-secured");
}

#[test]
fn the_guestbook_comes_over_ssh_once_its_host_is_known() {
    let installation = installation();
    let mut repository = repository("shelled");
    let server = Sshd::start("").unwrap();
    let url = server.url(&repository.bare_path());
    let key = server.private_key(Key::User).unwrap();
    register(&installation, "repo-shelled", &json!({"type": "git", "url": url, "sshPrivateKey": key}));
    let file = installation.home.path().join("known_hosts");
    let know = |key: Key| {
        std::fs::write(&file, server.known_hosts(key).unwrap() + "\n").unwrap();
        let file = file.to_str().unwrap();
        installation.succeed(&["cert", "add-ssh", "--batch", "--from", file, "--upsert"]);
        installation.mount_trusted();
    };
    let refused = |what: &str| {
        installation.until_application("guestbook-ssh", what, |application| {
            let told = condition(application, "ComparisonError");
            sync_status(application) == "Unknown" && told.contains(what)
        });
    };
    declare(
        &installation,
        "guestbook-ssh",
        &json!({"repoURL": url, "path": "helm", "targetRevision": "HEAD", "helm": {"releaseName": "guestbook"}}),
    );
    refused("ssh: handshake failed: knownhosts: key is unknown");
    assert_eq!(replicas(&installation, "guestbook-ssh", "guestbook-ui"), None);
    know(Key::Host);
    installation.succeed(&["app", "get", "guestbook-ssh", "--hard-refresh"]);
    installation.until_synced("guestbook-ssh");
    assert_eq!(replicas(&installation, "guestbook-ssh", "guestbook-ui"), Some(json!(1)));

    // A host that shows another key than before is somebody else: what is live stays.
    know(Key::OtherHost);
    repository.change("helm/values.yaml", "replicas: 2\n").unwrap();
    installation.succeed(&["app", "get", "guestbook-ssh", "--hard-refresh"]);
    refused("ssh: handshake failed: knownhosts: key mismatch");
    assert_eq!(replicas(&installation, "guestbook-ssh", "guestbook-ui"), Some(json!(1)));
    know(Key::Host);
    installation.succeed(&["app", "get", "guestbook-ssh", "--hard-refresh"]);
    installation.until_application("guestbook-ssh", "the change is live", |application| {
        sync_status(application) == "Synced"
            && replicas(&installation, "guestbook-ssh", "guestbook-ui") == Some(json!(2))
    });
    let secret = key.lines().nth(2).unwrap();
    for part in Part::ALL {
        assert!(!installation.log(part).contains(secret), "{} told the key", part.name());
    }
    installation.succeed(&["app", "delete", "guestbook-ssh", "--yes"]);
    installation.succeed(&["cert", "rm", &format!("[127.0.0.1]:{}", server.port)]);
    installation.mount_trusted();
    installation.kube.delete("v1", "Secret", NAMESPACE, "repo-shelled");
}
