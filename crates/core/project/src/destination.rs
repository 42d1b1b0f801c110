//! Which cluster an application's destination means.

use api::v1alpha1::ApplicationDestination;

/// A cluster as it is registered.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cluster {
    /// Address of its API server.
    pub server: String,
    /// Name users gave it.
    pub name: String,
}

/// Where an object goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The namespace; may be empty.
    pub namespace: &'a str,
}

/// The registered cluster a destination means, or why there is none. The text is what users are told.
pub fn destination_cluster(
    destination: &ApplicationDestination,
    clusters: &[Cluster],
) -> Result<Cluster, String> {
    let ApplicationDestination { server, name, .. } = destination;
    match (server.as_str(), name.as_str()) {
        ("", "") => Err("Destination server missing from app spec".into()),
        ("", name) => {
            let mut named: Vec<&Cluster> = clusters.iter().filter(|cluster| cluster.name == name).collect();
            named.sort();
            match named[..] {
                [] => Err(format!("there are no clusters with this name: {name}")),
                [cluster] => Ok(cluster.clone()),
                _ => {
                    let servers: Vec<_> = named.iter().map(|cluster| cluster.server.as_str()).collect();
                    Err(format!(
                        "there are {} clusters with the same name: [{}]",
                        servers.len(),
                        servers.join(" ")
                    ))
                }
            }
        }
        (server, "") => {
            let wanted = server.trim_end_matches('/');
            let found = clusters.iter().find(|cluster| cluster.server.trim_end_matches('/') == wanted);
            found.cloned().ok_or_else(|| {
                // The own cluster is always there, unless settings switch it off.
                let why = if wanted == api::names::IN_CLUSTER_SERVER { "is disabled" } else { "not found" };
                format!(
                    "error getting cluster by server {server:?}: rpc error: code = NotFound desc = cluster {server:?} {why}"
                )
            })
        }
        (server, name) => {
            Err(format!("application destination can't have both name and server defined: {name} {server}"))
        }
    }
}
