//! What the controller leaves in Redis for others has the original's keys, life times and fields.

use crate::installation::{Installation, config_map, installation};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Read;
use testkit::git_repo::GitRepo;

const IN_CLUSTER: &str = "https://kubernetes.default.svc";

/// The value of a key, unpacked.
fn value(installation: &Installation, key: &str) -> Option<Value> {
    let packed = installation.redis.contents().ok()?.remove(&format!("{key}|1.8.3.gz"))?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// Seconds that a key has left.
fn life(installation: &Installation, key: &str) -> u64 {
    let told = installation.redis.command(&["TTL", &format!("{key}|1.8.3.gz")]).unwrap();
    told.trim_matches(|letter: char| !letter.is_ascii_digit()).parse().unwrap()
}

fn fields(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn differences_tree_and_cluster_are_where_the_original_puts_them() {
    let installation = installation();
    let files = [("app/same.yaml", config_map("same", "1")), ("app/other.yaml", config_map("other", "1"))];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let repository = GitRepo::from_files("stored", &files).unwrap();
    installation.create("stored", &repository, "app", &[]);
    installation.succeed(&["app", "sync", "stored", "--timeout", "60"]);
    installation.kube.merge(
        "v1",
        "ConfigMap",
        "stored",
        "other",
        serde_json::json!({"data": {"value": "2"}}),
    );
    let differences = installation.until("the difference is told", || {
        let found = value(&installation, "app|managed-resources|stored")?;
        found.as_array()?.iter().any(|it| it["modified"] == true).then_some(found)
    });
    let mut common = BTreeSet::from([
        "kind",
        "liveState",
        "name",
        "namespace",
        "normalizedLiveState",
        "predictedLiveState",
        "resourceVersion",
        "targetState",
    ]);
    let [other, same] = differences.as_array().unwrap().as_slice() else { panic!("{differences:#}") };
    assert_eq!(fields(same), common);
    common.insert("modified");
    assert_eq!(fields(other), common);
    assert_eq!((&same["name"], &other["name"]), (&"same".into(), &"other".into()));

    let tree = value(&installation, "app|resources-tree|stored").unwrap();
    let node = &tree["nodes"][0];
    for field in ["createdAt", "kind", "name", "namespace", "resourceVersion", "uid", "version"] {
        assert!(node[field].is_string(), "{field}: {node:#}");
    }
    let cluster = format!("cluster|info|{IN_CLUSTER}");
    let told = installation.until("the cluster is told of", || value(&installation, &cluster));
    let wanted = ["apiVersions", "applicationsCount", "cacheInfo", "connectionState", "serverVersion"];
    assert_eq!(fields(&told), BTreeSet::from(wanted));
    assert_eq!(told["connectionState"]["status"], "Successful");

    for key in ["app|managed-resources|stored", "app|resources-tree|stored"] {
        assert!((1800..=3600).contains(&life(&installation, key)), "{key}");
    }
    assert!((1..=600).contains(&life(&installation, &cluster)));
    installation.succeed(&["app", "delete", "stored", "--yes", "--wait"]);
}

#[test]
fn cve_2024_31989_what_others_put_into_redis_is_not_applied() {
    let installation = installation();
    let (good, evil) = (config_map("kept", "good"), config_map("kept", "evil"));
    let mine = GitRepo::from_files("mine", &[("app/map.yaml", good.as_str())]).unwrap();
    let theirs = GitRepo::from_files("theirs", &[("app/map.yaml", evil.as_str())]).unwrap();
    for (name, repository) in [("mine", &mine), ("theirs", &theirs)] {
        installation.create(name, repository, "app", &["--sync-policy", "automated", "--self-heal"]);
        installation.until_synced(name);
    }
    let manifests = || {
        let contents = installation.redis.contents().unwrap();
        contents.into_iter().filter(|(key, _)| key.starts_with("mfst-rs|")).collect::<Vec<_>>()
    };
    let before = manifests();
    assert!(!before.is_empty());
    let plain = serde_json::json!({"manifests": [serde_json::json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept"}, "data": {"value": "evil"},
    }).to_string()]})
    .to_string();
    for (at, (key, value)) in before.iter().enumerate() {
        // In the clear, and as another entry that was sealed by ours.
        let elsewhere = before.iter().find(|(other, sealed)| other != key && sealed != value);
        match elsewhere.filter(|_| at % 2 == 0) {
            Some((other, _)) => installation.redis.command(&["COPY", other, key, "REPLACE"]).unwrap(),
            None => installation.redis.command(&["SET", key, &plain]).unwrap(),
        };
    }
    for name in ["mine", "theirs"] {
        installation.succeed(&["app", "get", name, "--refresh"]);
    }
    installation.succeed(&["app", "sync", "mine", "--timeout", "60"]);
    assert_eq!(installation.value("mine", "kept").as_deref(), Some("good"));
    assert_eq!(installation.value("theirs", "kept").as_deref(), Some("evil"));
    let shown = installation.succeed(&["app", "manifests", "mine"]);
    assert!(shown.contains("value: good"), "{shown}");
    for name in ["mine", "theirs"] {
        installation.succeed(&["app", "delete", name, "--yes"]);
    }
}
