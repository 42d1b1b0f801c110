//! `--local`: a folder of the user's instead of the repository, rendered here by the same engine as the server's.
//! The server tells how objects are marked and what the cluster can do; the files stay here.

use std::fs;
use std::path::{Path, PathBuf};

use api::v1alpha1::Application;
use bytes::Bytes;
use object::tracking::{AppInstance, Tracking, TrackingMethod};
use render::{Environment, EnvironmentOf, References};
use source_tree::{MemoryTree, TreePath};
use wire::cluster::{ClusterQuery, SettingsQuery};

use crate::connection::Server;
use crate::failure::{Failure, Outcome, io_error};
use crate::output::application;
use crate::session::Session;

/// More than any folder of manifests holds; a wrong `--local-repo-root` is told before it is read whole.
const MOST_FILES: usize = 20_000;
const MOST_BYTES: u64 = 256 << 20;

/// The manifests that the folder of `--local` renders to.
pub(super) async fn manifests(
    session: &Session<'_>,
    server: &Server,
    found: &Application,
) -> Outcome<Vec<String>> {
    let mut source = application::source(&found.spec);
    let (folder, path) = place(session, &source.path)?;
    let tree = tree(&folder, &path.0)?;
    source.path = path.1;
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
        path: &source.path,
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

/// The folder to read; where its files are in the tree, and where the source is in it.
type Place = (PathBuf, (String, String));

/// With a root, the whole of it is the tree and the folder is the source in it; else the folder is all there is.
fn place(session: &Session<'_>, path: &str) -> Outcome<Place> {
    let absolute = |text: &str| {
        fs::canonicalize(text).map_err(|error| Failure::generic(format!("stat {text}: {}", io_error(&error))))
    };
    let folder = absolute(session.matches.text("local"))?;
    if session.matches.changed("local-repo-root") {
        let root = absolute(session.matches.text("local-repo-root"))?;
        let inside = folder
            .strip_prefix(&root)
            .map_err(|_| Failure::generic(format!("{} is not below {}", folder.display(), root.display())))?;
        let inside = inside.to_string_lossy().into_owned();
        return Ok((root, (String::new(), if inside.is_empty() { ".".to_owned() } else { inside })));
    }
    let own = path.trim_matches(['/', '.']);
    Ok((folder, (own.to_owned(), if own.is_empty() { ".".to_owned() } else { own.to_owned() })))
}

/// The files of a folder as a tree, below `prefix`. Links are left out, as is what belongs to Git.
fn tree(folder: &Path, prefix: &str) -> Outcome<MemoryTree> {
    let base = TreePath::parse(prefix).map_err(|error| Failure::generic(error.to_string()))?;
    let mut files = Vec::new();
    let mut bytes = 0;
    let mut waiting = vec![(folder.to_owned(), base)];
    while let Some((folder, path)) = waiting.pop() {
        let failed = |error: &std::io::Error| {
            Failure::generic(format!("open {}: {}", folder.display(), io_error(error)))
        };
        for entry in fs::read_dir(&folder).map_err(|error| failed(&error))? {
            let entry = entry.map_err(|error| failed(&error))?;
            let kind = entry.file_type().map_err(|error| failed(&error))?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| *name != ".git") else { continue };
            if kind.is_dir() {
                waiting.push((entry.path(), path.child(name)));
            } else if kind.is_file() {
                bytes += entry.metadata().map_err(|error| failed(&error))?.len();
                if files.len() >= MOST_FILES || bytes > MOST_BYTES {
                    return Err(Failure::generic(format!(
                        "{} holds more than {MOST_FILES} files or {} MiB: name a smaller folder with --local-repo-root",
                        folder.display(),
                        MOST_BYTES >> 20
                    )));
                }
                let content = fs::read(entry.path()).map_err(|error| failed(&error))?;
                files.push((path.child(name), Bytes::from(content)));
            }
        }
    }
    MemoryTree::from_files(files).map_err(|error| Failure::generic(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::tree;
    use source_tree::{Tree, TreePath};

    #[test]
    fn a_folder_stands_where_the_source_is() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("sub/.git")).unwrap();
        std::fs::write(folder.path().join("sub/a.yaml"), "a: 1").unwrap();
        std::fs::write(folder.path().join("sub/.git/config"), "secret").unwrap();
        let tree = tree(folder.path(), "apps/one").unwrap();
        let path = |text: &str| TreePath::parse(text).unwrap();
        assert_eq!(tree.read(&path("apps/one/sub/a.yaml")).unwrap().as_ref(), b"a: 1");
        assert!(tree.read(&path("apps/one/sub/.git/config")).is_err());
    }
}
