//! `argocd cluster set`.

use api::v1alpha1::Cluster;
use wire::cluster::{ClusterId, ClusterUpdateRequest};

use super::described::pairs;
use crate::command::{Command, Flag, Running, array, text};
use crate::failure::Outcome;
use crate::log::Level;
use crate::session::Session;

const OWN: &[Flag] = &[
    array("annotation", "Set metadata annotations (e.g. --annotation key=value)"),
    array("label", "Set metadata labels (e.g. --label key=value)"),
    text("name", "Overwrite the cluster name"),
    array(
        "namespace",
        "List of namespaces which are allowed to manage. Specify '*' to manage all namespaces",
    ),
];

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd cluster set CLUSTER_NAME --name new-cluster-name --namespace '*'\n  \
              argocd cluster set CLUSTER_NAME --name new-cluster-name --namespace namespace-one --namespace namespace-two",
    flags: &[OWN],
    run: Some(start),
    ..Command::new("set", "NAME", "Set cluster information")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let name = session.only_argument()?;
    let server = session.server().await?;
    let mut namespaces = session.matches.list("namespace").to_vec();
    if namespaces == ["*"] {
        namespaces.clear();
    }
    let fields =
        [("name", "name"), ("namespace", "namespaces"), ("label", "labels"), ("annotation", "annotations")];
    let given = fields.iter().filter(|(flag, _)| session.matches.changed(flag));
    let updated_fields: Vec<String> = given.map(|(_, field)| (*field).to_owned()).collect();
    if updated_fields.is_empty() {
        session.line("Specify the cluster field to be updated.");
        return Ok(());
    }
    let cluster = Cluster {
        name: session.text("name"),
        namespaces,
        labels: pairs(session, "label")?,
        annotations: pairs(session, "annotation")?,
        ..Cluster::default()
    };
    // Servers unescape an id, of whatever type it is.
    let value = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let id = Some(ClusterId { r#type: "name".into(), value });
    let request = ClusterUpdateRequest { cluster: Some(cluster), updated_fields, id };
    if let Err(status) = server.clusters().update(request).await {
        session.log(
            Level::Error,
            "Ensure that the cluster is present and you have the necessary permissions to update the cluster",
        );
        return Err(status.into());
    }
    session.line(&format!("Cluster '{name}' updated."));
    Ok(())
}
