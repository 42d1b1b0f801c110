//! The flags of `proj create` and `proj set` that describe what a project permits.

use api::k8s::meta_v1::GroupKind;
use api::v1alpha1::{
    AppProjectSpec, ApplicationDestination, ApplicationDestinationServiceAccount,
    ClusterResourceRestrictionItem, OrphanedResourcesMonitorSettings, SignatureKey,
};

use super::signature_key::key_id;
use crate::command::{Flag, array, list, switch, text};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// The flags.
pub(crate) const FLAGS: &[Flag] = &[
    array("allow-cluster-resource", "A kind without namespace that is allowed, as group/kind"),
    array("allow-namespaced-resource", "A kind with namespaces that is allowed, as group/kind"),
    array("deny-cluster-resource", "A kind without namespace that is denied, as group/kind"),
    array("deny-namespaced-resource", "A kind with namespaces that is denied, as group/kind"),
    text("description", "What the project is for"),
    array("dest", "Permitted destination server and namespace (e.g. https://192.0.2.1:6443,default)")
        .short('d'),
    array("dest-service-accounts", "Destination server, namespace and the service account syncs act as"),
    switch("orphaned-resources", "Watch for resources that belong to no application"),
    switch("orphaned-resources-warn", "Warn applications of such resources"),
    list("signature-keys", "Ids of the GnuPG keys commits must be signed with"),
    list("source-namespaces", "Namespaces whose applications may use the project"),
    array("src", "Permitted source repository URL").short('s'),
];

/// Applies the flags that were given; how many there were.
pub(crate) fn apply(session: &mut Session<'_>, spec: &mut AppProjectSpec) -> Outcome<usize> {
    let given: Vec<&str> =
        session.matches.changed_flags().filter(|name| FLAGS.iter().any(|flag| flag.name == *name)).collect();
    for name in &given {
        apply_one(session, spec, name)?;
    }
    if given.iter().any(|name| name.starts_with("orphaned-resources")) {
        let warns = session.matches.changed("orphaned-resources-warn");
        spec.orphaned_resources = (session.is("orphaned-resources") || warns).then(|| {
            let warn = warns.then(|| session.is("orphaned-resources-warn"));
            OrphanedResourcesMonitorSettings { warn, ..Default::default() }
        });
    }
    Ok(given.len())
}

fn apply_one(session: &mut Session<'_>, spec: &mut AppProjectSpec, name: &str) -> Outcome {
    if name == "description" {
        spec.description = session.text(name);
        return Ok(());
    }
    if name.starts_with("orphaned-resources") {
        return Ok(());
    }
    let values = session.matches.list(name).to_vec();
    match name {
        "dest" => spec.destinations = destinations(session, &values)?,
        "dest-service-accounts" => {
            spec.destination_service_accounts = service_accounts(session, &values)?;
        }
        "src" => spec.source_repos = values,
        "signature-keys" => {
            let keys = values.iter().map(|key| match key_id(key) {
                Some(key_id) => Ok(SignatureKey { key_id }),
                None => Err(plainly(session, &format!("'{key}' is not a valid GnuPG key ID"))),
            });
            spec.signature_keys = keys.collect::<Result<_, _>>()?;
        }
        "source-namespaces" => spec.source_namespaces = values,
        "allow-cluster-resource" => spec.cluster_resource_whitelist = cluster_kinds(&values),
        "deny-cluster-resource" => spec.cluster_resource_blacklist = cluster_kinds(&values),
        "allow-namespaced-resource" => spec.namespace_resource_whitelist = kinds(&values),
        _ => spec.namespace_resource_blacklist = kinds(&values),
    }
    Ok(())
}

fn destinations(session: &mut Session<'_>, values: &[String]) -> Outcome<Vec<ApplicationDestination>> {
    let read = |value: &String| match value.split(',').collect::<Vec<_>>()[..] {
        [server, namespace] => Ok(ApplicationDestination {
            server: server.to_owned(),
            namespace: namespace.to_owned(),
            ..Default::default()
        }),
        _ => Err(plainly(
            session,
            &format!("Expected destination of the form: server,namespace. Received: {value}"),
        )),
    };
    values.iter().map(read).collect()
}

fn service_accounts(
    session: &mut Session<'_>,
    values: &[String],
) -> Outcome<Vec<ApplicationDestinationServiceAccount>> {
    let read = |value: &String| match value.split(',').collect::<Vec<_>>()[..] {
        [server, namespace, account] => Ok(ApplicationDestinationServiceAccount {
            server: server.to_owned(),
            namespace: namespace.to_owned(),
            default_service_account: account.to_owned(),
        }),
        _ => Err(plainly(
            session,
            &format!(
                "Expected destination service account of the form: server,namespace, defaultServiceAccount. \
                 Received: {value}"
            ),
        )),
    };
    values.iter().map(read).collect()
}

/// A mistake that is told with the time and without a level, as the original does for these flags.
fn plainly(session: &mut Session<'_>, message: &str) -> Failure {
    let time = session.environment.now().strftime("%Y/%m/%d %H:%M:%S").to_string();
    session.warn_plainly(&format!("{time} {message}\n"));
    Failure::Exit(1)
}

fn kinds(values: &[String]) -> Vec<GroupKind> {
    values
        .iter()
        .filter_map(|value| group_kind(value))
        .map(|(group, kind)| GroupKind { group, kind })
        .collect()
}

fn cluster_kinds(values: &[String]) -> Vec<ClusterResourceRestrictionItem> {
    let read = |value: &String| match value.split('/').collect::<Vec<_>>()[..] {
        [group, kind, name] => Some((group.to_owned(), kind.to_owned(), name.to_owned())),
        _ => group_kind(value).map(|(group, kind)| (group, kind, String::new())),
    };
    let made = values.iter().filter_map(read);
    made.map(|(group, kind, name)| ClusterResourceRestrictionItem { group, kind, name }).collect()
}

/// `group/kind`, or a kind of the core group alone; what is neither is no kind.
fn group_kind(value: &str) -> Option<(String, String)> {
    match value.split('/').collect::<Vec<_>>()[..] {
        [kind] => Some((String::new(), kind.to_owned())),
        [group, kind] => Some((group.to_owned(), kind.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_with_and_without_group() {
        let values = ["apps/Deployment", "Secret", "a/b/c/d"].map(str::to_owned);
        let read: Vec<_> = kinds(&values).into_iter().map(|item| (item.group, item.kind)).collect();
        assert_eq!(
            read,
            [("apps".to_owned(), "Deployment".to_owned()), (String::new(), "Secret".to_owned())]
        );
        let named = cluster_kinds(&["/Namespace/team-*".to_owned()]);
        assert_eq!((named[0].kind.as_str(), named[0].name.as_str()), ("Namespace", "team-*"));
    }
}
