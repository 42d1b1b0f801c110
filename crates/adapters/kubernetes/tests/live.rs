//! Against a real API server: what only it can say yes or no to.

use kubernetes::{
    Access, ApplyOptions, Cluster, Connection, DeleteOptions, DryRun, ListOptions, Listed, Method, Outcome,
    Patch, Review, WatchEvent, WatchOptions, WriteOptions,
};
use object::{GroupVersionKind, Object};
use serde_json::{Value, json};
use std::sync::OnceLock;
use std::time::Duration;
use testkit::control_plane::{ControlPlane, Options};

fn plane() -> &'static ControlPlane {
    static PLANE: OnceLock<ControlPlane> = OnceLock::new();
    PLANE.get_or_init(|| ControlPlane::start(&Options::default()).expect("the control plane starts"))
}

async fn cluster() -> Cluster {
    let path = Some(plane().kubeconfig_path.clone());
    let mut connection = Connection::new(Access::Kubeconfig { path, context: None });
    connection.limits.qps = 0.0;
    Cluster::connect(&connection).await.expect("the kubeconfig is good")
}

fn object(value: Value) -> Object {
    Object::from_value(value).expect("an object")
}

async fn namespace(cluster: &Cluster, name: &str) {
    let namespace = object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
    cluster.ensure_namespace(&namespace, &WriteOptions::manager("test")).await.expect("a namespace");
}

fn deployment(namespace: &str, image: &str) -> Object {
    object(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": image, "ports": [{"containerPort": 80}]}]},
        }},
    }))
}

#[tokio::test]
async fn discovery_knows_every_kind_and_asks_again_for_a_new_one() {
    let cluster = cluster().await;
    assert!(!cluster.version().await.expect("a version").major.is_empty());
    let discovery = cluster.discovery().await.expect("discovery");
    let deployment = discovery.find(&GroupVersionKind::new("apps", "v1", "Deployment")).expect("deployments");
    assert!(deployment.namespaced && deployment.is_watchable() && deployment.subresources.contains("status"));
    assert!(discovery.api_versions().contains(&"apps/v1/Deployment".to_owned()));
    let gvk = GroupVersionKind::new("example.com", "v1", "Widget");
    let error = cluster.resource(&gvk).await.expect_err("no widgets yet");
    assert_eq!(error.to_string(), "no matches for kind \"Widget\" in version \"example.com/v1\"");

    let crds = cluster
        .resource(&GroupVersionKind::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition"))
        .await
        .expect("CRDs");
    let crd = object(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]},
    }));
    cluster.apply(&crds, &crd, &ApplyOptions::default()).await.expect("the CRD");
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    let widgets = loop {
        match cluster.resource(&gvk).await {
            Ok(widgets) => break widgets,
            Err(error) => assert!(tokio::time::Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let widget = |list: Value| {
        object(json!({"apiVersion": "example.com/v1", "kind": "Widget",
            "metadata": {"name": "w", "namespace": "default"}, "spec": {"list": list}}))
    };
    let options = ApplyOptions::default();
    let applied = cluster.apply(&widgets, &widget(json!([1, 2])), &options).await.expect("created");
    assert_eq!(applied.message, "widget.example.com/w created");
    let applied = cluster.apply(&widgets, &widget(json!([3])), &options).await.expect("configured");
    assert_eq!(applied.object.0["spec"]["list"], json!([3]));
}

#[tokio::test]
async fn a_client_side_apply_does_as_kubectl_does() {
    let cluster = cluster().await;
    namespace(&cluster, "apply").await;
    let resource =
        cluster.resource(&GroupVersionKind::new("apps", "v1", "Deployment")).await.expect("deployments");
    let options = ApplyOptions::default();
    let dry = ApplyOptions { dry_run: DryRun::Client, ..options.clone() };
    let say = |applied: &kubernetes::Applied| applied.message.clone();

    let first = deployment("apply", "web:1");
    assert_eq!(
        say(&cluster.apply(&resource, &first, &dry).await.expect("dry")),
        "deployment.apps/web created (dry run)"
    );
    assert!(cluster.find(&resource, "apply", "web").await.expect("asked").is_none());
    assert_eq!(
        say(&cluster.apply(&resource, &first, &options).await.expect("created")),
        "deployment.apps/web created"
    );
    let mut generated = first.clone();
    generated.metadata_mut().insert("creationTimestamp".into(), Value::Null);
    cluster.apply(&resource, &generated, &options).await.expect("the record gains the null");
    let again = cluster.apply(&resource, &generated, &options).await.expect("unchanged");
    assert_eq!(say(&again), "deployment.apps/web unchanged");
    cluster.apply(&resource, &first, &options).await.expect("the record loses it");
    let again = cluster.apply(&resource, &first, &options).await.expect("unchanged");
    assert_eq!(say(&again), "deployment.apps/web unchanged");

    // Someone injects a sidecar; our next apply keeps it and changes only our container.
    let sidecar = Patch::Strategic(
        json!({"spec": {"template": {"spec": {"containers": [{"name": "mesh", "image": "mesh:1"}]}}}}),
    );
    cluster
        .patch(&resource, "apply", "web", &sidecar, &WriteOptions::manager("mesh"))
        .await
        .expect("a sidecar");
    let second = deployment("apply", "web:2");
    let applied = cluster.apply(&resource, &second, &options).await.expect("configured");
    assert_eq!(applied.outcome, Outcome::Configured);
    let containers =
        applied.object.at(&["spec", "template", "spec", "containers"]).expect("containers").clone();
    let images: Vec<_> = containers.as_array().expect("a list").iter().map(|c| c["image"].clone()).collect();
    assert!(images.contains(&json!("web:2")) && images.contains(&json!("mesh:1")), "{images:?}");
    let manager = |object: &Object| object.at(&["metadata", "managedFields"]).expect("fields").to_string();
    assert!(manager(&applied.object).contains("argocd-controller"));

    // Unknown members are refused, unless validation is off.
    let mut typo = second.clone();
    typo.0["spec"]["replicass"] = json!(1);
    let error = cluster.apply(&resource, &typo, &options).await.expect_err("a typo");
    assert!(error.message().contains("replicass"), "{}", error.message());
    let lax = ApplyOptions { validate: false, ..options.clone() };
    cluster.apply(&resource, &typo, &lax).await.expect("validation is off");

    // An immutable member is refused; force replaces the object.
    let mut moved = second.clone();
    moved.0["spec"]["selector"] = json!({"matchLabels": {"app": "other"}});
    moved.0["spec"]["template"]["metadata"]["labels"] = json!({"app": "other"});
    let error = cluster.apply(&resource, &moved, &options).await.expect_err("immutable");
    assert!(error.is_invalid() && error.message().contains("immutable"), "{}", error.message());
    let forced = ApplyOptions { force: true, ..options.clone() };
    let replaced = cluster.apply(&resource, &moved, &forced).await.expect("forced");
    assert_ne!(replaced.object.uid(), applied.object.uid());
    assert_eq!(say(&replaced), "deployment.apps/web configured");

    let server = ApplyOptions { method: Method::ServerSide, ..options.clone() };
    assert_eq!(
        say(&cluster.apply(&resource, &moved, &server).await.expect("server side")),
        "deployment.apps/web serverside-applied"
    );
    // A field that was applied client-side goes when the server-side apply leaves it out, once it has moved.
    let mut live = cluster.get(&resource, "apply", "web").await.expect("there");
    while let Err(error) =
        cluster.migrate_field_managers(&resource, &live, &["argocd-controller"], "argocd-controller").await
    {
        assert!(error.is_conflict(), "{error}");
        live = cluster.get(&resource, "apply", "web").await.expect("there");
    }
    let mut fewer = moved.clone();
    fewer.0["spec"].as_object_mut().expect("a spec").remove("replicas");
    fewer.0["spec"]["template"]["spec"]["containers"][0]
        .as_object_mut()
        .expect("a container")
        .remove("ports");
    let applied = cluster.apply(&resource, &fewer, &server).await.expect("server side");
    let ports =
        applied.object.at(&["spec", "template", "spec", "containers"]).expect("containers")[0]["ports"]
            .clone();
    assert_eq!(ports, Value::Null);
    let replace = ApplyOptions { method: Method::Replace, ..options };
    assert_eq!(
        say(&cluster.apply(&resource, &moved, &replace).await.expect("replaced")),
        "deployment.apps/web replaced"
    );
}

#[tokio::test]
async fn lists_come_in_pages_and_watches_go_on_from_them() {
    let cluster = cluster().await;
    namespace(&cluster, "pages").await;
    let maps = cluster.resource(&GroupVersionKind::new("", "v1", "ConfigMap")).await.expect("config maps");
    let options = WriteOptions::manager("test");
    let map = |name: &str| {
        object(json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"},
            "metadata": {"name": name, "namespace": "pages", "labels": {"set": "pages"}}}))
    };
    for number in 0..7 {
        cluster.create(&maps, &map(&format!("m{number}")), &options).await.expect("created");
    }
    let list = ListOptions { label_selector: "set=pages".into(), page_size: 3, ..ListOptions::default() };
    let mut names = Vec::new();
    let version = cluster
        .list_each(&maps, "pages", &list, |listed| {
            if let Listed::Object(object) = listed {
                assert_eq!((object.kind(), object.api_version()), ("ConfigMap", "v1"));
                names.push(object.name().to_owned());
            }
        })
        .await
        .expect("listed");
    assert_eq!(names, ["m0", "m1", "m2", "m3", "m4", "m5", "m6"]);

    let mut watch = WatchOptions::since(version);
    watch.label_selector = "set=pages".into();
    let mut events = cluster.watch(&maps, "pages", &watch).await.expect("watching");
    cluster.create(&maps, &map("late"), &options).await.expect("created");
    cluster.delete(&maps, "pages", "m0", &DeleteOptions::default()).await.expect("deleted");
    let mut seen = Vec::new();
    while seen.len() < 2 {
        use futures::StreamExt;
        let event = tokio::time::timeout(Duration::from_secs(20), events.next()).await.expect("in time");
        match event.expect("the stream goes on").expect("no error") {
            WatchEvent::Added(object) => seen.push(format!("+{}", object.name())),
            WatchEvent::Deleted(object) => seen.push(format!("-{}", object.name())),
            WatchEvent::Modified(_) | WatchEvent::Bookmark(_) => {}
        }
    }
    assert_eq!(seen, ["+late", "-m0"]);

    let wrong = DeleteOptions { uid: Some("0".into()), ..DeleteOptions::default() };
    assert!(cluster.delete(&maps, "pages", "m1", &wrong).await.expect_err("another uid").is_conflict());
}

#[tokio::test]
async fn errors_say_what_the_server_said_and_no_secret() {
    let cluster = cluster().await;
    namespace(&cluster, "errors").await;
    let secrets = cluster.resource(&GroupVersionKind::new("", "v1", "Secret")).await.expect("secrets");
    let secret = object(
        json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": "s", "namespace": "errors"}, "stringData": {".dockerconfigjson": "hunter2-not-json"}}),
    );
    let error = cluster.apply(&secrets, &secret, &ApplyOptions::default()).await.expect_err("not valid");
    assert!(!error.to_string().contains("hunter2"), "{error}");
    let missing = cluster.get(&secrets, "errors", "none").await.expect_err("none");
    assert!(missing.is_not_found());
    assert_eq!(missing.message(), "secrets \"none\" not found");
    let review = Review { verb: "list".into(), plural: "pods".into(), ..Review::default() };
    assert!(cluster.may(&review).await.expect("asked"));
}

#[tokio::test]
async fn a_registered_cluster_is_reached_with_its_certificate_or_not_at_all() {
    let plane = plane();
    let read = |path: &std::path::Path| std::fs::read(path).expect("a file of the control plane");
    let mut config = api::v1alpha1::ClusterConfig::default();
    config.tls_client_config.ca_data = read(&plane.certificate_authority_path);
    config.tls_client_config.cert_data = read(&plane.client_certificate_path);
    config.tls_client_config.key_data = read(&plane.client_key_path);
    let reach = |config: api::v1alpha1::ClusterConfig| async move {
        let access = Access::Server { server: plane.server_url.clone(), config: Box::new(config) };
        let cluster = Cluster::connect(&Connection::new(access)).await.expect("configured");
        cluster.version().await
    };
    reach(config.clone()).await.expect("with the certificate");
    let mut stranger = config.clone();
    stranger.tls_client_config.ca_data = Vec::new();
    let error = reach(stranger).await.expect_err("an unknown authority");
    assert!(
        error.to_string().contains("UnknownIssuer") || error.to_string().contains("certificate"),
        "{error}"
    );
    assert!(error.retry_helps());
}

#[tokio::test]
async fn a_group_that_does_not_answer_is_told_and_the_others_stay() {
    let cluster = cluster().await;
    let services = cluster
        .resource(&GroupVersionKind::new("apiregistration.k8s.io", "v1", "APIService"))
        .await
        .expect("served");
    let service = object(json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1.broken.example.com"},
        "spec": {"group": "broken.example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10,
            "insecureSkipTLSVerify": true, "service": {"namespace": "default", "name": "nobody"}},
    }));
    cluster.create(&services, &service, &WriteOptions::manager("test")).await.expect("registered");
    let deadline = tokio::time::Instant::now() + Duration::from_secs(40);
    let gvk = GroupVersionKind::new("broken.example.com", "v1", "Thing");
    let discovery = loop {
        let discovery = cluster.refresh_discovery().await.expect("discovery goes on");
        if discovery.failure("broken.example.com", "v1").is_some() {
            break discovery;
        }
        assert!(tokio::time::Instant::now() < deadline, "{:?}", discovery.failed_groups);
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(discovery.find(&GroupVersionKind::new("apps", "v1", "Deployment")).is_some());
    let error = cluster.resource(&gvk).await.expect_err("not known");
    assert!(matches!(error, kubernetes::Error::GroupUnavailable { .. }), "{error}");
    let options = DeleteOptions::default();
    cluster.delete(&services, "", "v1.broken.example.com", &options).await.expect("deleted");
}
