//! `--local`: a folder of the user's instead of the repository, rendered here by the same engine as the server's.
//! The server tells how objects are marked and what the cluster can do; the files stay here. What they lead to, such as
//! charts that others need, is fetched from here, with nobody's credentials. Plugins are asked where
//! `ARGOCD_PLUGINSOCKFILEPATH` says.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::v1alpha1::{Application, Repository};
use object::tracking::AppInstance;
use wire::cluster::{ClusterQuery, SettingsQuery};
use wire::repository::ManifestRequest;

use crate::connection::Server;
use crate::failure::{Failure, Outcome, io_error};
use crate::folder::{Folder, repository_of};
use crate::output::application;
use crate::session::Session;

/// The manifests that the folder of `--local` renders to.
pub(super) async fn manifests(
    session: &Session<'_>,
    server: &Server,
    found: &Application,
) -> Outcome<Vec<String>> {
    let mut source = application::source(&found.spec);
    let (tree, place) = place(session)?;
    let declared = std::mem::replace(&mut source.path, place);
    let settings = server.settings().get(SettingsQuery {}).await?.into_inner();
    let destination = &found.spec.destination;
    let query = ClusterQuery {
        server: destination.server.clone(),
        name: destination.name.clone(),
        ..ClusterQuery::default()
    };
    let cluster = server.clusters().get(query).await?.into_inner();
    let control = settings.controller_namespace.as_str();
    let metadata = &found.metadata;
    let instance = AppInstance::new(&metadata.namespace, &metadata.name, control);
    let request = ManifestRequest {
        repo: Some(Repository { repo: source.repo_url.clone(), ..Repository::default() }),
        app_name: instance.as_str().to_owned(),
        app_label_key: settings.app_label_key,
        namespace: destination.namespace.clone(),
        project_name: application::project(&found.spec).to_owned(),
        tracking_method: settings.tracking_method,
        installation_id: settings.installation_id,
        kube_version: cluster.server_version,
        api_versions: cluster.info.api_versions,
        kustomize_options: settings.kustomize_options,
        application_source: Some(source),
        ..ManifestRequest::default()
    };
    let fetched = tempfile::tempdir()
        .map_err(|error| Failure::generic(format!("make a folder: {}", io_error(&error))))?;
    let hosts = known_hosts(session);
    let environment = &session.environment.variables;
    let rendered =
        repo_server::render_local(Arc::new(tree), request, &declared, fetched.path(), &hosts, environment);
    rendered.await.map_err(Failure::generic)
}

/// The host keys that the user's own ssh knows.
fn known_hosts(session: &Session<'_>) -> String {
    let home = session.environment.variables.get("HOME").map(|home| Path::new(home).join(".ssh/known_hosts"));
    let files = home.into_iter().chain([PathBuf::from("/etc/ssh/ssh_known_hosts")]);
    // One that is not there knows nobody.
    files.map(|file| std::fs::read_to_string(file).unwrap_or_default() + "\n").collect()
}

/// The folder to read, and where the source is in it. The root is what the user says, else the repository that the folder
/// is in; without one, everything can be read, as in the original.
fn place(session: &Session<'_>) -> Outcome<(Folder, String)> {
    let absolute = |text: &str| {
        std::fs::canonicalize(text)
            .map_err(|error| Failure::generic(format!("stat {text}: {}", io_error(&error))))
    };
    let folder = absolute(session.matches.text("local"))?;
    let root = if session.matches.changed("local-repo-root") {
        absolute(session.matches.text("local-repo-root"))?
    } else {
        repository_of(&folder).unwrap_or(Path::new("/")).to_owned()
    };
    let inside = folder
        .strip_prefix(&root)
        .map_err(|_| Failure::generic(format!("{} is not below {}", folder.display(), root.display())))?
        .to_string_lossy()
        .into_owned();
    Ok((Folder::new(root), if inside.is_empty() { ".".to_owned() } else { inside }))
}
