//! What settings and flags switch on and off, as requests see it.

use crate::bench::{Answer, Bench, COMMIT, application, configure};
use api::v1alpha1::{ApplicationTree, ResourceDiff, ResourceNode, ResourceRef};
use api_server::Options;
use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

const ROOT: &str = "/api/v1/applications";

fn insecure() -> Options {
    Options { insecure: true, ..Options::default() }
}

#[tokio::test]
async fn with_a_root_path_all_is_below_it() {
    let options = Options { root_path: "argo".into(), base_href: "/argo".into(), ..insecure() };
    let bench = Bench::with("rooted", json!({}), json!({}), &[], options).await;
    assert_eq!(bench.get("/healthz", "").await.good().text, "ok\n");
    assert_eq!(bench.get("/argo/healthz", "").await.good().text, "ok\n");
    bench.get("/argo/api/version", "").await.good();
    for outside in ["/api/version", "/argocd/api/version", "/", "/argoapi/version"] {
        let answer = bench.get(outside, "").await;
        assert_eq!((answer.status, answer.text.as_str()), (404, "404 page not found\n"), "{outside}");
    }
    crate::bench::eventually("the password", || bench.store.secret("argocd-initial-admin-secret").is_some())
        .await;
    let login = json!({"username": "admin", "password": bench.initial_password()});
    let answer = bench.post("/argo/api/v1/session", "", login).await.good();
    let cookie = answer.headers["set-cookie"].to_str().expect("a cookie");
    assert!(cookie.ends_with("; path=/argo; SameSite=lax; httpOnly"), "{cookie}");
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_can_unpack_them_unless_that_is_off() {
    for (namespace, gzip) in [("zipped", true), ("unzipped", false)] {
        let bench = Bench::with(namespace, json!({}), json!({}), &[], Options { gzip, ..insecure() }).await;
        let ask = async |accepts: &str| {
            let request = Request::get("/api/v1/settings").header("accept-encoding", accepts);
            bench.send(request.body(Body::empty()).expect("a request")).await.good()
        };
        let packed = ask("gzip").await;
        assert_eq!(packed.headers.get("content-encoding").is_some_and(|kind| kind == "gzip"), gzip);
        assert_eq!(packed.text.starts_with('{'), !gzip, "{packed:?}");
        let plain = ask("identity").await;
        assert!(plain.headers.get("content-encoding").is_none() && plain.text.starts_with('{'), "{plain:?}");
        assert_eq!(plain.headers.get("vary").is_some_and(|vary| vary == "Accept-Encoding"), gzip);
    }
}

#[tokio::test]
async fn without_authentication_everybody_may_do_everything() {
    let bench =
        Bench::with("opened-up", json!({}), json!({}), &[], Options { disable_auth: true, ..insecure() })
            .await;
    bench.post(ROOT, "", application("a", "guestbook")).await.good();
    assert_eq!(bench.get(&format!("{ROOT}/a"), "").await.good().json()["metadata"]["name"], "a");
    // A token that is none is no hindrance.
    bench.get(ROOT, "a.b.c").await.good();
    bench.rest("DELETE", &format!("{ROOT}/a?cascade=false"), "", None).await.good();
}

#[tokio::test]
async fn the_api_is_described_unless_that_is_off() {
    for (namespace, describes_api) in [("told", true), ("untold", false)] {
        let options = Options { describes_api, ..insecure() };
        let bench = Bench::with(namespace, json!({}), json!({}), &[], options).await;
        for path in ["/swagger-ui", "/swagger.json"] {
            assert_eq!(bench.get(path, "").await.status, if describes_api { 200 } else { 404 }, "{path}");
        }
    }
}

#[tokio::test]
async fn a_rollback_needs_its_own_right_where_settings_say_so() {
    let policy = "p, alice, applications, get, */*, allow\np, alice, applications, sync, */*, allow\n";
    let settings = json!({"accounts.alice": "login"});
    let bench = Bench::start("rolled", settings.clone(), json!({"policy.csv": policy})).await;
    let admin = bench.admin().await;
    let alice = bench.user(&admin, "alice").await;
    bench.post(ROOT, &admin, application("a", "guestbook")).await.good();
    let roll = async || bench.post(&format!("{ROOT}/a/rollback"), &alice, json!({"id": 7})).await;
    assert_ne!(roll().await.status, 403);
    let mut stricter = settings;
    stricter["server.rbac.rollback.enforce.enable"] = "true".into();
    configure(&bench.store, "argocd-cm", stricter).await;
    assert_eq!(roll().await.status, 403);
    let more = format!("{policy}p, alice, applications, rollback, */*, allow\n");
    configure(&bench.store, "argocd-rbac-cm", json!({"policy.csv": more})).await;
    assert_ne!(roll().await.status, 403);
}

#[track_caller]
fn needs_override(answer: &Answer, name: &str) {
    let told = format!("permission denied: applications, override, default/{name}, sub: alice, iat: ");
    assert!(answer.status == 403 && answer.message().starts_with(&told), "{answer:?}");
}

#[tokio::test]
async fn another_revision_than_the_declared_one_needs_its_own_right_where_settings_say_so() {
    let policy = "p, alice, applications, get, */*, allow\np, alice, applications, sync, */*, allow\n";
    let settings = json!({"accounts.alice": "login"});
    let bench = Bench::start("overriding", settings.clone(), json!({"policy.csv": policy})).await;
    let admin = bench.admin().await;
    let alice = bench.user(&admin, "alice").await;
    let mut automated = application("automated", "guestbook");
    automated["spec"]["syncPolicy"] = json!({"automated": {}});
    let of_two = |name: &str, first: &str| {
        let source = |revision: &str| json!({"repoURL": "https://git.example/apps.git", "path": "guestbook", "targetRevision": revision});
        let mut wanted = application(name, "guestbook");
        wanted["spec"].as_object_mut().expect("a map").remove("source");
        wanted["spec"]["sources"] = json!([source(first), source("main")]);
        wanted
    };
    let all = [application("a", "guestbook"), automated, of_two("several", "v0"), of_two("missing", "none")];
    for wanted in all {
        bench.post(&format!("{ROOT}?validate=false"), &admin, wanted).await.good();
    }
    let sync = async |name: &str, body: Value| {
        let answer = bench.post(&format!("{ROOT}/{name}/sync"), &alice, body).await;
        // Nobody works on it, and the next sync would have to wait for that.
        let over = kubernetes::Patch::Merge(json!({"operation": null}));
        bench.store.patch_application("overriding", name, &over).await.expect("it is changed");
        answer
    };
    let manifest = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}).to_string();
    let (other, local) = (json!({"revision": "v1"}), json!({"manifests": [manifest]}));
    sync("a", other.clone()).await.good();
    needs_override(&sync("a", local.clone()).await, "a");
    sync("automated", other.clone()).await.is(400, "Cannot sync to v1: auto-sync currently set to HEAD");

    let mut stricter = settings;
    stricter["application.sync.requireOverridePrivilegeForRevisionSync"] = "true".into();
    configure(&bench.store, "argocd-cm", stricter).await;
    sync("a", json!({})).await.good();
    sync("a", json!({"revision": "HEAD"})).await.good();
    for body in [other.clone(), json!({"revision": COMMIT}), json!({"revision": "v1", "dryRun": true})] {
        needs_override(&sync("a", body).await, "a");
    }
    needs_override(&sync("a", local.clone()).await, "a");
    needs_override(&sync("automated", other.clone()).await, "automated");
    let positions = |revisions: [&str; 2]| json!({"sourcePositions": [1, 2], "revisions": revisions});
    needs_override(&sync("several", positions(["v0", "v1"])).await, "several");
    needs_override(&sync("several", positions(["v1", "main"])).await, "several");
    // No revision at a position means the declared one, which the repository does not have.
    let declared = sync("missing", positions(["", "main"])).await;
    let text = "unable to resolve 'none' to a commit SHA: revision not found";
    assert!(declared.status == 400 && declared.message().ends_with(text), "{declared:?}");

    let more = format!("{policy}p, alice, applications, override, */*, allow\n");
    configure(&bench.store, "argocd-rbac-cm", json!({"policy.csv": more})).await;
    let started = sync("a", other.clone()).await.good().json();
    assert_eq!(started["operation"]["sync"]["revision"], COMMIT);
    let started = sync("a", local.clone()).await.good().json();
    assert_eq!(started["operation"]["sync"]["manifests"].as_array().map(Vec::len), Some(1));
    let started = sync("several", positions(["v1", "v2"])).await.good().json();
    assert_eq!(started["operation"]["sync"]["revisions"], json!([COMMIT, COMMIT]));
    sync("automated", other).await.is(400, "Cannot sync to v1: auto-sync currently set to HEAD");
    let text = "cannot use local sync when Automatic Sync Policy is enabled unless for dry run";
    sync("automated", local).await.is(400, text);
}

#[tokio::test]
async fn a_sync_that_replaces_is_refused_where_the_server_says_so() {
    let options = Options { replace_allowed: false, ..insecure() };
    let bench = Bench::with("replaced", json!({}), json!({}), &[], options).await;
    let admin = bench.admin().await;
    bench.post(ROOT, &admin, application("a", "guestbook")).await.good();
    let sync = async |options: Value| {
        bench.post(&format!("{ROOT}/a/sync"), &admin, json!({"syncOptions": {"items": options}})).await
    };
    sync(json!(["Replace=true"]))
        .await
        .is(400, "sync with replace was disabled on the API Server level via the server configuration");
    sync(json!(["CreateNamespace=true"])).await.good();
}

#[tokio::test]
async fn manifests_that_are_sent_along_prove_no_signature() {
    let bench = Bench::start("unsigned", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let project = json!({"project": {"metadata": {"name": "signed"}, "spec": {
        "sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
        "signatureKeys": [{"keyID": "4AEE18F83AFDEB23"}],
    }}});
    bench.post("/api/v1/projects", &admin, project).await.good();
    for (name, project) in [("a", "signed"), ("b", "default")] {
        let mut wanted = application(name, "guestbook");
        wanted["spec"]["project"] = project.into();
        bench.post(&format!("{ROOT}?validate=false"), &admin, wanted).await.good();
    }
    let manifest = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}).to_string();
    let sync = async |name: &str| {
        bench.post(&format!("{ROOT}/{name}/sync"), &admin, json!({"manifests": [manifest.clone()]})).await
    };
    sync("a").await.is(400, "Cannot use local manifests when source integrity is enforced");
    sync("b").await.good();
}

#[tokio::test]
async fn what_is_being_deleted_may_be_deleted_again() {
    let bench = Bench::start("again", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let mut held = application("a", "guestbook");
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    bench.post(ROOT, &admin, held).await.good();
    bench.rest("DELETE", &format!("{ROOT}/a?cascade=false"), &admin, None).await.good();
    crate::bench::eventually("it is being deleted", || {
        bench.store.application("again", "a").is_ok_and(|found| found.metadata.deletion_timestamp.is_some())
    })
    .await;
    // Kubernetes would take no finalizer more.
    bench.rest("DELETE", &format!("{ROOT}/a?cascade=true"), &admin, None).await.good();
}

#[tokio::test]
async fn a_repository_for_writing_needs_credentials_of_its_own() {
    let options = Options { hydrator: true, ..insecure() };
    let bench = Bench::with("written", json!({}), json!({}), &[], options).await;
    let admin = bench.admin().await;
    let create = async |more: Value| {
        let mut wanted = json!({"repo": "https://git.example/a.git", "project": "red"});
        wanted.as_object_mut().expect("a map").extend(more.as_object().cloned().expect("a map"));
        bench.post("/api/v1/write-repositories", &admin, wanted).await
    };
    create(json!({})).await.is(400, "missing credentials in request");
    // It is tried, whatever project it is of.
    let missing = create(json!({"repo": "https://git.example/none.git", "password": "x"})).await;
    assert!(missing.message().contains("repository not found"), "{missing:?}");
    create(json!({"password": "x"})).await.good();
}

fn pod(name: &str) -> ResourceNode {
    ResourceNode {
        resource_ref: ResourceRef {
            version: "v1".into(),
            kind: "Pod".into(),
            namespace: "default".into(),
            name: name.into(),
            uid: name.into(),
            ..ResourceRef::default()
        },
        ..ResourceNode::default()
    }
}

#[tokio::test]
async fn logs_of_more_pods_than_settings_allow_and_times_that_are_none_are_refused() {
    let bench = Bench::start("many-pods", json!({"server.maxPodLogsToRender": "1"}), json!({})).await;
    let admin = bench.admin().await;
    bench.post(ROOT, &admin, application("a", "guestbook")).await.good();
    let tree = ApplicationTree { nodes: vec![pod("p1"), pod("p2")], ..ApplicationTree::default() };
    bench.found("a", &tree, &[]).await;
    let logs = async |query: &str| bench.get(&format!("{ROOT}/a/logs?{query}"), &admin).await;
    let many = logs("").await;
    let text = "max pods to view logs are reached. Please provide more granular query";
    assert!(many.status == 400 && many.text.contains(text), "{many:?}");
    let wrong = logs("podName=p1&untilTime=yesterday").await;
    assert!(wrong.text.contains("invalid untilTime parameter value: "), "{wrong:?}");
}

#[tokio::test]
async fn hooks_are_not_among_the_managed_resources() {
    let bench = Bench::start("hooked", json!({}), json!({})).await;
    let admin = bench.admin().await;
    bench.post(ROOT, &admin, application("a", "guestbook")).await.good();
    let entry = |name: &str, hook: bool| ResourceDiff {
        kind: "ConfigMap".into(),
        name: name.into(),
        hook,
        ..ResourceDiff::default()
    };
    bench.found("a", &ApplicationTree::default(), &[entry("c", false), entry("h", true)]).await;
    let told = bench.get(&format!("{ROOT}/a/managed-resources"), &admin).await.good().json();
    let names: Vec<_> =
        told["items"].as_array().expect("items").iter().map(|item| item["name"].clone()).collect();
    assert_eq!(names, ["c"]);
}

#[tokio::test]
async fn a_right_to_an_application_reaches_its_objects_only_where_settings_say_so() {
    let whole = "p, alice, applications, get, */*, allow\np, alice, applications, delete, */*, allow\n";
    let settings = json!({"accounts.alice": "login"});
    let bench = Bench::start("inherited", settings.clone(), json!({"policy.csv": whole})).await;
    let admin = bench.admin().await;
    let alice = bench.user(&admin, "alice").await;
    bench.post(ROOT, &admin, application("a", "guestbook")).await.good();
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "inherited", "namespace": "default"}});
    crate::bench::apply(&bench.store, &crate::bench::object(map)).await;
    let kept = ResourceRef {
        version: "v1".into(),
        kind: "ConfigMap".into(),
        name: "inherited".into(),
        ..ResourceRef::default()
    };
    let node = ResourceNode {
        resource_ref: ResourceRef { namespace: "default".into(), ..kept },
        ..ResourceNode::default()
    };
    bench.found("a", &ApplicationTree { nodes: vec![node], ..ApplicationTree::default() }, &[]).await;
    let path = format!(
        "{ROOT}/a/resource?namespace=default&resourceName=inherited&version=v1&kind=ConfigMap&group="
    );
    let delete = async || bench.rest("DELETE", &path, &alice, None).await.status;
    // Since 3.0 a right to the whole is none to its parts.
    assert_eq!(delete().await, 403);
    let mut older = settings;
    older["server.rbac.disableApplicationFineGrainedRBACInheritance"] = "false".into();
    configure(&bench.store, "argocd-cm", older).await;
    assert_ne!(delete().await, 403);
    configure(&bench.store, "argocd-cm", json!({"accounts.alice": "login"})).await;
    assert_eq!(delete().await, 403);
    let parts = "p, alice, applications, get, */*, allow\np, alice, applications, delete//ConfigMap/default/*, */*, allow\n";
    configure(&bench.store, "argocd-rbac-cm", json!({"policy.csv": parts})).await;
    assert_ne!(delete().await, 403);
}

#[tokio::test]
async fn the_own_cluster_is_registered_by_what_is_said_of_it() {
    let bench = Bench::start("own", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let path = "/api/v1/clusters/in-cluster?id.type=name";
    let told = bench.get(path, &admin).await.good().json();
    assert_eq!((&told["name"], told.get("labels")), (&json!("in-cluster"), None));
    let labels = json!({"labels": {"test": "val"}});
    let changed =
        bench.rest("PUT", &format!("{path}&updatedFields=labels"), &admin, Some(labels.clone())).await;
    assert_eq!(changed.good().json()["labels"], labels["labels"]);
    let told = bench.get(path, &admin).await.good().json();
    assert_eq!((&told["name"], &told["labels"]), (&json!("in-cluster"), &labels["labels"]));
    let listed = bench.get("/api/v1/clusters", &admin).await.good().json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "{listed}");
}

#[tokio::test]
async fn events_are_written_of_what_the_server_is_told_to_and_no_more() {
    let told = [("no-events", "none", vec![]), ("few-events", "OperationStarted", vec!["OperationStarted"])];
    for (namespace, reason, wanted) in told {
        let options = Options { event_reasons: vec![reason.into()], ..insecure() };
        let bench = Bench::with(namespace, json!({}), json!({}), &[], options).await;
        let admin = bench.admin().await;
        bench.post(ROOT, &admin, application("a", "guestbook")).await.good();
        bench.post(&format!("{ROOT}/a/sync"), &admin, json!({})).await.good();
        let events = bench.events(namespace).await;
        let about = events.iter().filter(|event| event.text_at(&["involvedObject", "kind"]) == "Application");
        let reasons: Vec<&str> = about.map(|event| event.text_at(&["reason"])).collect();
        assert_eq!(reasons, wanted, "{reason}");
    }
}

#[tokio::test]
async fn policies_match_as_settings_say() {
    let policy = "p, alice, applications, get, ^default/[ab]$, allow\n";
    let settings = json!({"accounts.alice": "login"});
    let bench = Bench::start("matched", settings, json!({"policy.csv": policy})).await;
    let admin = bench.admin().await;
    let alice = bench.user(&admin, "alice").await;
    for name in ["a", "b", "c"] {
        bench.post(ROOT, &admin, application(name, "guestbook")).await.good();
    }
    let seen = async || {
        let listed = bench.get(ROOT, &alice).await.good().json();
        let items = listed["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(seen().await, Vec::<String>::new());
    let expressions = json!({"policy.csv": policy, "policy.matchMode": "regex"});
    configure(&bench.store, "argocd-rbac-cm", expressions).await;
    assert_eq!(seen().await, ["a", "b"]);
}
