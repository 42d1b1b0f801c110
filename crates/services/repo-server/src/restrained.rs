//! The world as it is for what a stranger wrote: a pull request says what is to be rendered, and nobody has looked at it
//! yet. No plugin runs; other repositories are read where the project permits them; addresses are read where the
//! application itself names them, and not where the request does.

use crate::world::World;
use api::v1alpha1::{AppProject, ApplicationSource};
use render::{Discovery, JsonnetError, JsonnetParameters, MissingDependency, Outside, RemoteBase, SeamError};
use source_tree::{Tree, TreePath};
use std::collections::BTreeSet;
use std::sync::Arc;
use wire::repository::ManifestRequest;

/// Who wrote what is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Care {
    /// Somebody who may change the branch that is deployed.
    Usual,
    /// Perhaps anybody.
    Stranger,
}

/// What stays permitted.
pub(crate) struct Restrained {
    /// With the repositories of the application's project, and nothing else of it.
    project: AppProject,
    /// Addresses of values files that the application names.
    files: BTreeSet<String>,
}

/// The world behind it.
pub(crate) struct Around<'a> {
    restrained: &'a Restrained,
    world: &'a World,
}

impl Restrained {
    pub(crate) fn new(request: &ManifestRequest, source: &ApplicationSource) -> Self {
        let mut project = AppProject::default();
        project.spec.source_repos.clone_from(&request.project_source_repos);
        let helm = source.helm.iter();
        let files = helm.flat_map(|helm| {
            let parameters = helm.file_parameters.iter().map(|parameter| &parameter.path);
            helm.value_files.iter().chain(parameters).cloned()
        });
        Self { project, files: files.collect() }
    }

    pub(crate) fn around<'a>(&'a self, world: &'a World) -> Around<'a> {
        Around { restrained: self, world }
    }

    fn check_repository(&self, url: &str) -> Result<(), SeamError> {
        if is_remote(url) && project::permits_source(&self.project, url) {
            return Ok(());
        }
        Err(SeamError::fact("the project does not permit a repository that the pull request names"))
    }
}

/// Whether an address is one of another machine.
fn is_remote(url: &str) -> bool {
    match url.split_once("://") {
        Some((scheme, rest)) => scheme != "file" && !rest.starts_with('/') && !rest.is_empty(),
        None => url.split_once('@').is_some_and(|(_, rest)| rest.contains(':')) && !url.starts_with('/'),
    }
}

impl Outside for Around<'_> {
    fn now(&self) -> jiff::Timestamp {
        self.world.now()
    }

    fn random(&self, buffer: &mut [u8]) -> Result<(), String> {
        self.world.random(buffer)
    }

    fn tree(&self, base: &RemoteBase) -> Result<Arc<dyn Tree>, SeamError> {
        self.restrained.check_repository(&base.repository)?;
        let tree = self.world.tree(&RemoteBase { submodules: false, ..base.clone() })?;
        let declared = TreePath::root().child(".gitmodules");
        let declared = tree.entry(&declared).map_err(|error| SeamError::fact(error.to_string()))?;
        if base.submodules && declared.is_some() {
            return Err(SeamError::fact(format!(
                "{}: submodules are not read for a pull request",
                base.repository
            )));
        }
        Ok(tree)
    }

    fn file(&self, url: &str) -> Result<Vec<u8>, SeamError> {
        if !self.restrained.files.contains(url) {
            return Err(SeamError::fact("an address that only the pull request names is not read"));
        }
        self.world.file(url)
    }

    fn chart(&self, wanted: &MissingDependency) -> Result<Vec<u8>, SeamError> {
        let named = wanted.repository.starts_with('@') || wanted.repository.starts_with("alias:");
        // A name finds repositories that the project permits, and no other.
        if !named {
            self.restrained.check_repository(&wanted.repository)?;
        }
        self.world.chart(wanted)
    }

    fn evaluate(
        &self,
        tree: &dyn Tree,
        file: &TreePath,
        parameters: &JsonnetParameters,
    ) -> Result<String, JsonnetError> {
        self.world.evaluate(tree, file, parameters)
    }

    fn discover(&self, _: &TreePath, _: &[(String, String)]) -> Result<Discovery, SeamError> {
        Ok(Discovery::NoPlugins)
    }

    fn plugin(&self, _: &str, _: &TreePath, _: &[(String, String)]) -> Result<Vec<String>, SeamError> {
        Err(SeamError::fact("config management plugins do not run for a pull request"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Restrained, is_remote};
    use api::v1alpha1::{ApplicationSource, ApplicationSourceHelm};
    use wire::repository::ManifestRequest;

    #[test]
    fn a_repository_is_remote_and_permitted_or_not_read() {
        let permitted = |sources: &[&str], url: &str| {
            let project_source_repos = sources.iter().map(|source| (*source).to_owned()).collect();
            let request = ManifestRequest { project_source_repos, ..ManifestRequest::default() };
            Restrained::new(&request, &ApplicationSource::default()).check_repository(url).is_ok()
        };
        assert!(permitted(&["https://git.example/*"], "https://git.example/base"));
        assert!(!permitted(&["https://git.example/*"], "https://other.example/base"));
        assert!(!permitted(&["*", "!https://git.example/secret"], "https://git.example/secret.git"));
        assert!(permitted(&["*"], "git@git.example:org/base"));
        assert!(!permitted(&[], "https://git.example/base"));
        for local in ["file:///srv/git", "/srv/git", "../other", "https:///x", "x@y", "", "/a@b:c"] {
            assert!(!is_remote(local) && !permitted(&["*"], local), "{local}");
        }
    }

    #[test]
    fn addresses_are_the_applications_own() {
        let helm = ApplicationSourceHelm {
            value_files: vec!["https://values.example/a.yaml".into()],
            ..ApplicationSourceHelm::default()
        };
        let source = ApplicationSource { helm: Some(helm), ..ApplicationSource::default() };
        let restrained = Restrained::new(&ManifestRequest::default(), &source);
        assert!(restrained.files.contains("https://values.example/a.yaml"));
        assert!(!restrained.files.contains("http://169.254.169.254/latest"));
    }
}
