//! The repo-server asked over gRPC, with real chart repositories and a real registry on the other side.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod serving;

use api::v1alpha1::{ApplicationSource, ApplicationSourceHelm, Repository};
use archive::Packer;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use testkit::git_http::{self, GitHttp};
use testkit::registry::{self, Artifact, Registry, Storage};
use tonic::transport::Channel;
use wire::repository::manifest_request_with_files::Part;
use wire::repository::repo_server_service_client::RepoServerServiceClient;
use wire::repository::{
    HelmChartsRequest, ListRefsRequest, ManifestFileChunk, ManifestFileMetadata, ManifestRequest,
    ManifestRequestWithFiles, RepoServerAppDetailsQuery, RepoServerRevisionChartDetailsRequest,
    TestRepositoryRequest,
};

type Client = RepoServerServiceClient<Channel>;

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n";

/// A server with its folder of mirrors.
fn server(flags: &[&str]) -> (Client, TempDir) {
    server_in(flags, &[])
}

fn server_in(flags: &[&str], environment: &[(&str, &str)]) -> (Client, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let evaluator = evaluator::Program {
        file: std::env::current_exe().unwrap(),
        arguments: ["--exact", "evaluates_where_it_is_a_child"].map(str::to_owned).to_vec(),
        environment: [("EVALUATOR".to_owned(), "1".to_owned())].into(),
    };
    let channel =
        serving::channel(folder.path(), flags, environment, Some(evaluator), &boot::metrics::registry());
    (RepoServerServiceClient::new(channel), folder)
}

fn packed(files: &[(&str, &str)]) -> Vec<u8> {
    let mut packer = Packer::new(Vec::new());
    for (path, text) in files {
        packer.file(path, text.as_bytes(), false).unwrap();
    }
    packer.finish().unwrap()
}

fn chart() -> Vec<u8> {
    packed(&[
        (
            "db/Chart.yaml",
            "apiVersion: v2\nname: db\nversion: 1.0.0\ndescription: keeps\nhome: https://db.example\nmaintainers:\n- {name: A, email: a@db.example}\n- {name: B}\n",
        ),
        ("db/values.yaml", "size: 3\n"),
        (
            "db/templates/map.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: db}\ndata: {size: \"{{ .Values.size }}\"}\n",
        ),
    ])
}

fn offer(folder: &Path) {
    fs::write(folder.join("db-1.0.0.tgz"), chart()).unwrap();
    let index = "entries:\n  db:\n  - {version: 1.0.0, urls: [db-1.0.0.tgz]}\n  other:\n  - {version: 2.0.0, urls: [x.tgz]}\n  - {version: 1.0.0, urls: [x.tgz]}\n";
    fs::write(folder.join("index.yaml"), index).unwrap();
}

fn of_type(kind: &str, url: &str) -> Repository {
    Repository { repo: url.into(), r#type: kind.into(), ..Repository::default() }
}

async fn streamed(client: &Client, parts: Vec<Part>) -> Result<Vec<String>, String> {
    let parts = parts.into_iter().map(|part| ManifestRequestWithFiles { part: Some(part) });
    let stream = tokio_stream::iter(parts.collect::<Vec<_>>());
    let answer = client.clone().generate_manifest_with_files(stream).await;
    answer.map(|answer| answer.into_inner().manifests).map_err(|status| status.message().to_owned())
}

fn parts(path: &str, archive: &[u8]) -> Vec<Part> {
    let source = ApplicationSource { path: path.into(), ..ApplicationSource::default() };
    let request = ManifestRequest {
        repo: Some(of_type("", "https://git.example/none")),
        application_source: Some(source),
        ..ManifestRequest::default()
    };
    let checksum = Sha256::digest(archive).iter().map(|byte| format!("{byte:02x}")).collect();
    let metadata = ManifestFileMetadata { checksum, size: 0 };
    let mut parts = vec![Part::Request(request), Part::Metadata(metadata)];
    parts.extend(archive.chunks(1024).map(|chunk| Part::Chunk(ManifestFileChunk { chunk: chunk.to_vec() })));
    parts
}

#[tokio::test]
async fn files_sent_along_are_rendered() {
    let limits =
        ["--streamed-manifest-max-tar-size", "10k", "--streamed-manifest-max-extracted-size", "100k"];
    let (client, _folder) = server(&limits);
    let archive = packed(&[("app/map.yaml", MAP), ("other/x.yaml", "a: b\n")]);
    let manifests = streamed(&client, parts("app", &archive)).await.unwrap();
    assert_eq!(manifests, ["{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"map\"}}"]);
    let missing = streamed(&client, parts("nope", &archive)).await.unwrap_err();
    assert_eq!(missing, "failed to get app path: nope: app path does not exist");
    let mut changed = parts("app", &archive);
    changed.pop();
    let refused = streamed(&client, changed).await.unwrap_err();
    assert!(refused.contains("file checksum validation error: calc "), "{refused}");
    let nothing = streamed(&client, Vec::new()).await.unwrap_err();
    assert!(nothing.ends_with("error getting stream request: request is nil"), "{nothing}");
}

#[tokio::test]
async fn files_sent_along_have_limits() {
    let limits =
        ["--streamed-manifest-max-tar-size", "10k", "--streamed-manifest-max-extracted-size", "100k"];
    let (client, _folder) = server(&limits);
    let mut links = Packer::new(Vec::new());
    links.link("app/map.yaml", "../../etc/passwd").unwrap();
    let refused = streamed(&client, parts("app", &links.finish().unwrap())).await.unwrap_err();
    let told = "streamed files contains out-of-bounds symlinks. file: app/map.yaml";
    assert!(refused.starts_with(told), "{refused}");
    let bomb = packed(&[("app/map.yaml", &" ".repeat(200 << 10))]);
    let refused = streamed(&client, parts("app", &bomb)).await.unwrap_err();
    assert!(refused.contains("more than the limit of 100000 bytes"), "{refused}");
    // Texts that cannot be packed much smaller than they are.
    let digits = |number: u32| {
        Sha256::digest(number.to_be_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let noise: String = (0..2000).map(digits).collect();
    let large = packed(&[("app/map.yaml", &noise)]);
    let refused = streamed(&client, parts("app", &large)).await.unwrap_err();
    assert!(refused.ends_with("file exceeded max size of 10000 bytes"), "{refused}");
}

#[tokio::test]
async fn chart_repositories_tell_what_they_hold() {
    let folder = tempfile::tempdir().unwrap();
    offer(folder.path());
    let http = GitHttp::serve_files(folder.path(), &git_http::Options::default()).unwrap();
    let (mut client, _folder) = server(&[]);
    let repo = Some(of_type("helm", &http.url("")));
    let tested = client.test_repository(TestRepositoryRequest { repo: repo.clone() }).await.unwrap();
    assert!(tested.into_inner().verified_repository);
    let charts = client.get_helm_charts(HelmChartsRequest { repo: repo.clone() }).await.unwrap();
    let charts = charts.into_inner().items.into_iter();
    let charts: Vec<_> = charts.map(|chart| format!("{} {}", chart.name, chart.versions.join(" "))).collect();
    assert_eq!(charts, ["db 1.0.0", "other 2.0.0 1.0.0"]);
    let of = |revision: &str| RepoServerRevisionChartDetailsRequest {
        repo: repo.clone(),
        name: "db".into(),
        revision: revision.into(),
    };
    let told = client.get_revision_chart_details(of("1.0.0")).await.unwrap().into_inner();
    assert_eq!((told.description.as_str(), told.home.as_str()), ("keeps", "https://db.example"));
    assert_eq!(told.maintainers, ["A <a@db.example>", "B"]);
    let missing = client.get_revision_chart_details(of("9.9.9")).await.unwrap_err();
    let shown = http.url("");
    let shown = shown.trim_end_matches('/');
    let expected = format!(
        "error extracting chart: error fetching chart: failed to fetch chart: chart \"db\" version \"9.9.9\" not found in {shown} repository"
    );
    assert_eq!(missing.message(), expected);
}

#[tokio::test]
async fn charts_are_sources() {
    let folder = tempfile::tempdir().unwrap();
    offer(folder.path());
    let http = GitHttp::serve_files(folder.path(), &git_http::Options::default()).unwrap();
    let (mut client, _folder) = server(&[]);
    let repo = Some(of_type("helm", &http.url("")));
    let helm = ApplicationSourceHelm { values: "size: 4\n".into(), ..Default::default() };
    let source = ApplicationSource {
        repo_url: http.url(""),
        chart: "db".into(),
        target_revision: "1.0.0".into(),
        helm: Some(helm),
        ..Default::default()
    };
    let query =
        RepoServerAppDetailsQuery { repo: repo.clone(), source: Some(source.clone()), ..Default::default() };
    let shown = client.get_app_details(query).await.unwrap().into_inner();
    let helm = shown.helm.unwrap();
    assert_eq!((shown.r#type.as_str(), helm.values.as_str()), ("Helm", "size: 3\n"));
    assert_eq!(helm.value_files, ["values.yaml"]);
    let parameters = helm.parameters.iter().map(|found| format!("{}={}", found.name, found.value));
    assert_eq!(parameters.collect::<Vec<_>>(), ["size=3"]);
    // Rendered once, it is answered without the repository.
    let request = ManifestRequest { repo, application_source: Some(source), ..ManifestRequest::default() };
    let first = client.generate_manifest(request.clone()).await.unwrap().into_inner();
    assert!(first.manifests[0].contains("\"size\":\"4\""), "{:?}", first.manifests);
    assert_eq!((first.revision.as_str(), first.source_type.as_str()), ("1.0.0", "Helm"));
    http.set_failing(true);
    assert_eq!(client.generate_manifest(request).await.unwrap().into_inner(), first);
    let repo = Some(of_type("helm", &http.url("")));
    let refused = client.test_repository(TestRepositoryRequest { repo }).await.unwrap_err();
    assert_eq!(
        refused.message(),
        "error testing repository connectivity: error loading repo index: failed to get index: 503 Service Unavailable"
    );
}

#[tokio::test]
async fn registries_tell_what_they_hold() {
    let storage = Storage::new().unwrap();
    let registry = Registry::serve(&storage, &registry::Options::default()).unwrap();
    let content = packed(&[("map.yaml", MAP)]);
    let layers = [("application/vnd.oci.image.layer.v1.tar+gzip", content.as_slice())];
    let annotations =
        [("org.opencontainers.image.version", "1.0.0"), ("org.opencontainers.image.authors", "somebody")];
    let config_type = "application/vnd.oci.empty.v1+json";
    let artifact = Artifact { config_type, layers: &layers, annotations: &annotations };
    let digest = registry.push("team/app", "1.0.0", &artifact).unwrap();
    let url = format!("oci://{}/team/app", registry.address());
    let repo = Some(Repository { insecure_oci_force_http: true, ..of_type("oci", &url) });
    let (mut client, _folder) = server(&[]);
    client.test_repository(TestRepositoryRequest { repo: repo.clone() }).await.unwrap();
    let tags = client.list_oci_tags(ListRefsRequest { repo: repo.clone() }).await.unwrap().into_inner().tags;
    assert_eq!(tags, ["1.0.0"]);
    let request = RepoServerRevisionChartDetailsRequest {
        repo: repo.clone(),
        name: String::new(),
        revision: digest.clone(),
    };
    let told = client.get_oci_metadata(request).await.unwrap().into_inner();
    assert_eq!((told.version.as_str(), told.authors.as_str()), ("1.0.0", "somebody"));
    let source = ApplicationSource {
        repo_url: url,
        path: ".".into(),
        target_revision: "^1".into(),
        ..Default::default()
    };
    let request = ManifestRequest { repo, application_source: Some(source), ..ManifestRequest::default() };
    let rendered = client.generate_manifest(request).await.unwrap().into_inner();
    assert_eq!((rendered.revision, rendered.manifests.len()), (digest, 1));
    let repo = Some(of_type("oci", "oci://localhost:1/oci"));
    let refused = client.test_repository(TestRepositoryRequest { repo }).await.unwrap_err();
    let told = "error testing repository connectivity: get https://localhost:1/v2/: ";
    assert!(refused.message().starts_with(told), "{refused}");
}

#[tokio::test]
async fn an_artifact_with_a_link_that_leads_out_is_refused() {
    let storage = Storage::new().unwrap();
    let registry = Registry::serve(&storage, &registry::Options::default()).unwrap();
    let (client, _folder) = server(&[]);
    let of = async |tag: &str, target: &str| {
        let mut links = Packer::new(Vec::new());
        links.link("app/map.yaml", target).unwrap();
        let content = links.finish().unwrap();
        let layers = [("application/vnd.oci.image.layer.v1.tar+gzip", content.as_slice())];
        let config_type = "application/vnd.oci.empty.v1+json";
        let artifact = Artifact { config_type, layers: &layers, annotations: &[] };
        let digest = registry.push("team/app", tag, &artifact).unwrap();
        let url = format!("oci://{}/team/app", registry.address());
        let repo = Some(Repository { insecure_oci_force_http: true, ..of_type("oci", &url) });
        let source = ApplicationSource {
            repo_url: url,
            path: ".".into(),
            target_revision: tag.into(),
            ..Default::default()
        };
        let request =
            ManifestRequest { repo, application_source: Some(source), ..ManifestRequest::default() };
        let refused = client.clone().generate_manifest(request).await.unwrap_err();
        (digest, refused.message().to_owned())
    };
    let (digest, told) = of("1.0.0", "x/../../../etc/passwd").await;
    let expected = format!(
        "cannot extract contents of oci image with revision {digest}: could not decompress layer: error checking symlink \"../etc/passwd\" target: statat ../etc/passwd: path escapes from parent"
    );
    assert_eq!(told, expected);
    let (_, told) = of("2.0.0", "/etc/passwd").await;
    assert_eq!(told, "oci image contains out-of-bounds symlinks. file: app/map.yaml -> /etc/passwd");
}

/// A child that evaluates Jsonnet is this program, told to run nothing but this.
#[test]
fn evaluates_where_it_is_a_child() {
    if std::env::var_os("EVALUATOR").is_some() {
        evaluator::serve().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_never_ends_is_ended() {
    let (client, _folder) = server_in(&["--parallelismlimit", "1"], &[("ARGOCD_EXEC_TIMEOUT", "1s")]);
    let endless = "local f(n) = if n < 2 then n else f(n - 1) + f(n - 2); {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'a'}, data: {x: '' + f(90)}}";
    let archive = packed(&[("app/a.jsonnet", endless), ("other/map.yaml", MAP)]);
    let program =
        packed(&[("app/a.jsonnet", "{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'a'}}")]);
    assert_eq!(streamed(&client, parts("app", &program)).await.unwrap().len(), 1);
    let late = streamed(&client, parts("app", &archive)).await.unwrap_err();
    assert_eq!(
        late,
        "Failed to evaluate jsonnet \"a.jsonnet\": app/a.jsonnet: stopped, as it takes longer than the limit of 2 s"
    );
    // Nobody waits behind it, whether or not it evaluates anything.
    assert_eq!(streamed(&client, parts("other", &archive)).await.unwrap().len(), 1);
    assert_eq!(streamed(&client, parts("app", &program)).await.unwrap().len(), 1);
}
