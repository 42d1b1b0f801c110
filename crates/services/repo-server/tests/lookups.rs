//! Renders whose templates look up objects of the cluster: what they want is told, and what is brought along is what they
//! see.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod serving;

use api::v1alpha1::{ApplicationSource, Repository};
use tempfile::TempDir;
use testkit::git_repo::GitRepo;
use tonic::transport::Channel;
use wire::lookups::lookups_service_client::LookupsServiceClient;
use wire::lookups::{Answer, LookingRequest, LookingResponse, Lookup};
use wire::repository::ManifestRequest;
use wire::repository::repo_server_service_client::RepoServerServiceClient;

const CHART: &str = "apiVersion: v2\nname: shop\nversion: 1.0.0\n";
const MAP: &str = r#"apiVersion: v1
kind: ConfigMap
metadata: {name: map}
data:
{{- $settings := lookup "v1" "ConfigMap" "shop" "settings" }}
  size: {{ dig "data" "size" "none" $settings | quote }}
{{- with dig "data" "secret" "" $settings }}
  secret: {{ dig "data" "key" "none" (lookup "v1" "Secret" "shop" .) | quote }}
{{- end }}
"#;

struct Server {
    channel: Channel,
    repository: GitRepo,
    _mirrors: TempDir,
}

impl Server {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let channel = serving::channel(folder.path(), &[], &[], None, &boot::metrics::registry());
        let files = [("app/Chart.yaml", CHART), ("app/templates/map.yaml", MAP), ("other/a.yaml", "a: b\n")];
        Self { channel, repository: GitRepo::from_files("apps", &files).unwrap(), _mirrors: folder }
    }

    fn request(&self) -> ManifestRequest {
        ManifestRequest {
            repo: Some(Repository { repo: self.repository.url(), ..Repository::default() }),
            app_name: "shop".into(),
            application_source: Some(ApplicationSource {
                repo_url: self.repository.url(),
                path: "app".into(),
                target_revision: "main".into(),
                ..ApplicationSource::default()
            }),
            // What was pushed counts at once.
            no_revision_cache: true,
            ..ManifestRequest::default()
        }
    }

    async fn look(&self, answers: &[(&Lookup, &str)]) -> Result<LookingResponse, String> {
        let answer = |(lookup, content): &(&Lookup, &str)| Answer {
            lookup: Some((*lookup).clone()),
            content: content.as_bytes().to_vec(),
        };
        let request =
            LookingRequest { request: Some(self.request()), answers: answers.iter().map(answer).collect() };
        let client = LookupsServiceClient::new(self.channel.clone());
        let answer = client.clone().render(request).await;
        answer.map(tonic::Response::into_inner).map_err(|status| status.message().to_owned())
    }

    /// The data of the only manifest.
    async fn data(&self, answers: &[(&Lookup, &str)]) -> serde_json::Value {
        let response = self.look(answers).await.unwrap();
        assert!(response.wanted.is_empty(), "{:?}", response.wanted);
        let manifests = response.manifests.unwrap().manifests;
        serde_json::from_str::<serde_json::Value>(&manifests[0]).unwrap()["data"].clone()
    }
}

fn lookup(kind: &str, name: &str) -> Lookup {
    Lookup { api_version: "v1".into(), kind: kind.into(), namespace: "shop".into(), name: name.into() }
}

#[tokio::test]
async fn what_templates_want_is_told_until_all_of_it_is_there() {
    let mut server = Server::new();
    let (settings, secret) = (lookup("ConfigMap", "settings"), lookup("Secret", "a"));
    let first = server.look(&[]).await.unwrap();
    assert_eq!((first.manifests, first.wanted), (None, vec![settings.clone()]));
    let known = r#"{"data": {"size": "3", "secret": "a"}}"#;
    let second = server.look(&[(&settings, known)]).await.unwrap();
    assert_eq!((second.manifests, second.wanted), (None, vec![secret.clone()]));
    let all = [(&settings, known), (&secret, r#"{"data": {"key": "aGk="}}"#)];
    assert_eq!(server.data(&all).await, serde_json::json!({"size": "3", "secret": "aGk="}));
    // Remembered, each under what it saw, and in whatever order that is told.
    let turned = [all[1], all[0]];
    assert_eq!(server.data(&turned).await["size"], "3");
    let other = r#"{"data": {"size": "4", "secret": "a"}}"#;
    assert_eq!(server.data(&[(&settings, other), all[1]]).await["size"], "4");
    assert_eq!(server.data(&all).await["size"], "3");
    // What is not there is an answer, too.
    assert_eq!(server.data(&[(&settings, "")]).await, serde_json::json!({"size": "none"}));
    assert_eq!(server.look(&[]).await.unwrap().wanted, std::slice::from_ref(&settings));
    // A commit that touches nothing of it changes nothing; another template wants other things.
    server.repository.change("other/a.yaml", "a: c\n").unwrap();
    assert_eq!(server.data(&all).await["size"], "3");
    assert_eq!(server.look(&[]).await.unwrap().wanted, std::slice::from_ref(&settings));
    server.repository.change("app/templates/map.yaml", &MAP.replace("\"settings\"", "\"others\"")).unwrap();
    assert_eq!(server.look(&all).await.unwrap().wanted, [lookup("ConfigMap", "others")]);
}

#[tokio::test]
async fn a_template_that_fails_for_want_of_something_is_asked_again_and_others_are_told() {
    let mut server = Server::new();
    let required = MAP.replace("| quote }}\n{{- with", "| required \"no size\" | quote }}\n{{- if not $settings }}{{ fail \"no settings\" }}{{ end }}\n{{- with");
    server.repository.change("app/templates/map.yaml", &required).unwrap();
    let settings = lookup("ConfigMap", "settings");
    assert_eq!(server.look(&[]).await.unwrap().wanted, std::slice::from_ref(&settings));
    let failed = server.look(&[(&settings, "")]).await.unwrap_err();
    assert!(failed.contains("no settings"), "{failed}");
    let broken = server.look(&[(&settings, "{")]).await.unwrap_err();
    assert!(broken.contains("the answer to a lookup of ConfigMap is no JSON"), "{broken}");
}

#[tokio::test]
async fn renders_that_may_not_look_find_nothing_and_are_remembered_apart() {
    let server = Server::new();
    let settings = lookup("ConfigMap", "settings");
    let data = server.data(&[(&settings, r#"{"data": {"size": "3"}}"#)]).await;
    assert_eq!(data["size"], "3");
    let mut client = RepoServerServiceClient::new(server.channel.clone());
    let manifests = client.generate_manifest(server.request()).await.unwrap().into_inner().manifests;
    assert!(manifests[0].contains(r#""size":"none""#), "{}", manifests[0]);
    assert_eq!(server.look(&[]).await.unwrap().wanted, [settings]);
}
