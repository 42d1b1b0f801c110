//! What is registered with the hub: who may do what with it, and that nothing leaves which opens anything.

use crate::bench::{Bench, CANARY, configure, two_users};
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

const URL: &str = "https://git.example/a.git";
const TEMPLATE: &str = "https://git.example";
const IN_CLUSTER: &str = "https://kubernetes.default.svc";
const HOST_KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
const SIGNING_KEY: &str = include_str!("key.asc");
const KEY_ID: &str = "FA1AA40D7BE828FA";

/// What a call answers, as text: lists that hide what may not be seen are empty.
type Told = Result<String, Status>;
type Call = fn(Client) -> BoxFuture<'static, Told>;

/// A method, the lines of a policy that are needed for it, and how it is called.
struct Try {
    method: &'static str,
    needs: &'static [&'static str],
    call: Call,
    /// What a permitted call answers where it cannot succeed here.
    code: Code,
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

const fn tried(method: &'static str, needs: &'static [&'static str], call: Call) -> Try {
    Try { method, needs, call, code: Code::Ok }
}

const R_GET: &str = "repositories, get, https://git.example/a.git";
const R_CREATE: &str = "repositories, create, https://git.example/a.git";
const R_UPDATE: &str = "repositories, update, https://git.example/a.git";
const R_DELETE: &str = "repositories, delete, https://git.example/a.git";
const W_GET: &str = "write-repositories, get, https://git.example/a.git";
const W_CREATE: &str = "write-repositories, create, https://git.example/a.git";
const W_UPDATE: &str = "write-repositories, update, https://git.example/a.git";
const W_DELETE: &str = "write-repositories, delete, https://git.example/a.git";

#[expect(deprecated, reason = "clients of before still call these, and they want the same right")]
fn repository_methods() -> Vec<Try> {
    vec![
        tried("List", &[R_GET], call!(client.repositories.list(RepoQuery::default()))),
        tried(
            "ListRepositories",
            &[R_GET],
            call!(client.repositories.list_repositories(RepoQuery::default())),
        ),
        tried(
            "ListWriteRepositories",
            &[W_GET],
            call!(client.repositories.list_write_repositories(RepoQuery::default())),
        ),
        tried("Get", &[R_GET], call!(client.repositories.get(query()))),
        tried("GetWrite", &[W_GET], call!(client.repositories.get_write(query()))),
        tried("Create", &[R_CREATE, R_UPDATE], call!(client.repositories.create(changed()))),
        tried(
            "CreateRepository",
            &[R_CREATE, R_UPDATE],
            call!(client.repositories.create_repository(changed())),
        ),
        tried(
            "CreateWriteRepository",
            &[W_CREATE, W_UPDATE],
            call!(client.repositories.create_write_repository(changed())),
        ),
        tried("Update", &[R_UPDATE], call!(client.repositories.update(update()))),
        tried("UpdateRepository", &[R_UPDATE], call!(client.repositories.update_repository(update()))),
        tried(
            "UpdateWriteRepository",
            &[W_UPDATE],
            call!(client.repositories.update_write_repository(update())),
        ),
        tried("Delete", &[R_GET, R_DELETE], call!(client.repositories.delete(query()))),
        tried("DeleteRepository", &[R_GET, R_DELETE], call!(client.repositories.delete_repository(query()))),
        tried(
            "DeleteWriteRepository",
            &[W_GET, W_DELETE],
            call!(client.repositories.delete_write_repository(query())),
        ),
        tried("ValidateAccess", &[R_CREATE], call!(client.repositories.validate_access(access_query()))),
        tried(
            "ValidateWriteAccess",
            &[W_CREATE],
            call!(client.repositories.validate_write_access(access_query())),
        ),
        tried("ListRefs", &[R_GET], call!(client.repositories.list_refs(query()))),
        tried("ListOCITags", &[R_GET], call!(client.repositories.list_oci_tags(query()))),
        tried("GetHelmCharts", &[R_GET], call!(client.repositories.get_helm_charts(query()))),
        tried(
            "ListApps",
            &[R_GET, "applications, create, default/new"],
            call!(client.repositories.list_apps(apps())),
        ),
        tried(
            "GetAppDetails",
            &[R_GET, "applications, get, default/new", "applications, create, default/new"],
            call!(client.repositories.get_app_details(details())),
        ),
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
            "ListRepositoryCredentials",
            &["repositories, get, https://git.example"],
            call!(client.templates.list_repository_credentials(RepoCredsQuery::default())),
        ),
        tried(
            "ListWriteRepositoryCredentials",
            &["write-repositories, get, https://git.example"],
            call!(client.templates.list_write_repository_credentials(RepoCredsQuery::default())),
        ),
        tried(
            "CreateRepositoryCredentials",
            &["repositories, create, https://git.example", "repositories, update, https://git.example"],
            call!(client.templates.create_repository_credentials(template_create(true))),
        ),
        tried(
            "CreateWriteRepositoryCredentials",
            &[
                "write-repositories, create, https://git.example",
                "write-repositories, update, https://git.example",
            ],
            call!(client.templates.create_write_repository_credentials(template_create(true))),
        ),
        tried(
            "UpdateRepositoryCredentials",
            &["repositories, update, https://git.example"],
            call!(client.templates.update_repository_credentials(template_update())),
        ),
        tried(
            "UpdateWriteRepositoryCredentials",
            &["write-repositories, update, https://git.example"],
            call!(client.templates.update_write_repository_credentials(template_update())),
        ),
        tried(
            "DeleteRepositoryCredentials",
            &["repositories, delete, https://git.example"],
            call!(client.templates.delete_repository_credentials(template_delete())),
        ),
        tried(
            "DeleteWriteRepositoryCredentials",
            &["write-repositories, delete, https://git.example"],
            call!(client.templates.delete_write_repository_credentials(template_delete())),
        ),
    ]
}

fn cluster_create() -> ClusterCreateRequest {
    let cluster = Cluster { name: "changed".into(), ..cluster() };
    ClusterCreateRequest { cluster: Some(cluster), upsert: true }
}

fn other_methods() -> Vec<Try> {
    const C_UPDATE: &str = "clusters, update, https://kubernetes.default.svc";
    vec![
        tried(
            "cluster List",
            &["clusters, get, https://kubernetes.default.svc"],
            call!(client.clusters.list(ClusterQuery::default())),
        ),
        tried(
            "cluster Get",
            &["clusters, get, https://kubernetes.default.svc"],
            call!(client.clusters.get(in_cluster())),
        ),
        tried(
            "cluster Create",
            &["clusters, create, https://kubernetes.default.svc", C_UPDATE],
            call!(client.clusters.create(cluster_create())),
        ),
        tried("cluster Update", &[C_UPDATE], call!(client.clusters.update(updated("own")))),
        tried("cluster InvalidateCache", &[C_UPDATE], call!(client.clusters.invalidate_cache(in_cluster()))),
        Try {
            // The cluster is entered without a token.
            code: Code::InvalidArgument,
            ..tried("cluster RotateAuth", &[C_UPDATE], call!(client.clusters.rotate_auth(in_cluster())))
        },
        tried(
            "cluster Delete",
            &["clusters, delete, https://kubernetes.default.svc"],
            call!(client.clusters.delete(in_cluster())),
        ),
        tried(
            "ListCertificates",
            &["certificates, get, *"],
            call!(client.certificates.list_certificates(RepositoryCertificateQuery::default())),
        ),
        tried(
            "CreateCertificate",
            &["certificates, create, *"],
            call!(client.certificates.create_certificate(host_key())),
        ),
        tried(
            "DeleteCertificate",
            &["certificates, delete, *"],
            call!(client.certificates.delete_certificate(RepositoryCertificateQuery::default())),
        ),
        tried("key List", &["gpgkeys, get, *"], call!(client.keys.list(GnuPgPublicKeyQuery::default()))),
        tried(
            "key Get",
            &["gpgkeys, get, *"],
            call!(client.keys.get(GnuPgPublicKeyQuery { key_id: KEY_ID.into() })),
        ),
        tried("key Create", &["gpgkeys, create, *"], call!(client.keys.create(signing_key()))),
        tried(
            "key Delete",
            &["gpgkeys, delete, *"],
            call!(client.keys.delete(GnuPgPublicKeyQuery { key_id: KEY_ID.into() })),
        ),
    ]
}

/// All that is tried here, by service and method.
pub fn methods() -> BTreeSet<String> {
    let of = |service: &'static str| move |method: &str| format!("{service}/{method}");
    let repositories =
        repository_methods().into_iter().map(|tried| of("repository.RepositoryService")(tried.method));
    let templates =
        template_methods().into_iter().map(|tried| of("repocreds.RepoCredsService")(tried.method));
    let others = other_methods().into_iter().map(|tried| match tried.method.split_once(' ') {
        Some(("cluster", method)) => of("cluster.ClusterService")(method),
        Some((_, method)) => of("gpgkey.GPGKeyService")(method),
        None => of("certificate.CertificateService")(tried.method),
    });
    repositories.chain(templates).chain(others).collect()
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
    let mut tries = repository_methods();
    tries.extend(template_methods());
    tries.extend(other_methods());
    assert_eq!(tries.len(), 43);
    for Try { method, needs, call, code } in tries {
        furnish(&admin).await;
        for missing in 0..needs.len() {
            let lines = needs.iter().enumerate().filter(|(place, _)| *place != missing);
            permit(&bench, lines.map(|(_, line)| *line)).await;
            match call(bob.clone()).await {
                Err(status) => assert_eq!(status.code(), Code::PermissionDenied, "{method}: {status}"),
                Ok(told) => assert!(method.contains("List") && is_empty_list(&told), "{method}: {told}"),
            }
        }
        permit(&bench, needs.iter().copied()).await;
        let answered = call(bob.clone()).await;
        match answered {
            Ok(told) => {
                let seen = !method.contains("List") || !is_empty_list(&told);
                assert!(!told.contains(CANARY) && seen, "{method}: {told}");
            }
            Err(status) => assert_eq!(status.code(), code, "{method}: {status}"),
        }
    }
}

async fn permit(bench: &Bench, lines: impl Iterator<Item = &str>) {
    let policy: String = lines.map(|line| format!("p, bob, {line}, allow\n")).collect();
    configure(&bench.store, "argocd-rbac-cm", json!({"policy.csv": policy})).await;
}

#[tokio::test]
async fn cve_2025_55190_no_answer_holds_what_opens_something() {
    let (_bench, admin, _) = bench("canary").await;
    let mut told = furnish(&admin).await;
    told.extend(furnish(&admin).await);
    let mut tries = repository_methods();
    tries.extend(template_methods());
    tries.extend(other_methods());
    for Try { method, call, .. } in tries {
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
