//! A gRPC server whose answers come from recordings.

mod differences;

use std::fs;
use std::net::TcpListener as StdListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use api::v1alpha1::{
    AppProject, AppProjectList, Application, ApplicationList, ApplicationSpec, ApplicationStatus,
    ApplicationTree, ApplicationWatchEvent, Cluster, ClusterList, HealthStatus, Operation, ResourceDiff,
    ResourceNode, ResourceRef,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::codegen::BoxStream;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status, Streaming};
use transcripts::Record;
use wire::account::account_service_server::{AccountService, AccountServiceServer};
use wire::application::application_service_server::{ApplicationService, ApplicationServiceServer};
use wire::application::{
    ApplicationCreateRequest, ApplicationManifestQuery, ApplicationManifestQueryWithFilesWrapper,
    ApplicationQuery, ApplicationServerSideDiffQuery, ApplicationServerSideDiffResponse,
    ApplicationSyncRequest, ApplicationUpdateSpecRequest, ManagedResourcesResponse, ResourcesQuery,
};
use wire::cluster::cluster_service_server::{ClusterService, ClusterServiceServer};
use wire::cluster::settings_service_server::{SettingsService, SettingsServiceServer};
use wire::cluster::{ClusterQuery, Settings, SettingsQuery};
use wire::project::project_service_server::{ProjectService, ProjectServiceServer};
use wire::project::{DetailedProjectsResponse, ProjectQuery};
use wire::repository::ManifestResponse;
use wire::session::session_service_server::{SessionService, SessionServiceServer};
use wire::version::VersionMessage;
use wire::version::version_service_server::{VersionService, VersionServiceServer};
use wire::{account, session};

const TIME: &str = "2026-01-02T03:04:05Z";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// The server while it runs.
pub struct Mock {
    /// Host and port.
    pub address: String,
    /// The file with its certificate.
    pub certificate: Option<String>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.stop.take().map(|stop| stop.send(()));
        self.thread.take().map(thread::JoinHandle::join);
    }
}

impl Mock {
    /// A server with the applications that the JSON answers in `folder` show; with TLS when it has a name.
    pub fn start(folder: &str, name: Option<&str>) -> Self {
        let state = Arc::new(State::read(folder));
        let listener = StdListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        listener.set_nonblocking(true).expect("a socket");
        let files = tempfile::tempdir().expect("a temporary folder");
        let mut certificate = None;
        let identity = name.map(|name| {
            let key = rcgen::generate_simple_self_signed(vec![name.to_owned()]).expect("a certificate");
            let file = files.path().join("server.pem");
            fs::write(&file, key.cert.pem()).expect("a file");
            certificate = Some(file.display().to_string());
            Identity::from_pem(key.cert.pem(), key.signing_key.serialize_pem())
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || serve(state, listener, identity, stopped));
        Self {
            address: format!("localhost:{port}"),
            certificate,
            stop: Some(stop),
            thread: Some(thread),
            _folder: files,
        }
    }
}

fn serve(
    state: Arc<State>,
    listener: StdListener,
    identity: Option<Identity>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        let mut server = Server::builder().accept_http1(true);
        if let Some(identity) = identity {
            server = server.tls_config(ServerTlsConfig::new().identity(identity)).expect("a certificate");
        }
        let answering = server
            .layer(tonic_web::GrpcWebLayer::new())
            .add_service(ApplicationServiceServer::from_arc(Arc::clone(&state)))
            .add_service(AccountServiceServer::from_arc(Arc::clone(&state)))
            .add_service(ClusterServiceServer::from_arc(Arc::clone(&state)))
            .add_service(ProjectServiceServer::from_arc(Arc::clone(&state)))
            .add_service(SessionServiceServer::from_arc(Arc::clone(&state)))
            .add_service(SettingsServiceServer::from_arc(Arc::clone(&state)))
            .add_service(VersionServiceServer::from_arc(state))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::select! {
            result = answering => result.expect("the mock serves"),
            _ = stopped => {}
        }
    });
}

struct State {
    applications: Mutex<Vec<Application>>,
    clusters: Vec<Cluster>,
    projects: Vec<AppProject>,
    resources: Vec<ResourceDiff>,
    /// What any other revision renders to.
    rendered: Vec<String>,
    /// Whether the application of the name [`VANISHING`] is gone.
    vanished: AtomicBool,
}

/// An application that is deleted before it is watched: no event tells.
const VANISHING: &str = "vanishing";
/// An application that is not compared before somebody asks for that.
const FRESH: &str = "fresh";
/// A path that does not render.
const BROKEN: &str = "broken";

impl State {
    fn read(folder: &str) -> Self {
        let mut state = Self {
            applications: Mutex::default(),
            clusters: Vec::new(),
            projects: Vec::new(),
            resources: Vec::new(),
            rendered: Vec::new(),
            vanished: AtomicBool::new(false),
        };
        for (_, record) in super::common::records(folder) {
            let words = record.call.words.join(" ");
            if words == "app manifests guestbook" {
                state.resources = resources(&record);
            } else if words.starts_with("app ") && words.contains("-o json") {
                *state.known() = shown(&record);
            } else if words == "cluster list -o json" {
                state.clusters = shown(&record);
            } else if words == "proj list -o json" {
                state.projects = shown(&record);
            }
        }
        state.known().extend(differences::listed::<Application>(folder, "applications.yaml"));
        state.clusters.extend(differences::listed::<Cluster>(folder, "clusters.yaml"));
        let managed = differences::listed::<Value>(folder, "managed.yaml");
        state.resources.extend(managed.iter().map(differences::managed));
        let rendered = differences::listed::<Value>(folder, "rendered.yaml");
        state.rendered = rendered.iter().map(Value::to_string).collect();
        state
    }

    fn known(&self) -> MutexGuard<'_, Vec<Application>> {
        self.applications.lock().expect("nobody panicked with it")
    }

    fn named(&self, name: Option<&str>) -> Result<Application, Status> {
        let known = self.known();
        if name == Some(FRESH) || (name == Some(VANISHING) && !self.vanished.load(Ordering::SeqCst)) {
            return known.first().cloned().ok_or_else(|| Status::not_found("there is none"));
        }
        let found = known.iter().find(|one| Some(one.metadata.name.as_str()) == name);
        found.cloned().ok_or_else(|| Status::permission_denied("permission denied"))
    }
}

fn concrete(text: &str) -> String {
    let text = text.replace("<time>", TIME).replace("<repo>", super::REPOSITORY).replace("<rv>", "4711");
    let mut text = text.replace("<helmrepo>", super::HELM_REPOSITORY);
    while let Some(start) = text.find("<sha:") {
        let end = start + text[start..].find('>').expect("placeholders end");
        text.replace_range(start..=end, COMMIT);
    }
    text
}

/// What a recorded JSON answer shows.
fn shown<T: DeserializeOwned>(record: &Record) -> Vec<T> {
    let value: Value =
        serde_json::from_str(&concrete(&record.answer.output)).expect("a recorded JSON answer");
    let values = match value {
        Value::Array(values) => values,
        one => vec![one],
    };
    values.into_iter().map(|value| serde_json::from_value(value).expect("an object of the API")).collect()
}

/// The target states as `app manifests` shows them, none of them live.
fn resources(record: &Record) -> Vec<ResourceDiff> {
    let documents =
        object::yaml::decode_documents(record.answer.output.as_bytes(), &object::yaml::Limits::default());
    let documents =
        documents.expect("recorded manifests").into_iter().filter(|document| !document.value.is_null());
    documents
        .map(|document| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let object = document.value;
            let version = text(&object["apiVersion"]);
            ResourceDiff {
                group: object::split_api_version(&version).0.to_owned(),
                kind: text(&object["kind"]),
                namespace: text(&object["metadata"]["namespace"]),
                name: text(&object["metadata"]["name"]),
                target_state: object.to_string(),
                live_state: "null".into(),
                normalized_live_state: "null".into(),
                predicted_live_state: "null".into(),
                modified: true,
                ..ResourceDiff::default()
            }
        })
        .collect()
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl ApplicationService for State {
    async fn list(&self, _: Request<ApplicationQuery>) -> Answer<ApplicationList> {
        Ok(Response::new(ApplicationList { items: self.known().clone(), ..ApplicationList::default() }))
    }

    async fn get(&self, request: Request<ApplicationQuery>) -> Answer<Application> {
        let query = request.into_inner();
        let mut found = self.named(query.name.as_deref())?;
        if query.name.as_deref() == Some(FRESH) && query.refresh.is_none() {
            found.status = ApplicationStatus::default();
        }
        Ok(Response::new(found))
    }

    async fn get_manifests(&self, _: Request<ApplicationManifestQuery>) -> Answer<ManifestResponse> {
        let manifests = self.rendered.clone();
        Ok(Response::new(ManifestResponse { manifests, ..ManifestResponse::default() }))
    }

    async fn get_manifests_with_files(
        &self,
        request: Request<Streaming<ApplicationManifestQueryWithFilesWrapper>>,
    ) -> Answer<ManifestResponse> {
        let mut sent = request.into_inner();
        while sent.message().await?.is_some() {}
        let manifests = self.rendered.clone();
        Ok(Response::new(ManifestResponse { manifests, ..ManifestResponse::default() }))
    }

    async fn server_side_diff(
        &self,
        request: Request<ApplicationServerSideDiffQuery>,
    ) -> Answer<ApplicationServerSideDiffResponse> {
        differences::differences(request.into_inner()).map(Response::new)
    }

    async fn create(&self, request: Request<ApplicationCreateRequest>) -> Answer<Application> {
        let application = request.into_inner().application;
        self.known().push(application.clone());
        Ok(Response::new(application))
    }

    async fn update_spec(&self, request: Request<ApplicationUpdateSpecRequest>) -> Answer<ApplicationSpec> {
        let ApplicationUpdateSpecRequest { name, spec, validate, .. } = request.into_inner();
        let broken = spec.source.as_ref().is_some_and(|source| source.path == BROKEN);
        if broken && validate != Some(false) {
            return Err(Status::invalid_argument(format!("application spec for {name} is invalid")));
        }
        let mut known = self.known();
        let found = known.iter_mut().find(|one| one.metadata.name == name);
        let found = found.ok_or_else(|| Status::permission_denied("permission denied"))?;
        found.spec = spec.clone();
        Ok(Response::new(spec))
    }

    async fn sync(&self, request: Request<ApplicationSyncRequest>) -> Answer<Application> {
        Ok(Response::new(self.named(Some(&request.get_ref().name))?))
    }

    /// First with the operation still to come, then as it is.
    async fn watch(&self, request: Request<ApplicationQuery>) -> Answer<BoxStream<ApplicationWatchEvent>> {
        if request.get_ref().name.as_deref() == Some(VANISHING) {
            self.vanished.store(true, Ordering::SeqCst);
            return Ok(Response::new(Box::pin(tokio_stream::pending())));
        }
        let application = self.named(request.get_ref().name.as_deref())?;
        let pending = Application { operation: Some(Operation::default()), ..application.clone() };
        let event = |application| Ok(ApplicationWatchEvent { r#type: "MODIFIED".into(), application });
        Ok(Response::new(Box::pin(tokio_stream::iter(vec![event(pending), event(application)]))))
    }

    async fn managed_resources(&self, _: Request<ResourcesQuery>) -> Answer<ManagedResourcesResponse> {
        Ok(Response::new(ManagedResourcesResponse { items: self.resources.clone() }))
    }

    async fn resource_tree(&self, _: Request<ResourcesQuery>) -> Answer<ApplicationTree> {
        let nodes = [
            ("apps", "Deployment", "guestbook-ui", ""),
            ("apps", "ReplicaSet", "guestbook-ui-78dd85f9dd", "guestbook-ui"),
            ("", "Pod", "guestbook-ui-78dd85f9dd-<rand>", "guestbook-ui-78dd85f9dd"),
            ("", "Service", "guestbook-ui", ""),
        ];
        let reference = |group: &str, kind: &str, name: &str| ResourceRef {
            group: group.into(),
            kind: kind.into(),
            name: name.into(),
            namespace: "gb".into(),
            uid: format!("{}{name}", if kind == "Service" { "s-" } else { "" }),
            ..ResourceRef::default()
        };
        let node = |(group, kind, name, parent): (&str, &str, &str, &str)| ResourceNode {
            resource_ref: reference(group, kind, name),
            parent_refs: (!parent.is_empty()).then(|| reference("", "", parent)).into_iter().collect(),
            health: Some(HealthStatus { status: "Healthy".into(), ..HealthStatus::default() }),
            ..ResourceNode::default()
        };
        Ok(Response::new(ApplicationTree { nodes: nodes.map(node).into(), ..ApplicationTree::default() }))
    }
}

#[tonic::async_trait]
impl ProjectService for State {
    async fn get(&self, request: Request<ProjectQuery>) -> Answer<AppProject> {
        let name = &request.get_ref().name;
        let found = self.projects.iter().find(|one| one.metadata.name == *name).cloned();
        Ok(Response::new(found.unwrap_or_default()))
    }

    async fn list(&self, _: Request<ProjectQuery>) -> Answer<AppProjectList> {
        Ok(Response::new(AppProjectList { items: self.projects.clone(), ..AppProjectList::default() }))
    }

    async fn get_detailed_project(&self, request: Request<ProjectQuery>) -> Answer<DetailedProjectsResponse> {
        let project = ProjectService::get(self, request).await?.into_inner();
        Ok(Response::new(DetailedProjectsResponse {
            project: Some(project),
            ..DetailedProjectsResponse::default()
        }))
    }
}

#[tonic::async_trait]
impl ClusterService for State {
    async fn list(&self, _: Request<ClusterQuery>) -> Answer<ClusterList> {
        Ok(Response::new(ClusterList { items: self.clusters.clone(), ..ClusterList::default() }))
    }

    async fn get(&self, request: Request<ClusterQuery>) -> Answer<Cluster> {
        let query = request.get_ref();
        let found =
            self.clusters.iter().find(|one| one.server == query.server || one.name == query.name).cloned();
        found.map(Response::new).ok_or_else(|| Status::permission_denied("permission denied"))
    }
}

#[tonic::async_trait]
impl SettingsService for State {
    async fn get(&self, _: Request<SettingsQuery>) -> Answer<Settings> {
        Ok(Response::new(Settings {
            url: "https://argocd.example.com".into(),
            app_label_key: "app.kubernetes.io/instance".into(),
            controller_namespace: "argocd".into(),
            ..Settings::default()
        }))
    }
}

#[tonic::async_trait]
impl VersionService for State {
    async fn version(&self, _: Request<()>) -> Answer<VersionMessage> {
        Ok(Response::new(VersionMessage {
            version: "v3.6.0+unknown".into(),
            build_date: TIME.into(),
            go_version: "go1.26.8".into(),
            compiler: "gc".into(),
            platform: "linux/amd64".into(),
            kustomize_version: "v5.8.1 unknown".into(),
            helm_version: "v3.20".into(),
            jsonnet_version: "v0.22.0".into(),
            ..VersionMessage::default()
        }))
    }
}

#[tonic::async_trait]
impl SessionService for State {
    async fn create(
        &self,
        request: Request<session::SessionCreateRequest>,
    ) -> Answer<session::SessionResponse> {
        if request.get_ref().username != "admin" || request.get_ref().password != "secret-1" {
            return Err(Status::unauthenticated("Invalid username or password"));
        }
        let token =
            "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhcmdvY2QiLCJzdWIiOiJhZG1pbjpsb2dpbiJ9.c2lnbmF0dXJl".into();
        Ok(Response::new(session::SessionResponse { token }))
    }

    async fn get_user_info(
        &self,
        _: Request<session::GetUserInfoRequest>,
    ) -> Answer<session::GetUserInfoResponse> {
        Ok(Response::new(session::GetUserInfoResponse {
            logged_in: true,
            username: "admin".into(),
            iss: "argocd".into(),
            groups: Vec::new(),
        }))
    }
}

#[tonic::async_trait]
impl AccountService for State {
    async fn can_i(&self, _: Request<account::CanIRequest>) -> Answer<account::CanIResponse> {
        Ok(Response::new(account::CanIResponse { value: "yes".into() }))
    }

    async fn list_accounts(&self, _: Request<account::ListAccountRequest>) -> Answer<account::AccountsList> {
        let account = |name: &str, enabled, capabilities: &[&str]| account::Account {
            name: name.into(),
            enabled,
            capabilities: capabilities.iter().map(|one| (*one).to_owned()).collect(),
            tokens: Vec::new(),
        };
        let items = vec![
            account("admin", true, &["login"]),
            account("alice", true, &["apiKey", "login"]),
            account("bob", true, &["apiKey"]),
            account("carol", false, &["login"]),
        ];
        Ok(Response::new(account::AccountsList { items }))
    }

    async fn get_account(&self, request: Request<account::GetAccountRequest>) -> Answer<account::Account> {
        let capabilities = vec!["login".to_owned()];
        let name = request.into_inner().name;
        Ok(Response::new(account::Account { name, enabled: true, capabilities, tokens: Vec::new() }))
    }
}
