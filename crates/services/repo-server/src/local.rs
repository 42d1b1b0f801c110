//! A folder of the user's machine in the place of a repository: rendered in the process that asks, as a server would, with
//! nobody's credentials.

use crate::asked::{Asked, References};
use crate::options::Options;
use crate::restrained::Care;
use boot::flags::Flags;
use cache::Cache;
use source_tree::Tree;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use wire::repository::ManifestRequest;

/// What counts of the user's environment: where plugins are, and how they are asked. What opens doors is not among it.
const VARIABLES: [&str; 3] = ["ARGOCD_PLUGINSOCKFILEPATH", "ARGOCD_CMP_CHUNK_SIZE", "ARGOCD_EXEC_TIMEOUT"];

/// The manifests that a tree renders to. `folder` is for what is fetched on the way, and `known_hosts` are the host keys
/// trusted for that. `path` is where the source is in its repository; in the tree it is where the request says.
/// `environment` is the user's.
pub async fn render_local(
    tree: Arc<dyn Tree>,
    request: ManifestRequest,
    path: &str,
    folder: &Path,
    known_hosts: &str,
    environment: &BTreeMap<String, String>,
) -> Result<Vec<String>, String> {
    let source = request.application_source.clone().unwrap_or_default();
    let trusted = folder.join("ssh");
    let written = std::fs::create_dir_all(&trusted)
        .and_then(|()| std::fs::write(trusted.join("ssh_known_hosts"), known_hosts));
    written.map_err(|error| format!("write {}: {error}", trusted.display()))?;
    let flags = Flags::parse(crate::COMPONENT, &[], &BTreeMap::new()).map_err(|error| error.to_string())?;
    let options = Options {
        cache_folder: folder.join("mirrors"),
        ssh_data: trusted,
        // The user's own files have no limit, as in the original.
        manifest_bytes: 0,
        ..Options::from_flags(&flags, &counting(environment))
    };
    let server = crate::build(options, Cache::memory(1 << 20), &boot::metrics::registry());
    let server = server.map_err(|error| error.to_string())?;
    let work = Asked {
        tree,
        revision: source.target_revision.clone(),
        source,
        request,
        references: References::new(),
        care: Care::Usual,
        answers: None,
        path: Some(path.to_owned()),
    };
    server.render(work).await.map(|(kept, _)| kept.manifests).map_err(|status| status.message().to_owned())
}

fn counting(environment: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let counts = |(name, _): &(&String, &String)| VARIABLES.contains(&name.as_str());
    environment.iter().filter(counts).map(|(name, value)| (name.clone(), value.clone())).collect()
}
