//! `argocd admin cluster generate-spec`: a registration of a cluster as a Secret.

use super::super::secret::{OUTPUT, Registration};
use crate::command::{Command, Flag, Running, switch, text};
use crate::commands::cluster::{ACCOUNT, CLUSTER, Manager, choose, cluster, connect, endpoint};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

const OWN: &[Flag] = &[
    text("bearer-token", "Token with which the cluster is entered"),
    switch("generate-bearer-token", "Use the token of the service account"),
    text("service-account", "Service account of --generate-bearer-token").or(ACCOUNT),
    text("system-namespace", "Namespace of the service account").or("kube-system"),
];

pub(super) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd admin cluster generate-spec my-context --bearer-token TOKEN",
    flags: &[OWN, OUTPUT, CLUSTER],
    run: Some(start),
    ..Command::new("generate-spec", "CONTEXT", "Generate declarative config for a cluster")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let context = choose(session)?;
    if session.is("in-cluster") && !session.text("cluster-endpoint").is_empty() {
        return Err(Failure::fatal("Can only use one of --in-cluster or --cluster-endpoint"));
    }
    let endpoint = endpoint(session, &context)?;
    let mut token = session.text("bearer-token");
    if session.is("generate-bearer-token") {
        let connected = connect(&endpoint, &context).await?;
        let manager = Manager { cluster: &connected, namespace: session.text("system-namespace") };
        token = manager.token(session, &session.text("service-account")).await?.into_revealed();
    } else if token.is_empty() {
        // What stands there is to be replaced by whoever keeps the Secret.
        "bearer-token".clone_into(&mut token);
    }
    let cluster = cluster(session, endpoint, &context, &token).await?;
    let name = store::cluster_secret_name(&cluster.server)
        .ok_or_else(|| Failure::generic(format!("{:?} is not the URL of a server", cluster.server)))?;
    let data = store::cluster_secret_data(&cluster).into_iter();
    Registration {
        name,
        secret_type: "cluster",
        labels: cluster.labels.clone(),
        annotations: cluster.annotations.clone(),
        data: data.map(|(key, value)| (key, value.into_revealed())).collect(),
    }
    .print(session)
}
