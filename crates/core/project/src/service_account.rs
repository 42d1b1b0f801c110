//! Whose rights a sync uses: the service account a project names for a destination.

use crate::destination::Cluster;
use api::v1alpha1::AppProject;
use glob_pattern::matches;

/// Why no service account can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoServiceAccount {
    /// The project names none for the destination.
    #[error("no matching service account found for destination server {server} and namespace {namespace}")]
    NoMatch {
        /// Server of the destination.
        server: String,
        /// Its namespace.
        namespace: String,
    },
    /// What it names is no service account.
    #[error("default service account contains invalid chars '{0}'")]
    Invalid(String),
}

/// Characters that make a pattern, or a path, of a name.
const FORBIDDEN: [char; 8] = ['!', '*', '[', ']', '{', '}', '\\', '/'];

/// The user to impersonate when a destination is changed: the first entry that names it counts. A name without a
/// namespace is of the destination's namespace, or the application's where the destination has none.
pub fn service_account(
    project: &AppProject,
    cluster: &Cluster,
    namespace: &str,
    application_namespace: &str,
) -> Result<String, NoServiceAccount> {
    let own_namespace = if namespace.is_empty() { application_namespace } else { namespace };
    let named =
        project.spec.destination_service_accounts.iter().find(|item| {
            matches(&item.server, &cluster.server, &[]) && matches(&item.namespace, namespace, &[])
        });
    let Some(named) = named else {
        return Err(NoServiceAccount::NoMatch {
            server: cluster.server.clone(),
            namespace: own_namespace.to_owned(),
        });
    };
    let account = named.default_service_account.as_str();
    if account.trim().is_empty() || account.contains(FORBIDDEN) {
        return Err(NoServiceAccount::Invalid(account.to_owned()));
    }
    Ok(if account.contains(':') {
        format!("system:serviceaccount:{account}")
    } else {
        format!("system:serviceaccount:{own_namespace}:{account}")
    })
}
