//! What renders read of their own repository and of those that lend them files: a commit that touches none of it renders
//! nothing, and one that does concerns whoever read it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod serving;

use api::v1alpha1::{ApplicationSource, ApplicationSourceHelm, RefTarget, Repository};
use boot::metrics::SharedRegistry;
use tempfile::TempDir;
use testkit::git_repo::GitRepo;
use tonic::transport::Channel;
use wire::reads::reads_service_client::ReadsServiceClient;
use wire::reads::{Candidate, ConcernedRequest};
use wire::repository::ManifestRequest;
use wire::repository::repo_server_service_client::RepoServerServiceClient;

const CHART: &str = "apiVersion: v2\nname: shop\nversion: 1.0.0\n";
const MAP: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\ndata: {size: {{ .Values.size | quote }}}\n";

struct Server {
    channel: Channel,
    metrics: SharedRegistry,
    charts: GitRepo,
    values: GitRepo,
    _mirrors: TempDir,
}

fn repository(of: &GitRepo) -> Repository {
    Repository { repo: of.url(), ..Repository::default() }
}

impl Server {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let metrics = boot::metrics::registry();
        let channel = serving::channel(folder.path(), &[], &[], None, &metrics);
        let charts = [("app/Chart.yaml", CHART), ("app/templates/map.yaml", MAP)];
        let values = [("env/prod.yaml", "size: 1\n"), ("env/test.yaml", "size: 9\n")];
        Self {
            channel,
            metrics,
            charts: GitRepo::from_files("charts", &charts).unwrap(),
            values: GitRepo::from_files("values", &values).unwrap(),
            _mirrors: folder,
        }
    }

    /// The chart, and the repository that lends it values.
    fn sources(&self) -> [ApplicationSource; 2] {
        let helm =
            ApplicationSourceHelm { value_files: vec!["$v/env/prod.yaml".into()], ..Default::default() };
        let chart = ApplicationSource {
            repo_url: self.charts.url(),
            path: "app".into(),
            target_revision: "main".into(),
            helm: Some(helm),
            ..ApplicationSource::default()
        };
        let lender = ApplicationSource {
            repo_url: self.values.url(),
            target_revision: "main".into(),
            r#ref: "v".into(),
            ..ApplicationSource::default()
        };
        [chart, lender]
    }

    /// What the chart makes of its values now.
    async fn size(&self) -> String {
        let mut made = Vec::new();
        for (source, of) in self.sources().into_iter().zip([&self.charts, &self.values]) {
            let target = RefTarget {
                repo: repository(&self.values),
                target_revision: "main".into(),
                chart: String::new(),
            };
            let request = ManifestRequest {
                repo: Some(repository(of)),
                app_name: "shop".into(),
                application_source: Some(source),
                has_multiple_sources: true,
                ref_sources: [("$v".to_owned(), target)].into(),
                // What was pushed counts at once.
                no_revision_cache: true,
                ..ManifestRequest::default()
            };
            let mut client = RepoServerServiceClient::new(self.channel.clone());
            made.extend(client.generate_manifest(request).await.unwrap().into_inner().manifests);
        }
        let [map] = <[String; 1]>::try_from(made).unwrap();
        let map: serde_json::Value = serde_json::from_str(&map).unwrap();
        map["data"]["size"].as_str().unwrap().to_owned()
    }

    fn renders(&self) -> u64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.metrics.lock().unwrap()).unwrap();
        let line = text.lines().find(|line| line.contains("hit=\"none\"")).unwrap_or("0");
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// Per source, whether a push of that file concerns it.
    async fn concerned(&self, file: &str) -> Vec<bool> {
        let candidate = |source| Candidate { app_name: "shop".into(), source: Some(source) };
        let candidates = self.sources().map(candidate).into();
        let request = ConcernedRequest { candidates, files: vec![file.to_owned()] };
        let mut client = ReadsServiceClient::new(self.channel.clone());
        client.concerned(request).await.unwrap().into_inner().concerned
    }
}

#[tokio::test]
async fn values_of_another_repository_are_among_what_a_render_read() {
    let mut server = Server::new();
    assert_eq!(server.concerned("env/test.yaml").await, [true, true], "nothing is known yet");
    assert_eq!((server.size().await.as_str(), server.renders()), ("1", 1));

    // Files that nobody read: no render, and nobody is concerned.
    server.values.change("env/test.yaml", "size: 8\n").unwrap();
    server.charts.change("other/a.yaml", "a: b\n").unwrap();
    assert_eq!((server.size().await.as_str(), server.renders()), ("1", 1));
    assert_eq!(server.concerned("env/test.yaml").await, [false, false]);

    // Those that were read, in either repository.
    assert_eq!(server.concerned("env/prod.yaml").await, [true, false]);
    server.values.change("env/prod.yaml", "size: 2\n").unwrap();
    assert_eq!((server.size().await.as_str(), server.renders()), ("2", 2));
    assert_eq!(server.concerned("app/templates/map.yaml").await, [true, false]);
    server
        .charts
        .change("app/templates/map.yaml", &MAP.replace("size | quote", "size | add 40 | quote"))
        .unwrap();
    assert_eq!((server.size().await.as_str(), server.renders()), ("42", 3));

    // And back: that is known.
    server.values.change("env/prod.yaml", "size: 1\n").unwrap();
    server.charts.change("app/templates/map.yaml", MAP).unwrap();
    assert_eq!((server.size().await.as_str(), server.renders()), ("1", 3));
}
