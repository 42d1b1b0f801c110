//! `argocd cluster add`.

use wire::cluster::ClusterCreateRequest;

use super::described::{CLUSTER, choose, cluster, connect, endpoint, pairs};
use super::service_account::Manager;
use crate::command::{Command, Flag, Running, switch, text};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

const OWN: &[Flag] = &[
    text("proxy-url", "Proxy with which this command reaches the cluster"),
    text("server-proxy-url", "Proxy with which Argo CD reaches the cluster"),
    text("service-account", "Service account to use; where not set, \"argocd-manager\" is made"),
    text("system-namespace", "Namespace of the service account").or("kube-system"),
    switch("upsert", "Override an existing cluster with the same name even if the spec differs"),
    switch("yes", "Skip explicit confirmation").short('y'),
];

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd cluster add example-cluster\n  argocd cluster add example-cluster --namespace a --name b",
    flags: &[OWN, CLUSTER],
    run: Some(start),
    ..Command::new("add", "CONTEXT", "argocd cluster add CONTEXT")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let context = choose(session)?;
    let endpoint = endpoint(session, &context)?;
    // Mistakes first: after this, something is made in the cluster.
    for flag in ["label", "annotation"] {
        pairs(session, flag)?;
    }
    let by_command = !session.text("aws-cluster-name").is_empty() || !session.text("exec-command").is_empty();
    let token = if by_command {
        None
    } else {
        let connected = connect(&endpoint, &context).await?;
        let manager = Manager { cluster: &connected, namespace: session.text("system-namespace") };
        let account = session.text("service-account");
        let namespaces = session.matches.list("namespace").to_vec();
        Some(if account.is_empty() {
            ask(session, &context, &namespaces)?;
            manager.install(session, &namespaces).await?
        } else {
            manager.token(session, &account).await?
        })
    };
    let server = session.server().await?;
    let token = token.as_ref().map_or("", |token| token.reveal().as_str());
    let mut cluster = cluster(session, endpoint, &context, token).await?;
    let proxy = session.text("server-proxy-url");
    if !proxy.is_empty() {
        cluster.config.proxy_url = proxy;
    }
    let added = cluster.server.clone();
    let request = ClusterCreateRequest { cluster: Some(cluster), upsert: session.is("upsert") };
    server.clusters().create(request).await?;
    session.line(&format!("Cluster '{added}' added"));
    Ok(())
}

/// Somebody who sits there is asked before an account with all rights is made.
fn ask(session: &mut Session<'_>, context: &str, namespaces: &[String]) -> Outcome {
    if !session.environment.interactive || session.is("yes") {
        return Ok(());
    }
    let level = if namespaces.is_empty() { "cluster" } else { "namespace" };
    let question = format!(
        "WARNING: This will create a service account `argocd-manager` on the cluster referenced by context `{context}` \
         with full {level} level privileges. Do you want to continue [y/N]? "
    );
    if session.proceed(&question)? { Ok(()) } else { Err(Failure::Exit(1)) }
}
