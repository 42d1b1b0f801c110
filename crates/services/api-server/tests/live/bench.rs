//! A server in a namespace of its own, and how it is asked.

use api::v1alpha1::{
    ApplicationTree, ChartDetails, OCIMetadata, ResourceDiff, ResourceNode, ResourceRef, RevisionMetadata,
};
use api_server::{ApiServer, Options, Parts};
use axum::body::Body;
use cache::Cache;
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use kubernetes::{Access, ApiResource, ApplyOptions, Cluster, Connection, ListOptions, Method, WriteOptions};
use object::{GroupVersionKind, Object};
use serde_json::{Value, json};
use std::sync::OnceLock;
use std::time::Duration;
use store::{Store, StoreOptions};
use testkit::control_plane::{self, ControlPlane};
use tonic::{Response, Status};
use tower::ServiceExt as _;
use wire::repository::manifest_request_with_files::Part;
use wire::repository::repo_server_service_server::{RepoServerService, RepoServerServiceServer};
use wire::repository::{
    AppList, HelmChart, HelmChartsRequest, HelmChartsResponse, ListAppsRequest, ListRefsRequest,
    ManifestRequest, ManifestRequestWithFiles, ManifestResponse, PluginInfo, PluginList, Refs,
    RepoAppDetailsResponse, RepoServerAppDetailsQuery, RepoServerRevisionChartDetailsRequest,
    RepoServerRevisionMetadataRequest, ResolveRevisionRequest, ResolveRevisionResponse,
    TestRepositoryRequest, TestRepositoryResponse,
};

pub const LONG: Duration = Duration::from_secs(60);
/// What must never be seen: base64 of it is in a Secret.
pub const CANARY: &str = "canary-of-the-test";
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn plane() -> &'static ControlPlane {
    static PLANE: OnceLock<ControlPlane> = OnceLock::new();
    PLANE.get_or_init(|| {
        ControlPlane::start(&control_plane::Options::default()).expect("the control plane starts")
    })
}

pub fn object(value: Value) -> Object {
    Object::from_value(value).expect("an object")
}

/// A repo-server that knows a few words.
struct FakeRepoServer;

fn missing_revision(revision: &str) -> Status {
    Status::unknown(format!("unable to resolve '{revision}' to a commit SHA: revision not found"))
}

#[tonic::async_trait]
impl RepoServerService for FakeRepoServer {
    async fn test_repository(
        &self,
        request: tonic::Request<TestRepositoryRequest>,
    ) -> Result<Response<TestRepositoryResponse>, Status> {
        let repository = request.into_inner().repo.unwrap_or_default();
        let refused = |why| Status::unknown(format!("error testing repository connectivity: {why}"));
        if repository.repo.contains("none") {
            return Err(refused("repository not found"));
        }
        if repository.repo.contains("locked") && repository.password.is_empty() {
            return Err(refused("authentication required"));
        }
        Ok(Response::new(TestRepositoryResponse { verified_repository: true }))
    }

    async fn list_refs(&self, _: tonic::Request<ListRefsRequest>) -> Result<Response<Refs>, Status> {
        Ok(Response::new(Refs { branches: vec!["main".into()], tags: Vec::new() }))
    }

    async fn list_plugins(&self, _: tonic::Request<()>) -> Result<Response<PluginList>, Status> {
        Ok(Response::new(PluginList { items: vec![PluginInfo { name: "tanka-v1".into() }] }))
    }

    async fn list_oci_tags(&self, _: tonic::Request<ListRefsRequest>) -> Result<Response<Refs>, Status> {
        Ok(Response::new(Refs { branches: Vec::new(), tags: vec!["1.0.0".into()] }))
    }

    async fn list_apps(&self, _: tonic::Request<ListAppsRequest>) -> Result<Response<AppList>, Status> {
        Ok(Response::new(AppList { apps: [("guestbook".into(), "Directory".into())].into() }))
    }

    async fn get_helm_charts(
        &self,
        _: tonic::Request<HelmChartsRequest>,
    ) -> Result<Response<HelmChartsResponse>, Status> {
        let chart = HelmChart { name: "c".into(), versions: vec!["1.0.0".into()] };
        Ok(Response::new(HelmChartsResponse { items: vec![chart] }))
    }

    async fn get_app_details(
        &self,
        _: tonic::Request<RepoServerAppDetailsQuery>,
    ) -> Result<Response<RepoAppDetailsResponse>, Status> {
        Ok(Response::new(RepoAppDetailsResponse { r#type: "Directory".into(), ..Default::default() }))
    }

    async fn get_revision_metadata(
        &self,
        request: tonic::Request<RepoServerRevisionMetadataRequest>,
    ) -> Result<Response<RevisionMetadata>, Status> {
        let message = format!("made {}", &request.into_inner().revision[..7]);
        Ok(Response::new(RevisionMetadata { author: "A <a@b>".into(), message, ..Default::default() }))
    }

    async fn get_revision_chart_details(
        &self,
        request: tonic::Request<RepoServerRevisionChartDetailsRequest>,
    ) -> Result<Response<ChartDetails>, Status> {
        let description = format!("the chart {}", request.into_inner().name);
        Ok(Response::new(ChartDetails { description, ..Default::default() }))
    }

    async fn get_oci_metadata(
        &self,
        _: tonic::Request<RepoServerRevisionChartDetailsRequest>,
    ) -> Result<Response<OCIMetadata>, Status> {
        Ok(Response::new(OCIMetadata { version: "1.0.0".into(), ..Default::default() }))
    }

    async fn resolve_revision(
        &self,
        request: tonic::Request<ResolveRevisionRequest>,
    ) -> Result<Response<ResolveRevisionResponse>, Status> {
        let asked = request.into_inner().ambiguous_revision;
        if asked == "none" {
            return Err(missing_revision(&asked));
        }
        let shown = format!("{asked} (0123456)");
        Ok(Response::new(ResolveRevisionResponse { revision: COMMIT.into(), ambiguous_revision: shown }))
    }

    /// A Secret, and what was sent along.
    async fn generate_manifest_with_files(
        &self,
        request: tonic::Request<tonic::Streaming<ManifestRequestWithFiles>>,
    ) -> Result<Response<ManifestResponse>, Status> {
        let mut parts = request.into_inner();
        let (mut source, mut checksum, mut files) = (String::new(), String::new(), Vec::new());
        while let Some(part) = parts.message().await? {
            match part.part {
                Some(Part::Request(request)) => source = request.application_source.unwrap_or_default().path,
                Some(Part::Metadata(metadata)) => checksum = metadata.checksum,
                Some(Part::Chunk(chunk)) => files.extend(chunk.chunk),
                None => {}
            }
        }
        let sent = json!({"source": source, "checksum": checksum, "files": String::from_utf8_lossy(&files)});
        let map =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "sent"}, "data": sent});
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": json!({"stringData": {"k": CANARY}}).to_string(),
                "hidden": CANARY,
            }}, "stringData": {"k": CANARY},
        });
        let manifests = vec![map.to_string(), secret.to_string()];
        Ok(Response::new(ManifestResponse { manifests, ..Default::default() }))
    }

    async fn generate_manifest(
        &self,
        request: tonic::Request<ManifestRequest>,
    ) -> Result<Response<ManifestResponse>, Status> {
        let request = request.into_inner();
        if request.revision == "none" {
            return Err(missing_revision(&request.revision));
        }
        let manifest = match request.application_source.unwrap_or_default().path.as_str() {
            "nope" => return Err(Status::unknown("nope: app path does not exist")),
            "unmatched" => {
                return Err(Status::not_found(
                    "unmatched: values file glob \"envs/*.yaml\" matched no files",
                ));
            }
            "late" => return Err(Status::deadline_exceeded("render manifests: not done after 90 s")),
            "secret" => {
                json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"k": CANARY}})
            }
            _ => {
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"k": "v"}})
            }
        };
        Ok(Response::new(ManifestResponse { manifests: vec![manifest.to_string()], ..Default::default() }))
    }
}

/// An answer of the REST API.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn message(&self) -> String {
        self.json()["message"].as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub fn is(&self, status: u16, message: &str) {
        assert_eq!((self.status, self.message().as_str()), (status, message), "{self:?}");
    }

    #[track_caller]
    pub fn good(self) -> Self {
        assert_eq!(self.status, 200, "{self:?}");
        self
    }
}

pub struct Bench {
    pub store: Store,
    pub cache: Cache,
    pub server: ApiServer,
    pub router: axum::Router,
    registry: boot::metrics::SharedRegistry,
}

impl Bench {
    /// The events of a namespace.
    pub async fn events(&self, namespace: &str) -> Vec<Object> {
        let events = ApiResource {
            version: "v1".into(),
            kind: "Event".into(),
            plural: "events".into(),
            namespaced: true,
            ..ApiResource::default()
        };
        let listed = self.store.cluster().list(&events, namespace, &ListOptions::default()).await;
        listed.expect("events").0
    }

    /// A fresh server; `settings` goes into `argocd-cm`, `policy` into `argocd-rbac-cm`.
    pub async fn start(namespace: &str, settings: Value, policy: Value) -> Self {
        Self::with(namespace, settings, policy, &[], Options { insecure: true, ..Options::default() }).await
    }

    pub async fn with(
        namespace: &str,
        settings: Value,
        policy: Value,
        application_namespaces: &[&str],
        options: Options,
    ) -> Self {
        let cache = Cache::memory(1 << 20);
        Self::with_cache(namespace, settings, policy, application_namespaces, options, cache).await
    }

    /// The same with a cache that others may have, too.
    pub async fn with_cache(
        namespace: &str,
        settings: Value,
        policy: Value,
        application_namespaces: &[&str],
        options: Options,
        cache: Cache,
    ) -> Self {
        let cluster = cluster().await;
        let manager = WriteOptions::manager("test");
        for name in application_namespaces.iter().chain([&namespace]) {
            let wanted = object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
            cluster.ensure_namespace(&wanted, &manager).await.expect("a namespace");
        }
        let store = Store::start(
            cluster,
            StoreOptions {
                application_namespaces: application_namespaces
                    .iter()
                    .map(|name| (*name).to_owned())
                    .collect(),
                application_sets: true,
                ..StoreOptions::new(namespace)
            },
        );
        store.ready().await.expect("lists");
        let bench_store = store.clone();
        configure(&bench_store, "argocd-cm", settings).await;
        configure(&bench_store, "argocd-rbac-cm", policy).await;
        let repo_server = RepoServerServiceServer::new(FakeRepoServer);
        let router = tonic::service::Routes::new(repo_server).prepare().into_axum_router();
        let parts = Parts {
            store: store.clone(),
            repo_server: transport::in_process(router).expect("a channel"),
            cache: cache.clone(),
        };
        let registry = boot::metrics::registry();
        let server = api_server::build(options, parts, &registry).await.expect("the server");
        let router = server.router().expect("a router");
        Self { store, cache, server, router, registry }
    }

    /// What is counted, as it is scraped.
    pub fn metrics(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().expect("a registry");
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("text");
        text
    }

    /// Asks over REST.
    pub async fn rest(&self, verb: &str, path: &str, token: &str, body: Option<Value>) -> Answer {
        let mut request =
            Request::builder().method(verb).uri(path).header("content-type", "application/json");
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.send(request.body(body).expect("a request")).await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into(),
        }
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.rest("GET", path, token, None).await
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.rest("POST", path, token, Some(body)).await
    }

    pub async fn try_login(&self, name: &str, password: &str) -> Answer {
        self.post("/api/v1/session", "", json!({"username": name, "password": password})).await
    }

    pub async fn login(&self, name: &str, password: &str) -> String {
        let answer = self.try_login(name, password).await.good();
        answer.json()["token"].as_str().expect("a token").to_owned()
    }

    pub fn initial_password(&self) -> String {
        self.store.secret("argocd-initial-admin-secret").expect("the initial secret").text("password")
    }

    pub async fn admin(&self) -> String {
        eventually("the initial password", || self.store.secret("argocd-initial-admin-secret").is_some())
            .await;
        self.login("admin", &self.initial_password()).await
    }

    /// Gives a local account a password and logs it in.
    pub async fn user(&self, admin: &str, name: &str) -> String {
        let password = format!("{name}-pass1");
        let body = json!({"name": name, "currentPassword": self.initial_password(), "newPassword": password});
        self.rest("PUT", "/api/v1/account/password", admin, Some(body)).await.good();
        self.login(name, &password).await
    }

    /// A pod of the namespace `default` that runs, as a node of a tree. Its container `main` does nothing unless it is told.
    pub async fn running_pod(&self, name: &str, command: &[&str]) -> ResourceNode {
        let cluster = self.store.cluster();
        let deadline = tokio::time::Instant::now() + LONG;
        // A pod needs the account that its namespace gets.
        let account = GroupVersionKind::new("", "v1", "ServiceAccount");
        while !matches!(cluster.find_kind(&account, "default", "default").await, Ok(Some(_))) {
            assert!(tokio::time::Instant::now() < deadline, "the default account");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let container = json!({"name": "main", "image": "example.org/app:1", "command": command});
        let manifest = object(json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
        }));
        apply(&self.store, &manifest).await;
        let pods = cluster.resource(&manifest.gvk()).await.expect("pods");
        loop {
            let found = cluster.get(&pods, "default", name).await.expect("the pod");
            if found.text_at(&["status", "phase"]) == "Running" {
                let resource_ref = ResourceRef {
                    version: "v1".into(),
                    kind: "Pod".into(),
                    namespace: "default".into(),
                    name: name.into(),
                    uid: found.uid().to_owned(),
                    ..ResourceRef::default()
                };
                return ResourceNode { resource_ref, ..ResourceNode::default() };
            }
            assert!(tokio::time::Instant::now() < deadline, "the pod runs");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Puts what the controller found into the cache.
    pub async fn found(&self, instance: &str, tree: &ApplicationTree, managed: &[ResourceDiff]) {
        let put = async |key: String, value: Vec<u8>| {
            self.cache.set(&key, value.into(), LONG).await.expect("cached");
        };
        put(format!("app|resources-tree|{instance}"), serde_json::to_vec(tree).expect("JSON")).await;
        put(format!("app|managed-resources|{instance}"), serde_json::to_vec(managed).expect("JSON")).await;
        self.cache.publish(&format!("app|managed-resources|{instance}")).await.expect("published");
    }
}

/// A connection with the CRDs served.
async fn cluster() -> Cluster {
    let path = Some(plane().kubeconfig_path.clone());
    let mut connection = Connection::new(Access::Kubeconfig { path, context: None });
    connection.limits.qps = 0.0;
    let cluster = Cluster::connect(&connection).await.expect("the kubeconfig is good");
    let crds = GroupVersionKind::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let resource = cluster.resource(&crds).await.expect("CRDs");
    let server_side = ApplyOptions { method: Method::ServerSide, ..ApplyOptions::default() };
    for crd in api::crd::all() {
        cluster.apply(&resource, &object(crd), &server_side).await.expect("the CRD");
    }
    for kind in ["Application", "AppProject", "ApplicationSet"] {
        let kind = GroupVersionKind::new("argoproj.io", "v1alpha1", kind);
        let deadline = tokio::time::Instant::now() + LONG;
        while cluster.resource(&kind).await.is_err() {
            assert!(tokio::time::Instant::now() < deadline, "the CRDs are served");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    cluster
}

/// Writes a ConfigMap and waits until the store has it.
pub async fn configure(store: &Store, name: &str, data: Value) {
    let manifest = object(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": store.namespace()}, "data": data,
    }));
    apply(store, &manifest).await;
    let wanted = data.as_object().map_or(0, serde_json::Map::len);
    eventually(name, || {
        let found = store.config_map(name);
        found.len() == wanted && found.iter().all(|(key, value)| data[key] == **value)
    })
    .await;
}

pub async fn apply(store: &Store, manifest: &Object) {
    let resource = store.cluster().resource(&manifest.gvk()).await.expect("a kind");
    let options = ApplyOptions { method: Method::ServerSide, ..ApplyOptions::default() };
    store.cluster().apply(&resource, manifest, &options).await.expect("applied");
}

pub async fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + LONG;
    while !done() {
        assert!(tokio::time::Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub fn application(name: &str, path: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {
            "project": "default",
            "source": {"repoURL": "https://git.example/apps.git", "path": path, "targetRevision": "HEAD"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "default"},
        },
    })
}

/// Settings with accounts alice (a role of hers) and bob (no rights).
pub fn two_users() -> (Value, Value) {
    let settings = json!({"accounts.alice": "apiKey, login", "accounts.bob": "login"});
    let policy = "p, role:dev, applications, get, */*, allow\np, role:dev, applications, sync, red/*, allow\ng, alice, role:dev\n";
    (settings, json!({"policy.csv": policy}))
}
