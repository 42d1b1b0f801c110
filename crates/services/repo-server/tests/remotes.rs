//! What sources lead to: tags that a prefix tells apart, repositories that kustomizations name, and the way out to them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod serving;

use api::v1alpha1::{
    Application, ApplicationSource, ApplicationSourceHelm, ApplicationSpec, CommitMetadata, Repository,
};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use testkit::git_http::{self, GitHttp};
use testkit::git_repo::GitRepo;
use testkit::proxy::Proxy;
use tonic::Code;
use tonic::transport::Channel;
use wire::repository::repo_server_service_client::RepoServerServiceClient;
use wire::repository::{
    ManifestRequest, ManifestResponse, RepoServerRevisionMetadataRequest, ResolveRevisionRequest,
};

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n";

struct Server {
    client: RepoServerServiceClient<Channel>,
    folder: TempDir,
}

impl Server {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tls = folder.path().join("tls").to_str().unwrap().to_owned();
        fs::create_dir(&tls).unwrap();
        let channel = serving::channel(
            folder.path(),
            &[],
            &[("ARGOCD_TLS_DATA_PATH", &tls)],
            None,
            &boot::metrics::registry(),
        );
        Self { client: RepoServerServiceClient::new(channel), folder }
    }

    fn trust(&self, authorities: &[&str]) {
        fs::write(self.folder.path().join("tls/127.0.0.1"), authorities.join("\n")).unwrap();
    }

    async fn render(&self, repo: &Repository, source: ApplicationSource) -> Result<ManifestResponse, String> {
        let request = ManifestRequest {
            repo: Some(repo.clone()),
            application_source: Some(source),
            ..ManifestRequest::default()
        };
        let answer = self.client.clone().generate_manifest(request).await;
        answer.map(tonic::Response::into_inner).map_err(|status| status.message().to_owned())
    }
}

/// What is answered about a source that does not render, in the project `red` that permits some repositories.
async fn refused(
    server: &Server,
    repository: &GitRepo,
    source: ApplicationSource,
    permitted: &[&str],
) -> (Code, String) {
    let request = ManifestRequest {
        repo: Some(Repository { repo: repository.url(), ..Repository::default() }),
        application_source: Some(source),
        project_name: "red".into(),
        project_source_repos: permitted.iter().map(|entry| (*entry).to_owned()).collect(),
        ..ManifestRequest::default()
    };
    let status = server.client.clone().generate_manifest(request).await.unwrap_err();
    (status.code(), status.message().to_owned())
}

fn source(target_revision: &str) -> ApplicationSource {
    ApplicationSource {
        path: "app".into(),
        target_revision: target_revision.into(),
        ..ApplicationSource::default()
    }
}

/// A bare copy of a repository below a folder that is served.
fn publish(repository: &GitRepo, root: &Path, name: &str) {
    let to = root.join(name);
    let cloned =
        Command::new("git").args(["clone", "-q", "--bare"]).arg(repository.bare_path()).arg(to).status();
    assert!(cloned.unwrap().success());
}

#[tokio::test]
async fn versions_are_those_of_the_tags_with_the_prefix() {
    let mut repository = GitRepo::from_files("apps", &[("app/map.yaml", MAP)]).unwrap();
    repository.tag("a/1.0.7", None).unwrap();
    repository.change("app/map.yaml", &format!("{MAP}data: {{a: b}}\n")).unwrap();
    repository.tag("b/1.0.0", None).unwrap();
    repository.change("app/map.yaml", &format!("{MAP}data: {{a: c}}\n")).unwrap();
    repository.tag("b/1.0.5", None).unwrap();
    let newest_of_b = repository.head().unwrap();
    repository.change("app/map.yaml", &format!("{MAP}data: {{a: d}}\n")).unwrap();
    repository.tag("1.0.9", None).unwrap();
    repository.push().unwrap();
    let newest = repository.head().unwrap();
    let server = Server::new();
    let repo = Repository { repo: repository.url(), ..Repository::default() };
    let with_prefix = ApplicationSource { tag_prefix: "b/".into(), ..source("1.0.*") };
    let rendered = server.render(&repo, with_prefix.clone()).await.unwrap();
    assert_eq!(rendered.revision, newest_of_b);
    assert_eq!(server.render(&repo, source("1.0.*")).await.unwrap().revision, newest);
    let missing = ApplicationSource { tag_prefix: "c/".into(), ..source("1.0.*") };
    let error = server.render(&repo, missing).await.unwrap_err();
    assert!(error.contains("unable to resolve '1.0.*' to a commit SHA"), "{error}");
    let spec = ApplicationSpec { source: Some(with_prefix), ..ApplicationSpec::default() };
    let request = ResolveRevisionRequest {
        repo: Some(repo),
        app: Some(Application { spec, ..Application::default() }),
        ambiguous_revision: "1.0.*".into(),
        ..ResolveRevisionRequest::default()
    };
    let resolved = server.client.clone().resolve_revision(request).await.unwrap().into_inner();
    assert_eq!(resolved.revision, newest_of_b);
    assert_eq!(resolved.ambiguous_revision, format!("1.0.* ({newest_of_b})"));
}

#[tokio::test]
async fn a_base_is_opened_with_the_applications_credentials_on_its_host_alone() {
    let root = tempfile::tempdir().unwrap();
    let elsewhere_root = tempfile::tempdir().unwrap();
    let user = Some(("ann".to_owned(), "secret-word".to_owned()));
    let options = git_http::Options { basic_auth: user, tls: true };
    let http = GitHttp::serve(root.path(), &options).unwrap();
    let open = git_http::Options { basic_auth: None, tls: true };
    let elsewhere = GitHttp::serve(elsewhere_root.path(), &open).unwrap();
    let base = |name: &str| {
        GitRepo::from_files(
            name,
            &[("kustomization.yaml", "resources: [map.yaml]\n"), ("map.yaml", &MAP.replace("map", name))],
        )
        .unwrap()
    };
    let lib = GitRepo::from_files("lib", &[("map.yaml", &MAP.replace("map", "lib"))]).unwrap();
    publish(&lib, root.path(), "lib.git");
    publish(&base("private"), root.path(), "private.git");
    publish(&base("public"), elsewhere_root.path(), "public.git");
    // A base whose resources lie in a submodule.
    let mut nested = GitRepo::create("nested").unwrap();
    nested.write("kustomization.yaml", "resources: [lib/map.yaml]\n").unwrap();
    nested.write(".gitmodules", "[submodule \"lib\"]\n\tpath = lib\n\turl = ../lib.git\n").unwrap();
    let link = format!("160000,{},lib", lib.head().unwrap());
    let added = Command::new("git")
        .current_dir(nested.work_path())
        .args(["update-index", "--add", "--cacheinfo", &link])
        .status();
    assert!(added.unwrap().success());
    fs::create_dir(nested.work_path().join("lib")).unwrap();
    nested.commit("a submodule").unwrap();
    nested.push().unwrap();
    publish(&nested, root.path(), "nested.git");
    let names = [http.url("private.git"), elsewhere.url("public.git"), http.url("nested.git")];
    let apps = GitRepo::from_files(
        "apps",
        &[
            (
                "app/kustomization.yaml",
                &format!("resources: ['{}', '{}', '{}']\n", names[0], names[1], names[2]),
            ),
            ("without/kustomization.yaml", &format!("resources: ['{}?submodules=false']\n", names[2])),
        ],
    )
    .unwrap();
    publish(&apps, root.path(), "apps.git");

    let server = Server::new();
    server.trust(&[http.certificate_authority().unwrap(), elsewhere.certificate_authority().unwrap()]);
    let repo = Repository {
        repo: http.url("apps.git"),
        username: "ann".into(),
        password: "secret-word".into(),
        ..Repository::default()
    };
    let rendered = server.render(&repo, source("main")).await.unwrap();
    let all = rendered.manifests.join("\n");
    for name in ["private", "public", "lib"] {
        assert!(all.contains(&format!("{{\"name\":\"{name}\"}}")), "{name}: {all}");
    }
    assert!(!elsewhere.requests().is_empty() && elsewhere.authorized().is_empty());
    let without = ApplicationSource { path: "without".into(), ..source("main") };
    assert!(server.render(&repo, without).await.is_err());
}

#[tokio::test]
async fn a_base_is_reached_by_the_proxy_of_the_application() {
    let root = tempfile::tempdir().unwrap();
    let http = GitHttp::serve(root.path(), &git_http::Options::default()).unwrap();
    let files = tempfile::tempdir().unwrap();
    fs::write(files.path().join("far.yaml"), MAP.replace("map", "far")).unwrap();
    let plain = GitHttp::serve_files(files.path(), &git_http::Options::default()).unwrap();
    let base = [("kustomization.yaml", "resources: [map.yaml]\n"), ("map.yaml", MAP)];
    publish(&GitRepo::from_files("base", &base).unwrap(), root.path(), "base.git");
    let kustomization = format!("resources: ['{}', '{}']\n", http.url("base.git"), plain.url("far.yaml"));
    let apps = GitRepo::from_files("apps", &[("app/kustomization.yaml", &kustomization)]).unwrap();
    publish(&apps, root.path(), "apps.git");
    let proxy = Proxy::serve(None).unwrap();
    let server = Server::new();
    let repo = Repository { repo: http.url("apps.git"), proxy: proxy.url("http"), ..Repository::default() };
    let rendered = server.render(&repo, source("main")).await.unwrap();
    assert_eq!(rendered.manifests.len(), 2, "{:?}", rendered.manifests);
    let asked = http.requests();
    assert!(asked.iter().any(|request| request.contains("/base.git/")), "{asked:?}");
    let led = proxy.led();
    let to = |port: u16| led.iter().filter(|to| to.ends_with(&format!(":{port}"))).count();
    assert_eq!(to(http.port), asked.len(), "every request to the repositories went through the proxy");
    assert_eq!(to(plain.port), plain.requests().len());
    assert!(!plain.requests().is_empty());
}

#[tokio::test]
async fn a_commit_tells_what_it_was_made_of() {
    let mut repository = GitRepo::from_files("apps", &[("app/map.yaml", MAP)]).unwrap();
    let message = "Manifests\n\nArgocd-reference-commit-sha: abc1234\nArgocd-reference-commit-subject: feat: it\nArgocd-reference-commit-repourl: https://git.example/code\n";
    let revision = repository.commit(message).unwrap();
    repository.push().unwrap();
    let server = Server::new();
    let of = |revision: &str| RepoServerRevisionMetadataRequest {
        repo: Some(Repository { repo: repository.url(), ..Repository::default() }),
        revision: revision.into(),
        ..RepoServerRevisionMetadataRequest::default()
    };
    let told = server.client.clone().get_revision_metadata(of(&revision)).await.unwrap().into_inner();
    let [reference] = told.references.as_slice() else { panic!("{:?}", told.references) };
    let expected = CommitMetadata {
        author: "<@>".into(),
        sha: "abc1234".into(),
        subject: "feat: it".into(),
        repo_url: "https://git.example/code".into(),
        ..CommitMetadata::default()
    };
    assert_eq!(reference.commit.as_ref(), Some(&expected));
    assert_eq!(told.message, message.trim());
}

#[tokio::test]
async fn credentials_that_open_no_charts_are_named() {
    let server = Server::new();
    let repo = Repository {
        repo: "https://charts.example".into(),
        r#type: "helm".into(),
        use_azure_workload_identity: true,
        ..Repository::default()
    };
    let chart =
        ApplicationSource { chart: "db".into(), target_revision: "1.0.0".into(), ..Default::default() };
    let error = server.render(&repo, chart).await.unwrap_err();
    assert!(error.starts_with("useAzureWorkloadIdentity opens Git repositories here"), "{error}");
}

#[tokio::test]
async fn chart_repositories_that_the_project_does_not_permit_are_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("index.yaml"), "entries: {}\n").unwrap();
    let options = git_http::Options { basic_auth: None, tls: true };
    let http = GitHttp::serve_files(folder.path(), &options).unwrap();
    let chart = |dependencies: &str| {
        format!("apiVersion: v2\nname: own\nversion: 1.0.0\ndependencies: [{dependencies}]\n")
    };
    let silent = chart(
        "{name: db, version: 1.0.0, repository: 'oci://localhost:1/myrepo'}, {name: web, version: 1.0.0, repository: 'https://localhost:1/local'}",
    );
    let listing = chart(&format!("{{name: db, version: 1.0.0, repository: '{}'}}", http.url("")));
    let files = [("app/Chart.yaml", silent.as_str()), ("listing/Chart.yaml", listing.as_str())];
    let repository = GitRepo::from_files("apps", &files).unwrap();
    let own = repository.url();
    let server = Server::new();
    server.trust(&[http.certificate_authority().unwrap()]);
    let told = "helm repos localhost:1/myrepo, https://localhost:1/local are not permitted in project 'red'";
    assert_eq!(
        refused(&server, &repository, source("main"), &[&own]).await,
        (Code::PermissionDenied, told.to_owned())
    );
    let (code, told) = refused(&server, &repository, source("main"), &["*"]).await;
    let expected = "app: chart db 1.0.0 of oci://localhost:1/myrepo: ";
    assert!(code == Code::Unknown && told.starts_with(expected), "{told}");
    // That a repository has no such chart is what is wrong, whoever may use it.
    let listing = ApplicationSource { path: "listing".into(), ..source("main") };
    let (code, told) = refused(&server, &repository, listing, &[&own]).await;
    assert!(code == Code::Unknown && told.contains("chart db 1.0.0 of https://127.0.0.1:"), "{told}");
}

#[tokio::test]
async fn values_files_that_may_still_come_are_not_found() {
    let files = [("app/Chart.yaml", "apiVersion: v2\nname: own\nversion: 1.0.0\n")];
    let repository = GitRepo::from_files("apps", &files).unwrap();
    let helm = ApplicationSourceHelm { value_files: vec!["none/*.yaml".into()], ..Default::default() };
    let source = ApplicationSource { helm: Some(helm), ..source("main") };
    assert_eq!(
        refused(&Server::new(), &repository, source, &["*"]).await,
        (Code::NotFound, "app: values file glob \"none/*.yaml\" matched no files".to_owned())
    );
}
