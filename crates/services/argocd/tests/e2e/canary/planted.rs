//! What is planted, where, and how it is taken out again.

use crate::installation::{Installation, NAMESPACE, condition};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::os::unix::fs::symlink;
use testkit::git_http::{GitHttp, Options};
use testkit::git_repo::GitRepo;

/// The application whose Secret is well, and its namespace.
pub const APPLICATION: &str = "planted";
const PREFIX: &str = "plantedcanary";
const IN_CLUSTER: &str = "https://kubernetes.default.svc";
const CLUSTER: &str = "https://127.0.0.1:1";

/// A secret that is known again anywhere.
pub fn canary(name: &str) -> String {
    format!("{PREFIX}{name}")
}

/// A key that looks like one and is none.
fn pem(kind: &str, name: &str) -> String {
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(canary(name)))
}

pub struct Planted {
    _repository: GitRepo,
    _folder: tempfile::TempDir,
    served: GitHttp,
}

impl Planted {
    /// Registrations, settings and secrets of the installation.
    pub fn plant(installation: &Installation) -> Self {
        let repository = GitRepo::from_files("planted", &files()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        symlink(repository.bare_path(), folder.path().join("planted.git")).unwrap();
        let basic_auth = Some(("bob".to_owned(), canary("repositorypassword")));
        let served = GitHttp::serve(folder.path(), &Options { basic_auth, tls: false }).unwrap();
        let planted = Self { _repository: repository, _folder: folder, served };
        installation
            .kube
            .apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": APPLICATION}}));
        for (name, kind, data) in planted.registrations() {
            let labels = json!({"argocd.argoproj.io/secret-type": kind});
            // What people applied with kubectl has everything once more in an annotation.
            let annotations = json!({"kubectl.kubernetes.io/last-applied-configuration": data.to_string()});
            installation.kube.apply(json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels, "annotations": annotations},
                "stringData": data,
            }));
        }
        planted.settings(installation);
        planted
    }

    pub fn url(&self) -> String {
        self.served.url("planted.git")
    }

    fn repositories_and_templates(&self) -> Vec<(&'static str, &'static str, Value)> {
        let git = |url: &str, more: Value| merged(json!({"type": "git", "url": url}), more);
        let password = |name: &str| json!({"username": "bob", "password": canary(name)});
        vec![
            ("planted-repo", "repository", git(&self.url(), password("repositorypassword"))),
            ("planted-wrong", "repository", git(&self.served.url("wrong.git"), password("wrongpassword"))),
            (
                "planted-lost",
                "repository",
                git(
                    "http://127.0.0.1:1/lost.git",
                    merged(
                        password("lostpassword"),
                        json!({"proxy": format!("http://u:{}@127.0.0.1:1", canary("proxypassword"))}),
                    ),
                ),
            ),
            (
                "planted-userinfo",
                "repository",
                git(&format!("http://u:{}@127.0.0.1:1/userinfo.git", canary("userinfo")), json!({})),
            ),
            (
                "planted-ssh",
                "repository",
                git(
                    "ssh://git@127.0.0.1:1/ssh.git",
                    json!({"sshPrivateKey": pem("OPENSSH PRIVATE KEY", "sshkey")}),
                ),
            ),
            (
                "planted-bearer",
                "repository",
                git("http://127.0.0.1:1/bearer.git", json!({"bearerToken": canary("bearertoken")})),
            ),
            (
                "planted-tls",
                "repository",
                git(
                    "https://127.0.0.1:1/tls.git",
                    json!({
                        "tlsClientCertData": pem("CERTIFICATE", "tlscertificate"), "tlsClientCertKey": pem("RSA PRIVATE KEY", "tlskey"),
                    }),
                ),
            ),
            (
                "planted-github",
                "repository",
                git(
                    "https://127.0.0.1:1/github.git",
                    json!({
                        "githubAppID": "1", "githubAppInstallationID": "2", "githubAppPrivateKey": pem("RSA PRIVATE KEY", "githubapp"),
                        "githubAppEnterpriseBaseUrl": "http://127.0.0.1:1",
                    }),
                ),
            ),
            (
                "planted-google",
                "repository",
                git(
                    "https://127.0.0.1:1/google.git",
                    json!({
                        "gcpServiceAccountKey": format!("{{\"private_key\": \"{}\"", canary("googlekey")),
                    }),
                ),
            ),
            (
                "planted-helm",
                "repository",
                merged(
                    json!({"type": "helm", "name": "planted", "url": "http://127.0.0.1:1/charts"}),
                    password("helmpassword"),
                ),
            ),
            (
                "planted-oci",
                "repository",
                merged(
                    json!({"type": "helm", "name": "oci", "url": "127.0.0.1:1/charts", "enableOCI": "true"}),
                    password("ocipassword"),
                ),
            ),
            (
                "planted-write",
                "repository-write",
                git("http://127.0.0.1:1/write.git", password("writepassword")),
            ),
            ("planted-template", "repo-creds", git("http://127.0.0.1:1/team/", password("templatepassword"))),
            (
                "planted-template-ssh",
                "repo-creds",
                git(
                    "ssh://git@127.0.0.1:1/team/",
                    json!({"sshPrivateKey": pem("OPENSSH PRIVATE KEY", "templatesshkey")}),
                ),
            ),
        ]
    }

    fn registrations(&self) -> Vec<(&'static str, &'static str, Value)> {
        let mut all = self.repositories_and_templates();
        all.extend(clusters());
        all
    }

    fn settings(&self, installation: &Installation) {
        let secret = |keys: &[&str]| -> Value {
            keys.iter()
                .map(|key| ((*key).to_owned(), canary(&key.replace(['.', '-'], "")).into()))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let keys = [
            "oidc.clientSecret",
            "dex.github.clientSecret",
            "webhook.github.secret",
            "webhook.gitlab.secret",
            "webhook.bitbucketserver.secret",
            "webhook.gogs.secret",
            "webhook.azuredevops.password",
            "accounts.planted.password",
        ];
        installation.kube.merge(
            "v1",
            "Secret",
            NAMESPACE,
            "argocd-secret",
            json!({"stringData": secret(&keys)}),
        );
        let oidc = "name: planted\nissuer: http://127.0.0.1:1\nclientID: planted\nclientSecret: $oidc.clientSecret\n";
        for (key, value) in
            [("oidc.config", oidc), ("accounts.planted", "login, apiKey"), ("url", "https://planted.example")]
        {
            installation.set("argocd-cm", key, Some(value));
        }
        let names = [
            "slack-token",
            "telegram-token",
            "hook-password",
            "hook-header",
            "hook-url",
            "email-password",
            "grafana-key",
            "opsgenie-key",
            "teams-url",
            "chat-url",
        ];
        installation.kube.apply(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "argocd-notifications-secret", "namespace": NAMESPACE},
            "stringData": merged(secret(&names), json!({
                "hook-url": format!("http://127.0.0.1:1/{}", canary("hookurl")), "teams-url": format!("http://127.0.0.1:1/{}", canary("teamsurl")),
                "chat-url": format!("http://127.0.0.1:1/{}", canary("chaturl")),
            })),
        }));
        installation.kube.apply(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-notifications-cm", "namespace": NAMESPACE},
            "data": {
                "service.slack": "token: $slack-token\napiURL: http://127.0.0.1:1/api/\n",
                "service.telegram": "token: $telegram-token\n",
                "service.webhook.hook": "url: $hook-url\nbasicAuth:\n  username: u\n  password: $hook-password\nheaders:\n- name: Authorization\n  value: Bearer $hook-header\nretryMax: 1\n",
                "service.email": "host: 127.0.0.1\nport: 1\nusername: u\npassword: $email-password\nfrom: a@example.com\n",
                "service.grafana": "apiUrl: http://127.0.0.1:1/api\napiKey: $grafana-key\n",
                "service.opsgenie": "apiUrl: http://127.0.0.1:1\napiKeys:\n  team: $opsgenie-key\n",
                "service.teams": "recipientUrls:\n  channel: $teams-url\n",
                "service.googlechat": "webhooks:\n  space: $chat-url\n",
                "template.canary": "message: canary {{.app.metadata.name}} {{.secrets}}\nwebhook:\n  hook:\n    method: POST\n    body: canary\n",
                "trigger.on-canary": "- when: 'true'\n  send: [canary]\n",
            },
        }));
    }

    /// The applications: one that is well, and those that fail for each reason.
    pub fn declare(&self, installation: &Installation) {
        let subscribed: serde_json::Map<String, Value> = [
            ("slack", "room"),
            ("telegram", "1"),
            ("hook", ""),
            ("email", "a@example.com"),
            ("grafana", "tag"),
            ("opsgenie", "team"),
            ("teams", "channel"),
            ("googlechat", "space"),
        ]
        .into_iter()
        .map(|(service, recipient)| {
            (format!("notifications.argoproj.io/subscribe.on-canary.{service}"), recipient.into())
        })
        .collect();
        for (name, source, destination) in self.specs() {
            let options: &[&str] = if name.ends_with("-by-server") { &["ServerSideApply=true"] } else { &[] };
            let automated = json!({"automated": {}, "retry": {"limit": 0}, "syncOptions": options});
            installation
                .kube
                .create(json!({
                    "apiVersion": api::API_VERSION, "kind": "Application",
                    "metadata": {"name": name, "namespace": NAMESPACE, "annotations": subscribed},
                    "spec": {"project": "default", "source": source, "destination": destination, "syncPolicy": automated},
                }))
                .unwrap();
        }
    }

    fn specs(&self) -> Vec<(String, Value, Value)> {
        let git = |url: &str, path: &str| json!({"repoURL": url, "path": path, "targetRevision": "HEAD"});
        let here = json!({"server": IN_CLUSTER, "namespace": APPLICATION});
        let own = self.url();
        let mut specs = vec![
            (APPLICATION.to_owned(), git(&own, "well"), here.clone()),
            ("planted-invalid".to_owned(), git(&own, "invalid"), here.clone()),
            ("planted-refused".to_owned(), git(&own, "refused"), here.clone()),
            ("planted-unread".to_owned(), git(&own, "unread"), here.clone()),
            ("planted-malformed-by-server".to_owned(), git(&own, "malformed"), here.clone()),
            ("planted-listed-by-server".to_owned(), git(&own, "listed"), here.clone()),
        ];
        let lost = [
            ("wrong", self.served.url("wrong.git")),
            ("lost", "http://127.0.0.1:1/lost.git".to_owned()),
            ("ssh", "ssh://git@127.0.0.1:1/ssh.git".to_owned()),
            ("bearer", "http://127.0.0.1:1/bearer.git".to_owned()),
            ("tls", "https://127.0.0.1:1/tls.git".to_owned()),
            ("github", "https://127.0.0.1:1/github.git".to_owned()),
            ("google", "https://127.0.0.1:1/google.git".to_owned()),
            ("template", "http://127.0.0.1:1/team/x.git".to_owned()),
            ("template-ssh", "ssh://git@127.0.0.1:1/team/x.git".to_owned()),
        ];
        specs.extend(lost.map(|(name, url)| (format!("planted-{name}"), git(&url, "."), here.clone())));
        for (name, url) in [("helm", "http://127.0.0.1:1/charts"), ("oci", "127.0.0.1:1/charts")] {
            let chart = json!({"repoURL": url, "chart": "c", "targetRevision": "1.0.0"});
            specs.push((format!("planted-{name}"), chart, here.clone()));
        }
        for name in ["planted", "broken", "exec", "unreadable"] {
            let there = json!({"name": name, "namespace": APPLICATION});
            specs.push((format!("planted-cluster-{name}"), git(&own, "well"), there));
        }
        specs
    }

    pub fn applications(&self) -> Vec<String> {
        self.specs().into_iter().map(|(name, _, _)| name).collect()
    }

    pub fn repositories(&self) -> Vec<String> {
        let urls = self.registrations().into_iter().filter(|(_, kind, _)| *kind == "repository");
        urls.map(|(_, _, data)| data["url"].as_str().unwrap().to_owned()).collect()
    }

    pub fn clusters() -> [&'static str; 5] {
        [IN_CLUSTER, CLUSTER, "https://127.0.0.1:2", "https://127.0.0.1:3", "https://127.0.0.1:4"]
    }

    /// Waits until the Secret is live and each failure is told, and makes the live Secret differ.
    pub fn settle(&self, installation: &Installation) {
        installation.until_application(APPLICATION, "Synced", |application| {
            crate::installation::sync_status(application) == "Synced"
        });
        let applied =
            json!({"kind": "Secret", "data": {"old": STANDARD.encode(canary("lastapplied"))}}).to_string();
        let drift = json!({
            "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied}},
            "stringData": {"text": canary("drift"), "more": canary("added")},
        });
        installation.kube.merge("v1", "Secret", APPLICATION, "planted", drift);
        for name in self.applications().iter().filter(|name| *name != APPLICATION) {
            installation.until_application(name, "failed", |application| {
                let phase = application["status"]["operationState"]["phase"].as_str().unwrap_or_default();
                !condition(application, "ComparisonError").is_empty()
                    || !condition(application, "InvalidSpecError").is_empty()
                    || !condition(application, "UnknownError").is_empty()
                    || ["Failed", "Error"].contains(&phase)
            });
        }
    }

    /// Takes out what would be in the way of other tests.
    pub fn uproot(&self, installation: &Installation) {
        for name in self.applications() {
            installation.kube.delete(api::API_VERSION, "Application", NAMESPACE, &name);
        }
        for (name, _, _) in self.registrations() {
            installation.kube.delete("v1", "Secret", NAMESPACE, name);
        }
        for key in ["oidc.config", "accounts.planted", "url"] {
            installation.set("argocd-cm", key, None);
        }
        let nothing = json!({"data": {"webhook.github.secret": null, "webhook.gitlab.secret": null, "webhook.bitbucketserver.secret": null, "webhook.gogs.secret": null, "webhook.azuredevops.password": null}});
        installation.kube.merge("v1", "Secret", NAMESPACE, "argocd-secret", nothing);
    }
}

/// Clusters that nobody reaches, each with another way in.
fn clusters() -> Vec<(&'static str, &'static str, Value)> {
    let config = json!({
        "username": "u", "password": canary("clusterpassword"), "bearerToken": canary("clusterbearer"),
        "tlsClientConfig": {"insecure": true}, "proxyUrl": format!("http://u:{}@127.0.0.1:1", canary("clusterproxy")),
    });
    let broken = json!({
        "bearerToken": canary("brokenbearer"),
        "tlsClientConfig": {"keyData": STANDARD.encode(pem("RSA PRIVATE KEY", "clusterkey")), "certData": STANDARD.encode(canary("clustercertificate"))},
    });
    let exec = json!({"execProviderConfig": {
        "command": "/nowhere", "args": [canary("execargument")], "env": {"TOKEN": canary("execenvironment")},
    }});
    vec![
        (
            "planted-cluster",
            "cluster",
            json!({"name": "planted", "server": CLUSTER, "config": config.to_string()}),
        ),
        (
            "planted-broken",
            "cluster",
            json!({"name": "broken", "server": "https://127.0.0.1:2", "config": broken.to_string()}),
        ),
        (
            "planted-exec",
            "cluster",
            json!({"name": "exec", "server": "https://127.0.0.1:3", "config": exec.to_string()}),
        ),
        (
            "planted-unreadable",
            "cluster",
            json!({"name": "unreadable", "server": "https://127.0.0.1:4", "config": format!("{{\"bearerToken\": {}", canary("unreadablebearer"))}),
        ),
    ]
}

/// A Secret that is well, and those that are not: the API server, and whoever reads the file, say why.
fn files() -> [(&'static str, &'static str); 6] {
    let leaked = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let head = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: planted\n";
    [
        (
            "well/secret.yaml",
            leaked(format!(
                "{head}stringData:\n  text: {}\n  url: https://u:{}@example.com\ndata:\n  coded: {}\n",
                canary("stringdata"),
                canary("address"),
                STANDARD.encode(canary("data")),
            )),
        ),
        (
            "invalid/secret.yaml",
            leaked(format!(
                "{}data:\n  coded: \"{}!!\"\n",
                head.replace("planted", "invalid"),
                canary("notbase64")
            )),
        ),
        (
            "refused/secret.yaml",
            leaked(format!(
                "{}type: kubernetes.io/tls\nstringData:\n  tls.crt: {}\n  number: {{a: {}}}\n",
                head.replace("planted", "refused"),
                canary("tlscrt"),
                canary("nested"),
            )),
        ),
        (
            "malformed/secret.yaml",
            leaked(format!(
                "{}data:\n  map: {{a: {}}}\n  list: [{{b: {}}}]\n",
                head.replace("planted", "malformed"),
                canary("inmap"),
                canary("inlist"),
            )),
        ),
        (
            "listed/secret.yaml",
            leaked(format!(
                "{}stringData: [{}]\ndata: {}\n",
                head.replace("planted", "listed"),
                canary("aslist"),
                canary("astext"),
            )),
        ),
        (
            "unread/secret.yaml",
            leaked(format!(
                "{}stringData:\n  text: {}\n bad: {}\n",
                head.replace("planted", "unread"),
                canary("beforebroken"),
                canary("broken")
            )),
        ),
    ]
}

fn merged(mut one: Value, other: Value) -> Value {
    if let (Some(one), Value::Object(other)) = (one.as_object_mut(), other) {
        one.extend(other);
    }
    one
}
