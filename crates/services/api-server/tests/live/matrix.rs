//! Every route of the REST API, and so every method of the services behind it, with exactly the rights it wants: with
//! all of them it is not refused, without any one of them it is. Methods of registrations have a table of their own in
//! `registrations`; what needs no right, or only a session, is a list.

use crate::bench::{Bench, application, configure, eventually, two_users};
use api::v1alpha1::{ApplicationTree, ResourceNode, ResourceRef};
use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tower::ServiceExt as _;

/// Services whose methods `registrations` tries.
const ELSEWHERE: [&str; 5] = [
    "repository.RepositoryService",
    "repocreds.RepoCredsService",
    "cluster.ClusterService",
    "certificate.CertificateService",
    "gpgkey.GPGKeyService",
];
/// What anybody may call, and what anybody may who is logged in.
const OPEN: [&str; 5] = [
    "version.VersionService/Version",
    "session.SessionService/Create",
    "session.SessionService/Delete",
    "session.SessionService/GetUserInfo",
    "cluster.SettingsService/Get",
];
const LOGGED_IN: [&str; 5] = [
    "cluster.SettingsService/GetPlugins",
    "account.AccountService/CanI",
    "notification.NotificationService/ListTriggers",
    "notification.NotificationService/ListServices",
    "notification.NotificationService/ListTemplates",
];

/// A stream that says nothing for this long says nothing at all.
const SILENCE: Duration = Duration::from_millis(700);
/// Longer than any answer takes.
const LIMIT: Duration = Duration::from_secs(30);

const GET: &str = "applications, get, default/a";
const SYNC: &str = "applications, sync, default/a";
const UPDATE: &str = "applications, update, default/a";
const SET: &str = "applicationsets, get, default/s";
const P_GET: &str = "projects, get, red";
const P_UPDATE: &str = "projects, update, red";
const PLACE: &str = "namespace=default&resourceName=d&version=v1&kind=Deployment&group=apps";

struct Entry {
    method: &'static str,
    verb: &'static str,
    path: String,
    body: Option<Value>,
    needs: &'static [&'static str],
}

fn entry(method: &'static str, call: &str, body: Option<Value>, needs: &'static [&'static str]) -> Entry {
    let (verb, path) = call.split_once(' ').expect("verb and path");
    let verb =
        ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().find(|known| *known == verb).expect("a verb");
    Entry { method, verb, path: format!("/api/v1{path}"), body, needs }
}

fn of_applications() -> Vec<Entry> {
    let none = || Some(json!({}));
    let read = |method: &'static str, path: &str| entry(method, &format!("GET {path}"), None, &[GET]);
    let mut changed = application("a", "other");
    changed["metadata"]["labels"] = json!({"changed": "yes"});
    let spec = changed["spec"].clone();
    let action = json!({"namespace": "default", "resourceName": "d", "version": "v1", "group": "apps", "kind": "Deployment", "action": "restart"});
    let patch = json!({"patch": r#"{"metadata":{"labels":{"x":"y"}}}"#, "patchType": "merge"});
    let restart: &[&str] = &["applications, action/apps/Deployment/restart, default/a"];
    vec![
        read("List", "/applications"),
        read("ListResourceEvents", "/applications/a/events"),
        read("Watch", "/stream/applications?name=a"),
        entry(
            "Create",
            "POST /applications",
            Some(application("new", "guestbook")),
            &["applications, create, default/new"],
        ),
        read("Get", "/applications/a"),
        read("GetApplicationSyncWindows", "/applications/a/syncwindows"),
        read("RevisionMetadata", "/applications/a/revisions/HEAD/metadata"),
        read("RevisionChartDetails", "/applications/a/revisions/HEAD/chartdetails"),
        read("GetOCIMetadata", "/applications/a/revisions/HEAD/ocimetadata"),
        read("GetManifests", "/applications/a/manifests"),
        entry("Update", "PUT /applications/a", Some(changed), &[UPDATE]),
        entry("UpdateSpec", "PUT /applications/a/spec", Some(spec), &[UPDATE]),
        entry("Patch", "PATCH /applications/a", Some(patch), &[GET, UPDATE]),
        entry(
            "Delete",
            "DELETE /applications/a?cascade=false",
            None,
            &[GET, "applications, delete, default/a"],
        ),
        entry("Sync", "POST /applications/a/sync", none(), &[GET, SYNC]),
        read("ManagedResources", "/applications/a/managed-resources"),
        read("ServerSideDiff", "/applications/a/server-side-diff?appName=a"),
        read("ResourceTree", "/applications/a/resource-tree"),
        read("WatchResourceTree", "/stream/applications/a/resource-tree"),
        entry("Rollback", "POST /applications/a/rollback", Some(json!({"id": 0})), &[SYNC]),
        entry("TerminateOperation", "DELETE /applications/a/operation", None, &[SYNC]),
        read("GetResource", &format!("/applications/a/resource?{PLACE}")),
        entry(
            "PatchResource",
            &format!("POST /applications/a/resource?{PLACE}&patchType=application%2Fmerge-patch%2Bjson"),
            Some(json!("{}")),
            &["applications, update/apps/Deployment/default/d, default/a"],
        ),
        read("ListResourceActions", &format!("/applications/a/resource/actions?{PLACE}")),
        entry(
            "RunResourceAction",
            &format!("POST /applications/a/resource/actions?{PLACE}"),
            Some(json!("restart")),
            restart,
        ),
        entry("RunResourceActionV2", "POST /applications/a/resource/actions/v2", Some(action), restart),
        entry(
            "DeleteResource",
            &format!("DELETE /applications/a/resource?{PLACE}"),
            None,
            &["applications, delete/apps/Deployment/default/d, default/a"],
        ),
        entry("PodLogs", "GET /applications/a/pods/none/logs", None, &[GET, "logs, get, default/a"]),
        entry("PodLogs", "GET /applications/a/logs?podName=none", None, &[GET, "logs, get, default/a"]),
        read("ListLinks", "/applications/a/links"),
        read("ListResourceLinks", &format!("/applications/a/resource/links?{PLACE}")),
    ]
}

fn set(name: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {
            "generators": [{"list": {"elements": [{"n": "x"}]}}],
            "template": {"metadata": {"name": "{{n}}"}, "spec": application("x", "guestbook")["spec"]},
        },
    })
}

fn of_sets() -> Vec<Entry> {
    let read = |method: &'static str, path: &str| entry(method, &format!("GET {path}"), None, &[SET]);
    vec![
        read("Get", "/applicationsets/s"),
        read("List", "/applicationsets"),
        entry("Create", "POST /applicationsets", Some(set("new")), &["applicationsets, create, default/new"]),
        entry("Delete", "DELETE /applicationsets/s", None, &["applicationsets, delete, default/s"]),
        read("ResourceTree", "/applicationsets/s/resource-tree"),
        read("ListResourceEvents", "/applicationsets/s/events"),
        read("Watch", "/stream/applicationsets?name=s"),
    ]
}

fn project(name: &str) -> Value {
    let role =
        json!({"name": "ci", "policies": [format!("p, proj:{name}:ci, applications, get, {name}/*, allow")]});
    json!({"project": {"metadata": {"name": name}, "spec": {"description": "x", "roles": [role]}}})
}

fn of_projects() -> Vec<Entry> {
    let read = |method: &'static str, path: &str| entry(method, &format!("GET {path}"), None, &[P_GET]);
    vec![
        read("List", "/projects"),
        read("Get", "/projects/red"),
        read("GetDetailedProject", "/projects/red/detailed"),
        read("GetGlobalProjects", "/projects/red/globalprojects"),
        read("ListEvents", "/projects/red/events"),
        read("GetSyncWindowsState", "/projects/red/syncwindows"),
        read("ListLinks", "/projects/red/links"),
        entry("Create", "POST /projects", Some(project("new")), &["projects, create, new"]),
        entry("Update", "PUT /projects/red", Some(project("red")), &[P_UPDATE]),
        entry("Delete", "DELETE /projects/red", None, &["projects, delete, red"]),
        entry("CreateToken", "POST /projects/red/roles/ci/token", Some(json!({})), &[P_UPDATE]),
        entry("DeleteToken", "DELETE /projects/red/roles/ci/token/0", None, &[P_UPDATE]),
    ]
}

fn of_accounts() -> Vec<Entry> {
    let read: &[&str] = &["accounts, get, alice"];
    let change: &[&str] = &["accounts, update, alice"];
    let password = json!({"name": "alice", "currentPassword": "wrong", "newPassword": "alice-pass2"});
    vec![
        entry("ListAccounts", "GET /account", None, read),
        entry("GetAccount", "GET /account/alice", None, read),
        entry("UpdatePassword", "PUT /account/password", Some(password), change),
        entry("CreateToken", "POST /account/alice/token", Some(json!({})), change),
        entry("DeleteToken", "DELETE /account/alice/token/x", None, change),
    ]
}

fn all() -> Vec<(&'static str, Vec<Entry>)> {
    vec![
        ("application.ApplicationService", of_applications()),
        ("applicationset.ApplicationSetService", of_sets()),
        ("project.ProjectService", of_projects()),
        ("account.AccountService", of_accounts()),
    ]
}

/// Methods without a body of ours, or whose stream of requests REST cannot send.
const NOT_OVER_REST: [&str; 2] =
    ["application.ApplicationService/GetManifestsWithFiles", "applicationset.ApplicationSetService/Generate"];

/// Whether a path is one of a route: its parts are those of the template, whatever stands for a variable.
fn is_of(template: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(part), Some(_)) if part.ends_with("=**}") => return true,
            (Some(part), Some(text)) if part.starts_with('{') && !text.is_empty() => {}
            (Some(part), Some(text)) if part == text => {}
            _ => return false,
        }
    }
}

/// Each place of the REST API, verb and path, is tried by an entry of its own method.
#[test]
fn the_matrix_has_every_route() {
    let all = all();
    let listed =
        |name: &str| OPEN.contains(&name) || LOGGED_IN.contains(&name) || NOT_OVER_REST.contains(&name);
    let mut missing = Vec::new();
    for route in wire::route::routes() {
        let name = format!("{}/{}", route.service, route.method);
        if ELSEWHERE.contains(&route.service.as_str()) || listed(&name) {
            continue;
        }
        let of_service = all.iter().filter(|(service, _)| *service == route.service);
        let mut entries = of_service.flat_map(|(_, entries)| entries);
        let is_tried = entries.any(|entry| {
            entry.method == route.method
                && entry.verb == route.verb.as_str()
                && is_of(&route.template, &entry.path)
        });
        if !is_tried {
            missing.push(format!("{name}: {} {}", route.verb, route.template));
        }
    }
    assert!(missing.is_empty(), "no entry tries {missing:?}");
    let routed: BTreeSet<String> =
        wire::route::routes().iter().map(|route| format!("{}/{}", route.service, route.method)).collect();
    let tried = all.iter().flat_map(|(service, entries)| {
        entries.iter().map(move |entry| format!("{service}/{}", entry.method))
    });
    let named = OPEN.iter().chain(&LOGGED_IN).chain(&NOT_OVER_REST).map(|name| (*name).to_owned());
    let gone: Vec<_> = tried.chain(named).filter(|name| !routed.contains(name)).collect();
    assert!(gone.is_empty(), "there is no route to {gone:?}");
    // Those of registrations are called by their methods, each of which has a line in that table.
    let elsewhere: BTreeSet<String> = wire::route::routes()
        .iter()
        .filter(|route| ELSEWHERE.contains(&route.service.as_str()) && !route.deprecated)
        .map(|route| format!("{}/{}", route.service, route.method))
        .collect();
    let there = crate::registrations::methods();
    let missing: Vec<_> = elsewhere.iter().filter(|name| !there.contains(*name)).collect();
    assert!(missing.is_empty(), "registrations do not try {missing:?}");
}

#[test]
fn a_path_is_of_a_route_part_by_part() {
    assert!(is_of("/api/v1/applications/{name}/logs", "/api/v1/applications/a/logs?x=y"));
    assert!(!is_of("/api/v1/applications/{name}/logs", "/api/v1/applications/a"));
    assert!(!is_of("/api/v1/applications/{name}", "/api/v1/applications/a/logs"));
    assert!(is_of("/api/v1/account/can-i/{resource}/{subresource=**}", "/api/v1/account/can-i/a/b/c"));
}

/// Everything there that the entries are about.
async fn furnish(bench: &Bench, admin: &str) {
    let upsert = async |path: &str, body: Value| {
        let answer = bench.post(&format!("/api/v1/{path}?upsert=true"), admin, body).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    };
    let there = async |path: &str| bench.get(&format!("/api/v1/{path}"), admin).await;
    if there("applications/a?project=default").await.status != 200 {
        upsert("applications", application("a", "guestbook")).await;
    }
    if there("applicationsets/s").await.status != 200 {
        upsert("applicationsets", set("s")).await;
    }
    if there("projects/red").await.status != 200 {
        upsert("projects", project("red")).await;
    }
    for (path, what) in [
        ("applications", "applications/new"),
        ("applicationsets", "applicationsets/new"),
        ("projects", "projects/new"),
    ] {
        let found = there(what).await;
        if found.status == 200 {
            bench.rest("DELETE", &format!("/api/v1/{path}/new?cascade=false"), admin, None).await.good();
        }
    }
    let node = ResourceNode {
        resource_ref: ResourceRef {
            group: "apps".into(),
            version: "v1".into(),
            kind: "Deployment".into(),
            namespace: "default".into(),
            name: "d".into(),
            uid: "u".into(),
        },
        ..ResourceNode::default()
    };
    bench.found("a", &ApplicationTree { nodes: vec![node], ..ApplicationTree::default() }, &[]).await;
}

/// Status and what is said at once.
async fn ask(bench: &Bench, entry: &Entry, token: &str) -> (u16, String) {
    let patience = if entry.path.contains("/stream/") { SILENCE } else { LIMIT };
    let mut request = Request::builder()
        .method(entry.verb)
        .uri(&entry.path)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"));
    if token.is_empty() {
        request.headers_mut().expect("it is well formed").remove("authorization");
    }
    let body = entry.body.as_ref().map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let answer = bench.router.clone().oneshot(request.body(body).expect("it is well formed"));
    let Ok(answer) = tokio::time::timeout(patience, answer).await else { return (200, String::new()) };
    let (parts, mut body) = answer.expect("an answer").into_parts();
    let mut text = String::new();
    while let Ok(Some(Ok(frame))) =
        tokio::time::timeout(patience, http_body_util::BodyExt::frame(&mut body)).await
    {
        if let Ok(data) = frame.into_data() {
            text.push_str(&String::from_utf8_lossy(&data));
        }
    }
    (parts.status.as_u16(), text)
}

async fn permit(bench: &Bench, lines: impl Iterator<Item = &str>) {
    let policy: String = lines.map(|line| format!("p, bob, {line}, allow\n")).collect();
    configure(&bench.store, "argocd-rbac-cm", json!({"policy.csv": policy})).await;
}

/// A refusal, or an answer in which nothing is.
fn is_refused(entry: &Entry, status: u16, text: &str) -> bool {
    let nothing = text.is_empty()
        || text == "{}" && entry.method == "ListAccounts"
        || text.contains("\"items\":null")
        || text.contains("\"items\":[]");
    let own = text.contains("\"name\":\"bob\"") && !text.contains("alice");
    status == 403
        || (entry.method.contains("List") || entry.method == "Watch") && status == 200 && (nothing || own)
}

#[tokio::test]
async fn cve_2026_27112_every_route_wants_its_rights_and_no_others() {
    let (settings, policy) = two_users();
    let bench = Bench::start("routes", settings, policy).await;
    let admin = bench.admin().await;
    let bob = bench.user(&admin, "bob").await;
    let mut told = Vec::new();
    for (service, entries) in all() {
        for entry in entries {
            furnish(&bench, &admin).await;
            let name = format!("{service}/{} {} {}", entry.method, entry.verb, entry.path);
            let (status, text) = ask(&bench, &entry, "").await;
            if status != 401 {
                told.push(format!("{name} without a session: {status} {text}"));
            }
            for missing in 0..entry.needs.len() {
                let lines = entry.needs.iter().enumerate().filter(|(place, _)| *place != missing);
                permit(&bench, lines.map(|(_, line)| *line)).await;
                let (status, text) = ask(&bench, &entry, &bob).await;
                if !is_refused(&entry, status, &text) {
                    told.push(format!("{name} without {:?}: {status} {text}", entry.needs[missing]));
                }
            }
            permit(&bench, entry.needs.iter().copied()).await;
            let (mut status, mut text) = ask(&bench, &entry, &bob).await;
            // A busy machine takes longer to say the first word of a stream.
            for _ in 0..10 {
                if !(text.is_empty() && entry.method == "Watch") {
                    break;
                }
                (status, text) = ask(&bench, &entry, &bob).await;
            }
            if is_refused(&entry, status, &text) {
                told.push(format!("{name} with {:?}: {status} {text}", entry.needs));
            }
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

/// Who a caller may be, the policy that makes them so, and whether a right is theirs.
struct Role {
    name: &'static str,
    policy: &'static str,
    has: fn(&str) -> bool,
}

/// Kinds that whoever reads may read.
const READABLE: [&str; 5] = ["applications", "applicationsets", "logs", "projects", "accounts"];

fn reads(need: &str) -> bool {
    need.split_once(", get, ").is_some_and(|(kind, _)| READABLE.contains(&kind))
}

const ROLES: [Role; 5] = [
    Role { name: "admin", policy: "g, bob, role:admin", has: |_| true },
    Role { name: "readonly", policy: "g, bob, role:readonly", has: reads },
    Role { name: "default role", policy: "", has: |_| false },
    Role {
        name: "reader with a denial",
        policy: "g, bob, role:readonly\np, bob, applications, *, default/a, deny\np, bob, projects, get, *, deny",
        has: |need| reads(need) && !need.starts_with("applications, ") && !need.starts_with("projects, "),
    },
    Role {
        name: "operator of one project",
        policy: "p, role:ops, applications, *, default/*, allow\np, role:ops, logs, get, default/*, allow\ng, bob, role:ops",
        has: |need| need.starts_with("applications, ") || need.starts_with("logs, "),
    },
];

#[tokio::test]
async fn every_route_answers_each_role_as_its_rights_say() {
    let (settings, policy) = two_users();
    let bench = Bench::start("roles", settings, policy).await;
    let admin = bench.admin().await;
    let bob = bench.user(&admin, "bob").await;
    let mut told = Vec::new();
    for role in &ROLES {
        let policy = json!({"policy.csv": role.policy});
        configure(&bench.store, "argocd-rbac-cm", policy).await;
        for (service, entries) in all() {
            for entry in entries {
                furnish(&bench, &admin).await;
                let wanted = entry.needs.iter().all(|need| (role.has)(need));
                // A stream without a first word is not told from one that is refused by its silence alone.
                let mut asked = ask(&bench, &entry, &bob).await;
                for _ in 0..10 {
                    if !(wanted && asked.1.is_empty() && entry.method == "Watch") {
                        break;
                    }
                    asked = ask(&bench, &entry, &bob).await;
                }
                let (status, text) = asked;
                if is_refused(&entry, status, &text) == wanted {
                    let name = format!("{service}/{} {} {}", entry.method, entry.verb, entry.path);
                    told.push(format!("{} at {name}: {status} {text}", role.name));
                }
            }
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

/// The token of a project's role, and somebody who is let in without a name.
#[tokio::test]
async fn tokens_of_a_project_and_callers_without_a_name_have_their_own_rights() {
    let (mut settings, _) = two_users();
    settings["users.anonymous.enabled"] = "true".into();
    let policy = json!({"policy.csv": "", "policy.default": "role:readonly"});
    let bench = Bench::start("token-roles", settings, policy).await;
    let admin = bench.admin().await;
    furnish(&bench, &admin).await;
    let mut told = Vec::new();
    let issued =
        bench.post("/api/v1/projects/red/roles/ci/token", &admin, json!({"id": "t"})).await.good().json();
    let token = issued["token"].as_str().expect("a token").to_owned();
    for anonymous in [true, false] {
        if !anonymous {
            // Otherwise what the token may not, everybody may.
            configure(&bench.store, "argocd-rbac-cm", json!({"policy.csv": ""})).await;
        }
        for (service, entries) in all() {
            // What changes its project would take the token back.
            let changes = |entry: &Entry| entry.verb != "GET" && entry.path.contains("/projects/red");
            for entry in entries.into_iter().filter(|entry| anonymous || !changes(entry)) {
                let may = |need: &str| if anonymous { reads(need) } else { need == P_GET };
                let wanted = entry.needs.iter().all(|need| may(need));
                let (status, text) = ask(&bench, &entry, if anonymous { "" } else { &token }).await;
                if is_refused(&entry, status, &text) == wanted && !(wanted && text.is_empty()) {
                    let name = format!("{service}/{} {} {}", entry.method, entry.verb, entry.path);
                    told.push(format!("anonymous: {anonymous} at {name}: {status} {text}"));
                }
            }
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[tokio::test]
async fn a_right_elsewhere_is_none_here() {
    let (settings, policy) = two_users();
    let bench = Bench::start("elsewhere", settings, policy).await;
    let admin = bench.admin().await;
    let bob = bench.user(&admin, "bob").await;
    // Everything, of another project, of another application, and of a resource that begins alike.
    let all = ["applications", "applicationsets", "logs", "exec", "applications2"];
    let lines: Vec<String> = all
        .iter()
        .flat_map(|resource| {
            ["red/*", "default/b", "default/aa", "default2/*"]
                .map(|object| format!("{resource}, *, {object}"))
        })
        .collect();
    permit(&bench, lines.iter().map(String::as_str)).await;
    furnish(&bench, &admin).await;
    eventually("the policy is in force", || bench.store.config_map("argocd-rbac-cm").len() == 1).await;
    let mut told = Vec::new();
    for (service, entries) in all_but_accounts() {
        for entry in
            entries.into_iter().filter(|entry| !entry.path.ends_with("/new") && entry.method != "Create")
        {
            let (status, text) = ask(&bench, &entry, &bob).await;
            // Whoever may do something with sets of that name somewhere is told that there is none.
            if status != 404 && !is_refused(&entry, status, &text) {
                told.push(format!("{service}/{}: {status} {text}", entry.method));
            }
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

fn all_but_accounts() -> Vec<(&'static str, Vec<Entry>)> {
    vec![
        ("application.ApplicationService", of_applications()),
        ("applicationset.ApplicationSetService", of_sets()),
    ]
}
