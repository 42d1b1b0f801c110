//! Against a real API server: the cache follows what happens there.

use cluster_cache::{ClusterCache, Extract, Extracted, KindState, Notice, Options};
use kubernetes::{Access, ApplyOptions, Cluster, Connection, DeleteOptions, WriteOptions};
use object::{GroupKind, GroupVersionKind, Object, ResourceKey};
use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use testkit::control_plane::{self, ControlPlane};

const LONG: Duration = Duration::from_secs(40);

fn plane() -> &'static ControlPlane {
    static PLANE: OnceLock<ControlPlane> = OnceLock::new();
    PLANE.get_or_init(|| {
        ControlPlane::start(&control_plane::Options::default()).expect("the control plane starts")
    })
}

async fn cluster() -> Cluster {
    let path = Some(plane().kubeconfig_path.clone());
    let mut connection = Connection::new(Access::Kubeconfig { path, context: None });
    connection.limits.qps = 0.0;
    Cluster::connect(&connection).await.expect("the kubeconfig is good")
}

/// Tracks by an annotation; the projection is everything but the status and the metadata the server keeps.
struct ByAnnotation;

impl Extract for ByAnnotation {
    type Info = ();

    fn extract(&self, object: &Object) -> Extracted<()> {
        let mut hasher = DefaultHasher::new();
        for (name, value) in object.0.iter().filter(|(name, _)| *name != "metadata" && *name != "status") {
            (name, value.to_string()).hash(&mut hasher);
        }
        object.labels().hash(&mut hasher);
        Extracted {
            application: object.annotation("app").map(str::to_owned),
            projection: hasher.finish(),
            implied: Vec::new(),
            info: (),
        }
    }
}

fn object(value: Value) -> Object {
    Object::from_value(value).expect("an object")
}

async fn namespace(cluster: &Cluster, name: &str) {
    let namespace = object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
    cluster.ensure_namespace(&namespace, &WriteOptions::manager("test")).await.expect("a namespace");
}

fn map(namespace: &str, name: &str, app: Option<&str>) -> Object {
    let mut map = object(json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"},
        "metadata": {"name": name, "namespace": namespace}}));
    if let Some(app) = app {
        map.set_annotation("app", app);
    }
    map
}

async fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + LONG;
    while !done() {
        assert!(tokio::time::Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_applied_is_known_and_what_is_deleted_is_not() {
    let cluster = cluster().await;
    namespace(&cluster, "follow").await;
    let cache = ClusterCache::start(cluster.clone(), ByAnnotation, Options::default());
    cache.ready().await.expect("the cluster is there");
    let stats = cache.stats();
    assert!(stats.apis > 30 && stats.warming == 0 && stats.tainted == 0, "{stats:?}");
    assert!(stats.last_sync.is_some());

    let maps = GroupVersionKind::new("", "v1", "ConfigMap");
    let resource = cluster.resource(&maps).await.expect("config maps");
    let mut notices = cache.subscribe();
    let applied = cluster
        .apply(&resource, &map("follow", "one", Some("shop")), &ApplyOptions::default())
        .await
        .expect("applied");
    let key = ResourceKey::new("", "ConfigMap", "follow", "one");
    let entry = cache.wait_for(&key, applied.object.resource_version(), LONG).await.expect("seen");
    assert_eq!(entry.application.as_deref(), Some("shop"));
    let managed = cache.managed("shop").expect("filled");
    assert_eq!(managed[&key].0["data"], json!({"a": "b"}));
    assert!(managed[&key].metadata().is_some_and(|metadata| !metadata.contains_key("managedFields")));
    let change = loop {
        match tokio::time::timeout(LONG, notices.next()).await.expect("in time").expect("running") {
            Notice::Changed(change) if change.key == key => break change,
            _ => {}
        }
    };
    assert_eq!(change.new_application.as_deref(), Some("shop"));

    // An object without a mark costs no manifest, and is read through where a target names it.
    cluster.apply(&resource, &map("follow", "two", None), &ApplyOptions::default()).await.expect("applied");
    let two = ResourceKey::new("", "ConfigMap", "follow", "two");
    eventually("two is seen", || cache.get(&two).is_some()).await;
    assert!(!cache.get(&two).expect("seen").has_manifest());
    let live = cache.get_live(&maps, "follow", "two").await.expect("read").expect("there");
    assert_eq!(live.0["data"], json!({"a": "b"}));
    assert!(cache.get_live(&maps, "follow", "three").await.expect("read").is_none());

    // The writer's next read sees the write, watch or no watch.
    let written = cluster
        .apply(&resource, &map("follow", "three", Some("shop")), &ApplyOptions::default())
        .await
        .expect("applied");
    cache.observe(&written.object);
    assert_eq!(cache.managed("shop").expect("filled").len(), 2);

    cluster.delete(&resource, "follow", "one", &DeleteOptions::default()).await.expect("deleted");
    cache.wait_gone(&key, applied.object.uid(), LONG).await.expect("gone");
    assert_eq!(cache.managed("shop").expect("filled").len(), 1);

    cache.invalidate();
    eventually("the cache fills again", || {
        cache.managed("shop").is_ok_and(|managed| managed.len() == 1) && cache.stats().warming == 0
    })
    .await;
    cache.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tree_below_a_deployment_is_walked_and_wakes_its_application() {
    let cluster = cluster().await;
    namespace(&cluster, "tree").await;
    let cache = ClusterCache::start(cluster.clone(), ByAnnotation, Options::default());
    cache.ready().await.expect("the cluster is there");
    let mut notices = cache.subscribe();
    let gvk = GroupVersionKind::new("apps", "v1", "Deployment");
    let resource = cluster.resource(&gvk).await.expect("deployments");
    let deployment = object(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "tree", "annotations": {"app": "web"}},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}},
    }));
    cluster.apply(&resource, &deployment, &ApplyOptions::default()).await.expect("applied");
    let root = ResourceKey::new("apps", "Deployment", "tree", "web");
    let kinds = || {
        let mut kinds = Vec::new();
        cache.walk(std::slice::from_ref(&root), |node| kinds.push((node.depth, node.entry.kind.to_string())));
        kinds
    };
    eventually("the pod is seen", || kinds().len() == 3).await;
    assert_eq!(kinds(), [(0, "Deployment".into()), (1, "ReplicaSet".into()), (2, "Pod".into())]);
    loop {
        match tokio::time::timeout(LONG, notices.next()).await.expect("in time").expect("running") {
            Notice::Changed(change) if change.key.kind == "Pod" && change.key.namespace == "tree" => {
                assert_eq!(change.owning.iter().map(|app| &**app).collect::<Vec<_>>(), ["web"]);
                break;
            }
            _ => {}
        }
    }
    let orphans: Vec<_> = cache.top_level("tree").iter().map(|entry| entry.key().to_string()).collect();
    assert!(
        orphans.contains(&root.to_string()) && !orphans.iter().any(|key| key.contains("Pod")),
        "{orphans:?}"
    );
    cache.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_kind_is_watched_promptly_and_a_removed_one_forgotten() {
    let cluster = cluster().await;
    namespace(&cluster, "kinds").await;
    let cache = ClusterCache::start(cluster.clone(), ByAnnotation, Options::default());
    cache.ready().await.expect("the cluster is there");
    let crds = GroupVersionKind::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let resource = cluster.resource(&crds).await.expect("CRDs");
    let crd = object(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "gadgets.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced",
            "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]},
    }));
    let began = std::time::Instant::now();
    cluster.apply(&resource, &crd, &ApplyOptions::default()).await.expect("the CRD");
    let kind = GroupKind::new("example.com", "Gadget");
    eventually("the kind is watched", || cache.kind_state(&kind) == Some(KindState::Synced)).await;
    println!("a new kind was watched after {:?}", began.elapsed());
    let gadgets =
        cluster.resource(&GroupVersionKind::new("example.com", "v1", "Gadget")).await.expect("gadgets");
    let gadget = object(json!({"apiVersion": "example.com/v1", "kind": "Gadget",
        "metadata": {"name": "g", "namespace": "kinds", "annotations": {"app": "toys"}}}));
    cluster.apply(&gadgets, &gadget, &ApplyOptions::default()).await.expect("a gadget");
    eventually("the gadget is seen", || cache.managed("toys").is_ok_and(|managed| managed.len() == 1)).await;
    cluster.delete(&resource, "", "gadgets.example.com", &DeleteOptions::default()).await.expect("deleted");
    eventually("the kind is forgotten", || cache.kind_state(&kind).is_none()).await;
    assert!(cache.managed("toys").expect("filled").is_empty());
    cache.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_namespaces_asked_for_and_no_excluded_kind() {
    let cluster = cluster().await;
    namespace(&cluster, "inside").await;
    namespace(&cluster, "outside").await;
    let maps = cluster.resource(&GroupVersionKind::new("", "v1", "ConfigMap")).await.expect("config maps");
    for place in ["inside", "outside"] {
        cluster.apply(&maps, &map(place, "m", Some("app")), &ApplyOptions::default()).await.expect("applied");
    }
    let options = Options {
        namespaces: vec!["inside".into()],
        excluded: Arc::new(|kind| kind.kind == "Secret"),
        ..Options::default()
    };
    let cache = ClusterCache::start(cluster, ByAnnotation, options);
    cache.ready().await.expect("the cluster is there");
    let managed: Vec<_> =
        cache.managed("app").expect("filled").into_keys().map(|key| key.namespace).collect();
    assert_eq!(managed, ["inside"]);
    assert_eq!(cache.kind_state(&GroupKind::new("", "Secret")), None);
    assert_eq!(cache.kind_state(&GroupKind::new("", "Node")), None);
    cache.require_watched(&map("inside", "m", None)).expect("watched");
    let refused = |object: &Object| cache.require_watched(object).expect_err("not watched").to_string();
    assert_eq!(
        refused(&map("outside", "m", None)),
        "namespace \"outside\" for ConfigMap \"m\" is not managed"
    );
    let node = object(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}));
    assert_eq!(refused(&node), "cluster level Node \"n\" can not be managed when in namespaced mode");
    cache.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_no_namespace_is_watched_beside_some_where_asked() {
    let cluster = cluster().await;
    namespace(&cluster, "beside").await;
    let roles = GroupVersionKind::new("rbac.authorization.k8s.io", "v1", "ClusterRole");
    let resource = cluster.resource(&roles).await.expect("cluster roles");
    let role = object(json!({"apiVersion": roles.api_version(), "kind": "ClusterRole",
        "metadata": {"name": "beside", "annotations": {"app": "wide"}}, "rules": []}));
    cluster.apply(&resource, &role, &ApplyOptions::default()).await.expect("applied");
    let maps = cluster.resource(&GroupVersionKind::new("", "v1", "ConfigMap")).await.expect("config maps");
    for place in ["beside", "default"] {
        cluster
            .apply(&maps, &map(place, "w", Some("wide")), &ApplyOptions::default())
            .await
            .expect("applied");
    }
    let options =
        Options { namespaces: vec!["beside".into()], cluster_resources: true, ..Options::default() };
    let cache = ClusterCache::start(cluster.clone(), ByAnnotation, options);
    cache.ready().await.expect("the cluster is there");
    let found: Vec<_> =
        cache.managed("wide").expect("filled").into_keys().map(|key| key.to_string()).collect();
    assert_eq!(found, ["/ConfigMap/beside/w", "rbac.authorization.k8s.io/ClusterRole//beside"]);
    cache.require_watched(&role).expect("watched");
    cache.require_watched(&map("default", "w", None)).expect_err("not watched");
    // It is watched, not only listed.
    cluster.delete(&resource, "", "beside", &DeleteOptions::default()).await.expect("deleted");
    eventually("the role is gone", || cache.managed("wide").is_ok_and(|managed| managed.len() == 1)).await;
    cache.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_objects_with_the_labels_asked_for_are_watched() {
    let cluster = cluster().await;
    namespace(&cluster, "labelled").await;
    let gvk = GroupVersionKind::new("", "v1", "ConfigMap");
    let maps = cluster.resource(&gvk).await.expect("config maps");
    let labelled = |name: &str, team: &str| {
        let mut map = map("labelled", name, Some("teams"));
        map.set_label("team", team);
        map
    };
    for (name, team) in [("ours", "x"), ("theirs", "y")] {
        cluster.apply(&maps, &labelled(name, team), &ApplyOptions::default()).await.expect("applied");
    }
    let selector = |kind: &GroupKind| if kind.kind == "ConfigMap" { "team=x".into() } else { String::new() };
    let options = Options { selector: Arc::new(selector), ..Options::default() };
    let cache = ClusterCache::start(cluster.clone(), ByAnnotation, options);
    cache.ready().await.expect("the cluster is there");
    let names = || -> Vec<String> {
        cache.managed("teams").unwrap_or_default().into_keys().map(|key| key.name).collect()
    };
    assert_eq!(names(), ["ours"]);
    assert!(cache.known_live(&gvk, "labelled", "theirs").is_none(), "not watched is not absent");
    let written = cluster.apply(&maps, &labelled("written", "y"), &ApplyOptions::default()).await;
    cache.observe(&written.expect("applied").object);
    assert_eq!(names(), ["ours"], "a write of what is not watched does not show it");
    // Labels that come and go are followed by the watch.
    cluster.apply(&maps, &labelled("theirs", "x"), &ApplyOptions::default()).await.expect("applied");
    eventually("one that got the label is seen", || names() == ["ours", "theirs"]).await;
    cluster.apply(&maps, &labelled("ours", "y"), &ApplyOptions::default()).await.expect("applied");
    eventually("one that lost it is not", || names() == ["theirs"]).await;
    cache.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_judged_by_what_was_read_by_rules_that_are_about_to_change() {
    let cluster = cluster().await;
    namespace(&cluster, "rules").await;
    let maps = cluster.resource(&GroupVersionKind::new("", "v1", "ConfigMap")).await.expect("config maps");
    cluster.apply(&maps, &map("rules", "m", Some("ruled")), &ApplyOptions::default()).await.expect("applied");
    let left_out = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let rule = left_out.clone();
    let excluded =
        move |kind: &GroupKind| kind.kind == "ConfigMap" && rule.load(std::sync::atomic::Ordering::SeqCst);
    let options = Options { excluded: Arc::new(excluded), ..Options::default() };
    let cache = ClusterCache::start(cluster.clone(), ByAnnotation, options);
    cache.ready().await.expect("the cluster is there");
    assert_eq!(cache.managed("ruled").expect("filled").len(), 1);
    cache.suspend();
    let waits = |cache: &ClusterCache<ByAnnotation>| {
        matches!(cache.managed("ruled"), Err(cluster_cache::LiveError::Filling))
    };
    assert!(waits(&cache));
    // Watchers that go on, and what they say, change nothing of that.
    cluster.apply(&maps, &map("rules", "n", Some("ruled")), &ApplyOptions::default()).await.expect("applied");
    let key = ResourceKey::new("", "ConfigMap", "rules", "n");
    eventually("a change comes in", || cache.get(&key).is_some()).await;
    assert!(waits(&cache));
    cache.require(&GroupKind::new("", "ConfigMap")).expect_err("not known now");
    left_out.store(true, std::sync::atomic::Ordering::SeqCst);
    cache.invalidate();
    assert!(waits(&cache), "at once, not when the watchers have ended");
    cache.ready().await.expect("listed by the new rules");
    assert!(cache.managed("ruled").expect("filled").is_empty());
    cache.stop().await;
}

#[tokio::test]
async fn an_unreachable_cluster_is_an_error_and_not_an_empty_one() {
    let server = "https://127.0.0.1:1".to_owned();
    let mut connection = Connection::new(Access::Server { server, config: Box::default() });
    connection.limits.retries = 0;
    let cluster = Cluster::connect(&connection).await.expect("configured");
    let cache = ClusterCache::start(cluster, ByAnnotation, Options::default());
    cache.ready().await.expect_err("nobody there");
    cache.managed("app").expect_err("not known to be empty");
    assert!(cache.stats().connection_error.is_some());
    cache.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_conversion_taints_one_kind_and_leaves_when_it_is_mended() {
    let cluster = cluster().await;
    namespace(&cluster, "broken").await;
    let crds = GroupVersionKind::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let resource = cluster.resource(&crds).await.expect("CRDs");
    let version = |name: &str, storage: bool| {
        json!({"name": name, "served": true, "storage": storage,
            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}})
    };
    let crd = object(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "relics.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced",
            "names": {"plural": "relics", "singular": "relic", "kind": "Relic", "listKind": "RelicList"},
            "versions": [version("v1", true), version("v2", false)]},
    }));
    cluster.apply(&resource, &crd, &ApplyOptions::default()).await.expect("the CRD");
    let deadline = tokio::time::Instant::now() + LONG;
    let relics = loop {
        match cluster.resource(&GroupVersionKind::new("example.com", "v1", "Relic")).await {
            Ok(relics) => break relics,
            Err(error) => assert!(tokio::time::Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let relic = object(json!({"apiVersion": "example.com/v1", "kind": "Relic",
        "metadata": {"name": "r", "namespace": "broken", "annotations": {"app": "museum"}}}));
    cluster.apply(&relics, &relic, &ApplyOptions::default()).await.expect("a relic");
    let convert = |conversion: Value| {
        let (cluster, resource) = (cluster.clone(), resource.clone());
        async move {
            let patch = kubernetes::Patch::Merge(json!({"spec": {"conversion": conversion}}));
            let options = WriteOptions::manager("test");
            cluster.patch(&resource, "", "relics.example.com", &patch, &options).await.expect("patched");
        }
    };
    convert(json!({"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"],
        "clientConfig": {"url": "https://127.0.0.1:1/convert"}}}))
    .await;

    // The server takes a moment to convert by the new rule.
    let preferred = GroupVersionKind::new("example.com", "v2", "Relic");
    let preferred = cluster.resource(&preferred).await.expect("v2");
    let deadline = tokio::time::Instant::now() + LONG;
    while cluster.list(&preferred, "broken", &kubernetes::ListOptions::default()).await.is_ok() {
        assert!(tokio::time::Instant::now() < deadline, "the conversion is broken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let cache = ClusterCache::start(cluster.clone(), ByAnnotation, Options::default());
    cache.ready().await.expect("one kind does not stop the others");
    let kind = GroupKind::new("example.com", "Relic");
    let tainted = cache.tainted();
    assert_eq!(tainted.keys().collect::<Vec<_>>(), [&kind]);
    assert!(tainted[&kind].contains("conversion webhook"), "{tainted:?}");
    cache.require(&kind).expect_err("not to be judged by");
    cache.require(&GroupKind::new("apps", "Deployment")).expect("known");

    convert(json!({"strategy": "None", "webhook": null})).await;
    eventually("the kind recovers", || cache.kind_state(&kind) == Some(KindState::Synced)).await;
    assert_eq!(cache.managed("museum").expect("filled").len(), 1);
    cache.stop().await;
    cluster.delete(&resource, "", "relics.example.com", &DeleteOptions::default()).await.expect("deleted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kinds_the_credentials_may_not_list_are_tainted_or_left_out_as_asked() {
    let cluster = cluster().await;
    namespace(&cluster, "limited").await;
    for (kind, plural, body) in [
        (
            "ClusterRole",
            "clusterroles",
            json!({"rules": [
            {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "watch", "get"]}]}),
        ),
        (
            "ClusterRoleBinding",
            "clusterrolebindings",
            json!({
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "limited"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "limited"}]}),
        ),
    ] {
        let gvk = GroupVersionKind::new("rbac.authorization.k8s.io", "v1", kind);
        let resource = cluster.resource(&gvk).await.expect(plural);
        let mut wanted =
            object(json!({"apiVersion": gvk.api_version(), "kind": kind, "metadata": {"name": "limited"}}));
        wanted.0.extend(body.as_object().expect("members").clone());
        cluster.apply(&resource, &wanted, &ApplyOptions::default()).await.expect("applied");
    }
    let path = Some(plane().kubeconfig_path.clone());
    let mut connection = Connection::new(Access::Kubeconfig { path, context: None });
    connection.limits.qps = 0.0;
    let groups = vec!["system:authenticated".into()];
    connection.impersonate = Some(kubernetes::Impersonation { user: "limited".into(), groups });
    let limited = Cluster::connect(&connection).await.expect("configured");
    let maps = GroupKind::new("", "ConfigMap");
    let secrets = GroupKind::new("", "Secret");
    let deadline = tokio::time::Instant::now() + LONG;
    let resource =
        limited.resource(&GroupVersionKind::new("", "v1", "ConfigMap")).await.expect("discovery is for all");
    while let Err(error) = limited.list(&resource, "", &kubernetes::ListOptions::default()).await {
        assert!(tokio::time::Instant::now() < deadline, "the role counts: {error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let strict = ClusterCache::start(limited.clone(), ByAnnotation, Options::default());
    strict.ready().await.expect("what may be listed is listed");
    assert_eq!(strict.kind_state(&maps), Some(KindState::Synced));
    assert!(strict.tainted()[&secrets].contains("forbidden"));
    strict.stop().await;

    let lenient = ClusterCache::start(
        limited,
        ByAnnotation,
        Options { skip_forbidden: Arc::new(|| true), ..Options::default() },
    );
    lenient.ready().await.expect("what may be listed is listed");
    assert_eq!(lenient.kind_state(&maps), Some(KindState::Synced));
    assert_eq!((lenient.tainted().len(), lenient.kind_state(&secrets)), (0, None));
    let gvk = GroupVersionKind::new("", "v1", "Secret");
    lenient.get_live(&gvk, "limited", "s").await.expect_err("forbidden is not absent");
    lenient.stop().await;
}
