//! How far an installation reaches: applications of other namespaces, an installation with rights in its own namespace
//! alone, and what it tells of its clusters.

use crate::installation::{
    Installation, LIMIT, NAMESPACE, Part, binary, condition, config_map, installation, said,
};
use crate::kube::decoded;
use serde_json::{Value, json};
use std::process::Command;
use testkit::git_repo::GitRepo;

const VERSION: &str = "argoproj.io/v1alpha1";
const RBAC: &str = "rbac.authorization.k8s.io";

/// Has the controller and the server run with this, or without it again.
pub fn with(installation: &mut Installation, name: &str, value: Option<&str>) {
    match value {
        Some(value) => installation.environment.insert(name.to_owned(), value.to_owned()),
        None => installation.environment.remove(name),
    };
    for part in [Part::Controller, Part::Server] {
        installation.kill(part);
    }
    installation.heal();
    installation.login();
}

pub fn namespace(installation: &Installation, name: &str) {
    installation.kube.apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
}

pub fn application(
    name: &str,
    namespace: &str,
    project: &str,
    repository: &GitRepo,
    destination: &Value,
) -> Value {
    json!({
        "apiVersion": VERSION, "kind": "Application", "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "project": project, "destination": destination, "source": {"repoURL": repository.url(), "path": "app"},
            "syncPolicy": {"automated": {}},
        },
    })
}

#[test]
fn applications_of_namespaces_that_flag_and_project_name_are_synced_and_no_others() {
    let mut installation = installation();
    let repository = GitRepo::from_files("apart", &[("app/map.yaml", &config_map("map", "1"))]).unwrap();
    for name in ["team-a", "team-b", "elsewhere", "apart"] {
        namespace(&installation, name);
    }
    with(&mut installation, "ARGOCD_APPLICATION_NAMESPACES", Some("team-*"));
    installation.kube.apply(json!({
        "apiVersion": VERSION, "kind": "AppProject", "metadata": {"name": "apart", "namespace": NAMESPACE},
        "spec": {
            "sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}], "sourceNamespaces": ["team-a"],
        },
    }));
    let destination = json!({"server": "https://kubernetes.default.svc", "namespace": "apart"});
    let wanted = |namespace: &str| application("apart", namespace, "apart", &repository, &destination);
    for place in ["team-a", "team-b", "elsewhere"] {
        installation.kube.create(wanted(place)).unwrap();
    }
    let find = |place: &str| installation.kube.find(VERSION, "Application", place, "apart").unwrap();
    installation.until("the one of a namespace of the project is synced", || {
        (find("team-a")["status"]["sync"]["status"] == "Synced").then_some(())
    });
    assert_eq!(installation.value("apart", "map").as_deref(), Some("1"));
    // Whose it is is marked with its namespace.
    let made = installation.kube.find("v1", "ConfigMap", "apart", "map").unwrap();
    let mark = &made["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"];
    assert_eq!(mark, "team-a_apart:/ConfigMap:apart/map");
    installation.until("the project does not permit the other namespace", || {
        let told = condition(&find("team-b"), "InvalidSpecError");
        (told.contains("team-b") && told.contains("apart")).then_some(())
    });
    assert!(find("team-b")["status"]["history"].is_null());
    assert!(find("elsewhere")["status"].is_null(), "nobody looks there");
    let listed = installation.succeed(&["app", "list", "-o", "name"]);
    assert!(listed.contains("team-a/apart") && listed.contains("team-b/apart"), "{listed}");
    assert!(!listed.contains("elsewhere"), "{listed}");
    let shown = installation.succeed(&["app", "get", "team-a/apart", "-o", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap()["metadata"]["namespace"], "team-a");
    installation.cli(&["app", "get", "elsewhere/apart"]).unwrap_err();
    installation.succeed(&["app", "delete", "team-a/apart", "--yes", "--wait"]);
    assert_eq!(installation.value("apart", "map"), None);
    for place in ["team-b", "elsewhere"] {
        installation.kube.delete(VERSION, "Application", place, "apart");
    }
    with(&mut installation, "ARGOCD_APPLICATION_NAMESPACES", None);
    installation.kube.delete(VERSION, "AppProject", NAMESPACE, "apart");
}

/// A service account with rights in one namespace, and its token.
pub fn account(installation: &Installation, name: &str, namespace: &str, rules: &Value) -> String {
    let metadata = json!({"name": name, "namespace": namespace});
    let kube = &installation.kube;
    kube.apply(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}));
    let version = format!("{RBAC}/v1");
    kube.apply(json!({"apiVersion": version, "kind": "Role", "metadata": metadata, "rules": rules}));
    kube.apply(json!({
        "apiVersion": version, "kind": "RoleBinding", "metadata": metadata,
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
    }));
    token(installation, name, namespace, &format!("{name}-token"))
}

/// A token of a service account, in a Secret of this name: it opens nothing once that is gone.
pub fn token(installation: &Installation, account: &str, namespace: &str, secret: &str) -> String {
    let kube = &installation.kube;
    kube.apply(json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": {
            "name": secret, "namespace": namespace, "annotations": {"kubernetes.io/service-account.name": account},
        },
    }));
    installation.until("a token is made", || {
        let secret = kube.find("v1", "Secret", namespace, secret)?;
        secret["data"]["token"].as_str().map(decoded)
    })
}

/// Registers the cluster by its own address, for one namespace and as a token lets in; or changes the token. The address.
pub fn register(installation: &Installation, namespace: &str, token: &str) -> String {
    let text = std::fs::read_to_string(installation.kubeconfig()).unwrap();
    let address = text.lines().find_map(|line| line.trim().strip_prefix("server: ")).unwrap().to_owned();
    installation.kube.apply(json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": namespace, "namespace": NAMESPACE, "labels": {"argocd.argoproj.io/secret-type": "cluster"}},
        "stringData": {
            "name": namespace, "server": address, "namespaces": namespace,
            "config": json!({"bearerToken": token, "tlsClientConfig": {"insecure": true}}).to_string(),
        },
    }));
    address
}

/// What the roles of an installation in one namespace permit its controller and its server.
fn own_rules() -> Value {
    let all = ["create", "get", "list", "watch", "update", "patch", "delete"];
    json!([
        {"apiGroups": [""], "resources": ["secrets", "configmaps"], "verbs": all},
        {"apiGroups": ["argoproj.io"], "resources": ["applications", "applicationsets", "appprojects"], "verbs": all},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "list"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list", "watch"]},
    ])
}

#[test]
fn an_installation_with_rights_in_namespaces_alone_syncs_there() {
    let mut installation = installation();
    namespace(&installation, "scoped");
    namespace(&installation, "beyond");
    let own = account(&installation, "own", NAMESPACE, &own_rules());
    let rules = json!([{"apiGroups": ["", "apps"], "resources": ["*"], "verbs": ["*"]}]);
    let scoped = account(&installation, "deployer", "scoped", &rules);
    let address = register(&installation, "scoped", &scoped);
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "own",
        "clusters": [{"name": "own", "cluster": {"server": address, "insecure-skip-tls-verify": true}}],
        "users": [{"name": "own", "user": {"token": own}}],
        "contexts": [{"name": "own", "context": {"cluster": "own", "user": "own", "namespace": NAMESPACE}}],
    });
    let kubeconfig = installation.home.path().join("own-kubeconfig");
    std::fs::write(&kubeconfig, config.to_string()).unwrap();
    with(&mut installation, "KUBECONFIG", kubeconfig.to_str());

    let role = json!({"apiVersion": format!("{RBAC}/v1"), "kind": "ClusterRole", "metadata": {"name": "scoped"}, "rules": []});
    let files = [("app/map.yaml", config_map("map", "1")), ("wide/role.json", role.to_string())];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let repository = GitRepo::from_files("scoped", &files).unwrap();
    let place = |namespace: &str| json!({"name": "scoped", "namespace": namespace});
    let make = |name: &str, namespace: &str, path: &str| {
        let mut wanted = application(name, NAMESPACE, "default", &repository, &place(namespace));
        wanted["spec"]["source"]["path"] = path.into();
        installation.kube.create(wanted).unwrap();
    };
    make("scoped", "scoped", "app");
    make("beyond", "beyond", "app");
    make("wide", "scoped", "wide");
    installation.until_synced("scoped");
    assert_eq!(installation.value("scoped", "map").as_deref(), Some("1"));
    installation.until_application("beyond", "told that the namespace is not its", |it| {
        condition(it, "ComparisonError").contains("namespace \"beyond\" for ConfigMap \"map\" is not managed")
    });
    installation.until_application("wide", "told that kinds without namespaces are not", |it| {
        let text = "cluster level ClusterRole \"scoped\" can not be managed when in namespaced mode";
        condition(it, "ComparisonError").contains(text)
    });
    assert_eq!(installation.value("beyond", "map"), None);
    // What drifts is seen there, and put right.
    installation.kube.merge("v1", "ConfigMap", "scoped", "map", json!({"data": {"value": "2"}}));
    installation.until_application("scoped", "OutOfSync", |it| it["status"]["sync"]["status"] == "OutOfSync");
    installation.succeed(&["app", "sync", "scoped", "--timeout", "60"]);
    assert_eq!(installation.value("scoped", "map").as_deref(), Some("1"));
    let shown = installation.until("the cluster is told of", || {
        let shown = installation.succeed(&["cluster", "get", "scoped", "-o", "json"]);
        let shown: Value = serde_json::from_str(&shown).unwrap();
        (shown["info"]["connectionState"]["status"] == "Successful").then_some(shown)
    });
    assert_eq!(shown["namespaces"], json!(["scoped"]));
    assert_ne!(shown["clusterResources"], json!(true));
    installation.succeed(&["app", "delete", "scoped", "--yes", "--wait"]);
    assert_eq!(installation.value("scoped", "map"), None);
    for name in ["beyond", "wide"] {
        installation.kube.delete(VERSION, "Application", NAMESPACE, name);
    }
    installation.kube.delete("v1", "Secret", NAMESPACE, "scoped");
    with(&mut installation, "KUBECONFIG", None);
}

#[test]
fn what_is_kept_of_a_cluster_is_told_by_list_get_and_statistics() {
    let installation = installation();
    let repository = GitRepo::from_files("counted", &[("app/map.yaml", &config_map("map", "1"))]).unwrap();
    installation.create("counted", &repository, "app", &["--sync-policy", "auto"]);
    installation.until_synced("counted");
    let server = "https://kubernetes.default.svc";
    let json = |words: &[&str]| -> Value { serde_json::from_str(&installation.succeed(words)).unwrap() };
    let listed = installation.until("the cluster's list tells of it", || {
        let listed = json(&["cluster", "list", "-o", "json"]);
        let found = listed.as_array()?.iter().find(|cluster| cluster["server"] == server)?.clone();
        let info = &found["info"];
        // The cluster is told of as soon as it is known, and is connected when all of it is listed.
        let connected = info["connectionState"]["status"] != "Unknown";
        (connected && info["applicationsCount"].as_i64() >= Some(1)).then_some(found)
    });
    let info = &listed["info"];
    assert_eq!(info["connectionState"]["status"], "Successful", "{info:#}");
    assert!(info["cacheInfo"]["resourcesCount"].as_i64() > Some(20), "{info:#}");
    assert!(info["cacheInfo"]["apisCount"].as_i64() > Some(20), "{info:#}");
    assert!(info["cacheInfo"]["lastCacheSyncTime"].is_string(), "{info:#}");
    assert_eq!(listed["serverVersion"], info["serverVersion"]);
    assert!(info["apiVersions"].as_array().is_some_and(|all| all.contains(&"apps/v1/Deployment".into())));
    let got = json(&["cluster", "get", server, "-o", "json"]);
    assert_eq!(got["info"]["cacheInfo"]["apisCount"], info["cacheInfo"]["apisCount"]);
    let table = installation.succeed(&["cluster", "list"]);
    let line = table.lines().find(|line| line.starts_with(server)).unwrap();
    assert!(line.contains("in-cluster") && line.contains("Successful"), "{table}");
    let version = info["serverVersion"].as_str().unwrap();
    assert!(line.contains(version), "{table}");

    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, installation.kubeconfig_in(NAMESPACE)).unwrap();
    let statistics = |more: &[&str]| {
        let mut command = Command::new(binary());
        command.args(["admin", "cluster", "stats", "--port-forward-redis=false", "--replicas", "1"]);
        command.args(["--redis", &installation.redis.address()]).args(more);
        command.env("KUBECONFIG", &kubeconfig).env("REDIS_PASSWORD", installation.redis_password());
        said(command.env("ARGOCD_CONFIG_DIR", installation.home.path().join("config"))).unwrap()
    };
    let table = testkit::poll(LIMIT, || {
        let table = statistics(&[]);
        table.lines().any(|line| line.starts_with(server) && line.contains("Successful")).then_some(table)
    });
    let table = table.unwrap();
    let line = table.lines().find(|line| line.starts_with(server)).unwrap();
    let columns: Vec<&str> = line.split_whitespace().collect();
    let [_, shard, connection, namespaces, applications, resources] = columns[..] else { panic!("{table}") };
    assert_eq!((shard, connection), ("0", "Successful"), "{table}");
    let number = |text: &str| text.parse::<i64>().unwrap();
    assert!(number(namespaces) >= 1 && number(applications) >= 1 && number(resources) > 20, "{table}");
    assert_eq!(statistics(&["--shard", "1"]).lines().count(), 1, "another controller has none");
    installation.succeed(&["app", "delete", "counted", "--yes"]);
}
