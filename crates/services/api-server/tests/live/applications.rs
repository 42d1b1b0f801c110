//! Applications from creation to deletion, with the answers clients know.

use crate::bench::{Bench, COMMIT, application, eventually, two_users};
use serde_json::{Value, json};

const ROOT: &str = "/api/v1/applications";

#[tokio::test]
async fn an_application_is_created_changed_and_deleted() {
    let bench = Bench::start("walk", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let created = bench.post(ROOT, &admin, application("a", "guestbook")).await.good().json();
    assert_eq!(created["metadata"]["namespace"], "walk");
    let again = bench.post(ROOT, &admin, application("a", "guestbook")).await.good().json();
    assert_eq!(again["metadata"]["uid"], created["metadata"]["uid"]);
    let different = bench.post(ROOT, &admin, application("a", "other")).await;
    different.is(400, "existing application spec is different, use upsert flag to force update");
    let upserted = bench.post(&format!("{ROOT}?upsert=true"), &admin, application("a", "other")).await.good();
    assert_eq!(upserted.json()["spec"]["source"]["path"], "other");

    let listed = bench.get(&format!("{ROOT}?fields=items.metadata.name"), &admin).await.good();
    assert_eq!(listed.json()["items"], json!([{"metadata": {"name": "a"}}]));
    let patch = json!({"patch": r#"{"metadata":{"labels":{"x":"y"}}}"#, "patchType": "merge"});
    let patched = bench.rest("PATCH", &format!("{ROOT}/a"), &admin, Some(patch)).await.good();
    assert_eq!(patched.json()["metadata"]["labels"], json!({"x": "y"}));
    let patch =
        json!({"patch": r#"[{"op":"test","path":"/spec/project","value":"x"}]"#, "patchType": "json"});
    let failed = bench.rest("PATCH", &format!("{ROOT}/a"), &admin, Some(patch)).await;
    failed.is(500, "error applying patch: testing value /spec/project failed: test failed");
    let bad = bench
        .rest("PATCH", &format!("{ROOT}/a"), &admin, Some(json!({"patch": "{}", "patchType": "x"})))
        .await;
    bad.is(400, "Patch type 'x' is not supported");

    // A stale resource version is no reason to refuse.
    let mut put = application("a", "guestbook");
    put["metadata"]["resourceVersion"] = "1".into();
    bench.rest("PUT", &format!("{ROOT}/a"), &admin, Some(put)).await.good();
    let spec = application("a", "nope")["spec"].clone();
    let refused =
        bench.rest("PUT", &format!("{ROOT}/a/spec?validate=true"), &admin, Some(spec.clone())).await;
    refused.is(
        400,
        "application spec for a is invalid: InvalidSpecError: Unable to generate manifests in nope: \
         rpc error: code = Unknown desc = nope: app path does not exist",
    );
    bench.rest("PUT", &format!("{ROOT}/a/spec?validate=false"), &admin, Some(spec)).await.good();

    let bogus = bench.rest("DELETE", &format!("{ROOT}/a?propagationPolicy=bogus"), &admin, None).await;
    bogus.is(400, "invalid propagation policy: bogus");
    bench.rest("DELETE", &format!("{ROOT}/a?cascade=false"), &admin, None).await.good();
    eventually("the application is gone", || bench.store.application("walk", "a").is_err()).await;
}

#[tokio::test]
async fn what_may_come_later_and_who_is_late_say_nothing_against_a_spec() {
    let bench = Bench::start("benefit-of-doubt", json!({}), json!({})).await;
    let admin = bench.admin().await;
    bench.post(ROOT, &admin, application("a", "guestbook")).await.good();
    let spec = application("a", "unmatched")["spec"].clone();
    let set = bench.rest("PUT", &format!("{ROOT}/a/spec?validate=true"), &admin, Some(spec)).await.good();
    assert_eq!(set.json()["source"]["path"], "unmatched");
    bench.post(ROOT, &admin, application("late", "late")).await.is(
        504,
        "unable to generate manifests in late: rpc error: code = DeadlineExceeded desc = render manifests: not done after 90 s",
    );
    // What is pushed by a hydrator is rendered from what it reads: the branch it pushes to need not be there.
    let hydrated = |dry: &str| {
        let mut hydrated = application("hydrated", "");
        hydrated["spec"].as_object_mut().expect("a spec").remove("source");
        hydrated["spec"]["sourceHydrator"] = json!({
            "drySource": {"repoURL": "https://git.example/apps.git", "targetRevision": "main", "path": dry},
            "syncSource": {"targetBranch": "env/prod", "path": "nope"},
        });
        hydrated
    };
    bench.post(ROOT, &admin, hydrated("nope")).await.is(
        400,
        "application spec for hydrated is invalid: InvalidSpecError: Unable to generate manifests in nope: \
         rpc error: code = Unknown desc = nope: app path does not exist",
    );
    bench.post(ROOT, &admin, hydrated("guestbook")).await.good();
}

#[tokio::test]
async fn a_list_is_narrowed_ordered_and_read_page_by_page() {
    let bench = Bench::start("narrowed", json!({}), json!({})).await;
    let admin = bench.admin().await;
    for (name, sync, health, finished, namespace) in [
        ("web-a", "Synced", "Healthy", "2026-01-03T00:00:00Z", "one"),
        ("web-b", "OutOfSync", "Healthy", "2026-01-01T00:00:00Z", "two"),
        ("job-c", "Synced", "Degraded", "2026-01-02T00:00:00Z", "two"),
        ("job-d", "", "", "", "one"),
    ] {
        let mut wanted = application(name, "guestbook");
        wanted["spec"]["destination"]["namespace"] = namespace.into();
        bench.post(ROOT, &admin, wanted).await.good();
        if finished.is_empty() {
            continue;
        }
        let operation = json!({
            "operation": {}, "phase": "Succeeded", "startedAt": finished, "finishedAt": finished,
        });
        let status = json!({"status": {
            "sync": {"status": sync}, "health": {"status": health}, "operationState": operation,
        }});
        let patch = kubernetes::Patch::Merge(status);
        bench.store.patch_application("narrowed", name, &patch).await.expect("a status");
    }
    let names = async |query: &str| {
        let told = bench.get(&format!("{ROOT}?{query}"), &admin).await.good().json();
        let items = told["items"].as_array().cloned().unwrap_or_default();
        let names: Vec<String> =
            items.iter().map(|item| item["metadata"]["name"].as_str().expect("a name").to_owned()).collect();
        (names.join(" "), told["metadata"]["continue"].as_str().unwrap_or_default().to_owned())
    };
    for (query, expected) in [
        ("", "job-c job-d web-a web-b"),
        ("syncStatuses=Synced", "job-c web-a"),
        ("syncStatuses=OutOfSync&syncStatuses=Unknown", "job-d web-b"),
        ("healthStatuses=Degraded", "job-c"),
        ("destinationNamespaces=two", "job-c web-b"),
        ("clusters=in-cluster", "job-c job-d web-a web-b"),
        ("clusters=https%3A%2F%2Fkubernetes.default.svc", "job-c job-d web-a web-b"),
        ("clusters=https%3A%2F%2Felsewhere.example", ""),
        ("search=WEB", "web-a web-b"),
        ("search=web&syncStatuses=Synced", "web-a"),
        ("sort=-name", "web-b web-a job-d job-c"),
        ("sort=lastSync", "job-d web-b job-c web-a"),
        ("sort=-lastSync", "web-a job-c web-b job-d"),
        ("sort=health", "job-c web-a web-b job-d"),
        ("sort=sync", "web-b job-c web-a job-d"),
    ] {
        assert_eq!(names(query).await.0, expected, "{query}");
    }
    let wrong = bench.get(&format!("{ROOT}?sort=colour"), &admin).await;
    assert!(wrong.status == 400 && wrong.message().starts_with("sort is \"colour\": "), "{wrong:?}");
    for sort in ["name", "-name", "lastSync", "-lastSync", "health", "created"] {
        let whole = names(&format!("sort={sort}")).await.0;
        let (mut read, mut next) = (Vec::new(), String::new());
        loop {
            let after: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
            let (page, more) = names(&format!("sort={sort}&limit=1&continue={after}")).await;
            read.push(page);
            if more.is_empty() {
                break;
            }
            next = more;
        }
        assert_eq!(read.join(" "), whole, "{sort}");
    }
}

#[tokio::test]
async fn bad_applications_are_refused_in_the_words_clients_know() {
    let bench = Bench::start("bad", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let with = |pointer: &str, value: Value| {
        let mut application = application("bad", "guestbook");
        *application.pointer_mut(pointer).expect("a member") = value;
        application
    };
    let cases = [
        (
            with("/spec/project", "none".into()),
            400,
            "app is not allowed in project \"none\", or the project does not exist",
        ),
        (
            with("/spec/destination", json!({})),
            400,
            "application destination spec for bad is invalid: Destination server missing from app spec",
        ),
        (
            with("/spec/destination", json!({"name": "unknown"})),
            400,
            "application destination spec for bad is invalid: there are no clusters with this name: unknown",
        ),
        (
            with(
                "/spec/destination",
                json!({"name": "in-cluster", "server": "https://kubernetes.default.svc"}),
            ),
            400,
            "application destination spec for bad is invalid: application destination can't have both name and server defined: in-cluster https://kubernetes.default.svc",
        ),
        (
            with("/spec/destination/server", "https://unknown.example".into()),
            400,
            "application destination spec for bad is invalid: error getting cluster by server \"https://unknown.example\": rpc error: code = NotFound desc = cluster \"https://unknown.example\" not found",
        ),
        (
            with("/spec/source/path", "".into()),
            400,
            "application spec for bad is invalid: InvalidSpecError: spec.source.repoURL and either spec.source.path or spec.source.chart are required",
        ),
        (
            with("/spec/source/repoURL", "https://git.example/none.git".into()),
            400,
            "application spec for bad is invalid: InvalidSpecError: repository not accessible: repositories not accessible: &Repository{Repo: \"https://git.example/none.git\", Type: \"\", Name: \"\", Project: \"\"}: repo client error while testing repository: rpc error: code = Unknown desc = error testing repository connectivity: repository not found",
        ),
        (
            with("/metadata/name", "".into()),
            500,
            "error while validating and normalizing app: resource name may not be empty",
        ),
    ];
    for (application, status, message) in cases {
        bench.post(ROOT, &admin, application).await.is(status, message);
    }
    let name = bench.post(ROOT, &admin, with("/metadata/name", "Bad_Name".into())).await;
    assert_eq!(name.status, 400);
    let text = "error creating application: Application.argoproj.io \"Bad_Name\" is invalid: metadata.name: Invalid value: ";
    assert!(name.message().starts_with(text), "{name:?}");
    assert!(bench.store.applications().is_empty());
}

#[tokio::test]
async fn operations_are_started_once_and_ended() {
    let bench = Bench::start("operate", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let mut wanted = application("a", "guestbook");
    // Nobody sets an operation or a status from outside.
    wanted["operation"] = json!({"sync": {"revision": "evil"}});
    wanted["status"] =
        json!({"history": [{"id": 1, "revision": "evil", "source": {"repoURL": "r", "path": "p"}}]});
    let created = bench.post(ROOT, &admin, wanted).await.good().json();
    assert!(created.get("operation").is_none() && created["status"].get("history").is_none(), "{created}");

    let idle = bench.rest("DELETE", &format!("{ROOT}/a/operation"), &admin, None).await;
    idle.is(400, "Unable to terminate operation. No operation is in progress");
    let bad = bench.post(&format!("{ROOT}/a/sync"), &admin, json!({"revision": "none"})).await;
    bad.is(
        400,
        "error resolving repo revision: rpc error: code = Unknown desc = unable to resolve 'none' to a commit SHA: revision not found",
    );
    assert_eq!(bad.json()["code"], 9);
    let started = bench.post(&format!("{ROOT}/a/sync"), &admin, json!({"prune": true})).await.good().json();
    assert_eq!(started["operation"]["sync"]["revision"], COMMIT);
    assert_eq!(started["operation"]["sync"]["prune"], true);
    assert_eq!(started["operation"]["initiatedBy"]["username"], "admin");
    let busy = bench.post(&format!("{ROOT}/a/sync"), &admin, json!({})).await;
    busy.is(400, "another operation is already in progress");
    let unknown = bench.post(&format!("{ROOT}/a/rollback"), &admin, json!({"id": 77})).await;
    unknown.is(400, "application operate/a does not have deployment with id 77");

    let automated = json!({"patch": r#"{"spec":{"syncPolicy":{"automated":{}}}}"#, "patchType": "merge"});
    bench.rest("PATCH", &format!("{ROOT}/a"), &admin, Some(automated)).await.good();
    let elsewhere = bench.post(&format!("{ROOT}/a/sync"), &admin, json!({"revision": "v1.0"})).await;
    elsewhere.is(400, "Cannot sync to v1.0: auto-sync currently set to HEAD");
    let back = bench.post(&format!("{ROOT}/a/rollback"), &admin, json!({"id": 0})).await;
    back.is(400, "rollback cannot be initiated when auto-sync is enabled");
}

#[tokio::test]
async fn a_window_that_denies_blocks_a_sync_by_hand() {
    let bench = Bench::start("window", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let project = json!({"project": {"metadata": {"name": "red"}, "spec": {
        "sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
        "syncWindows": [{"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]}],
    }}});
    bench.post("/api/v1/projects", &admin, project).await.good();
    let mut wanted = application("a", "guestbook");
    wanted["spec"]["project"] = "red".into();
    bench.post(ROOT, &admin, wanted).await.good();
    bench
        .post(&format!("{ROOT}/a/sync"), &admin, json!({}))
        .await
        .is(403, "cannot sync: blocked by sync window");
    let told = bench.get(&format!("{ROOT}/a/syncwindows"), &admin).await.good().json();
    assert!(told.get("canSync").is_none_or(|can| can == false), "{told}");
    assert_eq!(told["assignedWindows"][0]["kind"], "deny");
}

#[tokio::test]
async fn a_watch_tells_what_is_there_and_what_changes_to_those_who_may_see_it() {
    use futures::StreamExt as _;
    let (settings, policy) = two_users();
    let bench = Bench::start("watch", settings, policy).await;
    let admin = bench.admin().await;
    let (alice, bob) = (bench.user(&admin, "alice").await, bench.user(&admin, "bob").await);
    bench.post(ROOT, &admin, application("a", "guestbook")).await.good();
    let channel = transport::in_process(bench.server.grpc_router().expect("a router")).expect("a channel");
    let client = wire::application::application_service_client::ApplicationServiceClient::new(channel);
    let watch = async |token: &str| {
        let mut request = tonic::Request::new(wire::application::ApplicationQuery::default());
        request.metadata_mut().insert("token", token.parse().expect("ASCII"));
        client.clone().watch(request).await.expect("a stream").into_inner()
    };
    let (mut seen, mut hidden) = (watch(&alice).await, watch(&bob).await);
    let next = async |stream: &mut tonic::Streaming<api::v1alpha1::ApplicationWatchEvent>| {
        let event = tokio::time::timeout(crate::bench::LONG, stream.next()).await.expect("in time");
        let event = event.expect("more").expect("an event");
        (event.r#type, event.application.metadata.name)
    };
    assert_eq!(next(&mut seen).await, ("ADDED".into(), "a".into()));
    bench.post(ROOT, &admin, application("b", "guestbook")).await.good();
    assert_eq!(next(&mut seen).await, ("ADDED".into(), "b".into()));
    bench.rest("DELETE", &format!("{ROOT}/b?cascade=false"), &admin, None).await.good();
    loop {
        let (kind, name) = next(&mut seen).await;
        assert_eq!(name, "b");
        if kind == "DELETED" {
            break;
        }
        assert_eq!(kind, "MODIFIED");
    }
    // Everything alice saw has gone by; bob was told nothing.
    assert!(futures::poll!(hidden.next()).is_pending());
}

#[tokio::test]
async fn a_list_is_had_in_pages() {
    let bench = Bench::start("pages-of-a-list", json!({}), json!({})).await;
    let admin = bench.admin().await;
    for number in 0..7 {
        bench.post(ROOT, &admin, application(&format!("a{number}"), "guestbook")).await.good();
    }
    let fields = "fields=items.metadata.name,metadata.continue,metadata.remainingItemCount";
    let (mut next, mut seen, mut pages) = (String::new(), Vec::new(), 0);
    loop {
        let page = bench.get(&format!("{ROOT}?limit=3&continue={next}&{fields}"), &admin).await.good().json();
        let names =
            page["items"].as_array().into_iter().flatten().map(|item| item["metadata"]["name"].clone());
        seen.extend(names);
        pages += 1;
        // What comes before a page that was had moves nothing.
        if pages == 1 {
            assert_eq!(page["metadata"]["remainingItemCount"], 4, "{page}");
            bench.rest("DELETE", &format!("{ROOT}/a0?cascade=false"), &admin, None).await.good();
            eventually("it is gone", || bench.store.application("pages-of-a-list", "a0").is_err()).await;
        }
        match page["metadata"]["continue"].as_str() {
            Some(place) => next = place.replace('/', "%2F"),
            None => break,
        }
    }
    assert_eq!((seen, pages), ((0..7).map(|number| json!(format!("a{number}"))).collect::<Vec<_>>(), 3));
    bench.get(&format!("{ROOT}?limit=-1"), &admin).await.is(400, "limit is -1: it may not be negative");
    let odd = bench.get(&format!("{ROOT}?continue=x"), &admin).await;
    odd.is(400, "continue is \"x\": it is metadata.continue of a list");
}
