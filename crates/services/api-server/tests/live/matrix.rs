//! Every route of the REST API, and so every method of the services behind it, with exactly the rights that `proto/` says
//! it wants: with all of them it is not refused, without any one of them it is, and each role is answered as its policy
//! says. Methods of registrations are called over gRPC, in `registrations`.

use crate::bench::{Bench, application, configure, eventually, two_users};
use api::v1alpha1::{ApplicationTree, ResourceNode, ResourceRef};
use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;
use tonic::Code;
use tonic::transport::Channel;
use tower::ServiceExt as _;
use wire::application::application_manifest_query_with_files_wrapper::Part;
use wire::application::application_service_client::ApplicationServiceClient;
use wire::application::{ApplicationManifestQueryWithFiles, ApplicationManifestQueryWithFilesWrapper};
use wire::rights::{Caller, Right, Wants};

/// Services whose methods `registrations` tries.
const ELSEWHERE: [&str; 5] = [
    "repository.RepositoryService",
    "repocreds.RepoCredsService",
    "cluster.ClusterService",
    "certificate.CertificateService",
    "gpgkey.GPGKeyService",
];
const APPLICATIONS: &str = "application.ApplicationService";
const SETS: &str = "applicationset.ApplicationSetService";

/// What the names in the braces of rights stand for.
pub type Values = &'static [(&'static str, &'static str)];

const OF_APPLICATION: Values = &[
    ("project", "default"),
    ("name", "a"),
    ("group", "apps"),
    ("kind", "Deployment"),
    ("namespace", "default"),
    ("resourceName", "d"),
    ("action", "restart"),
];
const OF_SET: Values = &[("project", "default"), ("name", "s")];
const OF_PROJECT: Values = &[
    ("project", "red"),
    ("name", "red"),
    ("server", "https://kubernetes.default.svc"),
    ("repo", "https://git.example/a.git"),
];
const OF_ACCOUNT: Values = &[("name", "alice")];
const NEW: Values = &[("name", "new")];

/// When an `upsert` wants more.
pub const UPSERT: &str = "`upsert` changes what is there";

/// A stream that says nothing for this long says nothing at all.
const SILENCE: Duration = Duration::from_millis(700);
/// Longer than any answer takes.
const LIMIT: Duration = Duration::from_secs(30);

const PLACE: &str = "namespace=default&resourceName=d&version=v1&kind=Deployment&group=apps";

/// A call that REST can say.
struct Entry {
    method: &'static str,
    verb: &'static str,
    path: String,
    body: Option<Value>,
    /// What names of its rights stand for otherwise than in the other calls of its service.
    own: Values,
    /// Conditions that it meets, in the words of `proto/`.
    met: &'static [&'static str],
}

impl Entry {
    fn of(self, own: Values) -> Self {
        Self { own, ..self }
    }

    fn met(self, met: &'static [&'static str]) -> Self {
        Self { met, ..self }
    }
}

fn entry(method: &'static str, call: &str, body: Option<Value>) -> Entry {
    let (verb, path) = call.split_once(' ').expect("verb and path");
    let verb =
        ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().find(|known| *known == verb).expect("a verb");
    let path = if path.starts_with("/api/") { path.to_owned() } else { format!("/api/v1{path}") };
    Entry { method, verb, path, body, own: &[], met: &[] }
}

fn read(method: &'static str, path: &str) -> Entry {
    entry(method, &format!("GET {path}"), None)
}

fn of_applications() -> Vec<Entry> {
    let mut changed = application("a", "other");
    changed["metadata"]["labels"] = json!({"changed": "yes"});
    let spec = changed["spec"].clone();
    let action = json!({"namespace": "default", "resourceName": "d", "version": "v1", "group": "apps", "kind": "Deployment", "action": "restart"});
    let patch = json!({"patch": r#"{"metadata":{"labels":{"x":"y"}}}"#, "patchType": "merge"});
    let mut upserted = application("a", "guestbook");
    upserted["metadata"]["labels"] = json!({"upserted": "yes"});
    vec![
        read("List", "/applications"),
        read("ListResourceEvents", "/applications/a/events"),
        read("Watch", "/stream/applications?name=a"),
        entry("Create", "POST /applications", Some(application("new", "guestbook"))).of(NEW),
        read("Get", "/applications/a"),
        read("GetApplicationSyncWindows", "/applications/a/syncwindows"),
        read("RevisionMetadata", "/applications/a/revisions/HEAD/metadata"),
        read("RevisionChartDetails", "/applications/a/revisions/HEAD/chartdetails"),
        read("GetOCIMetadata", "/applications/a/revisions/HEAD/ocimetadata"),
        read("GetManifests", "/applications/a/manifests"),
        entry("Update", "PUT /applications/a", Some(changed)),
        entry("UpdateSpec", "PUT /applications/a/spec", Some(spec)),
        entry("Patch", "PATCH /applications/a", Some(patch)),
        entry("Delete", "DELETE /applications/a?cascade=false", None),
        entry("Create", "POST /applications?upsert=true", Some(upserted))
            .met(&["one of the name is there", UPSERT]),
        entry("Sync", "POST /applications/a/sync", Some(json!({"manifests": ["{}"]})))
            .met(&["manifests are sent along"]),
        entry("Sync", "POST /applications/a/sync", Some(json!({}))),
        read("ManagedResources", "/applications/a/managed-resources"),
        read("ServerSideDiff", "/applications/a/server-side-diff?appName=a"),
        read("ResourceTree", "/applications/a/resource-tree"),
        read("WatchResourceTree", "/stream/applications/a/resource-tree"),
        entry("Rollback", "POST /applications/a/rollback", Some(json!({"id": 0}))),
        entry("TerminateOperation", "DELETE /applications/a/operation", None),
        read("GetResource", &format!("/applications/a/resource?{PLACE}")),
        entry(
            "PatchResource",
            &format!("POST /applications/a/resource?{PLACE}&patchType=application%2Fmerge-patch%2Bjson"),
            Some(json!("{}")),
        ),
        read("ListResourceActions", &format!("/applications/a/resource/actions?{PLACE}")),
        entry(
            "RunResourceAction",
            &format!("POST /applications/a/resource/actions?{PLACE}"),
            Some(json!("restart")),
        ),
        entry("RunResourceActionV2", "POST /applications/a/resource/actions/v2", Some(action)),
        entry("DeleteResource", &format!("DELETE /applications/a/resource?{PLACE}"), None),
        read("PodLogs", "/applications/a/pods/none/logs"),
        read("PodLogs", "/applications/a/logs?podName=none"),
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
    let mut upserted = set("s");
    upserted["spec"]["generators"][0]["list"]["elements"][0]["n"] = "y".into();
    vec![
        read("Get", "/applicationsets/s"),
        read("List", "/applicationsets"),
        entry("Create", "POST /applicationsets", Some(set("new"))).of(NEW),
        entry("Create", "POST /applicationsets?upsert=true", Some(upserted)).met(&[UPSERT]),
        entry("Delete", "DELETE /applicationsets/s", None),
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
    let mut opened = project("red");
    opened["project"]["spec"]["sourceRepos"] = json!(["https://git.example/a.git"]);
    opened["project"]["spec"]["destinations"] =
        json!([{"server": "https://kubernetes.default.svc", "namespace": "*"}]);
    vec![
        read("List", "/projects"),
        read("Get", "/projects/red"),
        read("GetDetailedProject", "/projects/red/detailed"),
        read("GetGlobalProjects", "/projects/red/globalprojects"),
        read("ListEvents", "/projects/red/events"),
        read("GetSyncWindowsState", "/projects/red/syncwindows"),
        read("ListLinks", "/projects/red/links"),
        entry("Create", "POST /projects", Some(project("new"))).of(NEW),
        entry("Update", "PUT /projects/red", Some(project("red"))),
        // It is deleted next, and made as it was.
        entry("Update", "PUT /projects/red", Some(opened))
            .met(&["a destination is added or taken away", "a repository is added or taken away"]),
        entry("Delete", "DELETE /projects/red", None),
        entry("CreateToken", "POST /projects/red/roles/ci/token", Some(json!({}))),
        entry("DeleteToken", "DELETE /projects/red/roles/ci/token/0", None),
    ]
}

fn of_accounts() -> Vec<Entry> {
    let password = json!({"name": "alice", "currentPassword": "wrong", "newPassword": "alice-pass2"});
    vec![
        read("CanI", "/account/can-i/applications/get/default/a"),
        read("ListAccounts", "/account"),
        read("GetAccount", "/account/alice"),
        entry("UpdatePassword", "PUT /account/password", Some(password)),
        entry("CreateToken", "POST /account/alice/token", Some(json!({}))),
        entry("DeleteToken", "DELETE /account/alice/token/x", None),
    ]
}

fn of_sessions() -> Vec<Entry> {
    let login = json!({"username": "bob", "password": "bob-pass1"});
    vec![
        read("GetUserInfo", "/session/userinfo"),
        entry("Create", "POST /session", Some(login)),
        entry("Delete", "DELETE /session", None),
    ]
}

fn of_notifications() -> Vec<Entry> {
    vec![
        read("ListTriggers", "/notifications/triggers"),
        read("ListServices", "/notifications/services"),
        read("ListTemplates", "/notifications/templates"),
    ]
}

/// An entry, and what `proto/` says that it wants.
struct Tried {
    entry: Entry,
    wants: &'static Wants,
    needs: Vec<Right>,
}

impl Tried {
    fn name(&self) -> String {
        let (service, method) = (&self.wants.service, &self.wants.method);
        format!("{service}/{method} {} {}", self.entry.verb, self.entry.path)
    }

    /// Whose call is tried: whom nobody asks for a session has none.
    fn token<'t>(&self, token: &'t str) -> &'t str {
        if self.wants.caller == Caller::Anybody { "" } else { token }
    }
}

fn all() -> Vec<Tried> {
    let settings = vec![read("Get", "/settings"), read("GetPlugins", "/settings/plugins")];
    let services: [(&str, Values, Vec<Entry>); 8] = [
        (APPLICATIONS, OF_APPLICATION, of_applications()),
        (SETS, OF_SET, of_sets()),
        ("project.ProjectService", OF_PROJECT, of_projects()),
        ("account.AccountService", OF_ACCOUNT, of_accounts()),
        ("session.SessionService", &[], of_sessions()),
        ("cluster.SettingsService", &[], settings),
        ("notification.NotificationService", &[], of_notifications()),
        ("version.VersionService", &[], vec![read("Version", "/api/version")]),
    ];
    let tried = services.into_iter().flat_map(|(service, values, entries)| {
        entries.into_iter().map(move |entry| {
            let wants = wants(service, entry.method);
            let needs = needs(wants, &[entry.own, values].concat(), entry.met);
            Tried { entry, wants, needs }
        })
    });
    tried.collect()
}

/// What `proto/` says of a method.
pub fn wants(service: &str, method: &str) -> &'static Wants {
    wire::rights::of(service, method).unwrap_or_else(|| panic!("{service} has no method {method}"))
}

/// The rights that a call of a method wants.
pub fn needs(wants: &Wants, values: &[(&str, &str)], met: &[&str]) -> Vec<Right> {
    let name = format!("{}/{}", wants.service, wants.method);
    let mut rights = wants.all.clone();
    for when in met {
        let condition = wants.also.iter().find(|condition| condition.when == *when);
        rights.extend(condition.unwrap_or_else(|| panic!("{name} wants no more when {when}")).all.clone());
    }
    let value = |name: &str| {
        let found = values.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let filled = rights.iter().map(|right| right.filled(value));
    filled.map(|right| right.unwrap_or_else(|what| panic!("{name}: nothing stands for {what}"))).collect()
}

/// Methods whose stream of requests REST cannot send.
const NOT_OVER_REST: [&str; 1] = ["application.ApplicationService/GetManifestsWithFiles"];

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

/// Each place of the REST API, verb and path, is tried by an entry of its own method, and each method says what it wants.
#[test]
fn the_matrix_has_every_route() {
    let all = all();
    let unsaid: Vec<_> =
        wire::rights::methods().iter().filter(|wants| wants.caller == Caller::Unsaid).collect();
    assert!(unsaid.is_empty(), "proto/ does not say what is wanted by {unsaid:?}");
    let mut missing = Vec::new();
    for route in wire::route::routes() {
        let name = format!("{}/{}", route.service, route.method);
        let unanswered = wants(&route.service, &route.method).caller == Caller::Nobody;
        if ELSEWHERE.contains(&route.service.as_str()) || NOT_OVER_REST.contains(&name.as_str()) || unanswered
        {
            continue;
        }
        let is_tried = all.iter().any(|tried| {
            tried.wants.service == route.service
                && tried.wants.method == route.method
                && tried.entry.verb == route.verb.as_str()
                && is_of(&route.template, &tried.entry.path)
        });
        if !is_tried {
            missing.push(format!("{name}: {} {}", route.verb, route.template));
        }
    }
    assert!(missing.is_empty(), "no entry tries {missing:?}");
    // Those of registrations are called by their methods, each of which has a line in that table.
    let there = crate::registrations::methods();
    let elsewhere: BTreeSet<String> = wire::rights::methods()
        .iter()
        .filter(|wants| ELSEWHERE.contains(&wants.service.as_str()))
        .map(|wants| format!("{}/{}", wants.service, wants.method))
        .collect();
    assert_eq!(there, elsewhere);
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

pub async fn permit(bench: &Bench, lines: impl Iterator<Item = impl Display>) {
    let policy: String = lines.map(|line| format!("p, bob, {line}, allow\n")).collect();
    configure(&bench.store, "argocd-rbac-cm", json!({"policy.csv": policy})).await;
}

/// A refusal, or an answer in which nothing is of a method that leaves out what may not be seen.
fn is_refused(tried: &Tried, status: u16, text: &str) -> bool {
    let own = tried.entry.method == "ListAccounts"
        && (text == "{}" || text.contains("\"name\":\"bob\"") && !text.contains("alice"));
    let nothing = text.is_empty() || text.contains("\"items\":null") || text.contains("\"items\":[]");
    status == 403 || tried.wants.filtered && status == 200 && (nothing || own)
}

#[tokio::test]
async fn cve_2026_27112_every_route_wants_its_rights_and_no_others() {
    let (settings, policy) = two_users();
    let bench = Bench::start("routes", settings, policy).await;
    let admin = bench.admin().await;
    let bob = bench.user(&admin, "bob").await;
    let mut told = Vec::new();
    for tried in all() {
        furnish(&bench, &admin).await;
        let (name, needs) = (tried.name(), &tried.needs);
        let (status, text) = ask(&bench, &tried.entry, "").await;
        if tried.wants.caller == Caller::Anybody {
            if status != 200 {
                told.push(format!("{name} without a session, of which it needs none: {status} {text}"));
            }
            continue;
        }
        if status != 401 {
            told.push(format!("{name} without a session: {status} {text}"));
        }
        for missing in 0..needs.len() {
            let lines = needs.iter().enumerate().filter(|(place, _)| *place != missing);
            permit(&bench, lines.map(|(_, line)| line)).await;
            let (status, text) = ask(&bench, &tried.entry, &bob).await;
            if !is_refused(&tried, status, &text) {
                told.push(format!("{name} without {}: {status} {text}", needs[missing]));
            }
        }
        permit(&bench, needs.iter()).await;
        let (status, text) = heard(&bench, &tried, &bob, true).await;
        if is_refused(&tried, status, &text) {
            told.push(format!("{name} with {needs:?}: {status} {text}"));
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

/// The same as `ask`. A stream without a first word is not told from one that is refused by its silence alone, and a busy
/// machine takes longer to say it: where there should be one it is asked again.
async fn heard(bench: &Bench, tried: &Tried, token: &str, wanted: bool) -> (u16, String) {
    let mut asked = ask(bench, &tried.entry, tried.token(token)).await;
    for _ in 0..10 {
        if !(wanted && asked.1.is_empty() && tried.entry.method == "Watch") {
            break;
        }
        asked = ask(bench, &tried.entry, tried.token(token)).await;
    }
    asked
}

/// Who a caller may be, and the policy that makes them so.
pub struct Role {
    pub name: &'static str,
    pub policy: &'static str,
}

impl Role {
    /// Whether bob has all of these rights, by the policy and by the roles that are always there.
    pub fn has(&self, needs: &[Right]) -> bool {
        let mut policy = rbac::builtin();
        policy.extend(rbac::Policy::parse(self.policy).expect("a policy"));
        let bob = rbac::Enforcer::new(&policy, "", rbac::MatchMode::Glob).permissions("bob", &[]);
        needs
            .iter()
            .all(|Right { resource, action, object }| bob.permit(rbac::Request { resource, action, object }))
    }
}

pub const READER: Role = Role { name: "readonly", policy: "g, bob, role:readonly" };
pub const ROLES: [Role; 5] = [
    Role { name: "admin", policy: "g, bob, role:admin" },
    READER,
    Role { name: "no role", policy: "" },
    Role {
        name: "reader with a denial",
        policy: "g, bob, role:readonly\np, bob, applications, *, default/a, deny\np, bob, projects, get, *, deny",
    },
    Role {
        name: "operator of one project",
        policy: "p, role:ops, applications, *, default/*, allow\np, role:ops, logs, get, default/*, allow\ng, bob, role:ops",
    },
];

#[test]
fn roles_are_what_their_names_say() {
    let right = |resource: &str, action: &str| Right {
        resource: resource.into(),
        action: action.into(),
        object: "default/a".into(),
    };
    let has = |resource: &str, action: &str| ROLES.map(|role| role.has(&[right(resource, action)]));
    assert_eq!(has("applications", "get"), [true, true, false, false, true]);
    assert_eq!(has("applications", "sync"), [true, false, false, false, true]);
    assert_eq!(has("logs", "get"), [true, true, false, true, true]);
    assert_eq!(has("applicationsets", "create"), [true, false, false, false, false]);
}

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
        for tried in all() {
            furnish(&bench, &admin).await;
            let wanted = role.has(&tried.needs);
            let (status, text) = heard(&bench, &tried, &bob, wanted).await;
            if is_refused(&tried, status, &text) == wanted {
                told.push(format!("{} at {}: {status} {text}", role.name, tried.name()));
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
        // What changes its project would take the token back.
        let changes = |entry: &Entry| entry.verb != "GET" && entry.path.contains("/projects/red");
        for tried in all().into_iter().filter(|tried| anonymous || !changes(&tried.entry)) {
            let of_token =
                |needs: &[Right]| needs.iter().all(|need| need.to_string() == "projects, get, red");
            let wanted = if anonymous { READER.has(&tried.needs) } else { of_token(&tried.needs) };
            let caller = if anonymous { "" } else { tried.token(&token) };
            let (status, text) = ask(&bench, &tried.entry, caller).await;
            if is_refused(&tried, status, &text) == wanted && !(wanted && text.is_empty()) {
                told.push(format!("anonymous: {anonymous} at {}: {status} {text}", tried.name()));
            }
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

/// What comes of files that are sent along.
async fn with_files(channel: &Channel, token: &str) -> Code {
    let query =
        ApplicationManifestQueryWithFiles { name: "a".into(), checksum: "c".into(), ..Default::default() };
    let part = ApplicationManifestQueryWithFilesWrapper { part: Some(Part::Query(query)) };
    let mut request = tonic::Request::new(futures::stream::iter([part]));
    request.metadata_mut().insert("token", token.parse().expect("a token"));
    let answer = ApplicationServiceClient::new(channel.clone()).get_manifests_with_files(request).await;
    answer.err().map_or(Code::Ok, |status| status.code())
}

#[tokio::test]
async fn what_rest_cannot_send_wants_its_rights_and_what_is_not_answered_is_not() {
    let (settings, policy) = two_users();
    let bench = Bench::start("streamed-rights", settings, policy).await;
    let admin = bench.admin().await;
    let bob = bench.user(&admin, "bob").await;
    furnish(&bench, &admin).await;
    let channel = transport::in_process(bench.server.grpc_router().expect("a router")).expect("a channel");
    let needs = needs(wants(APPLICATIONS, "GetManifestsWithFiles"), OF_APPLICATION, &[]);
    // The last time, none is missing.
    for missing in 0..=needs.len() {
        let lines = needs.iter().enumerate().filter(|(place, _)| *place != missing);
        permit(&bench, lines.map(|(_, line)| line)).await;
        let code = with_files(&channel, &bob).await;
        assert_eq!(code == Code::PermissionDenied, missing < needs.len(), "{code:?} without {missing}");
    }
    for role in &ROLES {
        configure(&bench.store, "argocd-rbac-cm", json!({"policy.csv": role.policy})).await;
        let code = with_files(&channel, &bob).await;
        assert_eq!(code != Code::PermissionDenied, role.has(&needs), "{}: {code:?}", role.name);
    }
    // Once one of these is answered, `proto/` must say what it wants.
    let unanswered =
        |route: &&wire::route::Route| wants(&route.service, &route.method).caller == Caller::Nobody;
    let mut found = 0;
    for route in wire::route::routes().iter().filter(unanswered) {
        found += 1;
        let answer = bench.rest(route.verb.as_str(), &route.template, &admin, Some(json!({}))).await;
        assert_eq!(answer.status, 501, "{}: {answer:?}", route.template);
    }
    assert_eq!(found, 1);
}

#[tokio::test]
async fn a_right_elsewhere_is_none_here() {
    let (settings, policy) = two_users();
    let bench = Bench::start("elsewhere", settings, policy).await;
    let admin = bench.admin().await;
    let bob = bench.user(&admin, "bob").await;
    // Everything, of another project, of another application, and of a resource that begins alike.
    let resources = ["applications", "applicationsets", "logs", "exec", "applications2"];
    let lines: Vec<String> = resources
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
    for tried in all() {
        let of_project = [APPLICATIONS, SETS].contains(&tried.wants.service.as_str());
        if !of_project || tried.entry.path.ends_with("/new") || tried.entry.method == "Create" {
            continue;
        }
        let (status, text) = ask(&bench, &tried.entry, &bob).await;
        // Whoever may do something with sets of that name somewhere is told that there is none.
        if status != 404 && !is_refused(&tried, status, &text) {
            told.push(format!("{}: {status} {text}", tried.name()));
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}
