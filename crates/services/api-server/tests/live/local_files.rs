//! `GetManifestsWithFiles`: who may render files of their own for an application, and what they get to see.

use crate::bench::{Bench, CANARY, application, configure, two_users};
use serde_json::{Value, json};
use tonic::{Code, Status};
use wire::application::application_manifest_query_with_files_wrapper::Part;
use wire::application::application_service_client::ApplicationServiceClient;
use wire::application::{
    ApplicationManifestQuery, ApplicationManifestQueryWithFiles, ApplicationManifestQueryWithFilesWrapper,
    FileChunk,
};

fn query(name: &str, project: &str) -> Part {
    Part::Query(ApplicationManifestQueryWithFiles {
        name: name.into(),
        checksum: "c".into(),
        project: Some(project.to_owned()).filter(|project| !project.is_empty()),
        ..Default::default()
    })
}

fn chunk(text: &str) -> Part {
    Part::Chunk(FileChunk { chunk: text.as_bytes().to_vec() })
}

async fn send(bench: &Bench, token: &str, parts: Vec<Part>) -> Result<Vec<Value>, Status> {
    let channel = transport::in_process(bench.server.grpc_router().expect("a router")).expect("a channel");
    let parts = parts.into_iter().map(|part| ApplicationManifestQueryWithFilesWrapper { part: Some(part) });
    let mut request = tonic::Request::new(futures::stream::iter(parts));
    if !token.is_empty() {
        request.metadata_mut().insert("token", token.parse().expect("a token"));
    }
    let answer = ApplicationServiceClient::new(channel).get_manifests_with_files(request).await?;
    let manifests = answer.into_inner().manifests;
    Ok(manifests.iter().map(|text| serde_json::from_str(text).expect("JSON")).collect())
}

async fn refused(bench: &Bench, token: &str, parts: Vec<Part>) -> (Code, String) {
    let status = send(bench, token, parts).await.expect_err("it is refused");
    assert!(!status.message().contains(CANARY), "{status}");
    (status.code(), status.message().to_owned())
}

#[tokio::test]
async fn files_are_rendered_for_those_who_may_see_the_application_and_secrets_stay_masked() {
    let (mut settings, policy) = two_users();
    settings["resource.sensitive.mask.annotations"] = "hidden".into();
    let bench = Bench::start("local-files", settings, policy).await;
    let admin = bench.admin().await;
    let (alice, bob) = (bench.user(&admin, "alice").await, bench.user(&admin, "bob").await);
    bench.post("/api/v1/applications", &admin, application("a", "guestbook")).await.good();
    let files = || vec![query("a", ""), chunk("one "), chunk("two")];
    for token in [&admin, &alice] {
        let told = send(&bench, token, files()).await.expect("manifests");
        let sent = json!({"source": "guestbook", "checksum": "c", "files": "one two"});
        assert_eq!((told.len(), &told[0]["data"]), (2, &sent));
        let text = told[1].to_string();
        assert!(!text.contains(CANARY) && text.contains("\"data\":{\"k\":\"++++++++\"}"), "{text}");
    }
    let denied = (Code::PermissionDenied, "permission denied".to_owned());
    assert_eq!(refused(&bench, &bob, files()).await, denied);
    // What is not there looks the same.
    assert_eq!(refused(&bench, &bob, vec![query("none", "")]).await, denied);
    assert_eq!(refused(&bench, &alice, vec![query("none", "")]).await, denied);
    let elsewhere = refused(&bench, &alice, vec![query("a", "other")]).await;
    assert_eq!(elsewhere, refused(&bench, &alice, vec![query("a", "none")]).await);
    assert_eq!(elsewhere.0, Code::NotFound);
    let nobody = refused(&bench, "", files()).await;
    assert_eq!(nobody, (Code::Unauthenticated, "no session information".to_owned()));
    let unnamed = refused(&bench, &admin, vec![query("", "")]).await;
    assert_eq!(unnamed, (Code::Unknown, "invalid request: application name is missing".to_owned()));
    // So it is where no files are sent along.
    let channel = transport::in_process(bench.server.grpc_router().expect("a router")).expect("a channel");
    let mut request = tonic::Request::new(ApplicationManifestQuery::default());
    request.metadata_mut().insert("token", admin.parse().expect("a token"));
    let status = ApplicationServiceClient::new(channel).get_manifests(request).await.unwrap_err();
    assert_eq!((status.code(), status.message().to_owned()), unnamed);
    // Files come after what they are for.
    for parts in [vec![chunk("one"), query("a", "")], Vec::new()] {
        let told = refused(&bench, &admin, parts).await;
        let text = "error getting query: error getting stream query: query is nil";
        assert_eq!(told, (Code::Unknown, text.to_owned()));
    }
    // A right that is lost is lost here, too.
    configure(&bench.store, "argocd-rbac-cm", json!({"policy.csv": ""})).await;
    assert_eq!(refused(&bench, &alice, files()).await, denied);
}

#[tokio::test]
async fn files_are_rendered_only_where_the_project_permits_the_source() {
    let bench = Bench::start("local-sources", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let open = json!({"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]});
    let project = json!({"project": {"metadata": {"name": "red"}, "spec": open}});
    bench.post("/api/v1/projects", &admin, project).await.good();
    let mut own = application("a", "guestbook");
    own["spec"]["project"] = "red".into();
    bench.post("/api/v1/applications", &admin, own).await.good();
    send(&bench, &admin, vec![query("a", "red")]).await.expect("manifests");
    // A project that is closed by its owner counts at once.
    let closed = kubernetes::Patch::Merge(json!({"spec": {"sourceRepos": ["https://other.example/*"]}}));
    bench.store.patch_project("red", &closed).await.expect("changed");
    let (code, text) = refused(&bench, &admin, vec![query("a", "red")]).await;
    let wanted = "application repo https://git.example/apps.git is not permitted in project 'red'";
    assert_eq!((code, text.as_str()), (Code::PermissionDenied, wanted));
}
