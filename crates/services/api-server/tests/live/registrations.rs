//! What is registered with the hub: who may do what with it, and that nothing leaves which opens anything.

use crate::bench::{Bench, CANARY, configure, two_users};
use crate::matrix::{ROLES, UPSERT, Values, needs, permit, wants};
use api::v1alpha1::{
    Cluster, ExecProviderConfig, GnuPGPublicKey, RepoCreds, Repository, RepositoryCertificate,
    RepositoryCertificateList,
};
use api_server::Options;
use futures::future::BoxFuture;
use serde_json::json;
use std::collections::BTreeSet;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use wire::certificate::certificate_service_client::CertificateServiceClient;
use wire::certificate::{RepositoryCertificateCreateRequest, RepositoryCertificateQuery};
use wire::cluster::cluster_service_client::ClusterServiceClient;
use wire::cluster::{ClusterCreateRequest, ClusterQuery, ClusterUpdateRequest};
use wire::gpgkey::gpg_key_service_client::GpgKeyServiceClient;
use wire::gpgkey::{GnuPgPublicKeyCreateRequest, GnuPgPublicKeyQuery};
use wire::repocreds::repo_creds_service_client::RepoCredsServiceClient;
use wire::repocreds::{
    RepoCredsCreateRequest, RepoCredsDeleteRequest, RepoCredsQuery, RepoCredsUpdateRequest,
};
use wire::repository::repository_service_client::RepositoryServiceClient;
use wire::repository::{
    RepoAccessQuery, RepoAppDetailsQuery, RepoAppsQuery, RepoCreateRequest, RepoQuery, RepoUpdateRequest,
};
use wire::rights::{Right, Wants};

const URL: &str = "https://git.example/a.git";
const TEMPLATE: &str = "https://git.example";
const IN_CLUSTER: &str = "https://kubernetes.default.svc";
const HOST_KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
const SIGNING_KEY: &str = include_str!("key.asc");
const KEY_ID: &str = "FA1AA40D7BE828FA";

/// What a call answers, as text: lists that hide what may not be seen are empty.
type Told = Result<String, Status>;
type Call = fn(Client) -> BoxFuture<'static, Told>;

/// A service, and what the names in the braces of its rights stand for.
type Service = (&'static str, Values);

const REPOSITORIES: Service =
    ("repository.RepositoryService", &[("repo", URL), ("appProject", "default"), ("appName", "new")]);
const TEMPLATES: Service = ("repocreds.RepoCredsService", &[("url", TEMPLATE)]);
const CLUSTERS: Service = ("cluster.ClusterService", &[("server", IN_CLUSTER)]);
const CERTIFICATES: Service = ("certificate.CertificateService", &[]);
const KEYS: Service = ("gpgkey.GPGKeyService", &[("keyID", KEY_ID)]);

/// A method, and how it is called.
struct Try {
    service: Service,
    method: &'static str,
    /// Conditions that the call meets, in the words of `proto/`.
    met: &'static [&'static str],
    call: Call,
    /// What a permitted call answers where it cannot succeed here.
    code: Code,
}

impl Try {
    fn met(self, met: &'static [&'static str]) -> Self {
        Self { met, ..self }
    }

    fn wants(&self) -> &'static Wants {
        wants(self.service.0, self.method)
    }

    fn needs(&self) -> Vec<Right> {
        needs(self.wants(), self.service.1, self.met)
    }

    /// Whether an answer is a refusal, or a list without what may not be seen: without anything.
    fn is_refused(&self, told: &Told) -> bool {
        match told {
            Err(status) => status.code() == Code::PermissionDenied,
            Ok(told) => self.wants().filtered && is_empty_list(told),
        }
    }
}

/// Somebody who calls.
#[derive(Clone)]
struct Client {
    channel: Channel,
    token: String,
}

impl Client {
    fn ask<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("token", self.token.parse().expect("a token"));
        request
    }

    fn repositories(&self) -> RepositoryServiceClient<Channel> {
        RepositoryServiceClient::new(self.channel.clone())
    }

    fn templates(&self) -> RepoCredsServiceClient<Channel> {
        RepoCredsServiceClient::new(self.channel.clone())
    }

    fn clusters(&self) -> ClusterServiceClient<Channel> {
        ClusterServiceClient::new(self.channel.clone())
    }

    fn certificates(&self) -> CertificateServiceClient<Channel> {
        CertificateServiceClient::new(self.channel.clone())
    }

    fn keys(&self) -> GpgKeyServiceClient<Channel> {
        GpgKeyServiceClient::new(self.channel.clone())
    }
}

fn repository() -> Repository {
    Repository {
        repo: URL.into(),
        r#type: "git".into(),
        username: "u".into(),
        password: CANARY.into(),
        bearer_token: CANARY.into(),
        tls_client_cert_key: CANARY.into(),
        github_app_private_key: CANARY.into(),
        gcp_service_account_key: CANARY.into(),
        azure_service_principal_client_secret: CANARY.into(),
        proxy: format!("http://u:{CANARY}@proxy.example"),
        ..Repository::default()
    }
}

fn template() -> RepoCreds {
    RepoCreds { url: TEMPLATE.into(), username: "u".into(), password: CANARY.into(), ..RepoCreds::default() }
}

fn cluster() -> Cluster {
    let mut cluster = Cluster { server: IN_CLUSTER.into(), name: "own".into(), ..Cluster::default() };
    // What the own cluster is reached without.
    cluster.config.exec_provider_config = Some(ExecProviderConfig {
        command: "plugin".into(),
        args: vec![CANARY.into()],
        env: [("TOKEN".to_owned(), CANARY.to_owned())].into(),
        ..ExecProviderConfig::default()
    });
    cluster.config.tls_client_config.key_data = CANARY.into();
    cluster
}

fn create(upsert: bool) -> RepoCreateRequest {
    RepoCreateRequest { repo: Some(repository()), upsert, ..RepoCreateRequest::default() }
}

fn query() -> RepoQuery {
    RepoQuery { repo: URL.into(), ..RepoQuery::default() }
}

fn host_key() -> RepositoryCertificateCreateRequest {
    let certificate = RepositoryCertificate {
        server_name: "h.example".into(),
        cert_type: "ssh".into(),
        cert_sub_type: "ssh-ed25519".into(),
        cert_data: HOST_KEY.into(),
        ..RepositoryCertificate::default()
    };
    let items = vec![certificate];
    RepositoryCertificateCreateRequest {
        certificates: Some(RepositoryCertificateList { items, ..RepositoryCertificateList::default() }),
        upsert: true,
    }
}

fn signing_key() -> GnuPgPublicKeyCreateRequest {
    let publickey = Some(GnuPGPublicKey { key_data: SIGNING_KEY.into(), ..GnuPGPublicKey::default() });
    GnuPgPublicKeyCreateRequest { publickey, upsert: false }
}

fn updated(name: &str) -> ClusterUpdateRequest {
    let cluster = Cluster { name: name.into(), server: IN_CLUSTER.into(), ..Cluster::default() };
    ClusterUpdateRequest { cluster: Some(cluster), updated_fields: vec!["labels".into()], id: None }
}

fn in_cluster() -> ClusterQuery {
    ClusterQuery { server: IN_CLUSTER.into(), ..ClusterQuery::default() }
}

/// A call whose answer is told as text.
macro_rules! call {
    ($client:ident . $service:ident . $method:ident ($message:expr)) => {
        |$client| {
            Box::pin(async move {
                let answer = $client.$service().$method($client.ask($message)).await?;
                Ok(format!("{:?}", answer.into_inner()))
            })
        }
    };
}

const fn tried(service: Service, method: &'static str, call: Call) -> Try {
    Try { service, method, met: &[], call, code: Code::Ok }
}

#[expect(deprecated, reason = "clients of before still call these, and they want the same right")]
fn repository_methods() -> Vec<Try> {
    vec![
        tried(REPOSITORIES, "List", call!(client.repositories.list(RepoQuery::default()))),
        tried(
            REPOSITORIES,
            "ListRepositories",
            call!(client.repositories.list_repositories(RepoQuery::default())),
        ),
        tried(
            REPOSITORIES,
            "ListWriteRepositories",
            call!(client.repositories.list_write_repositories(RepoQuery::default())),
        ),
        tried(REPOSITORIES, "Get", call!(client.repositories.get(query()))),
        tried(REPOSITORIES, "GetWrite", call!(client.repositories.get_write(query()))),
        tried(REPOSITORIES, "Create", call!(client.repositories.create(changed()))).met(&[UPSERT]),
        tried(REPOSITORIES, "CreateRepository", call!(client.repositories.create_repository(changed())))
            .met(&[UPSERT]),
        tried(
            REPOSITORIES,
            "CreateWriteRepository",
            call!(client.repositories.create_write_repository(changed())),
        )
        .met(&[UPSERT]),
        tried(REPOSITORIES, "Update", call!(client.repositories.update(update()))),
        tried(REPOSITORIES, "UpdateRepository", call!(client.repositories.update_repository(update()))),
        tried(
            REPOSITORIES,
            "UpdateWriteRepository",
            call!(client.repositories.update_write_repository(update())),
        ),
        tried(REPOSITORIES, "Delete", call!(client.repositories.delete(query()))),
        tried(REPOSITORIES, "DeleteRepository", call!(client.repositories.delete_repository(query()))),
        tried(
            REPOSITORIES,
            "DeleteWriteRepository",
            call!(client.repositories.delete_write_repository(query())),
        ),
        tried(REPOSITORIES, "ValidateAccess", call!(client.repositories.validate_access(access_query()))),
        tried(
            REPOSITORIES,
            "ValidateWriteAccess",
            call!(client.repositories.validate_write_access(access_query())),
        ),
        tried(REPOSITORIES, "ListRefs", call!(client.repositories.list_refs(query()))),
        tried(REPOSITORIES, "ListOCITags", call!(client.repositories.list_oci_tags(query()))),
        tried(REPOSITORIES, "GetHelmCharts", call!(client.repositories.get_helm_charts(query()))),
        tried(REPOSITORIES, "ListApps", call!(client.repositories.list_apps(apps()))),
        tried(REPOSITORIES, "GetAppDetails", call!(client.repositories.get_app_details(details())))
            .met(&["there is no application of the name"]),
    ]
}

fn changed() -> RepoCreateRequest {
    let mut request = create(true);
    request.repo.as_mut().expect("it is there").name = "changed".into();
    request
}

fn update() -> RepoUpdateRequest {
    RepoUpdateRequest { repo: Some(repository()) }
}

fn access_query() -> RepoAccessQuery {
    RepoAccessQuery { repo: URL.into(), ..RepoAccessQuery::default() }
}

fn apps() -> RepoAppsQuery {
    RepoAppsQuery {
        repo: URL.into(),
        app_name: "new".into(),
        app_project: "default".into(),
        ..RepoAppsQuery::default()
    }
}

fn details() -> RepoAppDetailsQuery {
    let source = api::v1alpha1::ApplicationSource { repo_url: URL.into(), ..Default::default() };
    RepoAppDetailsQuery {
        source: Some(source),
        app_name: "new".into(),
        app_project: "default".into(),
        ..RepoAppDetailsQuery::default()
    }
}

fn template_create(upsert: bool) -> RepoCredsCreateRequest {
    let creds = RepoCreds { username: "changed".into(), ..template() };
    RepoCredsCreateRequest { creds: Some(creds), upsert }
}

fn template_update() -> RepoCredsUpdateRequest {
    RepoCredsUpdateRequest { creds: Some(template()) }
}

fn template_delete() -> RepoCredsDeleteRequest {
    RepoCredsDeleteRequest { url: TEMPLATE.into() }
}

fn template_methods() -> Vec<Try> {
    vec![
        tried(
            TEMPLATES,
            "ListRepositoryCredentials",
            call!(client.templates.list_repository_credentials(RepoCredsQuery::default())),
        ),
        tried(
            TEMPLATES,
            "ListWriteRepositoryCredentials",
            call!(client.templates.list_write_repository_credentials(RepoCredsQuery::default())),
        ),
        tried(
            TEMPLATES,
            "CreateRepositoryCredentials",
            call!(client.templates.create_repository_credentials(template_create(true))),
        )
        .met(&[UPSERT]),
        tried(
            TEMPLATES,
            "CreateWriteRepositoryCredentials",
            call!(client.templates.create_write_repository_credentials(template_create(true))),
        )
        .met(&[UPSERT]),
        tried(
            TEMPLATES,
            "UpdateRepositoryCredentials",
            call!(client.templates.update_repository_credentials(template_update())),
        ),
        tried(
            TEMPLATES,
            "UpdateWriteRepositoryCredentials",
            call!(client.templates.update_write_repository_credentials(template_update())),
        ),
        tried(
            TEMPLATES,
            "DeleteRepositoryCredentials",
            call!(client.templates.delete_repository_credentials(template_delete())),
        ),
        tried(
            TEMPLATES,
            "DeleteWriteRepositoryCredentials",
            call!(client.templates.delete_write_repository_credentials(template_delete())),
        ),
    ]
}

fn cluster_create() -> ClusterCreateRequest {
    let cluster = Cluster { name: "changed".into(), ..cluster() };
    ClusterCreateRequest { cluster: Some(cluster), upsert: true }
}

fn other_methods() -> Vec<Try> {
    vec![
        tried(CLUSTERS, "List", call!(client.clusters.list(ClusterQuery::default()))),
        tried(CLUSTERS, "Get", call!(client.clusters.get(in_cluster()))),
        tried(CLUSTERS, "Create", call!(client.clusters.create(cluster_create()))).met(&[UPSERT]),
        tried(CLUSTERS, "Update", call!(client.clusters.update(updated("own")))),
        tried(CLUSTERS, "InvalidateCache", call!(client.clusters.invalidate_cache(in_cluster()))),
        Try {
            // The cluster is entered without a token.
            code: Code::InvalidArgument,
            ..tried(CLUSTERS, "RotateAuth", call!(client.clusters.rotate_auth(in_cluster())))
        },
        tried(CLUSTERS, "Delete", call!(client.clusters.delete(in_cluster()))),
        tried(
            CERTIFICATES,
            "ListCertificates",
            call!(client.certificates.list_certificates(RepositoryCertificateQuery::default())),
        ),
        tried(CERTIFICATES, "CreateCertificate", call!(client.certificates.create_certificate(host_key()))),
        tried(
            CERTIFICATES,
            "DeleteCertificate",
            call!(client.certificates.delete_certificate(RepositoryCertificateQuery::default())),
        ),
        tried(KEYS, "List", call!(client.keys.list(GnuPgPublicKeyQuery::default()))),
        tried(KEYS, "Get", call!(client.keys.get(GnuPgPublicKeyQuery { key_id: KEY_ID.into() }))),
        tried(KEYS, "Create", call!(client.keys.create(signing_key()))),
        tried(KEYS, "Delete", call!(client.keys.delete(GnuPgPublicKeyQuery { key_id: KEY_ID.into() }))),
    ]
}

fn all() -> Vec<Try> {
    let mut all = repository_methods();
    all.extend(template_methods());
    all.extend(other_methods());
    all
}

/// All that is tried here, by service and method.
pub fn methods() -> BTreeSet<String> {
    all().iter().map(|tried| format!("{}/{}", tried.service.0, tried.method)).collect()
}

async fn bench(namespace: &str) -> (Bench, Client, Client) {
    let (settings, policy) = two_users();
    let options = Options { insecure: true, hydrator: true, ..Options::default() };
    let bench = Bench::with(namespace, settings, policy, &[], options).await;
    let token = bench.admin().await;
    let bob = bench.user(&token, "bob").await;
    let router = bench.server.grpc_router().expect("a router");
    let channel = transport::in_process(router).expect("a channel");
    let client = |token: String| Client { channel: channel.clone(), token };
    let (admin, bob) = (client(token), client(bob));
    (bench, admin, bob)
}

/// Everything there that the methods are about.
async fn furnish(admin: &Client) -> Vec<String> {
    let mut told = Vec::new();
    let all: [Call; 7] =
        [
            call!(client.repositories.create_repository(create(true))),
            call!(client.repositories.create_write_repository(create(true))),
            call!(client.templates.create_repository_credentials(RepoCredsCreateRequest {
                creds: Some(template()),
                upsert: true
            })),
            call!(client.templates.create_write_repository_credentials(RepoCredsCreateRequest {
                creds: Some(template()),
                upsert: true
            })),
            call!(client.clusters.create(ClusterCreateRequest { cluster: Some(cluster()), upsert: true })),
            call!(client.certificates.create_certificate(host_key())),
            call!(client.keys.create(signing_key())),
        ];
    for call in all {
        told.push(call(admin.clone()).await.expect("it is made"));
    }
    told
}

/// What is in a list of what bob may see, when nothing is.
fn is_empty_list(told: &str) -> bool {
    told.contains("items: []")
}

#[tokio::test]
async fn every_method_wants_its_right_and_no_other() {
    let (bench, admin, bob) = bench("rights").await;
    for tried in all() {
        let (name, needs) = (format!("{} {}", tried.service.0, tried.method), tried.needs());
        furnish(&admin).await;
        for missing in 0..needs.len() {
            let lines = needs.iter().enumerate().filter(|(place, _)| *place != missing);
            permit(&bench, lines.map(|(_, line)| line)).await;
            let told = (tried.call)(bob.clone()).await;
            assert!(tried.is_refused(&told), "{name} without {}: {told:?}", needs[missing]);
        }
        permit(&bench, needs.iter()).await;
        match (tried.call)(bob.clone()).await {
            Ok(told) => {
                let seen = !tried.method.contains("List") || !is_empty_list(&told);
                assert!(!told.contains(CANARY) && seen, "{name}: {told}");
            }
            Err(status) => assert_eq!(status.code(), tried.code, "{name}: {status}"),
        }
    }
}

#[tokio::test]
async fn every_method_answers_each_role_as_its_rights_say() {
    let (bench, admin, bob) = bench("registration-roles").await;
    let mut changed = true;
    for role in &ROLES {
        configure(&bench.store, "argocd-rbac-cm", json!({"policy.csv": role.policy})).await;
        for tried in all() {
            if changed {
                furnish(&admin).await;
            }
            let told = (tried.call)(bob.clone()).await;
            let wanted = role.has(&tried.needs());
            assert_ne!(tried.is_refused(&told), wanted, "{} at {}: {told:?}", role.name, tried.method);
            // What was refused changed nothing.
            changed = wanted;
        }
    }
}

#[tokio::test]
async fn cve_2025_55190_no_answer_holds_what_opens_something() {
    let (_bench, admin, _) = bench("canary").await;
    let mut told = furnish(&admin).await;
    told.extend(furnish(&admin).await);
    for Try { method, call, .. } in all() {
        furnish(&admin).await;
        let text = match call(admin.clone()).await {
            Ok(text) => text,
            Err(status) => status.to_string(),
        };
        told.push(format!("{method}: {text}"));
    }
    for text in told {
        assert!(!text.contains(CANARY), "{text}");
    }
}

#[tokio::test]
async fn what_would_be_pushed_to_is_tried_with_what_is_said_and_nothing_else() {
    let (_bench, admin, _) = bench("locked").await;
    furnish(&admin).await;
    let query = |password: &str| {
        let repo = format!("{TEMPLATE}/locked.git");
        admin.ask(RepoAccessQuery { repo, password: password.into(), ..RepoAccessQuery::default() })
    };
    // To what is read, a template lends its password.
    admin.repositories().validate_access(query("")).await.expect("it answers");
    let refused = admin.repositories().validate_write_access(query("")).await.expect_err("it is locked");
    assert_eq!(refused.message(), "error testing repository connectivity: authentication required");
    admin.repositories().validate_write_access(query("p")).await.expect("it answers");
}

#[tokio::test]
async fn what_is_not_there_and_what_may_not_be_seen_look_alike() {
    let (_bench, admin, bob) = bench("alike").await;
    furnish(&admin).await;
    let text = |answer: Result<String, Status>| answer.expect_err("it is refused").to_string();
    let there = [
        text(call_of(bob.clone(), URL).await),
        text(delete_of(bob.clone(), URL).await),
        text(cluster_of(bob.clone(), IN_CLUSTER).await),
    ];
    let none = [
        text(call_of(bob.clone(), "https://git.example/b.git").await),
        text(delete_of(bob.clone(), "https://git.example/b.git").await),
        text(cluster_of(bob, "https://none.example").await),
    ];
    assert_eq!(there, none);
}

async fn call_of(client: Client, url: &str) -> Told {
    let query = RepoQuery { repo: url.into(), ..RepoQuery::default() };
    Ok(format!("{:?}", client.repositories().get(client.ask(query)).await?))
}

async fn delete_of(client: Client, url: &str) -> Told {
    let query = RepoQuery { repo: url.into(), ..RepoQuery::default() };
    Ok(format!("{:?}", client.repositories().delete_repository(client.ask(query)).await?))
}

async fn cluster_of(client: Client, server: &str) -> Told {
    let query = ClusterQuery { server: server.into(), ..ClusterQuery::default() };
    Ok(format!("{:?}", client.clusters().delete(client.ask(query)).await?))
}

#[tokio::test]
async fn cve_2023_23947_one_cluster_is_no_door_to_another() {
    let (bench, admin, bob) = bench("doors").await;
    furnish(&admin).await;
    permit(&bench, ["clusters, update, https://other.example"].into_iter()).await;
    let sneaky = Cluster { server: IN_CLUSTER.into(), name: "taken".into(), ..Cluster::default() };
    for id in [None, Some(("", IN_CLUSTER)), Some(("name", "own"))] {
        let id =
            id.map(|(kind, value)| wire::cluster::ClusterId { r#type: kind.into(), value: value.into() });
        let request = ClusterUpdateRequest { cluster: Some(sneaky.clone()), id, ..Default::default() };
        let refused = bob.clusters().update(bob.ask(request)).await.expect_err("it is refused");
        assert_eq!((refused.code(), refused.message()), (Code::PermissionDenied, "permission denied"));
    }
    let found = bench.store.cluster_by_server(IN_CLUSTER, true).expect("it is there");
    assert_eq!(found.reveal().name, "own");
}

#[tokio::test]
async fn a_registration_is_kept_as_the_original_keeps_it() {
    let (bench, admin, _) = bench("kept").await;
    furnish(&admin).await;
    let secret = |name: String| bench.store.secret(&name).unwrap_or_else(|| panic!("no Secret {name}"));
    let kept = secret(store::secret_name("repo", URL, ""));
    assert_eq!(kept.secret_type(), "repository");
    assert_eq!(kept.annotations["managed-by"], "argocd.argoproj.io");
    assert_eq!(
        (kept.text("url"), kept.text("username"), kept.text("type")),
        (URL.into(), "u".into(), "git".into())
    );
    let scoped = Repository { project: "red".into(), ..repository() };
    let request = RepoCreateRequest { repo: Some(scoped), ..RepoCreateRequest::default() };
    admin.repositories().create_repository(admin.ask(request)).await.expect("it is made");
    assert_eq!(secret(store::secret_name("repo", URL, "red")).text("project"), "red");
    // Two of one address: which is meant must be said.
    let refused = call_of(admin.clone(), URL).await;
    assert!(refused.is_ok(), "the one without a project: {refused:?}");
    let template = secret(store::secret_name("creds", TEMPLATE, ""));
    assert_eq!((template.secret_type(), template.text("url").as_str()), ("repo-creds", TEMPLATE));
    // Deleting an address below a template leaves the template.
    let below = RepoCredsDeleteRequest { url: format!("{TEMPLATE}/a") };
    let refused = admin.templates().delete_repository_credentials(admin.ask(below)).await;
    assert_eq!(refused.expect_err("there is none").code(), Code::NotFound);
}
