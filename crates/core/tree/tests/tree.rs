//! The tree of the recorded guestbook, and what single objects show.

#![expect(clippy::needless_pass_by_value, reason = "the cases read better without borrows")]

use api::v1alpha1::ResourceRef;
use object::{Object, ResourceKey};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tree::{
    InfoOptions, Input, LiveNode, NodeInfo, Owner, application_tree, claims, implied_owners, node_info,
    summary,
};

fn object(value: Value) -> Object {
    Object::from_value(value).expect("a valid case")
}

fn info(value: Value) -> NodeInfo {
    node_info(&object(value), InfoOptions::default())
}

struct Known {
    object: Object,
    info: NodeInfo,
    health: Option<health::HealthStatus>,
    version: String,
}

fn known(value: Value) -> Known {
    let object = object(value);
    let info = node_info(&object, InfoOptions::default());
    let health = health::health(&object);
    let version = object.gvk().version;
    Known { object, info, health, version }
}

fn node(known: &Known) -> LiveNode<'_> {
    let mut owners: Vec<Owner> = known
        .object
        .owner_references()
        .into_iter()
        .map(|it| Owner { api_version: it.api_version, kind: it.kind, name: it.name, uid: it.uid })
        .collect();
    owners.extend(implied_owners(&known.object).into_iter().map(|it| Owner {
        api_version: if it.group.is_empty() { "v1".into() } else { format!("{}/", it.group) },
        kind: it.kind.into(),
        name: it.name,
        uid: String::new(),
    }));
    LiveNode {
        key: known.object.key(),
        version: &known.version,
        uid: known.object.uid().into(),
        resource_version: known.object.resource_version().into(),
        created: api::k8s::meta_v1::Time::parse(known.object.creation_timestamp()),
        owners,
        info: &known.info,
        health: known.health.as_ref(),
    }
}

fn meta(name: &str, uid: &str, more: Value) -> Value {
    let mut metadata = json!({"name": name, "namespace": "gb", "uid": uid, "resourceVersion": "7", "creationTimestamp": "2024-01-01T00:00:00Z"});
    metadata.as_object_mut().expect("a valid case").extend(more.as_object().expect("a valid case").clone());
    metadata
}

fn owned_by(api_version: &str, kind: &str, name: &str, uid: &str) -> Value {
    json!([{"apiVersion": api_version, "kind": kind, "name": name, "uid": uid}])
}

/// The answer of the original for the same objects (transcripts, rest/1166).
const GUESTBOOK: &str = r#"{"nodes":[{"version":"v1","kind":"Pod","namespace":"gb","name":"guestbook-ui-78dd85f9dd-x","uid":"p","parentRefs":[{"group":"apps","version":"v1","kind":"ReplicaSet","namespace":"gb","name":"guestbook-ui-78dd85f9dd","uid":"r"}],"info":[{"name":"Status Reason","value":"Running"},{"name":"Node","value":"podsim-0"},{"name":"Containers","value":"1/1"},{"name":"cpu","value":"0"},{"name":"memory","value":"0"}],"networkingInfo":{"labels":{"app":"guestbook-ui","pod-template-hash":"78dd85f9dd"}},"resourceVersion":"7","images":["example/web:v1"],"health":{"status":"Healthy"},"createdAt":"2024-01-01T00:00:00Z"},{"version":"v1","kind":"Service","namespace":"gb","name":"guestbook-ui","uid":"s","networkingInfo":{"targetLabels":{"app":"guestbook-ui"}},"resourceVersion":"7","health":{"status":"Healthy"},"createdAt":"2024-01-01T00:00:00Z"},{"group":"apps","version":"v1","kind":"Deployment","namespace":"gb","name":"guestbook-ui","uid":"d","info":[{"name":"Revision","value":"Rev:1"}],"resourceVersion":"7","health":{"status":"Healthy"},"createdAt":"2024-01-01T00:00:00Z"},{"group":"apps","version":"v1","kind":"ReplicaSet","namespace":"gb","name":"guestbook-ui-78dd85f9dd","uid":"r","parentRefs":[{"group":"apps","version":"v1","kind":"Deployment","namespace":"gb","name":"guestbook-ui","uid":"d"}],"info":[{"name":"Revision","value":"Rev:1"}],"resourceVersion":"7","health":{"status":"Healthy"},"createdAt":"2024-01-01T00:00:00Z"}],"hosts":[{"name":"podsim-0","resourcesInfo":[{"resourceName":"cpu","capacity":64000},{"resourceName":"memory","capacity":274877906944000}],"systemInfo":{"machineID":"","systemUUID":"","bootID":"","kernelVersion":"","osImage":"podsim","containerRuntimeVersion":"sim://0","kubeletVersion":"v1.36.0","kubeProxyVersion":"","operatingSystem":"linux","architecture":"amd64"}}]}"#;

fn guestbook() -> [Known; 4] {
    let revision = json!({"deployment.kubernetes.io/revision": "1"});
    [
        known(json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "spec": {"replicas": 1},
            "metadata": meta("guestbook-ui-78dd85f9dd", "r", json!({"annotations": revision, "ownerReferences": owned_by("apps/v1", "Deployment", "guestbook-ui", "d")})),
            "status": {"availableReplicas": 1}})),
        known(json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": meta("guestbook-ui-78dd85f9dd-x", "p", json!({"labels": {"app": "guestbook-ui", "pod-template-hash": "78dd85f9dd"}, "ownerReferences": owned_by("apps/v1", "ReplicaSet", "guestbook-ui-78dd85f9dd", "r")})),
            "spec": {"nodeName": "podsim-0", "restartPolicy": "Always", "containers": [{"name": "web", "image": "example/web:v1"}]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [{"name": "web", "ready": true, "restartCount": 0, "state": {"running": {}}}]}})),
        known(
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 1}, "metadata": meta("guestbook-ui", "d", json!({"annotations": revision})),
            "status": {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}}),
        ),
        known(
            json!({"apiVersion": "v1", "kind": "Service", "spec": {"selector": {"app": "guestbook-ui"}, "type": "ClusterIP"}, "metadata": meta("guestbook-ui", "s", json!({})), "status": {"loadBalancer": {}}}),
        ),
    ]
}

#[test]
fn the_guestbook_is_the_recorded_one() {
    let objects = guestbook();
    let host = info(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "podsim-0"}, "status": {
        "capacity": {"cpu": "64", "memory": "256Gi", "pods": "110"},
        "nodeInfo": {"osImage": "podsim", "containerRuntimeVersion": "sim://0", "kubeletVersion": "v1.36.0", "operatingSystem": "linux", "architecture": "amd64"}}}));
    let hosts = BTreeMap::from([("podsim-0".to_owned(), host.host.as_deref().expect("a valid case"))]);
    let input = Input { nodes: objects.iter().map(node).collect(), hosts, ..Input::default() };
    let found = application_tree(&input);
    assert_eq!(serde_json::to_string(&found).expect("a valid case"), GUESTBOOK);
    assert_eq!(summary(&found).images, ["example/web:v1"]);
}

#[test]
fn order_of_arrival_repetition_and_rings_of_owners_change_nothing() {
    let objects = guestbook();
    let mut nodes: Vec<_> = objects.iter().map(node).collect();
    let once = application_tree(&Input { nodes: nodes.clone(), ..Input::default() });
    nodes.reverse();
    nodes.extend(objects.iter().map(node));
    assert_eq!(application_tree(&Input { nodes, ..Input::default() }), once);
    let ring = [("a", "b"), ("b", "a")].map(|(name, owner)| {
        known(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta(name, name, json!({"ownerReferences": owned_by("v1", "ConfigMap", owner, owner)}))}))
    });
    let tree = application_tree(&Input { nodes: ring.iter().map(node).collect(), ..Input::default() });
    assert_eq!(tree.nodes.len(), 2);
}

#[test]
fn missing_objects_are_shown_as_missing_and_orphans_apart() {
    let orphan =
        known(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("stray", "u", json!({}))}));
    let missing = ResourceRef {
        version: "v1".into(),
        kind: "Secret".into(),
        namespace: "gb".into(),
        name: "s".into(),
        ..ResourceRef::default()
    };
    let tree =
        application_tree(&Input { missing: vec![missing], orphans: vec![node(&orphan)], ..Input::default() });
    assert_eq!(
        serde_json::to_value(&tree).expect("a valid case"),
        json!({
            "nodes": [{"version": "v1", "kind": "Secret", "namespace": "gb", "name": "s", "health": {"status": "Missing"}}],
            "orphanedNodes": [{"version": "v1", "kind": "ConfigMap", "namespace": "gb", "name": "stray", "uid": "u", "resourceVersion": "7", "createdAt": "2024-01-01T00:00:00Z"}]
        })
    );
}

#[test]
fn implied_owners_are_shown_when_they_are_there_and_the_guess_is_right() {
    let claim = |name: &str| {
        known(
            json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta(name, name, json!({}))}),
        )
    };
    let set = known(
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta("web", "w", json!({})), "spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}}),
    );
    let (own, other) = (claim("data-web-0"), claim("logs-web-0"));
    let service =
        known(json!({"apiVersion": "v1", "kind": "Service", "metadata": meta("web", "s", json!({}))}));
    let endpoints =
        known(json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": meta("web", "e", json!({}))}));
    let lost =
        known(json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": meta("gone", "g", json!({}))}));
    let nodes = [&set, &own, &other, &service, &endpoints, &lost].map(node).to_vec();
    let tree = application_tree(&Input { nodes, ..Input::default() });
    let parents = |uid: &str| {
        let found = tree.nodes.iter().find(|it| it.resource_ref.uid == uid).expect("a valid case");
        found.parent_refs.iter().map(|it| it.uid.clone()).collect::<Vec<_>>()
    };
    assert_eq!(parents("data-web-0"), ["w"]);
    assert_eq!(parents("logs-web-0"), Vec::<String>::new());
    assert_eq!(parents("e"), ["s"]);
    assert_eq!(parents("g"), Vec::<String>::new());
    let key = |name: &str| ResourceKey::new("", "PersistentVolumeClaim", "gb", name);
    let web = ResourceKey::new("apps", "StatefulSet", "gb", "web");
    assert!(claims(&web, &set.info, &key("data-web-10")));
    assert!(!claims(&web, &set.info, &key("data-web-x")) && !claims(&web, &set.info, &key("data-web")));
    let token = object(
        json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token", "metadata": {"name": "t", "annotations": {"kubernetes.io/service-account.name": "bot", "kubernetes.io/service-account.uid": "1"}}}),
    );
    assert_eq!(implied_owners(&token)[0].name, "bot");
}

fn pod(metadata: Value, spec: Value, status: Value) -> Vec<(String, String)> {
    let found = info(
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}),
    );
    found.info.into_iter().map(|item| (item.name, item.value)).collect()
}

#[test]
fn pods_give_the_reason_kubectl_gives() {
    let one = json!({"nodeName": "n", "containers": [{"name": "a", "image": "i"}]});
    let two = json!({"containers": [{"name": "a"}], "initContainers": [{"name": "i"}, {"name": "s", "restartPolicy": "Always"}]});
    let state = |state: Value| json!({"phase": "Running", "containerStatuses": [{"name": "a", "restartCount": 3, "state": state}]});
    let first = |statuses: Value| json!({"phase": "Pending", "initContainerStatuses": statuses});
    let rows = [
        (
            json!({}),
            &one,
            state(json!({"waiting": {"reason": "CrashLoopBackOff"}})),
            "CrashLoopBackOff",
            "0/1",
        ),
        (json!({}), &one, state(json!({"terminated": {"exitCode": 2}})), "ExitCode:2", "0/1"),
        (json!({}), &one, state(json!({"terminated": {"exitCode": 0, "signal": 9}})), "Signal:9", "0/1"),
        (json!({}), &one, state(json!({"terminated": {"reason": "Completed"}})), "Completed", "0/1"),
        (
            json!({"deletionTimestamp": "2024-01-01T00:00:00Z"}),
            &one,
            state(json!({"running": {}})),
            "Terminating",
            "0/1",
        ),
        (
            json!({}),
            &one,
            json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "reason": "SchedulingGated"}]}),
            "SchedulingGated",
            "0/1",
        ),
        (json!({}), &one, json!({"phase": "Failed", "reason": "Evicted"}), "Evicted", "0/1"),
        (json!({}), &two, first(json!([{"name": "i", "state": {"running": {}}}])), "Init:0/2", "0/2"),
        (
            json!({}),
            &two,
            first(json!([{"name": "i", "state": {"terminated": {"exitCode": 1}}}])),
            "Init:ExitCode:1",
            "0/2",
        ),
        (
            json!({}),
            &two,
            first(json!([{"name": "i", "state": {"waiting": {"reason": "ErrImagePull"}}}])),
            "Init:ErrImagePull",
            "0/2",
        ),
        (
            json!({}),
            &two,
            first(
                json!([{"name": "i", "state": {"terminated": {"exitCode": 0}}}, {"name": "s", "started": true, "ready": true, "state": {"running": {}}}]),
            ),
            "Pending",
            "1/2",
        ),
    ];
    for (metadata, spec, status, reason, containers) in rows {
        let found = pod(metadata, spec.clone(), status.clone());
        assert_eq!(found[0], ("Status Reason".to_owned(), reason.to_owned()), "{status}");
        assert_eq!(found[2], ("Containers".to_owned(), containers.to_owned()), "{status}");
    }
    let restarted = pod(json!({}), one, state(json!({"running": {}})));
    assert_eq!(restarted[3], ("Restart Count".to_owned(), "3".to_owned()));
}

#[test]
fn requests_are_what_the_scheduler_counts() {
    let ask = |cpu: &str, memory: &str| json!({"requests": {"cpu": cpu, "memory": memory}});
    let spec = json!({
        "containers": [{"name": "a", "resources": ask("100m", "64Mi")}, {"name": "b", "resources": ask("0.1", "1k")}],
        "initContainers": [{"name": "i", "resources": ask("1", "1Mi")}, {"name": "s", "restartPolicy": "Always", "resources": ask("50m", "1Mi")}],
        "overhead": {"cpu": "10m"}
    });
    let found = pod(json!({}), spec, json!({"phase": "Running"}));
    assert!(found.contains(&("cpu".to_owned(), "1010".to_owned())), "{found:?}");
    assert!(
        found.contains(&("memory".to_owned(), (65 * 1024 * 1024 * 1000_i64 + 1_000_000).to_string())),
        "{found:?}"
    );
}

#[test]
fn links_and_addresses() {
    let found = info(json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "i", "namespace": "n", "annotations": {
            "link.argocd.argoproj.io/a": "Docs|https://docs.example.com", "link.argocd.argoproj.io/b": "javascript:alert(1)", "link.argocd.argoproj.io/c": "x|javascript:alert(1)"}},
        "spec": {"tls": [{"hosts": ["safe.example.com"]}], "rules": [
            {"host": "web.example.com", "http": {"paths": [{"path": "/api/*", "backend": {"service": {"name": "api"}}}, {"backend": {"service": {"name": "web"}}}]}},
            {"host": "safe.example.com", "http": {"paths": [{"path": "/", "backend": {"service": {"name": "web"}}}]}},
            {"http": {"paths": [{"path": "/x", "backend": {"service": {"name": "web"}}}]}}]},
        "status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}}));
    let network = found.networking.expect("a valid case");
    assert_eq!(
        network.external_urls,
        [
            "Docs|https://docs.example.com",
            "http://10.0.0.1/x",
            "http://web.example.com",
            "http://web.example.com/api/",
            "https://safe.example.com/"
        ]
    );
    let names: Vec<_> = network
        .target_refs
        .iter()
        .map(|it| (it.kind.as_str(), it.namespace.as_str(), it.name.as_str()))
        .collect();
    assert_eq!(names, [("Service", "n", "api"), ("Service", "n", "web")]);
    assert_eq!(network.ingress[0].ip, "10.0.0.1");
    let plain = info(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}));
    assert_eq!(plain, NodeInfo::default());
    let labels = ["team".to_owned()];
    let shown = node_info(
        &object(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "labels": {"team": "a"}}}),
        ),
        InfoOptions { labels: &labels, node_labels: &[] },
    );
    assert_eq!((shown.info[0].name.as_str(), shown.info[0].value.as_str()), ("team", "a"));
}
