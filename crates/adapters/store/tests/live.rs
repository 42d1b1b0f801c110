//! Against a real API server: what is written is what was meant, whoever else writes.

use api::Root;
use api::names::REFRESH;
use api::v1alpha1::{Application, Operation, SyncOperation};
use kubernetes::{Access, ApplyOptions, Cluster, Connection, Patch, WriteOptions};
use object::{GroupVersionKind, Object, Secret};
use serde_json::{Value, json};
use std::sync::OnceLock;
use std::time::Duration;
use store::{
    AdminPassword, EventKind, EventRecord, Generated, StatusChange, Store, StoreError, StoreOptions,
};
use testkit::control_plane::{ControlPlane, Options};

const LONG: Duration = Duration::from_secs(40);

fn plane() -> &'static ControlPlane {
    static PLANE: OnceLock<ControlPlane> = OnceLock::new();
    PLANE.get_or_init(|| ControlPlane::start(&Options::default()).expect("the control plane starts"))
}

fn object(value: Value) -> Object {
    Object::from_value(value).expect("an object")
}

/// A store in a namespace of its own, with the CRDs there.
async fn store(namespace: &str) -> Store {
    let path = Some(plane().kubeconfig_path.clone());
    let mut connection = Connection::new(Access::Kubeconfig { path, context: None });
    connection.limits.qps = 0.0;
    let cluster = Cluster::connect(&connection).await.expect("the kubeconfig is good");
    let crds = GroupVersionKind::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let resource = cluster.resource(&crds).await.expect("CRDs");
    let server_side = ApplyOptions { method: kubernetes::Method::ServerSide, ..ApplyOptions::default() };
    for crd in api::crd::all() {
        cluster.apply(&resource, &object(crd), &server_side).await.expect("the CRD");
    }
    let applications = GroupVersionKind::new("argoproj.io", "v1alpha1", "Application");
    let deadline = tokio::time::Instant::now() + LONG;
    while cluster.resource(&applications).await.is_err() {
        assert!(tokio::time::Instant::now() < deadline, "the CRDs are served");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let wanted = object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}));
    cluster.ensure_namespace(&wanted, &WriteOptions::manager("test")).await.expect("a namespace");
    let store = Store::start(cluster, StoreOptions::new(namespace));
    let deadline = tokio::time::Instant::now() + LONG;
    while let Err(error) = store.ready().await {
        assert!(tokio::time::Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    store
}

fn application(namespace: &str, name: &str) -> Application {
    Application::from_object(object(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": name, "namespace": namespace, "finalizers": ["resources-finalizer.argocd.argoproj.io"]},
        "spec": {"project": "default", "source": {"repoURL": "https://git.example/a", "path": "p"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "x"}},
    })))
    .expect("an application")
}

async fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + LONG;
    while !done() {
        assert!(tokio::time::Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_application_lives_is_synced_and_goes() {
    let store = store("life").await;
    let mut follower = store.applications().follow();
    let created = store.create_application(&application("life", "a")).await.expect("created");
    assert_eq!(store.application("life", "a").expect("in memory at once").metadata.uid, created.metadata.uid);

    // A status is written once, small, and not at all when nothing changed.
    let mut status = created.status.clone();
    status.sync.status = "OutOfSync".into();
    let change = StatusChange { application: &created, status: &status, operation_done: false };
    let written = store.write_status(change).await.expect("written").expect("changed");
    assert_eq!(written.status.sync.status, "OutOfSync");
    let change = StatusChange { application: &written, status: &status, operation_done: false };
    assert!(store.write_status(change).await.expect("asked").is_none());

    // One operation at a time; the end of it goes with the status.
    let operation = Operation { sync: Some(SyncOperation::default()), ..Operation::default() };
    let running = store.start_operation("life", "a", &operation).await.expect("started");
    assert!(running.operation.is_some());
    let second = store.start_operation("life", "a", &operation).await.expect_err("one runs");
    assert!(matches!(second, StoreError::OperationInProgress));
    let change = StatusChange { application: &running, status: &running.status, operation_done: true };
    let done = store.write_status(change).await.expect("written").expect("changed");
    assert!(done.operation.is_none());

    // A refresh that was asked for meanwhile is not lost.
    let at = |second: i64| jiff::Timestamp::from_second(second).expect("a time");
    let first = store.request_refresh("life", "a", false, at(1)).await.expect("asked");
    let again = store.request_refresh("life", "a", false, at(2)).await.expect("asked again");
    assert!(!store.acknowledge_refresh(&first).await.expect("looked"));
    let hard = store.request_refresh("life", "a", true, at(2)).await.expect("asked for more");
    assert!(!store.acknowledge_refresh(&again).await.expect("looked"));
    assert!(store.acknowledge_refresh(&hard).await.expect("removed"));
    assert!(!store.acknowledge_refresh(&hard).await.expect("looked"));
    let live = store.fetch_application("life", "a").await.expect("read");
    assert!(!live.metadata.annotations.contains_key(REFRESH));

    // A status never reaches a new application of the same name.
    store.delete_application("life", "a", &kubernetes::DeleteOptions::default()).await.expect("asked");
    store.remove_finalizer(&live, "resources-finalizer.argocd.argoproj.io").await.expect("removed");
    eventually("it is gone", || store.application("life", "a").is_err()).await;
    let fresh = store.create_application(&application("life", "a")).await.expect("created again");
    let change = StatusChange { application: &written, status: &created.status, operation_done: false };
    let error = store.write_status(change).await.expect_err("another application");
    assert!(matches!(error, StoreError::Replaced { .. }), "{error}");
    assert_ne!(fresh.metadata.uid, created.metadata.uid);

    let first = tokio::time::timeout(LONG, follower.next())
        .await
        .expect("in time")
        .expect("running")
        .expect("kept up");
    assert_eq!((first.kind, &*first.item.name), (EventKind::Added, "a"));
    let mut since =
        store.applications().follow_since(&created.metadata.resource_version).expect("remembered");
    let next =
        tokio::time::timeout(LONG, since.next()).await.expect("in time").expect("running").expect("kept up");
    assert_eq!(next.kind, EventKind::Modified);

    let elsewhere = store.create_application(&application("default", "a")).await.expect_err("not permitted");
    assert!(matches!(elsewhere, StoreError::NamespaceNotPermitted(_)));
    let event = EventRecord {
        api_version: api::API_VERSION.into(),
        kind: "Application".into(),
        namespace: "life".into(),
        name: "a".into(),
        uid: fresh.metadata.uid.clone(),
        resource_version: String::new(),
        reason: "ResourceCreated".into(),
        message: "admin created application".into(),
        warning: false,
        component: "argocd-server".into(),
        annotations: [("user".to_owned(), "admin".to_owned())].into(),
        labels: [("team".to_owned(), "a".to_owned())].into(),
        at: jiff::Timestamp::UNIX_EPOCH,
    };
    store.record_event(&event).await.expect("an event");
    store.record_event(&event).await.expect("another event of the same moment");
    store.stop().await;
}

#[tokio::test]
async fn an_application_of_bad_shape_is_told_and_stops_nobody() {
    let store = store("shape").await;
    // The published CRD checks little below some members; whatever the server lets in must not hide the others.
    let crds = GroupVersionKind::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let resource = store.cluster().resource(&crds).await.expect("CRDs");
    let loose = Patch::Json(json!([{"op": "replace", "path": "/spec/versions/0/schema",
        "value": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]));
    let options = WriteOptions::manager("test");
    store
        .cluster()
        .patch(&resource, "", "applications.argoproj.io", &loose, &options)
        .await
        .expect("loosened");
    let applications = GroupVersionKind::new("argoproj.io", "v1alpha1", "Application");
    let resource = store.cluster().resource(&applications).await.expect("applications");
    let bad = object(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "bad", "namespace": "shape"}, "spec": {"project": 7}}));
    let deadline = tokio::time::Instant::now() + LONG;
    while let Err(error) = store.cluster().create(&resource, &bad, &options).await {
        assert!(tokio::time::Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    store.create_application(&application("shape", "good")).await.expect("created");
    eventually("both are listed", || store.applications().len() == 2).await;
    assert!(store.application("shape", "good").is_ok());
    let error = store.application("shape", "bad").expect_err("of bad shape").to_string();
    assert!(error.contains("shape/bad") && error.contains("expected a string"), "{error}");
    store.stop().await;
}

#[tokio::test]
async fn a_fresh_installation_gets_its_secrets_once() {
    let store = store("fresh").await;
    let generated = |text: &str| Generated {
        secret_key: Secret::new(text.as_bytes().to_vec()),
        admin: Some(AdminPassword {
            password: Secret::new(format!("password-{text}")),
            hash: |password| format!("hash of {password}"),
        }),
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    let (one, two) = (generated("one"), generated("two"));
    let (first, second) = tokio::join!(store.ensure_argocd_secret(&one), store.ensure_argocd_secret(&two));
    first.expect("filled in");
    second.expect("filled in");
    eventually("both are in memory", || store.secret("argocd-initial-admin-secret").is_some()).await;
    let secret = store.secret("argocd-secret").expect("in memory");
    let password = store.secret("argocd-initial-admin-secret").expect("in memory").text("password");
    assert_eq!(secret.text("admin.password"), format!("hash of {password}"));
    assert_eq!(secret.text("admin.passwordMtime"), "1970-01-01T00:00:00Z");
    assert!(!format!("{secret:?}").contains(&password));

    assert!(store.ensure_default_project().await.expect("asked"));
    assert!(!store.ensure_default_project().await.expect("asked"));
    assert_eq!(store.project("default").expect("there").spec.source_repos, ["*"]);
    store.stop().await;
}

#[tokio::test]
async fn clusters_and_repositories_come_from_labelled_secrets() {
    let store = store("register").await;
    let clusters = store.clusters(true);
    assert_eq!(clusters.len(), 1);
    assert_eq!(clusters[0].as_ref().expect("the hub's own").reveal().name, "in-cluster");
    let mut cluster = api::v1alpha1::Cluster {
        server: "https://10.0.0.1:6443".into(),
        name: "far".into(),
        namespaces: vec!["a".into(), "b".into()],
        ..Default::default()
    };
    cluster.config.bearer_token = "hunter2".into();
    store.create_cluster(&cluster).await.expect("registered");
    let found = store.cluster_by_server("https://10.0.0.1:6443/", true).expect("found");
    assert_eq!(
        (&found.reveal().namespaces, found.reveal().config.bearer_token.as_str()),
        (&cluster.namespaces, "hunter2")
    );
    assert_eq!(store.clusters_by_name("far", true).len(), 1);
    assert!(store.cluster_by_server("https://10.0.0.2", true).is_err_and(|error| error.is_not_found()));
    store.delete_cluster("https://10.0.0.1:6443").await.expect("taken back");
    eventually("it is gone", || store.clusters(true).len() == 1).await;

    let secrets =
        store.cluster().resource(&GroupVersionKind::new("", "v1", "Secret")).await.expect("secrets");
    for (name, kind, data) in [
        ("r", "repository", json!({"url": "https://git.example/a.git", "type": "git", "insecure": "true"})),
        ("c", "repo-creds", json!({"url": "https://git.example", "username": "u", "password": "p"})),
    ] {
        let secret = object(json!({"apiVersion": "v1", "kind": "Secret", "stringData": data,
            "metadata": {"name": name, "namespace": "register", "labels": {"argocd.argoproj.io/secret-type": kind}}}));
        store.cluster().create(&secrets, &secret, &WriteOptions::manager("test")).await.expect("created");
    }
    eventually("both are in memory", || {
        store.repositories().len() == 1 && store.repository_credentials().len() == 1
    })
    .await;
    let repository = store.repository("https://git.example/A", "default").expect("found").into_revealed();
    assert!(repository.insecure && repository.inherited_creds && repository.password == "p");
    store.stop().await;
}
