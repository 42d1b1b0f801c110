//! `argocd cluster get`.

use api::v1alpha1::Cluster;
use wire::cluster::ClusterQuery;

use crate::command::{Command, Running};
use crate::commands::output;
use crate::failure::{Failure, Outcome};
use crate::output::documents::unknown;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd cluster get https://12.34.567.89\n  argocd cluster get in-cluster",
    flags: &[&[output("yaml", "Output format. One of: json|yaml|wide|server")]],
    run: Some(start),
    ..Command::new("get", "SERVER/NAME", "Get cluster information")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let names = session.arguments().to_vec();
    if names.is_empty() {
        return Err(Failure::usage());
    }
    let server = session.server().await?;
    let mut clusters: Vec<Cluster> = Vec::new();
    for name in names {
        clusters.push(server.clusters().get(query(&name)).await?.into_inner());
    }
    match session.text("output").as_str() {
        format @ ("json" | "yaml") => match clusters.as_slice() {
            [only] => session.print_document(only, format)?,
            many => session.print_document(many, format)?,
        },
        "wide" | "" => clusters.iter().for_each(|cluster| session.print(&details(cluster))),
        "server" => clusters.iter().for_each(|cluster| session.line(&cluster.server)),
        format => return Err(unknown(format)),
    }
    Ok(())
}

/// A cluster is named by its address or by its name.
pub(super) fn query(name: &str) -> ClusterQuery {
    if name.starts_with("http://") || name.starts_with("https://") {
        ClusterQuery { server: name.to_owned(), ..ClusterQuery::default() }
    } else {
        ClusterQuery { name: name.to_owned(), ..ClusterQuery::default() }
    }
}

fn details(cluster: &Cluster) -> String {
    let config = &cluster.config;
    let name = if cluster.name.is_empty() { "-" } else { &cluster.name };
    let namespaces =
        if cluster.namespaces.is_empty() { "all".to_owned() } else { cluster.namespaces.join(", ") };
    format!(
        "Cluster information\n\n  Server URL:            {}\n  Server Name:           {name}\n  \
         Server Version:        {}\n  Namespaces:            {namespaces}\n\nTLS configuration\n\n  \
         Client cert:           {}\n  Cert validation:       {}\n\nAuthentication\n\n  \
         Basic authentication:  {}\n  oAuth authentication:  {}\n  AWS authentication:    {}\n\n",
        cluster.server,
        cluster.server_version,
        !config.tls_client_config.cert_data.is_empty(),
        !config.tls_client_config.insecure,
        !config.username.is_empty(),
        !config.bearer_token.is_empty(),
        config.aws_auth_config.is_some(),
    )
}
