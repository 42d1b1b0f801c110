//! A registered cluster gets another token while applications run on it.

use crate::installation::{LIMIT, NAMESPACE, Part, config_map, installation};
use crate::kube::Kube;
use crate::scopes::{account, application, namespace, register, token};
use serde_json::json;
use testkit::git_repo::GitRepo;

/// The cluster as whoever has a token sees it.
fn seen_with(folder: &std::path::Path, address: &str, token: &str) -> Kube {
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "seen",
        "clusters": [{"name": "seen", "cluster": {"server": address, "insecure-skip-tls-verify": true}}],
        "users": [{"name": "seen", "user": {"token": token}}],
        "contexts": [{"name": "seen", "context": {"cluster": "seen", "user": "seen"}}],
    });
    let path = folder.join("seen-kubeconfig");
    std::fs::write(&path, config.to_string()).unwrap();
    Kube::connect(&path)
}

#[test]
fn the_controller_goes_on_with_the_new_token_of_a_cluster() {
    let installation = installation();
    namespace(&installation, "rotating");
    let rules = json!([{"apiGroups": ["", "apps"], "resources": ["*"], "verbs": ["*"]}]);
    let old = account(&installation, "deployer", "rotating", &rules);
    let address = register(&installation, "rotating", &old);
    let mut repository =
        GitRepo::from_files("rotating", &[("app/map.yaml", &config_map("map", "1"))]).unwrap();
    let place = json!({"name": "rotating", "namespace": "rotating"});
    let mut wanted = application("rotating", NAMESPACE, "default", &repository, &place);
    wanted["spec"]["syncPolicy"] = json!({"automated": {"selfHeal": true}});
    installation.kube.create(wanted).unwrap();
    installation.until_synced("rotating");
    let folder = tempfile::tempdir().unwrap();
    let seen = seen_with(folder.path(), &address, &old);
    let lets_in = || seen.raw("/api/v1/namespaces/rotating/configmaps").is_ok();
    assert!(lets_in());

    let new = token(&installation, "deployer", "rotating", "deployer-next");
    assert_ne!(new, old);
    register(&installation, "rotating", &new);
    installation.kube.delete("v1", "Secret", "rotating", "deployer-token");
    installation.until("the old token is refused", || (!lets_in()).then_some(()));

    let until_live = |value: &str| {
        installation.until(&format!("{value} is live"), || {
            (installation.value("rotating", "map").as_deref() == Some(value)).then_some(())
        });
    };
    repository.change("app/map.yaml", &config_map("map", "2")).unwrap();
    installation.succeed(&["app", "get", "rotating", "--refresh"]);
    until_live("2");
    installation.until_synced("rotating");
    // What drifts is told by a watch, which is the new token's, too.
    installation.kube.merge("v1", "ConfigMap", "rotating", "map", json!({"data": {"value": "by hand"}}));
    until_live("2");
    installation.until_synced("rotating");
    for part in Part::ALL {
        let log = installation.log(part);
        assert!(!log.contains(&old) && !log.contains(&new), "{} told a token", part.name());
    }

    installation.succeed(&["app", "delete", "rotating", "--yes", "--wait"]);
    assert_eq!(installation.value("rotating", "map"), None);
    installation.kube.delete("v1", "Secret", NAMESPACE, "rotating");
    let listed = || installation.cli(&["cluster", "list"]).ok();
    let gone = testkit::poll(LIMIT, || listed().filter(|table| !table.contains("rotating")));
    assert!(gone.is_some(), "{:?}", listed());
}
