//! What pull requests are asked of the repo-server: what one changes, and what its head renders to without anything that a
//! stranger must not have.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod serving;

use api::v1alpha1::{ApplicationSource, ApplicationSourcePlugin, HelmOptions, Repository};
use tempfile::TempDir;
use testkit::git_repo::GitRepo;
use tonic::transport::Channel;
use wire::previews::previews_service_client::PreviewsServiceClient;
use wire::previews::{ChangedRequest, ChangedResponse, RenderRequest};
use wire::repository::ManifestRequest;

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n";

struct Server {
    client: PreviewsServiceClient<Channel>,
    _mirrors: TempDir,
}

impl Server {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let channel = serving::channel(folder.path(), &[], &[], None, &boot::metrics::registry());
        Self { client: PreviewsServiceClient::new(channel), _mirrors: folder }
    }

    async fn changed(&self, repository: &GitRepo, head: &str) -> Result<ChangedResponse, String> {
        let request = ChangedRequest {
            repo: Some(Repository { repo: repository.url(), ..Repository::default() }),
            target: "refs/heads/main".into(),
            head: head.into(),
        };
        let answer = self.client.clone().changed(request).await;
        answer.map(tonic::Response::into_inner).map_err(|status| status.message().to_owned())
    }

    /// The manifests of a folder at a revision, in a project that permits some repositories.
    async fn render(
        &self,
        repository: &GitRepo,
        revision: &str,
        permitted: &[&str],
        change: impl FnOnce(&mut ApplicationSource),
    ) -> Result<Vec<String>, String> {
        let mut source = ApplicationSource {
            repo_url: repository.url(),
            path: "app".into(),
            target_revision: "main".into(),
            ..ApplicationSource::default()
        };
        change(&mut source);
        let request = ManifestRequest {
            repo: Some(Repository { repo: repository.url(), ..Repository::default() }),
            revision: revision.into(),
            app_name: "app".into(),
            project_source_repos: permitted.iter().map(|entry| (*entry).to_owned()).collect(),
            helm_options: Some(HelmOptions { values_file_schemes: vec!["http".into(), "https".into()] }),
            application_source: Some(source),
            ..ManifestRequest::default()
        };
        let answer = self.client.clone().render(RenderRequest { request: Some(request) }).await;
        let manifests = answer.map(|answer| answer.into_inner().manifests);
        manifests.map_err(|status| status.message().to_owned())
    }
}

#[tokio::test]
async fn a_request_changes_what_it_changed_since_it_left_the_branch() {
    let server = Server::new();
    let mut repository = GitRepo::from_files("apps", &[("app/a.yaml", MAP), ("other/b.yaml", MAP)]).unwrap();
    repository.branch("feature").unwrap();
    repository.write("app/new.yaml", MAP).unwrap();
    let head = repository.change("app/a.yaml", &format!("{MAP}data: {{a: b}}\n")).unwrap();
    // The branch goes on without it.
    repository.branch("main").unwrap();
    repository.change("other/b.yaml", &format!("{MAP}data: {{a: b}}\n")).unwrap();
    let found = server.changed(&repository, &head).await.unwrap();
    assert_eq!((found.commit.as_str(), found.complete), (head.as_str(), true));
    assert_eq!(found.files, ["app/a.yaml", "app/new.yaml"]);
    // Also by its name, and by its first digits.
    assert_eq!(server.changed(&repository, "refs/heads/feature").await.unwrap().commit, head);
    assert_eq!(server.changed(&repository, &head[..12]).await.unwrap().commit, head);
    let missing = server.changed(&repository, &"f".repeat(40)).await;
    assert!(missing.is_err(), "{missing:?}");
}

#[tokio::test]
async fn the_head_is_rendered_and_no_plugin_runs() {
    let server = Server::new();
    let mut repository = GitRepo::from_files("apps", &[("app/a.yaml", MAP)]).unwrap();
    repository.branch("feature").unwrap();
    let head = repository.change("app/b.yaml", &MAP.replace("name: map", "name: more")).unwrap();
    let found = server.render(&repository, &head, &["*"], |_| {}).await.unwrap();
    assert_eq!(found.len(), 2);
    let plugin = |source: &mut ApplicationSource| source.plugin = Some(ApplicationSourcePlugin::default());
    let refused = server.render(&repository, &head, &["*"], plugin).await.unwrap_err();
    assert!(refused.contains("plugins do not run for a pull request"), "{refused}");
    // Nor one that the request itself asks for.
    let head = repository.change("app/.argocd-source.yaml", "plugin: {name: evil}\n").unwrap();
    let refused = server.render(&repository, &head, &["*"], |_| {}).await.unwrap_err();
    assert!(refused.contains("plugins do not run for a pull request"), "{refused}");
}

#[tokio::test]
async fn what_only_the_request_names_is_not_read() {
    let server = Server::new();
    let secret = GitRepo::from_files(
        "secret",
        &[("base/kustomization.yaml", "resources: [a.yaml]\n"), ("base/a.yaml", MAP)],
    )
    .unwrap();
    let mut repository =
        GitRepo::from_files("apps", &[("app/kustomization.yaml", "resources: []\n")]).unwrap();
    repository.branch("feature").unwrap();
    let local = format!("{}//base?ref=main", secret.url());
    for base in [
        &*local,
        "https://git.example/org/secret//base?ref=main",
        "http://169.254.169.254/latest/meta-data.yaml",
    ] {
        let text = format!("resources: ['{base}']\n");
        let head = repository.change("app/kustomization.yaml", &text).unwrap();
        let refused = server.render(&repository, &head, &["https://git.example/org/apps"], |_| {}).await;
        let refused = refused.unwrap_err();
        assert!(refused.contains("does not permit a repository"), "{base}: {refused}");
    }
    // A chart's dependency, too.
    repository.remove("app/kustomization.yaml").unwrap();
    repository.write("app/values.yaml", "").unwrap();
    let chart = "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies: [{name: db, version: 1.0.0, repository: 'https://charts.example'}]\n";
    let head = repository.change("app/Chart.yaml", chart).unwrap();
    let refused = server.render(&repository, &head, &["https://git.example/*"], |_| {}).await.unwrap_err();
    assert!(refused.contains("does not permit a repository"), "{refused}");
    // Values behind an address that the request adds.
    let plain = "apiVersion: v2\nname: app\nversion: 1.0.0\n";
    repository.write("app/Chart.yaml", plain).unwrap();
    let values = "helm: {valueFiles: ['http://127.0.0.1:1/values.yaml']}\n";
    let head = repository.change("app/.argocd-source.yaml", values).unwrap();
    let refused = server.render(&repository, &head, &["*"], |_| {}).await.unwrap_err();
    assert!(refused.contains("only the pull request names"), "{refused}");
}

#[tokio::test]
async fn submodules_are_not_read() {
    let server = Server::new();
    let other = GitRepo::from_files("other", &[("a.yaml", MAP)]).unwrap();
    let mut repository = GitRepo::from_files("apps", &[("app/a.yaml", MAP)]).unwrap();
    repository.branch("feature").unwrap();
    let url = other.url();
    repository
        .git(&["-c", "protocol.file.allow=always", "submodule", "add", "-q", &url, "app/other"])
        .unwrap();
    let head = repository.commit("a submodule").unwrap();
    repository.push().unwrap();
    let refused = server.render(&repository, &head, &["*"], |_| {}).await.unwrap_err();
    assert!(refused.contains("submodules, which are not read for a pull request"), "{refused}");
}
