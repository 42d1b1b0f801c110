//! The command line through the API server of Kubernetes: `--port-forward` to the server's pod, and `--core` without
//! a server at all.

use crate::installation::{Installation, Part, binary, config_map, installation, said};
use serde_json::json;
use std::path::Path;
use std::process::Command;
use testkit::git_repo::GitRepo;

const NAMESPACE: &str = "argocd";

/// A pod that stands for a component: what listens at its port is a process of the installation.
fn stand_in(installation: &Installation, component: &str, port: u16) {
    installation.kube.apply(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": component, "namespace": NAMESPACE, "labels": {"app.kubernetes.io/name": component},
        },
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "containers": [{
                "name": "main", "image": "example.org/argocd:1", "ports": [{"containerPort": port}],
            }],
        },
    }));
    installation.until("the pod is ready", || {
        let pod = installation.kube.find("v1", "Pod", NAMESPACE, component)?;
        let conditions = pod["status"]["conditions"].as_array()?.clone();
        conditions.iter().any(|it| it["type"] == "Ready" && it["status"] == "True").then_some(())
    });
}

/// The command line with a kubeconfig whose current namespace is the control plane's, and a configuration of its own.
fn call(kubeconfig: &Path, config: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(binary());
    said(command.args(arguments).env("KUBECONFIG", kubeconfig).env("ARGOCD_CONFIG_DIR", config))
}

#[test]
fn the_command_line_reaches_a_server_in_a_pod_and_does_without_one() {
    let installation = installation();
    let repository =
        GitRepo::from_files("forwarded", &[("app/settings.yaml", &config_map("settings", "one"))]).unwrap();
    installation.create("forwarded", &repository, "app", &[]);
    let folder = tempfile::tempdir().unwrap();
    let (kubeconfig, config) = (folder.path().join("kubeconfig"), folder.path().join("config"));
    std::fs::write(&kubeconfig, installation.kubeconfig_in(NAMESPACE)).unwrap();
    let call = |arguments: &[&str]| call(&kubeconfig, &config, arguments);

    // Where no pod is, that is said, with what to do.
    let missing = call(&["app", "list", "--core"]).unwrap_err();
    assert!(missing.contains("cannot find ready pod with selector"), "{missing}");
    assert!(missing.contains("app.kubernetes.io/name=argocd-repo-server"), "{missing}");
    let missing = call(&["app", "list", "--port-forward"]).unwrap_err();
    assert!(missing.contains("app.kubernetes.io/name=argocd-server"), "{missing}");

    let redis = installation.redis.port;
    stand_in(&installation, "argocd-server", installation.ports[&Part::Server].port);
    stand_in(&installation, "argocd-repo-server", installation.ports[&Part::RepoServer].port);
    stand_in(&installation, "argocd-redis", redis);
    installation.kube.apply(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "argocd-redis", "namespace": NAMESPACE},
        "stringData": {"auth": installation.redis_password()},
    }));

    let password = installation.admin_password();
    let login = ["login", "--port-forward", "--username", "admin", "--password", &password];
    let said = call(&login).unwrap();
    assert!(said.contains("logged in successfully"), "{said}");
    assert!(said.contains("Context 'port-forward' updated"), "{said}");
    let listed = call(&["app", "list", "--port-forward", "-o", "name"]).unwrap();
    assert!(listed.contains("argocd/forwarded"), "{listed}");
    let listed = call(&["app", "list", "--port-forward-namespace", NAMESPACE, "-o", "name"]).unwrap();
    assert!(listed.contains("argocd/forwarded"), "{listed}");

    // Without a server: the rights are those of the kubeconfig.
    let said = call(&["login", "--core"]).unwrap();
    assert_eq!(said, "Context 'kubernetes' updated\n");
    let synced = call(&["app", "sync", "forwarded", "--timeout", "100"]).unwrap();
    assert!(synced.contains("Synced"), "{synced}");
    let tree = call(&["app", "resources", "forwarded", "--output", "tree"]).unwrap();
    assert!(tree.contains("settings"), "{tree}");
    let manifests = call(&["app", "manifests", "forwarded", "--core"]).unwrap();
    assert!(manifests.contains("value: one"), "{manifests}");
    let listed =
        call(&["app", "list", "--argocd-context", "port-forward", "--port-forward", "-o", "name"]).unwrap();
    assert!(listed.contains("argocd/forwarded"), "{listed}");

    installation.succeed(&["app", "delete", "forwarded", "--yes"]);
    for component in ["argocd-server", "argocd-repo-server", "argocd-redis"] {
        installation.kube.delete("v1", "Pod", NAMESPACE, component);
    }
}

#[test]
fn the_server_of_one_call_answers_only_that_call() {
    let installation = installation();
    let port = testkit::free_port().unwrap();
    let mut command = installation.server_command(port);
    command.env("ARGOCD_SERVER_LOCAL_TOKEN", "only-this-call");
    let folder = tempfile::tempdir().unwrap();
    let _server = testkit::process::Process::start(command, &folder.path().join("log")).unwrap();
    installation.until("it listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    let address = format!("127.0.0.1:{port}");
    let list = |token: &str| {
        let mut words = vec!["app", "list", "--plaintext", "--server", &address];
        words.extend((!token.is_empty()).then_some(["--auth-token", token]).into_iter().flatten());
        call(Path::new(""), folder.path(), &words)
    };
    assert!(list("only-this-call").is_ok(), "{:?}", list("only-this-call"));
    for other in ["", "only-this-cal", "only-this-call-not"] {
        let refused = list(other).unwrap_err();
        assert!(refused.contains("Unauthenticated"), "{refused}");
    }
}
