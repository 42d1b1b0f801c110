//! Ways from a small right to a large one that such systems had, by the number they were published under.

use crate::bench::{Bench, CANARY, application, apply, eventually, object, two_users};
use api::v1alpha1::{ApplicationTree, ResourceDiff, ResourceNode, ResourceRef};
use api_server::Options;
use axum::body::Body;
use http::{Request, Version};
use http_body_util::BodyExt as _;
use kubernetes::ApiResource;
use prost::Message as _;
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt as _;
use wire::application::application_service_client::ApplicationServiceClient;
use wire::application::{ApplicationServerSideDiffQuery, ApplicationServerSideDiffResponse};

const APPLICATIONS: &str = "/api/v1/applications";
/// Longer than the answer to a stream that is refused takes.
const SILENCE: Duration = Duration::from_secs(5);

/// Makes an object, and gives it back as the cluster has it.
async fn made(bench: &Bench, value: Value) -> object::Object {
    let wanted = object(value);
    apply(&bench.store, &wanted).await;
    let resource = resource(&wanted).await;
    let found = bench.store.cluster().get(&resource, wanted.namespace(), wanted.name()).await;
    found.expect("it was made")
}

async fn resource(of: &object::Object) -> ApiResource {
    ApiResource {
        group: of.group().into(),
        version: "v1".into(),
        kind: of.kind().into(),
        plural: format!("{}s", of.kind().to_ascii_lowercase()),
        namespaced: !of.namespace().is_empty(),
        ..ApiResource::default()
    }
}

/// Tells the server that objects are an application's, as the controller does.
async fn manages(bench: &Bench, name: &str, objects: &[&object::Object]) {
    let node = |object: &&object::Object| ResourceNode {
        resource_ref: ResourceRef {
            group: object.group().into(),
            version: "v1".into(),
            kind: object.kind().into(),
            namespace: object.namespace().into(),
            name: object.name().into(),
            uid: object.uid().into(),
        },
        ..ResourceNode::default()
    };
    let entry = |object: &&object::Object| ResourceDiff {
        group: object.group().into(),
        kind: object.kind().into(),
        namespace: object.namespace().into(),
        name: object.name().into(),
        ..ResourceDiff::default()
    };
    let tree = ApplicationTree { nodes: objects.iter().map(node).collect(), ..ApplicationTree::default() };
    bench.found(name, &tree, &objects.iter().map(entry).collect::<Vec<_>>()).await;
}

fn secret(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace},
        "stringData": {"k": CANARY},
    })
}

/// What the server predicts for a target.
async fn predicted(
    bench: &Bench,
    token: &str,
    live: ResourceDiff,
    target: &Value,
) -> Result<ApplicationServerSideDiffResponse, tonic::Status> {
    let channel = transport::in_process(bench.server.grpc_router().expect("a router")).expect("a channel");
    let mut request = tonic::Request::new(ApplicationServerSideDiffQuery {
        app_name: "a".into(),
        live_resources: vec![live],
        target_manifests: vec![target.to_string()],
        ..Default::default()
    });
    request.metadata_mut().insert("token", token.parse().expect("a token"));
    let mut client = ApplicationServiceClient::new(channel);
    client.server_side_diff(request).await.map(tonic::Response::into_inner)
}

fn asked(object: &object::Object) -> ResourceDiff {
    ResourceDiff {
        kind: object.kind().into(),
        namespace: object.namespace().into(),
        name: object.name().into(),
        live_state: json!({
            "apiVersion": "v1", "kind": object.kind(), "data": {"k": "forged"},
            "metadata": {"name": object.name(), "namespace": object.namespace()},
        })
        .to_string(),
        ..ResourceDiff::default()
    }
}

/// Whether an answer holds the planted value, plain or as base64.
fn holds(text: &str) -> bool {
    text.contains(CANARY) || text.contains("Y2FuYXJ5LW9mLXRoZS10ZXN0")
}

#[tokio::test]
async fn cve_2026_42880_a_prediction_reads_no_secret() {
    let (settings, policy) = two_users();
    let bench = Bench::start("predicted", settings, policy).await;
    let admin = bench.admin().await;
    let alice = bench.user(&admin, "alice").await;
    bench.post(APPLICATIONS, &admin, application("a", "guestbook")).await.good();
    let (own, other) =
        (made(&bench, secret("predicted", "own")).await, made(&bench, secret("predicted", "other")).await);
    manages(&bench, "a", &[&own]).await;
    // A target that says little: what it is merged with is what is live.
    let target = |name: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "predicted", "labels": {"x": "y"}}});
    let refused = predicted(&bench, &alice, asked(&other), &target("other")).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::PermissionDenied, "{refused:?}");
    assert_eq!(refused.message(), "/Secret other not found as part of application a");
    assert!(!holds(refused.message()));
    let shown = predicted(&bench, &alice, asked(&own), &target("own")).await.expect("it is its own");
    let text = format!("{shown:?}");
    assert!(shown.modified && text.contains("++++++++") && !holds(&text), "{text}");
    // What is live is not read, and what the caller says of it is masked.
    assert!(!text.contains("forged"), "{text}");
    // A kind in disguise is no way in either.
    let disguised = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "own", "namespace": "predicted"}});
    let refused = predicted(&bench, &alice, asked(&own), &disguised).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused:?}");
    let mut forged = asked(&own);
    forged.live_state = forged.live_state.replace("Secret", "ConfigMap");
    let refused = predicted(&bench, &alice, forged, &target("own")).await.unwrap_err();
    assert_eq!(
        refused.message(),
        "kind mismatch: expected Secret, got ConfigMap for live resource /Secret/own"
    );
}

#[tokio::test]
async fn masks_of_secrets_are_compared_as_the_caller_has_them() {
    let (settings, policy) = two_users();
    let bench = Bench::start("masks", settings, policy).await;
    let admin = bench.admin().await;
    let alice = bench.user(&admin, "alice").await;
    bench.post(APPLICATIONS, &admin, application("a", "guestbook")).await.good();
    let own = made(&bench, secret("masks", "own")).await;
    manages(&bench, "a", &[&own]).await;
    let masked = |mask: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "own", "namespace": "masks"}, "data": {"k": mask}});
    let compared = async |target: &Value, live: &str| {
        let live = ResourceDiff { live_state: masked(live).to_string(), ..asked(&own) };
        let told = predicted(&bench, &alice, live, target).await.expect("it is its own");
        assert!(!holds(&format!("{told:?}")), "{told:?}");
        told
    };
    // What is live has another value than any of these: it is not asked.
    assert!(!compared(&masked("++++++++"), "++++++++").await.modified);
    let told = compared(&masked("++++++++"), "++++++++++++").await;
    assert!(told.modified, "{told:?}");
    let value = |state: &str| serde_json::from_str::<Value>(state).expect("JSON")["data"]["k"].clone();
    let item = &told.items[0];
    assert_eq!(
        (value(&item.target_state), value(&item.live_state)),
        ("++++++++".into(), "++++++++++++".into())
    );
    // A target without a namespace is in that of the live one; a value that cannot be one is for nobody to refuse.
    let mut bare = masked("++++++++");
    bare["metadata"].as_object_mut().expect("metadata").remove("namespace");
    assert!(!compared(&bare, "++++++++").await.modified);
    bare["data"]["k"] = "+".into();
    assert!(compared(&bare, "++++++++").await.modified);
    let ignored = json!({"spec": {"ignoreDifferences": [{"kind": "Secret", "jsonPointers": ["/data"]}]}});
    let body = json!({"patch": ignored.to_string(), "patchType": "merge"});
    bench.rest("PATCH", "/api/v1/applications/a", &admin, Some(body)).await.good();
    assert!(!compared(&masked("++++++++"), "++++++++++++").await.modified);
}

#[tokio::test]
async fn predictions_are_of_pairs_either_side_of_which_may_be_missing() {
    let (settings, policy) = two_users();
    let bench = Bench::start("pairs", settings, policy).await;
    let admin = bench.admin().await;
    let alice = bench.user(&admin, "alice").await;
    bench.post(APPLICATIONS, &admin, application("a", "guestbook")).await.good();
    let config = |name: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "pairs"}, "data": {"k": "v"}});
    let (kept, pruned) = (made(&bench, config("kept")).await, made(&bench, config("pruned")).await);
    manages(&bench, "a", &[&kept, &pruned]).await;
    let fresh = ResourceDiff {
        kind: "ConfigMap".into(),
        namespace: "pairs".into(),
        name: "fresh".into(),
        ..ResourceDiff::default()
    };
    // What Argo CD's own command line sends: what is pruned has no target, what is new nothing live.
    let channel = transport::in_process(bench.server.grpc_router().expect("a router")).expect("a channel");
    let mut client = ApplicationServiceClient::new(channel);
    let mut ask = async |lives: Vec<ResourceDiff>, targets: Vec<String>| {
        let mut request = tonic::Request::new(ApplicationServerSideDiffQuery {
            app_name: "a".into(),
            live_resources: lives,
            target_manifests: targets,
            ..Default::default()
        });
        request.metadata_mut().insert("token", alice.parse().expect("a token"));
        client.server_side_diff(request).await.map(tonic::Response::into_inner)
    };
    let shown = ask(
        vec![asked(&pruned), fresh.clone(), asked(&kept)],
        vec![String::new(), config("fresh").to_string(), config("kept").to_string()],
    );
    let shown = shown.await.expect("differences");
    let told: Vec<_> = shown
        .items
        .iter()
        .map(|item| {
            (item.name.as_str(), item.modified, item.target_state == "null", item.live_state == "null")
        })
        .collect();
    assert_eq!(
        told,
        [("pruned", true, true, false), ("fresh", true, false, true), ("kept", false, false, false)]
    );
    let refused = ask(vec![fresh.clone()], vec!["null".into()]).await.unwrap_err();
    assert_eq!(refused.message(), "error performing state diffs: both live and config are null objects");
    assert!(ask(vec![fresh], Vec::new()).await.is_err());
}

#[tokio::test]
async fn a_project_is_opened_to_clusters_and_repositories_by_those_who_may_change_them() {
    let (settings, _) = two_users();
    let policy = "p, bob, projects, *, red, allow\np, bob, clusters, update, https://own.example, allow\n\
                  p, bob, repositories, update, https://git.example/own.git, allow\n";
    let bench = Bench::start("opened", settings, json!({"policy.csv": policy})).await;
    let admin = bench.admin().await;
    let bob = bench.user(&admin, "bob").await;
    let spec = |servers: &[&str], repositories: &[&str]| {
        let place =
            |(index, server): (usize, &&str)| json!({"server": server, "namespace": format!("n{index}")});
        let places = servers.iter().enumerate().map(place);
        json!({"sourceRepos": repositories, "destinations": places.collect::<Vec<_>>()})
    };
    let own = ["https://own.example"];
    let none: [&str; 0] = [];
    let made =
        json!({"project": {"metadata": {"name": "red"}, "spec": spec(&["https://theirs.example"], &none)}});
    bench.post("/api/v1/projects", &admin, made).await.good();
    let change = async |spec: Value| {
        let mut project = bench.get("/api/v1/projects/red", &admin).await.good().json();
        project["spec"] = spec;
        bench.rest("PUT", "/api/v1/projects/red", &bob, Some(json!({"project": project}))).await
    };
    let denied = async |spec: Value, what: &str| {
        let answer = change(spec).await;
        let text = format!("permission denied: {what}, sub: bob");
        assert!(answer.status == 403 && answer.message().starts_with(&text), "{what}: {answer:?}");
    };
    denied(spec(&["https://theirs.example", "*"], &none), "clusters, update, *").await;
    denied(spec(&none, &none), "clusters, update, https://theirs.example").await;
    // The same server once for each namespace is added all the same.
    denied(
        spec(&["https://theirs.example", "https://x.example", "https://x.example"], &none),
        "clusters, update, https://x.example",
    )
    .await;
    denied(spec(&["https://theirs.example"], &["*"]), "repositories, update, *").await;
    let mut kinds = spec(&["https://theirs.example"], &none);
    kinds["clusterResourceWhitelist"] = json!([{"group": "*", "kind": "*"}]);
    denied(kinds, "clusters, update, https://theirs.example").await;
    // What charts may look up in a cluster is opened by who may change that cluster.
    let mut looking = bench.get("/api/v1/projects/red", &admin).await.good().json();
    looking["metadata"]["annotations"]["argocd.argoproj.io/helm-lookup"] = "v1/Secret".into();
    let looking = json!({"project": looking});
    let answer = bench.rest("PUT", "/api/v1/projects/red", &bob, Some(looking)).await;
    let refused = "permission denied: clusters, update, https://theirs.example, sub: bob";
    assert!(answer.status == 403 && answer.message().starts_with(refused), "{answer:?}");
    // Creating over what is there is the same change.
    let project = json!({"project": {"metadata": {"name": "red"}, "spec": spec(&["*"], &none)}});
    let answer = bench
        .post("/api/v1/projects?upsert=true", &bob, json!({"project": project["project"], "upsert": true}))
        .await;
    assert!(answer.status == 403 && answer.message().contains("clusters, update, "), "{answer:?}");
    change(spec(&["https://theirs.example", own[0]], &["https://git.example/own.git"])).await.good();
    let mut described = spec(&["https://theirs.example", own[0]], &["https://git.example/own.git"]);
    described["description"] = "ours".into();
    change(described).await.good();
}

#[tokio::test]
async fn objects_are_reached_in_the_name_of_the_projects_service_account() {
    let (mut settings, policy) = two_users();
    settings["application.sync.impersonation.enabled"] = "true".into();
    settings["application.sync.impersonation.enforced"] = "true".into();
    let bench = Bench::start("borrowed", settings, policy).await;
    let admin = bench.admin().await;
    let mut own = application("a", "guestbook");
    own["spec"]["destination"]["namespace"] = "borrowed".into();
    own["spec"]["project"] = "red".into();
    let project = |accounts: Value| {
        json!({"project": {"metadata": {"name": "red"}, "spec": {
            "sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
            "destinationServiceAccounts": accounts,
        }}, "upsert": true})
    };
    bench.post("/api/v1/projects", &admin, project(json!([]))).await.good();
    bench.post(APPLICATIONS, &admin, own).await.good();
    let config = made(
        &bench,
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "borrowed"}}),
    )
    .await;
    manages(&bench, "a", &[&config]).await;
    let place = "namespace=borrowed&resourceName=c&version=v1&kind=ConfigMap&group=";
    let root = format!("{APPLICATIONS}/a/resource?{place}");
    let none = bench.get(&root, &admin).await;
    let text = "no matching service account found for destination server https://kubernetes.default.svc and namespace borrowed";
    assert!(none.status == 500 && none.message().ends_with(text), "{none:?}");
    let accounts = json!([{"server": "*", "namespace": "borrowed", "defaultServiceAccount": "weak"}]);
    bench.post("/api/v1/projects", &admin, project(accounts)).await.good();
    let weak = "system:serviceaccount:borrowed:weak";
    let patch = json!(json!({"metadata": {"labels": {"x": "y"}}}).to_string());
    let merge = format!("{root}&patchType=application%2Fmerge-patch%2Bjson");
    let events = format!(
        "{APPLICATIONS}/a/events?resourceNamespace=borrowed&resourceName=c&resourceUID={}",
        config.uid()
    );
    let answers = [
        bench.get(&root, &admin).await,
        bench.post(&merge, &admin, patch).await,
        bench.rest("DELETE", &root, &admin, None).await,
        bench.get(&events, &admin).await,
    ];
    for answer in answers {
        assert!(answer.status == 403 && answer.message().contains(weak), "{answer:?}");
    }
}

#[tokio::test]
async fn cve_2026_45737_what_was_applied_last_is_masked_too() {
    let (settings, policy) = two_users();
    let bench = Bench::start("applied", settings, policy).await;
    let admin = bench.admin().await;
    let alice = bench.user(&admin, "alice").await;
    bench.post(APPLICATIONS, &admin, application("a", "guestbook")).await.good();
    let mut applied = secret("applied", "s");
    applied["metadata"]["annotations"] =
        json!({"kubectl.kubernetes.io/last-applied-configuration": secret("applied", "s").to_string()});
    let live = made(&bench, applied).await;
    manages(&bench, "a", &[&live]).await;
    let target = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "applied", "labels": {"x": "y"}}});
    // Nobody sends it unmasked; it is masked all the same.
    let sent = ResourceDiff { live_state: live.to_value().to_string(), ..asked(&live) };
    let shown = format!("{:?}", predicted(&bench, &alice, sent, &target).await.expect("it is its own"));
    assert!(shown.contains("last-applied-configuration") && !holds(&shown), "{shown}");
    let query = "namespace=applied&resourceName=s&version=v1&kind=Secret&group=";
    let shown = bench.get(&format!("{APPLICATIONS}/a/resource?{query}"), &alice).await.good();
    assert!(shown.text.contains("last-applied-configuration") && !holds(&shown.text), "{shown:?}");
}

#[tokio::test]
async fn cve_2022_24768_objects_outside_the_project_are_out_of_reach() {
    let (settings, _) = two_users();
    let policy = json!({"policy.csv": "p, alice, applications, *, small/*, allow\n"});
    let bench = Bench::start("outside", settings, policy).await;
    let admin = bench.admin().await;
    let alice = bench.user(&admin, "alice").await;
    let project = json!({"project": {"metadata": {"name": "small"}, "spec": {
        "sourceRepos": ["*"],
        "destinations": [{"server": "https://kubernetes.default.svc", "namespace": "outside"}],
        "namespaceResourceBlacklist": [{"group": "", "kind": "Secret"}],
    }}});
    bench.post("/api/v1/projects", &admin, project).await.good();
    let mut own = application("a", "guestbook");
    own["spec"]["project"] = "small".into();
    own["spec"]["destination"]["namespace"] = "outside".into();
    bench.post(APPLICATIONS, &admin, own).await.good();
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "outside"}, "rules": []});
    let config = |namespace: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": namespace}});
    let objects = [
        made(&bench, role).await,
        made(&bench, config("kube-system")).await,
        made(&bench, secret("outside", "s")).await,
    ];
    let permitted = made(&bench, config("outside")).await;
    // The tree as it was before the project was narrowed.
    manages(&bench, "a", &[&objects[0], &objects[1], &objects[2], &permitted]).await;
    let place = |object: &object::Object| {
        let (group, kind, namespace, name) =
            (object.group(), object.kind(), object.namespace(), object.name());
        format!("namespace={namespace}&resourceName={name}&version=v1&kind={kind}&group={group}")
    };
    let patch = json!(json!({"metadata": {"labels": {"taken": "over"}}}).to_string());
    let merge = "patchType=application%2Fmerge-patch%2Bjson";
    for object in &objects {
        let place = place(object);
        let root = format!("{APPLICATIONS}/a/resource");
        let refused = format!(
            "{} {} {} not found as part of application a",
            object.kind(),
            object.group(),
            object.name()
        );
        bench.get(&format!("{root}?{place}"), &alice).await.is(400, &refused);
        bench.post(&format!("{root}?{place}&{merge}"), &alice, patch.clone()).await.is(400, &refused);
        bench.rest("DELETE", &format!("{root}?{place}"), &alice, None).await.is(400, &refused);
        bench.get(&format!("{root}/actions?{place}"), &alice).await.is(400, &refused);
        bench.post(&format!("{root}/actions?{place}"), &alice, json!("restart")).await.is(400, &refused);
        let resource = resource(object).await;
        let live = bench.store.cluster().get(&resource, object.namespace(), object.name()).await;
        assert_eq!(live.expect("it is still there").label("taken"), None);
    }
    let place = place(&permitted);
    bench.post(&format!("{APPLICATIONS}/a/resource?{place}&{merge}"), &alice, patch).await.good();
    bench.rest("DELETE", &format!("{APPLICATIONS}/a/resource?{place}"), &alice, None).await.good();
}

#[tokio::test]
async fn cve_2023_22736_applications_of_other_namespaces_are_none() {
    let options = Options { insecure: true, ..Options::default() };
    let bench = Bench::with("ours", json!({}), json!({}), &["team-of-ours"], options).await;
    let admin = bench.admin().await;
    let manager = kubernetes::WriteOptions::manager("test");
    let elsewhere =
        object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-of-others"}}));
    bench.store.cluster().ensure_namespace(&elsewhere, &manager).await.expect("a namespace");
    for namespace in ["team-of-others", "team-of-ours"] {
        let mut stray = application("stray", "guestbook");
        stray["metadata"]["namespace"] = namespace.into();
        stray["apiVersion"] = "argoproj.io/v1alpha1".into();
        stray["kind"] = "Application".into();
        apply(&bench.store, &object(stray)).await;
    }
    // The one that was made later is known, so the other is not just late.
    eventually("ours is known", || bench.store.application("team-of-ours", "stray").is_ok()).await;
    assert!(bench.store.application("team-of-others", "stray").is_err());
    let listed = bench.get(APPLICATIONS, &admin).await.good().json();
    let names: Vec<&Value> =
        listed["items"].as_array().unwrap().iter().map(|item| &item["metadata"]["namespace"]).collect();
    assert_eq!(names, ["team-of-ours"]);
    for (verb, rest) in [("GET", ""), ("GET", "/resource-tree"), ("DELETE", ""), ("POST", "/sync")] {
        let path = format!("{APPLICATIONS}/stray{rest}?appNamespace=team-of-others");
        let body = (verb == "POST").then(|| json!({"appNamespace": "team-of-others"}));
        bench.rest(verb, &path, &admin, body).await.is(403, "permission denied");
    }
}

/// A call with a message that is only names; status and text of the answer.
async fn call(bench: &Bench, path: &str, token: &str, message: &[u8]) -> (String, String) {
    let length = u32::try_from(message.len()).expect("it is short").to_be_bytes();
    let body = [&[0][..], &length, message].concat();
    let request = Request::post(format!("http://server{path}"))
        .version(Version::HTTP_2)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("token", token)
        .body(Body::from(body))
        .expect("it is well formed");
    let (parts, body) = bench.router.clone().oneshot(request).await.expect("an answer").into_parts();
    let collected = tokio::time::timeout(SILENCE, body.collect()).await;
    let trailers = match collected {
        Ok(collected) => collected.expect("a body").trailers().cloned().unwrap_or_default(),
        Err(_) => http::HeaderMap::new(),
    };
    let text = |name: &str| {
        let value = parts.headers.get(name).or_else(|| trailers.get(name));
        value.and_then(|value| value.to_str().ok()).unwrap_or("none").replace("%20", " ")
    };
    (text("grpc-status"), text("grpc-message"))
}

/// Every method that names an application, with the messages that name this one, without and with its project.
fn about_applications(name: &str, project: &str) -> Vec<(String, Vec<u8>)> {
    let descriptors = prost_types::FileDescriptorSet::decode(wire::DESCRIPTOR_SET).expect("descriptors");
    let file = descriptors.file.iter().find(|file| file.package() == "application").expect("the package");
    let mut calls = Vec::new();
    for method in &file.service[0].method {
        let asked = method.input_type().rsplit('.').next().unwrap_or_default();
        let Some(message) = file.message_type.iter().find(|message| message.name() == asked) else {
            continue;
        };
        let field = |wanted: &[&str]| {
            message
                .field
                .iter()
                .find(|field| wanted.contains(&field.name()))
                .map(prost_types::FieldDescriptorProto::number)
        };
        let Some(number) = field(&["name", "applicationName", "appName"]) else { continue };
        let text = |number: i32, text: &str| {
            let mut bytes = Vec::new();
            let key = u32::try_from(number).expect("a number of a field");
            prost::encoding::encode_key(key, prost::encoding::WireType::LengthDelimited, &mut bytes);
            prost::encoding::encode_varint(text.len() as u64, &mut bytes);
            [&bytes[..], text.as_bytes()].concat()
        };
        let path = format!("/application.ApplicationService/{}", method.name());
        let alone = text(number, name);
        if let Some(number) = field(&["project"]) {
            calls.push((path.clone(), [alone.clone(), text(number, project)].concat()));
        }
        calls.push((path, alone));
    }
    calls
}

#[tokio::test]
async fn cve_2022_41354_no_method_tells_a_stranger_what_there_is() {
    let (settings, policy) = two_users();
    let bench = Bench::start("strangers-of-applications", settings, policy).await;
    let admin = bench.admin().await;
    let bob = bench.user(&admin, "bob").await;
    bench.post(APPLICATIONS, &admin, application("there", "guestbook")).await.good();
    let (there, none) = (about_applications("there", "default"), about_applications("nope", "default"));
    assert!(there.len() > 40, "{}", there.len());
    for ((path, there), (_, none)) in there.iter().zip(&none) {
        let (there, none) = (call(&bench, path, &bob, there).await, call(&bench, path, &bob, none).await);
        assert_eq!((&there.0, there.1.replace("there", "nope")), (&none.0, none.1.clone()), "{path}");
    }
}

#[tokio::test]
async fn cve_2026_24748_refreshes_and_settings_want_their_rights() {
    let (settings, policy) = two_users();
    let bench = Bench::start("refreshes", settings, policy).await;
    let admin = bench.admin().await;
    let bob = bench.user(&admin, "bob").await;
    bench.post(APPLICATIONS, &admin, application("a", "guestbook")).await.good();
    for path in
        ["a?refresh=normal", "a?refresh=hard", "a?refresh=hard&project=default", "a/manifests?revision=HEAD"]
    {
        bench.get(&format!("{APPLICATIONS}/{path}"), &bob).await.is(403, "permission denied");
    }
    let found = bench.store.application("refreshes", "a").expect("it is there");
    assert!(!found.metadata.annotations.contains_key(api::names::REFRESH), "a refresh was asked for");
    // A webhook without proof asks for none either, where one is wanted.
    let settings = |token: &str| {
        let token = token.to_owned();
        let bench = &bench;
        async move { bench.get("/api/v1/settings", &token).await.good().text }
    };
    assert!(settings(&admin).await.contains("controllerNamespace"));
    for token in ["", "a.b.c"] {
        assert!(!settings(token).await.contains("controllerNamespace"), "{token:?}");
    }
    // Methods that nobody listed are refused to whoever has no right at all.
    for (path, message) in about_applications("a", "default") {
        let (status, text) = call(&bench, &path, &bob, &message).await;
        let nothing =
            status == "0" && path.ends_with("/List") || status == "none" && path.ends_with("/Watch");
        let refused = status == "7" || status == "12" || status == "3" && text.contains("stream");
        assert!(nothing || refused, "{path}: {status} {text}");
    }
}
