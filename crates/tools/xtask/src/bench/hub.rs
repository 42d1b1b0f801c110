//! A control plane with what an installation has in it, and the components that are measured.

use super::Setting;
use super::process::{Component, Start};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use testkit::api_client::ApiClient;
use testkit::control_plane::{ControlPlane, Options};
use testkit::redis::Redis;

pub(crate) const NAMESPACE: &str = "argocd";
const CORE: &str = "/api/v1/namespaces";
pub(crate) const APPLICATIONS: &str = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications";
pub(crate) const PROJECTS: &str = "/apis/argoproj.io/v1alpha1/namespaces/argocd/appprojects";
const SERVED: Duration = Duration::from_secs(60);
/// Connections that fill a cluster.
const WRITERS: usize = 6;

/// Kinds of requests to the API server: how many came, and the seconds it needed for them.
pub(crate) type Requests = BTreeMap<String, (f64, f64)>;

/// The cluster, and a folder for the components' files.
pub(crate) struct Hub {
    pub(crate) cluster: ControlPlane,
    pub(crate) client: ApiClient,
    pub(crate) home: TempDir,
    pub(crate) binary: PathBuf,
}

/// The components, each a process.
pub(crate) struct Components {
    pub(crate) controller: Component,
    pub(crate) repo_server: Component,
    pub(crate) api_server: Component,
    redis: Redis,
    repo_port: u16,
}

impl Hub {
    /// A cluster with the kinds, the settings and the default project.
    pub(crate) fn start(setting: &Setting) -> Result<Self> {
        let cluster = ControlPlane::start(&Options::default())?;
        let mut client = ApiClient::new(&cluster)?;
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
        client.create(CORE, &namespace)?;
        for crd in api::crd::all() {
            client.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &crd)?;
        }
        for (kind, plural, name) in [
            ("ConfigMap", "configmaps", "argocd-cm"),
            ("ConfigMap", "configmaps", "argocd-rbac-cm"),
            ("ConfigMap", "configmaps", "argocd-cmd-params-cm"),
            ("Secret", "secrets", "argocd-secret"),
        ] {
            let labels = json!({api::names::PART_OF: api::names::PART_OF_VALUE});
            let object =
                json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": labels}});
            client.create(&format!("{CORE}/{NAMESPACE}/{plural}"), &object)?;
        }
        let project = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "default"},
            "spec": {
                "sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
                "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
            },
        });
        let served = testkit::poll(SERVED, || client.create(PROJECTS, &project).ok());
        served.context("the kinds are not served")?;
        let home = tempfile::tempdir().context("make a folder for the components' files")?;
        Ok(Self { cluster, client, home, binary: setting.binary.clone() })
    }

    fn common(&self) -> Vec<String> {
        let kubeconfig = self.cluster.kubeconfig_path.display().to_string();
        ["--kubeconfig", &kubeconfig, "--namespace", NAMESPACE, "--logformat", "text", "--loglevel", "warn"]
            .map(str::to_owned)
            .into()
    }

    /// Everything in one process, as the demo runs it.
    pub(crate) fn standalone(&self) -> Result<Component> {
        let (port, metrics) = (testkit::free_port()?, testkit::free_port()?);
        let mut arguments = self.common();
        arguments.extend(words(&["--port", &port.to_string(), "--address", "127.0.0.1", "--insecure"]));
        arguments.extend(words(&["--metrics-port", &metrics.to_string()]));
        let mirrors = self.home.path().join("mirrors").display().to_string();
        let start = Start {
            name: "argocd-standalone",
            arguments,
            environment: vec![("ARGOCD_RS_MIRRORS", mirrors)],
            port,
            metrics,
            home: self.home.path(),
        };
        Component::start(&self.binary, start)
    }

    /// The components, each a process, with a real Redis.
    pub(crate) fn components(&self) -> Result<Components> {
        let redis = Redis::start()?;
        let (port, metrics) = (testkit::free_port()?, testkit::free_port()?);
        let redis_address = format!("127.0.0.1:{}", redis.port);
        let mirrors = self.home.path().join("mirrors").display().to_string();
        let repo_server = Component::start(
            &self.binary,
            Start {
                name: "argocd-repo-server",
                arguments: words(&[
                    "--port",
                    &port.to_string(),
                    "--metrics-port",
                    &metrics.to_string(),
                    "--redis",
                    &redis_address,
                    "--loglevel",
                    "warn",
                ]),
                environment: vec![("ARGOCD_RS_MIRRORS", mirrors)],
                port,
                metrics,
                home: self.home.path(),
            },
        )?;
        let repo_port = port;
        let controller = self.controller(repo_port, &redis)?;
        let api_server = self.api_server(repo_port, redis.port)?;
        Ok(Components { controller, repo_server, api_server, redis, repo_port })
    }

    /// The api-server alone, without TLS.
    pub(crate) fn api_server(&self, repo_port: u16, redis_port: u16) -> Result<Component> {
        let (port, metrics) = (testkit::free_port()?, testkit::free_port()?);
        let mut arguments = self.common();
        arguments.extend(words(&["--port", &port.to_string(), "--metrics-port", &metrics.to_string()]));
        arguments.extend(words(&["--address", "127.0.0.1", "--insecure"]));
        arguments.extend(words(&["--redis", &format!("127.0.0.1:{redis_port}")]));
        arguments.extend(words(&["--repo-server", &format!("127.0.0.1:{repo_port}")]));
        let start = Start {
            name: "argocd-server",
            arguments,
            environment: Vec::new(),
            port,
            metrics,
            home: self.home.path(),
        };
        Component::start(&self.binary, start)
    }

    fn controller(&self, repo_port: u16, redis: &Redis) -> Result<Component> {
        let metrics = testkit::free_port()?;
        let mut arguments = self.common();
        arguments.extend(words(&["--repo-server", &format!("127.0.0.1:{repo_port}")]));
        arguments.extend(words(&["--redis", &format!("127.0.0.1:{}", redis.port)]));
        arguments.extend(words(&["--metrics-port", &metrics.to_string()]));
        let start = Start {
            name: "argocd-application-controller",
            arguments,
            environment: Vec::new(),
            port: metrics,
            metrics,
            home: self.home.path(),
        };
        Component::start(&self.binary, start)
    }

    /// Ends the controller without ceremony and starts another.
    pub(crate) fn restart_controller(&self, components: &mut Components) -> Result<()> {
        let fresh = self.controller(components.repo_port, &components.redis)?;
        components.controller = fresh;
        Ok(())
    }

    /// What the API server was asked so far, by its own counters.
    pub(crate) fn requests(&mut self) -> Result<Requests> {
        let text = self.client.text("/metrics")?;
        let mut requests = Requests::new();
        for line in text.lines() {
            let Some((name, rest)) = line.split_once('{') else { continue };
            let Some((labels, value)) = rest.rsplit_once("} ") else { continue };
            let value: f64 = value.parse().unwrap_or_default();
            let label = |name: &str| {
                let rest = labels.split(',').find_map(|label| label.strip_prefix(name)?.strip_prefix("=\""));
                rest.map(|rest| rest.trim_end_matches('"')).unwrap_or_default()
            };
            let dry = if label("dry_run").is_empty() { "" } else { ", dry run" };
            let kind = format!("{} {}{dry}", label("verb"), label("resource"));
            match name {
                "apiserver_request_duration_seconds_count" => requests.entry(kind).or_default().0 += value,
                "apiserver_request_duration_seconds_sum" => requests.entry(kind).or_default().1 += value,
                _ => {}
            }
        }
        Ok(requests)
    }

    /// Creates objects over several connections.
    pub(crate) fn fill(&self, path: &str, objects: &[Value]) -> Result<()> {
        let share = objects.len().div_ceil(WRITERS).max(1);
        std::thread::scope(|scope| {
            let writers: Vec<_> = objects
                .chunks(share)
                .map(|share| {
                    let mut client = self.client.another();
                    scope.spawn(move || share.iter().try_for_each(|object| client.create(path, object)))
                })
                .collect();
            for writer in writers {
                writer.join().map_err(|_| anyhow::anyhow!("a writer ended unexpectedly"))??;
            }
            Ok(())
        })
    }

    /// Waits until as many applications as given say a sync status.
    pub(crate) fn wait_for(
        &mut self,
        status: &str,
        count: usize,
        limit: Duration,
        process: &Component,
    ) -> Result<Duration> {
        let began = Instant::now();
        loop {
            let statuses = self.sync_statuses()?;
            let there = statuses.iter().filter(|found| *found == status).count();
            if there >= count {
                return Ok(began.elapsed());
            }
            if began.elapsed() > limit {
                bail!("{there} of {count} applications are {status}:\n{}", process.last_words());
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// The sync status of every application. The server's own table is read: it is small.
    fn sync_statuses(&mut self) -> Result<Vec<String>> {
        let table = self.client.table(APPLICATIONS)?;
        let columns = table["columnDefinitions"].as_array().cloned().unwrap_or_default();
        let column = columns.iter().position(|column| column["name"] == "Sync Status");
        let column = column.context("applications have no column of their sync status")?;
        let rows = table["rows"].as_array().cloned().unwrap_or_default();
        let cells = rows.iter().map(|row| row["cells"][column].as_str().unwrap_or_default().to_owned());
        Ok(cells.collect())
    }
}

/// An application that is synced without anybody asking.
pub(crate) fn application(name: &str, repository: &str, path: &str, namespace: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "project": "default",
            "source": {"repoURL": repository, "path": path, "targetRevision": "HEAD"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": namespace},
            "syncPolicy": {"automated": {"prune": true, "selfHeal": true}},
        },
    })
}

fn words(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|word| (*word).to_owned()).collect()
}
