//! `argocd proj allow-cluster-resource`, `deny-cluster-resource`, `allow-namespace-resource` and
//! `deny-namespace-resource`: each adds a kind to one list, or takes it out of it.

use api::k8s::meta_v1::GroupKind;
use api::v1alpha1::ClusterResourceRestrictionItem;

use super::{Change, arguments, changed};
use crate::command::{Command, Flag, Running, text};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

const CLUSTER_LIST: &[Flag] = &[text("list", "Which list: allow or deny").short('l').or("allow")];
const NAMESPACED_LIST: &[Flag] = &[text("list", "Which list: allow or deny").short('l').or("deny")];

pub(crate) static ALLOW_CLUSTER: Command = Command {
    flags: &[CLUSTER_LIST],
    run: Some(start_allow_cluster),
    ..Command::new(
        "allow-cluster-resource",
        "PROJECT GROUP KIND [NAME]",
        "Adds a cluster-scoped API resource to the allow list and removes it from deny list",
    )
};

pub(crate) static DENY_CLUSTER: Command = Command {
    flags: &[CLUSTER_LIST],
    run: Some(start_deny_cluster),
    ..Command::new(
        "deny-cluster-resource",
        "PROJECT GROUP KIND",
        "Removes a cluster-scoped API resource from the allow list and adds it to deny list",
    )
};

pub(crate) static ALLOW_NAMESPACED: Command = Command {
    flags: &[NAMESPACED_LIST],
    run: Some(start_allow_namespaced),
    ..Command::new(
        "allow-namespace-resource",
        "PROJECT GROUP KIND",
        "Removes a namespaced API resource from the deny list or add a namespaced API resource to the allow list",
    )
};

pub(crate) static DENY_NAMESPACED: Command = Command {
    flags: &[NAMESPACED_LIST],
    run: Some(start_deny_namespaced),
    ..Command::new(
        "deny-namespace-resource",
        "PROJECT GROUP KIND",
        "Adds a namespaced API resource to the deny list or removes a namespaced API resource from the allow list",
    )
};

fn start_allow_cluster<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { of_cluster(session, true).await })
}

fn start_deny_cluster<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { of_cluster(session, false).await })
}

fn start_allow_namespaced<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { namespaced(session, true).await })
}

fn start_deny_namespaced<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { namespaced(session, false).await })
}

/// Whether the list of what is allowed is meant.
fn means_allowed(session: &Session<'_>) -> bool {
    matches!(session.matches.text("list"), "allow" | "white")
}

async fn of_cluster(session: &mut Session<'_>, allow: bool) -> Outcome {
    let mut given = session.arguments().to_vec();
    if given.len() == 3 {
        given.push(String::new());
    }
    let [name, group, kind, pattern] = given.try_into().map_err(|_| Failure::usage())?;
    let wanted = ClusterResourceRestrictionItem { group, kind, name: pattern };
    changed(session, &name, |session, project| {
        let allowed = means_allowed(session);
        let (list, adjective) = if allowed {
            (&mut project.spec.cluster_resource_whitelist, "allowed")
        } else {
            (&mut project.spec.cluster_resource_blacklist, "denied")
        };
        let ClusterResourceRestrictionItem { group, kind, name } = &wanted;
        let what = format!("Group '{group}', kind '{kind}', and name '{name}'");
        Ok(modified(session, list, &wanted, allow == allowed, &what, &format!("{adjective} cluster")))
    })
    .await
}

async fn namespaced(session: &mut Session<'_>, allow: bool) -> Outcome {
    let [name, group, kind] = arguments(session)?;
    let wanted = GroupKind { group, kind };
    changed(session, &name, |session, project| {
        let allowed = means_allowed(session);
        let (list, adjective) = if allowed {
            (&mut project.spec.namespace_resource_whitelist, "allowed")
        } else {
            (&mut project.spec.namespace_resource_blacklist, "denied")
        };
        let what = format!("Group '{}' and kind '{}'", wanted.group, wanted.kind);
        Ok(modified(session, list, &wanted, allow == allowed, &what, &format!("{adjective} namespaced")))
    })
    .await
}

/// Adds an entry that is not there, or takes out one that is, and says so.
fn modified<T: PartialEq + Clone>(
    session: &mut Session<'_>,
    list: &mut Vec<T>,
    wanted: &T,
    add: bool,
    what: &str,
    which: &str,
) -> Change {
    let found = list.iter().position(|known| known == wanted);
    let done = match (found, add) {
        (None, true) => {
            list.push(wanted.clone());
            "added to"
        }
        (Some(index), false) => {
            list.remove(index);
            "removed from"
        }
        _ => return Change::Needless,
    };
    session.warn_plainly(&format!("{what} is {done} {which} resources\n"));
    Change::Made
}
