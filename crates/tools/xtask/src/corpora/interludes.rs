//! What the recorder did between the recorded calls, told by the notes in the recordings and by the objects
//! recorded at named moments: pushes, edits behind the server's back, files of the user.

use super::stage::Stage;
use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use transcripts::Call;

/// One thing that was done.
enum Step {
    /// Server-side apply of a YAML document.
    Apply(&'static str),
    /// A merge patch: path, patch.
    Merge(&'static str, &'static str),
    /// Deletion of the object at a path.
    Delete(&'static str),
    /// The next commit of the repository is pushed.
    Push(usize),
    /// The server listens with TLS on its other port, or without.
    Serve { tls: bool },
    /// The configuration file gets a mode.
    Mode(u32),
    /// The configuration file is copied beside, as `cfg2`.
    CopyConfig,
    /// The generated password becomes known.
    InitialPassword,
    /// A context whose user has a token.
    TokenContext,
    /// Settings of notifications, and an application to tell about.
    Notifications,
    /// Time passed: a call of `argocd` shows a text.
    Shows(&'static [&'static str], &'static str),
    /// A call of `argocd` that was not recorded.
    Call(&'static [&'static str]),
    /// When the first token of a role was issued becomes known: the recorded calls name it.
    FirstToken(&'static str),
    /// A second began: tokens are told apart by the second they were issued in.
    NextSecond,
    /// What a placeholder stood for is known no more.
    Forget(&'static str),
}

use Step::{
    Apply, CopyConfig, Delete, FirstToken, Forget, InitialPassword, Merge, Mode, NextSecond, Notifications,
    Push, Serve, Shows, TokenContext,
};

const SETTINGS: &str = include_str!("../../corpora/argocd-cm.yaml");
const POLICY: &str = include_str!("../../corpora/argocd-rbac-cm.yaml");

/// A cluster that cannot be reached.
const DEAD: &str = "{apiVersion: v1, kind: Secret, metadata: {name: cluster-dead, labels: {argocd.argoproj.io/secret-type: cluster}}, \
    stringData: {name: dead, server: 'https://127.0.0.1:1', config: '{\"tlsClientConfig\": {\"insecure\": true}}'}}";
const DEAD_PATH: &str = "/api/v1/namespaces/argocd/secrets/cluster-dead";

/// Before which record what was done.
const INTERLUDES: &[(&str, &[Step])] = &[
    ("01-001", &[Apply(SETTINGS), Serve { tls: false }, InitialPassword]),
    ("01-026", &[CopyConfig]),
    ("01-029", &[CopyConfig]),
    // Without any server left the file is gone.
    ("01-030", &[CopyConfig]),
    (
        "01-043",
        &[
            Merge(
                "/api/v1/namespaces/argocd/configmaps/argocd-cm",
                r#"{"data": {"accounts.alice": "apiKey,login", "accounts.bob": "apiKey", "accounts.carol": "login", "accounts.carol.enabled": "false"}}"#,
            ),
            Apply(POLICY),
        ],
    ),
    ("01-103", &[Mode(0o644)]),
    ("01-104", &[Mode(0o600)]),
    ("02-113", &[Shows(&["app", "get", "guestbook"], "Suspended")]),
    (
        "03-004",
        &[Merge("/apis/apps/v1/namespaces/gb/deployments/guestbook-ui", r#"{"spec": {"replicas": 2}}"#)],
    ),
    (
        "03-127",
        &[Merge("/api/v1/namespaces/sec/secrets/creds", r#"{"stringData": {"password": "changed"}}"#)],
    ),
    ("04-003", &[Push(2)]),
    ("04-004", &[Push(3)]),
    ("04-007", &[Push(4)]),
    ("04-030", &[Delete("/api/v1/namespaces/hist/configmaps/cfg")]),
    ("04-075", &[Shows(&["app", "resources", "guestbook"], "ReplicaSet")]),
    (
        "04-080",
        &[Apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: stray, namespace: orp}, data: {a: b}}")],
    ),
    (
        "05-001",
        &[
            Step::Call(&[
                "app",
                "create",
                "dh2",
                "--repo",
                "<repo>/apps.git",
                "--path",
                "delete-hook",
                "--dest-server",
                "https://kubernetes.default.svc",
                "--dest-namespace",
                "dh",
            ]),
            Step::Call(&["app", "sync", "dh2"]),
            Step::Call(&["app", "delete", "dh2", "--yes", "--wait=false"]),
        ],
    ),
    ("05-126", &[NextSecond]),
    ("05-132", &[FirstToken("team-a")]),
    ("05-133", &[Forget("<epoch>")]),
    ("07-001", &[Notifications]),
    (
        "07-025",
        &[
            Merge(
                "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/notif",
                r#"{"metadata": {"labels": {"other": "x", "poke": "b"}, "annotations": {"notifications.argoproj.io/subscribe.on-synced.plain": ""}}}"#,
            ),
            Shows(&["app", "get", "notif", "-o", "yaml"], ":on-synced:"),
            Step::Call(&["app", "sync", "notif"]),
        ],
    ),
    ("08-001", &[Serve { tls: true }]),
    ("08-011", &[Serve { tls: false }]),
    ("08-036", &[Apply(DEAD)]),
    (
        "08-045",
        &[
            Apply(
                "{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: inv1}, spec: {project: nope, \
                 source: {path: shared, repoURL: <repo>/apps.git}, destination: {server: https://kubernetes.default.svc, namespace: x}}}",
            ),
            Apply(
                "{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: inv2}, spec: {project: default, \
                 source: {path: shared, repoURL: <repo>/apps.git, targetRevision: nope}, destination: {server: https://kubernetes.default.svc, namespace: x}}}",
            ),
            Apply(
                "{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: inv3}, spec: {project: default, \
                 source: {path: shared, repoURL: 'http://127.0.0.1:1/x.git'}, destination: {name: nowhere, namespace: x}}}",
            ),
            Apply(
                "{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: inv4}, spec: {project: default, \
                 destination: {server: https://kubernetes.default.svc, namespace: x}}}",
            ),
            Apply(
                "{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: inv5}, spec: {project: default, \
                 source: {path: vals, repoURL: <privrepo>/secret.git}, destination: {server: https://kubernetes.default.svc, namespace: x}, \
                 syncPolicy: {automated: {}}}}",
            ),
            Apply(
                "{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: auto-fail}, spec: {project: default, \
                 source: {path: broken-apply, repoURL: <repo>/apps.git, targetRevision: HEAD}, \
                 destination: {server: https://kubernetes.default.svc, namespace: ba}, \
                 syncPolicy: {automated: {}, retry: {limit: 1, backoff: {duration: 1s}}}}}",
            ),
        ],
    ),
    ("09-001", &[Delete(DEAD_PATH)]),
    (
        "09-008",
        &[
            Apply(DEAD),
            Apply(
                "{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: unreach, finalizers: [resources-finalizer.argocd.argoproj.io]}, \
                 spec: {project: default, source: {path: shared, repoURL: <repo>/apps.git, targetRevision: HEAD}, \
                 destination: {name: dead, namespace: x}}}",
            ),
            Shows(&["app", "get", "unreach"], "ComparisonError"),
        ],
    ),
    // Without its cluster the application can go.
    ("10-001", &[Delete(DEAD_PATH), TokenContext]),
    (
        "2205",
        &[Apply(
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: argocd-notifications-cm}, data: {\
             service.webhook.first: 'url: http://127.0.0.1:1', template.hello: 'message: hello', \
             trigger.on-hello: '[{when: \"false\", send: [hello]}]'}}",
        )],
    ),
    (
        "2260",
        &[Merge(
            "/api/v1/namespaces/argocd/secrets/argocd-secret",
            r#"{"stringData": {"webhook.github.secret": "lab", "webhook.gitlab.secret": "lab", "webhook.bitbucket.uuid": "right-uuid", "webhook.bitbucketserver.secret": "lab", "webhook.gogs.secret": "lab", "webhook.azuredevops.username": "lab", "webhook.azuredevops.password": "lab", "webhook.harbor.secret": "Bearer lab"}}"#,
        )],
    ),
];

/// One call to Kubernetes: method, path, type, body.
type Change = (&'static str, &'static str, &'static str, &'static str);

const MERGE: &str = "application/merge-patch+json";
const APPLICATIONS: &str = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications";

/// What was done while a stream was open.
const DURING: &[(&str, &[Change])] = &[
    (
        "3001",
        &[(
            "PATCH",
            "/apis/apps/v1/namespaces/gb/deployments/guestbook-ui",
            MERGE,
            r#"{"spec": {"replicas": 2}}"#,
        )],
    ),
    (
        "3002",
        &[(
            "PATCH",
            "/apis/apps/v1/namespaces/gb/deployments/guestbook-ui",
            MERGE,
            r#"{"spec": {"replicas": 1}}"#,
        )],
    ),
    (
        "3003",
        &[
            (
                "PATCH",
                "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/sh1",
                MERGE,
                r#"{"metadata": {"labels": {"a": "b"}}}"#,
            ),
            (
                "PATCH",
                "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/sh1",
                MERGE,
                r#"{"metadata": {"labels": {"a": null}}}"#,
            ),
        ],
    ),
    (
        "3004",
        &[
            (
                "POST",
                APPLICATIONS,
                "application/json",
                r#"{"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "gone"}, "spec": {"project": "default", "source": {"repoURL": "<repo>/apps.git", "path": "shared"}, "destination": {"server": "https://kubernetes.default.svc", "namespace": "ex"}}}"#,
            ),
            (
                "DELETE",
                "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/gone",
                "application/json",
                "",
            ),
        ],
    ),
    (
        "3005",
        &[(
            "PATCH",
            "/apis/argoproj.io/v1alpha1/namespaces/argocd/applicationsets/as-list",
            MERGE,
            r#"{"metadata": {"labels": {"k": "v"}}}"#,
        )],
    ),
];

/// Whether something was done while the record's stream was open.
pub(super) fn changes(record: &str) -> bool {
    DURING.iter().any(|(case, _)| record.starts_with(case))
}

/// Starts what was done while the record's stream was open: a moment after it begins, one thing after another.
pub(super) fn during(record: &str, stage: &Stage) -> Option<std::thread::JoinHandle<()>> {
    let (_, changes) = DURING.iter().find(|(case, _)| record.starts_with(case))?;
    let (kubernetes, replacements) = (stage.kubernetes.clone(), stage.replacements());
    Some(std::thread::spawn(move || {
        for (method, path, kind, body) in *changes {
            std::thread::sleep(BETWEEN);
            // One that fails is seen by what the stream does not say.
            kubernetes.call(method, path, kind, &replacements.concrete(body)).ok();
        }
    }))
}

/// How long a stream is open before something happens.
const BETWEEN: Duration = Duration::from_millis(1500);

/// Does what was done before a record.
pub(super) fn before(record: &str, stage: &mut Stage) -> Result<()> {
    for (case, steps) in INTERLUDES {
        if record.starts_with(case) {
            for step in *steps {
                step.act(stage).with_context(|| format!("prepare {record}"))?;
            }
        }
    }
    Ok(())
}

impl Step {
    fn act(&self, stage: &mut Stage) -> Result<()> {
        let config = || stage.config();
        match self {
            Apply(text) => stage.apply(&object::yaml::decode(text.as_bytes())?),
            Merge(path, patch) => stage.merge(path, patch),
            Delete(path) => match stage.kubernetes.call("DELETE", path, "application/json", "") {
                // The phase that made it was left out.
                Err(error) if error.to_string().contains(": 404 ") => Ok(()),
                other => other.map(drop),
            },
            Push(number) => stage.commit(*number),
            Serve { tls } => stage.serve(*tls),
            Mode(mode) => Ok(fs::set_permissions(config(), fs::Permissions::from_mode(*mode))?),
            CopyConfig => {
                let to = stage.home().join("cfg2");
                fs::copy(config(), &to)?;
                Ok(fs::set_permissions(&to, fs::Permissions::from_mode(0o600))?)
            }
            InitialPassword => initial_password(stage),
            TokenContext => stage.token_context(),
            Notifications => super::notifications::prepare(stage),
            // What does not come is seen by the record that waits for it.
            Shows(words, text) => {
                let call = call(words);
                let shown = || stage.call(&call, None).ok()?.output.contains(text).then_some(());
                testkit::poll(Duration::from_secs(15), shown);
                Ok(())
            }
            FirstToken(project) => first_token(stage, project),
            NextSecond => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
                std::thread::sleep(Duration::from_secs(now.as_secs() + 1).saturating_sub(now));
                Ok(())
            }
            Forget(name) => {
                stage.known.retain(|(known, _)| known != name);
                Ok(())
            }
            // What fails is seen by what is looked at afterwards.
            Step::Call(words) => stage.call(&call(words), None).map(drop),
        }
    }
}

fn first_token(stage: &mut Stage, project: &str) -> Result<()> {
    let path = format!("/apis/argoproj.io/v1alpha1/namespaces/argocd/appprojects/{project}");
    let found: Value = serde_json::from_str(&stage.kubernetes.call("GET", &path, "application/json", "")?)?;
    // Without a token the call that names it is seen to fail.
    if let Some(issued) = found.pointer("/spec/roles/0/jwtTokens/0/iat") {
        stage.know("<epoch>", issued.to_string());
    }
    Ok(())
}

fn call(words: &[&str]) -> Call {
    Call { words: words.iter().map(|word| (*word).to_owned()).collect(), ..Call::default() }
}

fn initial_password(stage: &mut Stage) -> Result<()> {
    let path = "/api/v1/namespaces/argocd/secrets/argocd-initial-admin-secret";
    let found = testkit::poll(Duration::from_secs(30), || {
        let text = stage.kubernetes.call("GET", path, "application/json", "").ok()?;
        let secret: Value = serde_json::from_str(&text).ok()?;
        let decoded = STANDARD.decode(secret.pointer("/data/password")?.as_str()?).ok()?;
        String::from_utf8(decoded).ok()
    });
    stage.know("<initial-password>", found.context("the server made no password")?);
    Ok(())
}
