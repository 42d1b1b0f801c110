//! Asks the REST API everything that can be asked, and tries what must fail.

use super::planted::{APPLICATION, Planted, canary};
use super::repository;
use crate::installation::{Installation, Part};
use serde_json::{Value, json};
use std::time::Duration;
use wire::route::{Route, routes};

/// A stream is listened to for this long.
const STREAM: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_secs(60);
/// One query for all methods: each takes what it knows.
const QUERY: &str = "project=default&appProject=default&appName=planted&revision=HEAD&namespace=planted&resourceName=planted&version=v1\
                     &kind=Secret&group=&resourceNamespace=planted&forceRefresh=true&source.repoURL=x&refresh=hard";

pub struct Crawl {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    base: String,
    token: String,
}

impl Crawl {
    pub fn new(installation: &Installation) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let client = reqwest::Client::builder().danger_accept_invalid_certs(true).build().unwrap();
        let config = std::fs::read_to_string(installation.home.path().join("config/config")).unwrap();
        let mut lines = config.lines();
        let token =
            lines.find_map(|line| line.trim_start_matches("- ").trim().strip_prefix("auth-token: ")).unwrap();
        let base = format!("https://localhost:{}", installation.ports[&Part::Server].port);
        Self { runtime, client, base, token: token.to_owned() }
    }

    /// Status, headers and body of one request, as far as it comes.
    fn ask(&self, verb: &str, target: &str, body: Option<&Value>) -> (String, String) {
        let method = reqwest::Method::from_bytes(verb.as_bytes()).unwrap();
        let mut request =
            self.client.request(method, format!("{}{target}", self.base)).bearer_auth(&self.token);
        request = request.header("content-type", "application/json");
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let limit =
            if target.contains("/stream/") || target.contains("follow=true") { STREAM } else { ANSWER };
        self.runtime.block_on(async {
            let mut text = String::new();
            let mut status = 0;
            let heard = tokio::time::timeout(limit, async {
                let mut response = match request.send().await {
                    Ok(response) => response,
                    Err(error) => return text.push_str(&error.without_url().to_string()),
                };
                status = response.status().as_u16();
                text.push_str(&format!("{:?}\n", response.headers()));
                while let Ok(Some(part)) = response.chunk().await {
                    text.push_str(&String::from_utf8_lossy(&part));
                }
            });
            // A stream that goes on has said enough.
            heard.await.ok();
            (format!("{verb} {status} {target}"), text)
        })
    }

    /// Every route that reads, for everything it can be about, and what is no route.
    pub fn reads(&self, planted: &Planted) -> Vec<(String, String)> {
        let mut answers = Vec::new();
        for route in routes().iter().filter(|route| route.verb == "GET") {
            for (place, path) in paths(route, planted).into_iter().enumerate() {
                answers.push(self.ask("GET", &format!("{path}?{QUERY}"), None));
                // What the query leaves out differs by method, not by what it is about.
                if place < 2 {
                    answers.push(self.ask("GET", &path, None));
                }
            }
        }
        for path in [
            "/api/badge?name=planted&revision=true",
            "/healthz?full=true",
            "/swagger.json",
            "/auth/login",
            "/auth/callback?code=x&state=y",
            "/",
            "/extensions.js",
        ] {
            answers.push(self.ask("GET", path, None));
        }
        answers
    }

    /// Methods that write, with secrets in what they are sent.
    pub fn writes(&self, planted: &Planted) -> Vec<(String, String)> {
        let mut answers = Vec::new();
        let mut ask =
            |verb: &str, target: &str, body: Value| answers.push(self.ask(verb, target, Some(&body)));
        for url in [
            planted.url(),
            "http://127.0.0.1:1/request.git".into(),
            "ssh://git@127.0.0.1:1/request.git".into(),
            "oci://127.0.0.1:1/x".into(),
        ] {
            let id = escaped(&url);
            ask("POST", "/api/v1/repositories", repository(&url));
            ask("POST", "/api/v1/repositories?upsert=true&forceRefresh=true", repository(&url));
            ask("PUT", &format!("/api/v1/repositories/{id}"), repository(&url));
            let credentials = format!(
                "username=u&password={0}&sshPrivateKey={0}&bearerToken={0}&tlsClientCertData={0}&tlsClientCertKey={0}&githubAppPrivateKey={0}&proxy=http://u:{0}@127.0.0.1:1",
                canary("query")
            );
            ask("POST", &format!("/api/v1/repositories/{id}/validate?{credentials}"), json!(url));
            ask(
                "POST",
                "/api/v1/repocreds",
                json!({"url": url, "username": "u", "password": canary("credentials"), "sshPrivateKey": canary("credentialskey")}),
            );
            ask("DELETE", &format!("/api/v1/repocreds/{id}"), json!({}));
            let details = json!({"source": {"repoURL": url, "path": "well", "targetRevision": "HEAD"}, "appName": "planted", "appProject": "default"});
            ask("POST", &format!("/api/v1/repositories/{id}/appdetails"), details);
        }
        for (number, config) in [
            json!({"bearerToken": canary("requestclusterbearer")}),
            json!({"username": "u", "password": canary("requestclusterpassword")}),
            json!({"tlsClientConfig": {"keyData": canary("requestclusterkey"), "certData": canary("requestclustercertificate")}}),
            json!({"execProviderConfig": {"command": "/nowhere", "env": {"A": canary("requestexec")}}}),
        ].into_iter().enumerate() {
            let server = format!("https://127.0.0.1:1{number}");
            ask("POST", "/api/v1/clusters", json!({"server": server, "name": "request", "config": config}));
            ask("PUT", &format!("/api/v1/clusters/{}", escaped("https://127.0.0.1:1")), json!({"server": "https://127.0.0.1:1", "name": "planted", "config": config}));
        }
        ask("POST", "/api/v1/clusters/https%3A%2F%2F127.0.0.1%3A1/rotate-auth", json!({}));
        ask("POST", "/api/v1/session", json!({"username": "planted", "password": canary("login")}));
        ask(
            "PUT",
            "/api/v1/account/password",
            json!({"name": "planted", "currentPassword": canary("current"), "newPassword": canary("new")}),
        );
        self.of_secrets(&mut ask, planted);
        answers
    }

    /// The application's Secret, changed and compared.
    fn of_secrets(&self, ask: &mut dyn FnMut(&str, &str, Value), planted: &Planted) {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "planted", "namespace": APPLICATION},
            "stringData": {"text": canary("target")},
        });
        let applied = json!({"kind": "Secret", "stringData": {"text": canary("targetapplied")}}).to_string();
        let mut annotated = secret.clone();
        annotated["metadata"]["annotations"] =
            json!({"kubectl.kubernetes.io/last-applied-configuration": applied});
        let place = "namespace=planted&resourceName=planted&version=v1&kind=Secret&group=";
        for manifest in [secret, annotated] {
            let target = escaped(&manifest.to_string());
            ask(
                "GET",
                &format!(
                    "/api/v1/applications/planted/server-side-diff?appName=planted&project=default&targetManifests={target}"
                ),
                Value::Null,
            );
            let body = json!(manifest.to_string());
            for kind in [
                "application/merge-patch%2Bjson",
                "application/strategic-merge-patch%2Bjson",
                "application/json-patch%2Bjson",
            ] {
                ask(
                    "POST",
                    &format!("/api/v1/applications/planted/resource?{place}&patchType={kind}"),
                    body.clone(),
                );
            }
        }
        ask(
            "POST",
            "/api/v1/applications/planted/resource/actions/v2",
            json!({"namespace": "planted", "resourceName": "planted", "version": "v1", "kind": "Secret", "action": "x"}),
        );
        for name in planted.applications() {
            ask("POST", &format!("/api/v1/applications/{name}/sync"), json!({"dryRun": true}));
            ask("POST", &format!("/api/v1/applications/{name}/rollback"), json!({"id": 0}));
        }
        for url in planted.repositories() {
            let source = json!({"repoURL": url, "path": "well", "targetRevision": "HEAD"});
            let spec = json!({"project": "default", "source": source, "destination": {"server": "https://kubernetes.default.svc", "namespace": "planted"}});
            // The one address with a password in it is what the caller wrote: it may come back only where it was written.
            if !url.contains('@') || url.starts_with("ssh:") {
                ask(
                    "POST",
                    "/api/v1/applications",
                    json!({"metadata": {"name": "planted-request"}, "spec": spec}),
                );
            }
        }
        ask("DELETE", "/api/v1/applications/planted-request?cascade=false", json!({}));
        ask("DELETE", &format!("/api/v1/applications/planted/resource?{place}"), json!({}));
    }
}

/// The route's path with everything it can be about.
fn paths(route: &Route, planted: &Planted) -> Vec<String> {
    let service = route.service.split('.').next().unwrap_or_default();
    let template = route.template.clone();
    let Some((before, rest)) = template.split_once('{') else { return vec![template] };
    let Some((_, after)) = rest.split_once('}') else { return vec![template] };
    let values: Vec<String> = match service {
        "application" => planted.applications(),
        "repository" => planted.repositories().iter().map(|url| escaped(url)).collect(),
        "cluster" => Planted::clusters().iter().map(|url| escaped(url)).collect(),
        "project" => vec!["default".into(), "none".into()],
        "account" => vec!["admin".into(), "planted".into(), "applications".into()],
        _ => vec!["planted".into()],
    };
    values.into_iter().map(|value| others(&format!("{before}{value}{after}"))).collect()
}

/// What else a path names.
fn others(path: &str) -> String {
    let mut path = path.to_owned();
    while let Some((before, rest)) = path.clone().split_once('{') {
        let (name, after) = rest.split_once('}').unwrap_or((rest, ""));
        let value = match name {
            "podName" => "planted",
            "revision" => "HEAD",
            "action" => "get",
            "subresource=**" => "default/planted",
            _ => "planted",
        };
        path = format!("{before}{value}{after}");
    }
    path
}

fn escaped(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}
