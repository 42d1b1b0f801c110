//! A pull request, told by a webhook, is answered at its provider: a status, and a comment that the next push edits.

use crate::installation::{Installation, NAMESPACE, Part, config_map, installation};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use testkit::git_http::{GitHttp, Options};
use testkit::git_repo::GitRepo;
use testkit::sink::{Answer, HttpSink, Received};

const SECRET: &str = "shared-words-of-a-hook";
const STATUSES: &str = "POST /repos/org/pulls/statuses/";
const COMMENTS: &str = "/repos/org/pulls/issues/7/comments";
const MERGE: &str = "/projects/org%2Fpulls/merge_requests/7";
const MERGE_STATUSES: &str = "POST /projects/org%2Fpulls/statuses/";

/// A repository behind a server, and a provider's API that remembers what it was told.
struct Provider {
    served: GitHttp,
    api: HttpSink,
}

impl Provider {
    fn url(&self) -> String {
        self.served.url("org/pulls.git")
    }

    /// Tells the api-server of the request, as GitHub does.
    fn tell(&self, installation: &Installation, action: &str, head: &str, from: &str) {
        let body = json!({
            "action": action, "number": 7,
            "pull_request": {
                "head": {"ref": "feature", "sha": head, "repo": {"full_name": from}},
                "base": {"ref": "main", "sha": head},
            },
            "repository": {
                "name": "pulls", "full_name": "org/pulls", "html_url": self.url(), "url": "https://api.example/repos/org/pulls",
                "owner": {"login": "org"}, "default_branch": "main",
            },
        })
        .to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        self.api.answer(
            "GET /repos/org/pulls/pulls/7",
            [Answer::new(200, &json!({"state": "open", "head": {"sha": head}}).to_string())],
        );
        let signature = format!("sha256={digits}");
        let proof = [("X-GitHub-Event", "pull_request"), ("X-Hub-Signature-256", &*signature)];
        assert_eq!(post(installation, &proof, body), 200, "{}", installation.last_words());
    }

    /// Tells the api-server of a merge request, as GitLab does.
    fn tell_merge(&self, installation: &Installation, action: &str, before: &str, head: &str) {
        let body = json!({
            "object_kind": "merge_request",
            "project": {
                "id": 14, "name": "pulls", "web_url": self.served.url("org/pulls"), "path_with_namespace": "org/pulls",
                "default_branch": "main",
            },
            "object_attributes": {
                "id": 99, "iid": 7, "target_branch": "main", "source_branch": "feature", "source_project_id": 14,
                "target_project_id": 14, "action": action, "oldrev": before, "last_commit": {"id": head},
            },
        })
        .to_string();
        let state = json!({"state": "opened", "sha": head}).to_string();
        self.api.answer(&format!("GET {MERGE}"), [Answer::new(200, &state)]);
        let proof = [("X-Gitlab-Event", "Merge Request Hook"), ("X-Gitlab-Token", SECRET)];
        assert_eq!(post(installation, &proof, body), 200, "{}", installation.last_words());
    }

    fn told(&self, begins: &str) -> Vec<Received> {
        let fits = |request: &Received| format!("{} {}", request.method, request.target).starts_with(begins);
        self.api.requests().into_iter().filter(fits).collect()
    }

    /// The last status of a commit that says how it ended.
    fn status(&self, installation: &Installation, statuses: &str, commit: &str) -> Value {
        let begins = format!("{statuses}{commit}");
        installation.until("a status", || {
            let last = self.told(&begins).pop()?;
            let status: Value = serde_json::from_str(&last.body).unwrap();
            (status["state"] != "pending" && status["state"] != "running").then_some(status)
        })
    }
}

/// Posts an event; the status of the answer.
fn post(installation: &Installation, headers: &[(&str, &str)], body: String) -> u16 {
    rustls::crypto::ring::default_provider().install_default().ok();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
        let address = format!("https://{}/api/webhook", installation.server());
        let mut request = client.post(address).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().status().as_u16()
    })
}

/// What is asked for in `argocd-cm`, with the secrets it refers to.
fn configured(installation: &Installation, provider: &Provider) {
    installation.kube.merge(
        "v1",
        "Secret",
        NAMESPACE,
        "argocd-secret",
        json!({"stringData": {
            "webhook.github.secret": SECRET, "webhook.gitlab.secret": SECRET, "pull-request-token": "canary-of-the-account",
        }}),
    );
    let accounts = format!(
        "- url: {}\n  api: {}\n  token: $pull-request-token\n",
        provider.served.url(""),
        provider.api.url()
    );
    installation.set("argocd-cm", "pullrequests.accounts", Some(&accounts));
    installation.set("argocd-cm", "pullrequests.enabled", Some("true"));
    installation.set("argocd-cm", "url", Some("https://argocd.example.com"));
}

fn deconfigured(installation: &Installation) {
    for key in ["pullrequests.accounts", "pullrequests.enabled", "pullrequests.forks", "url"] {
        installation.set("argocd-cm", key, None);
    }
    let gone = json!({"data": {"webhook.github.secret": null, "webhook.gitlab.secret": null, "pull-request-token": null}});
    installation.kube.merge("v1", "Secret", NAMESPACE, "argocd-secret", gone);
}

/// An application that wants its pull requests answered.
fn asking(installation: &Installation, provider: &Provider, name: &str, path: &str) {
    let arguments = installation.creation(name, &provider.url(), path, &["--sync-policy", "auto"]);
    installation.succeed(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let asked =
        json!({"metadata": {"annotations": {"argocd.argoproj.io/pull-request-feedback": "status,comment"}}});
    installation.kube.merge("argoproj.io/v1alpha1", "Application", NAMESPACE, name, asked);
    installation.until_synced(name);
}

#[test]
fn a_request_is_answered_and_the_next_push_edits_the_comment() {
    let installation = installation();
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  password: canary-password\n";
    let files = [
        ("one/a.yaml", &*config_map("a", "first")),
        ("one/s.yaml", secret),
        ("two/b.yaml", &*config_map("b", "first")),
    ];
    let mut repository = GitRepo::from_files("org/pulls", &files).unwrap();
    let served = GitHttp::serve(&repository.root(), &Options::default()).unwrap();
    let provider = Provider { served, api: HttpSink::start().unwrap() };
    configured(&installation, &provider);
    for (name, path) in [("pulls-one", "one"), ("pulls-two", "two")] {
        asking(&installation, &provider, name, path);
    }

    // The first push: one application is changed, the other one is not touched.
    repository.branch("feature").unwrap();
    repository.write("one/a.yaml", config_map("a", "second")).unwrap();
    let first = repository.change("one/new.yaml", &config_map("leak", "canary-password")).unwrap();
    provider.api.answer(&format!("GET {COMMENTS}"), [Answer::new(200, "[]")]);
    provider.tell(&installation, "opened", &first, "org/pulls");
    let status = provider.status(&installation, STATUSES, &first);
    assert_eq!(
        status,
        json!({
            "state": "success", "context": "argocd/pulls-one", "description": "1 created, 1 changed",
            "target_url": "https://argocd.example.com/applications/argocd/pulls-one",
        })
    );
    let written = installation.until("a comment", || provider.told(&format!("POST {COMMENTS}")).pop());
    let text: Value = serde_json::from_str(&written.body).unwrap();
    let text = text["body"].as_str().unwrap().to_owned();
    assert!(text.contains("-  value: first\n+  value: second\n"), "{text}");
    assert!(text.contains("ConfigMap pulls-one/leak created") && !text.contains("canary"), "{text}");
    assert!(!text.contains("pulls-two"), "{text}");
    let statuses: Vec<String> = provider.told(STATUSES).into_iter().map(|request| request.body).collect();
    assert!(statuses[0].contains("\"pending\"") && statuses.len() == 2, "{statuses:?}");
    assert_eq!(installation.value("pulls-one", "a").as_deref(), Some("first"), "nothing was applied");

    // The second push: a failure, and the same comment.
    let second = repository.change("one/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: [\n").unwrap();
    let known = json!([{"id": 3, "body": "someone"}, {"id": 4, "body": text}]).to_string();
    provider.api.answer(&format!("GET {COMMENTS}"), [Answer::new(200, &known)]);
    provider.tell(&installation, "synchronize", &second, "org/pulls");
    let status = provider.status(&installation, STATUSES, &second);
    assert_eq!(status["state"], "failure", "{status}");
    let edits = "PATCH /repos/org/pulls/issues/comments/4";
    let edited = installation.until("the comment anew", || provider.told(edits).pop());
    assert!(
        edited.body.contains(&second[..12]) && edited.body.contains("cannot be synced"),
        "{}",
        edited.body
    );
    assert_eq!(provider.told(&format!("POST {COMMENTS}")).len(), 1, "there is one comment");

    // A fork is not answered, and a provider that is not known neither.
    let before = provider.api.requests().len();
    provider.tell(&installation, "synchronize", &first, "mona/pulls");
    installation.until("the fork is refused", || {
        installation.log(Part::Server).contains("a pull request of a fork is not answered").then_some(())
    });
    assert_eq!(provider.api.requests().len(), before);
    let all: String = provider
        .api
        .requests()
        .iter()
        .map(|request| format!("{} {}", request.target, request.body))
        .collect();
    assert!(!all.contains("canary"), "no secret leaves");
    assert!(!installation.log(Part::Server).contains("canary-of-the-account"));
    deconfigured(&installation);
    for name in ["pulls-one", "pulls-two"] {
        installation.succeed(&["app", "delete", name, "--yes"]);
    }
}

#[test]
fn a_merge_request_of_gitlab_is_answered_and_the_next_push_edits_the_note() {
    let installation = installation();
    let mut repository = GitRepo::from_files("org/pulls", &[("a.yaml", &*config_map("a", "first"))]).unwrap();
    let served = GitHttp::serve(&repository.root(), &Options::default()).unwrap();
    let provider = Provider { served, api: HttpSink::start().unwrap() };
    configured(&installation, &provider);
    asking(&installation, &provider, "merges", ".");

    repository.branch("feature").unwrap();
    let first = repository.change("a.yaml", &config_map("a", "second")).unwrap();
    provider.api.answer(&format!("GET {MERGE}/notes"), [Answer::new(200, "[]")]);
    provider.tell_merge(&installation, "open", "", &first);
    let status = provider.status(&installation, MERGE_STATUSES, &first);
    assert_eq!(
        status,
        json!({
            "state": "success", "name": "argocd/merges", "description": "1 changed",
            "target_url": "https://argocd.example.com/applications/argocd/merges",
        })
    );
    let written = installation.until("a note", || provider.told(&format!("POST {MERGE}/notes")).pop());
    let text: Value = serde_json::from_str(&written.body).unwrap();
    let text = text["body"].as_str().unwrap().to_owned();
    assert!(text.contains("-  value: first\n+  value: second\n"), "{text}");
    assert_eq!(written.header("private-token"), Some("canary-of-the-account"));
    let begun = provider.told(&format!("{MERGE_STATUSES}{first}"));
    assert!(begun.len() == 2 && begun[0].body.contains("\"running\""), "{begun:?}");

    // The next push edits the same note; what somebody else wrote stays.
    let second = repository.change("a.yaml", &config_map("a", "third")).unwrap();
    let known = json!([{"id": 3, "body": "someone"}, {"id": 4, "body": text}]).to_string();
    provider.api.answer(&format!("GET {MERGE}/notes"), [Answer::new(200, &known)]);
    provider.tell_merge(&installation, "update", &first, &second);
    assert_eq!(provider.status(&installation, MERGE_STATUSES, &second)["state"], "success");
    let edited = installation.until("the note anew", || provider.told(&format!("PUT {MERGE}/notes/4")).pop());
    assert!(
        edited.body.contains(&second[..12]) && edited.body.contains("+  value: third"),
        "{}",
        edited.body
    );
    assert_eq!(provider.told(&format!("POST {MERGE}/notes")).len(), 1, "there is one note");

    // An update that moved nothing is none of ours, and a wrong token is refused.
    let before = provider.api.requests().len();
    provider.tell_merge(&installation, "update", "", &first);
    let wrong = [("X-Gitlab-Event", "Merge Request Hook"), ("X-Gitlab-Token", "another")];
    assert_eq!(post(&installation, &wrong, "{}".to_owned()), 400);
    assert_eq!(provider.api.requests().len(), before);
    assert_eq!(installation.value("merges", "a").as_deref(), Some("first"), "nothing was applied");
    deconfigured(&installation);
    installation.succeed(&["app", "delete", "merges", "--yes"]);
}
