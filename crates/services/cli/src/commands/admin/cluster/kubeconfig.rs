//! `argocd admin cluster kubeconfig`: how a registered cluster is reached, as a file that kubectl reads.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use api::names::IN_CLUSTER_SERVER;
use api::v1alpha1::{Cluster, ClusterConfig};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::registered::Registered;
use crate::command::{Command, Running};
use crate::failure::{Failure, Outcome, io_error};
use crate::options::KUBERNETES;
use crate::output::documents::yaml;
use crate::session::Session;

pub(super) static COMMAND: Command = Command {
    inherited: &[KUBERNETES],
    details: "\nThe file opens the cluster to whoever has it: only its owner may read it.",
    run: Some(start),
    ..Command::new("kubeconfig", "CLUSTER_URL OUTPUT_PATH", "Generates kubeconfig for the specified cluster")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let [server, path] = session.arguments() else { return Err(Failure::usage()) };
    let (server, path) = (server.clone(), path.clone());
    let registered = Registered::read(session).await?;
    let wanted = server.trim_end_matches('/');
    let found = registered.clusters.iter().find(|known| known.server.trim_end_matches('/') == wanted);
    let cluster = found.ok_or_else(|| Failure::fatal(format!("cluster {server:?} not found")))?;
    let text = yaml(&kubeconfig(cluster, &registered.namespace).map_err(Failure::fatal)?);
    let failed = |error: std::io::Error| Failure::fatal(format!("open {path}: {}", io_error(&error)));
    let mut file =
        OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    registered.end().await;
    Ok(())
}

/// A kubeconfig with one context, called like the server.
fn kubeconfig(cluster: &Cluster, namespace: &str) -> Result<Value, String> {
    let (config, server) = (&cluster.config, cluster.server.as_str());
    let own = |config: &ClusterConfig| {
        config.bearer_token.is_empty()
            && config.username.is_empty()
            && config.tls_client_config.cert_data.is_empty()
            && config.exec_provider_config.is_none()
            && config.aws_auth_config.is_none()
    };
    if server == IN_CLUSTER_SERVER && own(config) {
        return Err("the cluster Argo CD runs in is reached with the tokens of its own pods, which no registration has"
            .to_owned());
    }
    let tls = &config.tls_client_config;
    let mut there = Map::new();
    let put = |members: &mut Map<String, Value>, name: &str, value: Value| {
        if !matches!(&value, Value::String(text) if text.is_empty()) && value != Value::Bool(false) {
            members.insert(name.to_owned(), value);
        }
    };
    put(&mut there, "certificate-authority-data", STANDARD.encode(&tls.ca_data).into());
    put(&mut there, "disable-compression", config.disable_compression.into());
    put(&mut there, "insecure-skip-tls-verify", tls.insecure.into());
    put(&mut there, "proxy-url", config.proxy_url.as_str().into());
    put(&mut there, "server", server.into());
    put(&mut there, "tls-server-name", tls.server_name.as_str().into());
    let mut user = Map::new();
    put(&mut user, "client-certificate-data", STANDARD.encode(&tls.cert_data).into());
    put(&mut user, "client-key-data", STANDARD.encode(&tls.key_data).into());
    put(&mut user, "password", config.password.as_str().into());
    put(&mut user, "token", config.bearer_token.as_str().into());
    put(&mut user, "username", config.username.as_str().into());
    if let Some(program) = program(config) {
        user.insert("exec".to_owned(), program);
    }
    Ok(json!({
        "apiVersion": "v1", "kind": "Config", "current-context": server,
        "clusters": [{"name": server, "cluster": there}],
        "contexts": [{"name": server, "context": {"cluster": server, "namespace": namespace, "user": server}}],
        "users": [{"name": server, "user": user}],
    }))
}

/// The program that gives credentials, where one does.
fn program(config: &ClusterConfig) -> Option<Value> {
    if let Some(aws) = &config.aws_auth_config {
        let mut arguments = vec!["aws".to_owned(), "--cluster-name".to_owned(), aws.cluster_name.clone()];
        for (flag, value) in [("--role-arn", &aws.role_arn), ("--profile", &aws.profile)] {
            if !value.is_empty() {
                arguments.extend([flag.to_owned(), value.clone()]);
            }
        }
        return Some(json!({
            "apiVersion": "client.authentication.k8s.io/v1beta1", "command": "argocd-k8s-auth",
            "args": arguments, "interactiveMode": "Never",
        }));
    }
    let exec = config.exec_provider_config.as_ref()?;
    let variables = exec.env.iter().map(|(name, value)| json!({"name": name, "value": value}));
    let mut program = json!({
        "apiVersion": exec.api_version, "command": exec.command, "args": exec.args, "interactiveMode": "Never",
        "env": variables.collect::<Vec<_>>(), "provideClusterInfo": exec.provide_cluster_info,
    });
    if !exec.install_hint.is_empty() {
        program["installHint"] = exec.install_hint.as_str().into();
    }
    Some(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_registered_is_a_context() {
        let mut cluster = Cluster { server: "https://c.example".into(), ..Cluster::default() };
        cluster.config.bearer_token = "t".into();
        cluster.config.tls_client_config.ca_data = b"ca".to_vec();
        let written = kubeconfig(&cluster, "argocd").expect("a context");
        assert_eq!(written["current-context"], "https://c.example");
        assert_eq!(
            written["clusters"][0]["cluster"],
            json!({"certificate-authority-data": "Y2E=", "server": "https://c.example"})
        );
        assert_eq!(written["users"][0]["user"], json!({"token": "t"}));
        assert_eq!(written["contexts"][0]["context"]["namespace"], "argocd");
    }

    #[test]
    fn nobody_registered_the_hubs_own() {
        let own = Cluster { server: IN_CLUSTER_SERVER.into(), ..Cluster::default() };
        assert!(kubeconfig(&own, "argocd").expect_err("no credentials").contains("its own pods"));
    }
}
