//! Sources that a plugin takes: asked through the repo-server, with a real plugin on the other side.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod serving;

use api::v1alpha1::{ApplicationSource, ApplicationSourcePlugin, Repository};
use archive::Packer;
use boot::stop::Stop;
use cmp_server::{Configuration, PluginServer};
use source_tree::{MemoryTree, TreePath};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use testkit::git_http::{self, GitHttp};
use testkit::git_repo::GitRepo;
use tonic::transport::Channel;
use wire::repository::repo_server_service_client::RepoServerServiceClient;
use wire::repository::{ManifestRequest, RepoServerAppDetailsQuery};

const LIMIT: Duration = Duration::from_secs(30);

const PLUGIN: &str = r#"
kind: ConfigManagementPlugin
metadata: {name: own}
spec:
  discover: {fileName: "./own.txt"}
  generate:
    command: [sh, -c, 'echo "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"made\"},\"data\":{\"kube\":\"$KUBE_VERSION\"}}"']
  parameters:
    static: [{name: size, title: Size, string: small}]
"#;

/// Starts the plugin; its socket is there afterwards.
async fn start(folder: &Path, stop: &Stop) {
    let configuration = Configuration::parse(PLUGIN.as_bytes(), "plugin.yaml").unwrap();
    let options = cmp_server::Options {
        work_folder: folder.join("work"),
        timeout: LIMIT,
        grace: Duration::from_secs(5),
        output: 1 << 20,
    };
    fs::create_dir(folder.join("sockets")).unwrap();
    let socket = folder.join("sockets/own.sock");
    let server = PluginServer::new(configuration, options).unwrap();
    let (there, stop) = (socket.clone(), stop.part());
    tokio::spawn(async move {
        transport::serve_unix(&there, cmp_server::router(server), stop.asked()).await.unwrap();
    });
    let deadline = Instant::now() + LIMIT;
    while !socket.exists() {
        assert!(Instant::now() < deadline, "waited for the socket");
        tokio::task::yield_now().await;
    }
}

fn server(folder: &Path) -> RepoServerServiceClient<Channel> {
    let sockets = folder.join("sockets").to_str().unwrap().to_owned();
    let channel = serving::channel(
        folder,
        &[],
        &[("ARGOCD_PLUGINSOCKFILEPATH", &sockets)],
        None,
        &boot::metrics::registry(),
    );
    RepoServerServiceClient::new(channel)
}

#[tokio::test]
async fn a_plugin_takes_folders_and_charts_and_tells_its_parameters() {
    let (folder, stop) = (tempfile::tempdir().unwrap(), Stop::new());
    start(folder.path(), &stop).await;
    let mut client = server(folder.path());
    let listed = client.list_plugins(()).await.unwrap().into_inner().items;
    assert_eq!(listed.iter().map(|plugin| plugin.name.as_str()).collect::<Vec<_>>(), ["own"]);
    let files =
        [("app/own.txt", "x\n"), ("app/kustomization.yaml", "resources: []\n"), ("other/map.yaml", "")];
    let repository = GitRepo::from_files("apps", &files).unwrap();
    let charts = tempfile::tempdir().unwrap();
    let mut packed = Packer::new(Vec::new());
    for (path, text) in
        [("db/Chart.yaml", "apiVersion: v2\nname: db\nversion: 1.0.0\n"), ("db/own.txt", "x\n")]
    {
        packed.file(path, text.as_bytes(), false).unwrap();
    }
    fs::write(charts.path().join("db-1.0.0.tgz"), packed.finish().unwrap()).unwrap();
    fs::write(
        charts.path().join("index.yaml"),
        "entries:\n  db:\n  - {version: 1.0.0, urls: [db-1.0.0.tgz]}\n",
    )
    .unwrap();
    let http = GitHttp::serve_files(charts.path(), &git_http::Options::default()).unwrap();
    let git = (
        Repository { repo: repository.url(), ..Repository::default() },
        ApplicationSource { path: "app".into(), target_revision: "main".into(), ..Default::default() },
    );
    let chart = (
        Repository { repo: http.url(""), r#type: "helm".into(), ..Repository::default() },
        ApplicationSource { chart: "db".into(), target_revision: "1.0.0".into(), ..Default::default() },
    );
    for (repo, source) in [git, chart] {
        let request = ManifestRequest {
            repo: Some(repo.clone()),
            application_source: Some(source.clone()),
            kube_version: "v1.36.0-eks-5e0fdde".into(),
            ..ManifestRequest::default()
        };
        let made = client.generate_manifest(request).await.unwrap().into_inner();
        assert_eq!(made.source_type, "Plugin");
        assert_eq!(made.manifests.len(), 1);
        assert!(made.manifests[0].contains("\"kube\":\"1.36.0\""), "{:?}", made.manifests);
        let query =
            RepoServerAppDetailsQuery { repo: Some(repo), source: Some(source), ..Default::default() };
        let details = client.get_app_details(query).await.unwrap().into_inner();
        assert_eq!(details.r#type, "Plugin");
        let announced = details.plugin.unwrap().parameters_announcement;
        let announced: Vec<_> = announced
            .iter()
            .map(|found| (found.name.as_str(), found.title.as_str(), found.string.as_str()))
            .collect();
        assert_eq!(announced, [("size", "Size", "small")]);
    }
    stop.ask();
}

#[tokio::test]
async fn a_folder_of_the_users_is_rendered_by_the_plugins_that_their_environment_names() {
    let (folder, stop) = (tempfile::tempdir().unwrap(), Stop::new());
    start(folder.path(), &stop).await;
    let files = [(TreePath::parse("app/own.txt").unwrap(), "x\n")];
    let tree = Arc::new(MemoryTree::from_files(files).unwrap());
    let rendered = async |plugin: Option<&str>, variables: &[(&str, &str)]| {
        let plugin = plugin
            .map(|name| ApplicationSourcePlugin { name: name.into(), ..ApplicationSourcePlugin::default() });
        let source = ApplicationSource { path: "app".into(), plugin, ..ApplicationSource::default() };
        let request = ManifestRequest {
            repo: Some(Repository { repo: "https://git.example/apps".into(), ..Repository::default() }),
            application_source: Some(source),
            ..ManifestRequest::default()
        };
        let fetched = tempfile::tempdir().unwrap();
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let variables: BTreeMap<_, _> = variables.collect();
        repo_server::render_local(tree.clone(), request, "app", fetched.path(), "", &variables).await
    };
    let sockets = folder.path().join("sockets").to_str().unwrap().to_owned();
    for plugin in [Some("own"), None] {
        let made = rendered(plugin, &[("ARGOCD_PLUGINSOCKFILEPATH", sockets.as_str())]).await.unwrap();
        assert!(made.len() == 1 && made[0].contains("\"name\":\"made\""), "{made:?}");
    }
    let empty = folder.path().join("empty").to_str().unwrap().to_owned();
    let missing = rendered(Some("own"), &[("ARGOCD_PLUGINSOCKFILEPATH", empty.as_str())]).await.unwrap_err();
    assert!(missing.contains("own"), "{missing}");
    stop.ask();
}
