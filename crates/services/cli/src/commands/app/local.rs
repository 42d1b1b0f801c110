//! `--local`: a folder of the user's instead of the repository, rendered here by the same engine as the server's.
//! The server tells how objects are marked and what the cluster can do; the files stay here.

use api::v1alpha1::Application;
use object::tracking::{AppInstance, Tracking, TrackingMethod};
use render::{Environment, EnvironmentOf, References};
use wire::cluster::{ClusterQuery, SettingsQuery};

use crate::connection::Server;
use crate::failure::{Failure, Outcome, io_error};
use crate::folder::Folder;
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
    let options = settings.kustomize_options.unwrap_or_default();
    let environment = Environment::new(EnvironmentOf {
        application: instance.as_str(),
        namespace: &destination.namespace,
        project: application::project(&found.spec),
        revision: "",
        repository: &source.repo_url,
        path: &declared,
        target_revision: &source.target_revision,
    });
    let rendered = render::render(
        &tree,
        &render::Request {
            source: &source,
            application: Some(&instance).filter(|_| !settings.app_label_key.is_empty()),
            application_name: instance.as_str(),
            namespace: &destination.namespace,
            tracking: Tracking {
                method: TrackingMethod::from_setting(&settings.tracking_method),
                label_key: &settings.app_label_key,
                installation_id: &settings.installation_id,
            },
            enabled: &Default::default(),
            environment: &environment,
            kube_version: &cluster.server_version,
            api_versions: &cluster.info.api_versions,
            kustomize_options: &options.build_options,
            value_file_schemes: &[],
            references: &References::default(),
            outside: &render::Nowhere,
            limits: render::Limits::default(),
        },
    );
    let rendered = rendered.map_err(|error| Failure::generic(error.to_string()))?;
    Ok(rendered.objects.iter().map(|object| object::object_to_go_json(&object.0)).collect())
}

/// The folder to read, and where the source is in it: with a root, the whole of that can be read, as in a repository.
fn place(session: &Session<'_>) -> Outcome<(Folder, String)> {
    let absolute = |text: &str| {
        std::fs::canonicalize(text)
            .map_err(|error| Failure::generic(format!("stat {text}: {}", io_error(&error))))
    };
    let folder = absolute(session.matches.text("local"))?;
    if !session.matches.changed("local-repo-root") {
        return Ok((Folder::new(folder), ".".to_owned()));
    }
    let root = absolute(session.matches.text("local-repo-root"))?;
    let inside = folder
        .strip_prefix(&root)
        .map_err(|_| Failure::generic(format!("{} is not below {}", folder.display(), root.display())))?
        .to_string_lossy()
        .into_owned();
    Ok((Folder::new(root), if inside.is_empty() { ".".to_owned() } else { inside }))
}
