//! Config management plugins as renders ask for them: which files they get, and with whose credentials.

use boot::flags::Flags;
use plugin::archive::Exclusions;
use plugin::{Files, Plugins, Variable};
use render::{Discovery, SeamError};
use source_tree::{Tree, TreePath};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use wire::repository::ParameterAnnouncement;

use crate::ask_pass::{AskPass, Shared};

/// Where plugins are and what they get, from flags and environment. A pattern that is none leaves nothing out.
pub(crate) fn options(flags: &Flags, environment: &BTreeMap<String, String>) -> plugin::Options {
    let given = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    let default = plugin::Options::default();
    let patterns = flags.list("plugin-tar-exclude");
    // One variable holds several of them.
    let patterns = patterns.iter().flat_map(|pattern| pattern.split(';')).map(str::trim);
    let exclusions = Exclusions::parse(patterns.filter(|pattern| !pattern.is_empty()));
    let exclusions = exclusions.unwrap_or_else(|(pattern, error)| {
        tracing::warn!(pattern, %error, "--plugin-tar-exclude is not used");
        Exclusions::default()
    });
    let timeout = given("ARGOCD_EXEC_TIMEOUT").and_then(|text| boot::duration::parse(text));
    plugin::Options {
        folder: given("ARGOCD_PLUGINSOCKFILEPATH").map_or(default.folder, PathBuf::from),
        exclusions,
        piece: given("ARGOCD_CMP_CHUNK_SIZE").and_then(|text| text.parse().ok()).unwrap_or(default.piece),
        timeout: timeout.filter(|timeout| *timeout > Duration::ZERO).unwrap_or(default.timeout),
        limits: default.limits,
    }
}

/// The plugins, seen from one render.
pub(crate) struct PluginWorld {
    pub(crate) plugins: Plugins,
    pub(crate) tree: Arc<dyn Tree>,
    /// The annotation that names the files of an application, where plugins get these only.
    pub(crate) generate_paths: Option<String>,
    pub(crate) ask_pass: AskPass,
    pub(crate) repositories: git::Repositories,
    pub(crate) repository: git::Repository,
}

impl PluginWorld {
    /// Whether some plugin takes the folder.
    pub(crate) fn discover(
        &self,
        runtime: &Handle,
        path: &TreePath,
        variables: &[Variable],
    ) -> Result<Discovery, SeamError> {
        if self.plugins.names().is_empty() {
            return Ok(Discovery::NoPlugins);
        }
        let found = runtime
            .block_on(self.plugins.discover(&self.files(path), variables))
            .map_err(|error| seam(&error))?;
        Ok(if found.is_some() { Discovery::Claimed } else { Discovery::Unclaimed })
    }

    /// The manifests that a plugin makes of the folder.
    pub(crate) fn manifests(
        &self,
        runtime: &Handle,
        name: &str,
        path: &TreePath,
        variables: &[Variable],
    ) -> Result<Vec<String>, SeamError> {
        let files = self.files(path);
        runtime.block_on(async {
            let plugin = self.plugins.find(name, &files, variables).await.map_err(|error| seam(&error))?;
            let (variables, _shared) = self.with_credentials(&plugin, variables).await?;
            plugin.manifests(&files, &variables).await.map_err(|error| seam(&error))
        })
    }

    /// The parameters that a plugin knows for the folder.
    pub(crate) fn parameters(
        &self,
        runtime: &Handle,
        name: &str,
        path: &TreePath,
        variables: &[Variable],
    ) -> Result<Vec<ParameterAnnouncement>, SeamError> {
        let files = self.files(path);
        runtime.block_on(async {
            let found = self.plugins.find(name, &files, variables).await;
            let plugin = found.map_err(|error| SeamError {
                retry: error.retryable(),
                cause: format!("failed to detect CMP for app: {error}"),
            })?;
            let (variables, _shared) = self.with_credentials(&plugin, variables).await?;
            plugin.parameters(&files, &variables).await.map_err(|error| seam(&error))
        })
    }

    /// The variables, with the way to the repository's credentials where the plugin may have them; for as long as the
    /// second is kept.
    async fn with_credentials(
        &self,
        plugin: &plugin::Plugin,
        variables: &[Variable],
    ) -> Result<(Vec<Variable>, Option<Shared>), SeamError> {
        let mut variables = variables.to_vec();
        if !plugin.provides_git_credentials() {
            return Ok((variables, None));
        }
        let failed = |retry: bool, error: String| SeamError {
            retry,
            cause: format!("share the repository's credentials with the plugin: {error}"),
        };
        let repository = self.repositories.with_token(&self.repository).await;
        let repository = repository.map_err(|error| failed(error.retryable(), error.to_string()))?;
        let shared = self.ask_pass.share(&repository).map_err(|error| failed(true, error.to_string()))?;
        variables.extend(shared.variables.iter().cloned());
        Ok((variables, Some(shared)))
    }

    fn files(&self, path: &TreePath) -> Files {
        let include = self.generate_paths.as_deref().map_or_else(Vec::new, |paths| include(path, paths));
        Files { tree: self.tree.clone(), path: path.clone(), include }
    }
}

fn seam(error: &plugin::PluginError) -> SeamError {
    SeamError { retry: error.retryable(), cause: error.to_string() }
}

/// The application's folder and what `manifest-generate-paths` names: relative to that folder, or to the repository
/// with a slash in front. Of a pattern, the folder before its first sign is taken; what leads out is not.
fn include(path: &TreePath, annotation: &str) -> Vec<TreePath> {
    let mut paths = vec![path.clone()];
    for text in annotation.split(';').map(str::trim).filter(|text| !text.is_empty()) {
        let plain = match text.find(['*', '?', '[', '{']) {
            Some(sign) => text[..sign].rsplit_once('/').map_or("", |(folder, _)| folder),
            None => text,
        };
        let plain = if plain.is_empty() && text.starts_with('/') { "/" } else { plain };
        if let Ok(found) = path.resolve(plain)
            && !paths.contains(&found)
        {
            paths.push(found);
        }
    }
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::include;
    use source_tree::TreePath;

    #[test]
    fn the_annotation_names_files() {
        let path = TreePath::parse("apps/shop").unwrap();
        let of = |annotation: &str| -> Vec<String> {
            include(&path, annotation).iter().map(ToString::to_string).collect()
        };
        assert_eq!(of("."), ["apps/shop"]);
        assert_eq!(of(".;../shared;/base"), ["apps/shared", "apps/shop", "base"]);
        assert_eq!(of("/base/*.yaml"), ["apps/shop", "base"]);
        assert_eq!(of("/*.yaml"), [".", "apps/shop"]);
        assert_eq!(of("../../../etc"), ["apps/shop"]);
    }
}
