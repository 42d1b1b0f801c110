//! What a render may ask of the world besides its tree. The caller decides how, and with whose credentials.

use jiff::Timestamp;
use source_tree::{Tree, TreePath};
use std::collections::BTreeMap;
use std::sync::Arc;

pub use helm::MissingDependency;
pub use jsonnet::{JsonnetError, Parameters as JsonnetParameters};
pub use kustomize::{RemoteBase, SeamError};

/// The world outside of the tree.
pub trait Outside {
    /// The time, for templates that ask.
    fn now(&self) -> Timestamp;

    /// Fills a buffer with random bytes, for templates that ask.
    fn random(&self, buffer: &mut [u8]) -> Result<(), String>;

    /// The tree of a repository that a kustomization names.
    fn tree(&self, base: &RemoteBase) -> Result<Arc<dyn Tree>, SeamError>;

    /// What an address gives: values files, and resources of kustomizations.
    fn file(&self, url: &str) -> Result<Vec<u8>, SeamError>;

    /// A packed chart that another one needs.
    fn chart(&self, wanted: &MissingDependency) -> Result<Vec<u8>, SeamError>;

    /// What the destination's cluster has, as JSON, for templates that look it up. Nothing where there is no such object,
    /// and where nobody lets templates see it.
    fn lookup(&self, lookup: &Lookup) -> Result<Option<serde_json::Value>, SeamError> {
        let _ = lookup;
        Ok(None)
    }

    /// Evaluates a Jsonnet file of a tree. Such a program may never end: who can end it says how.
    fn evaluate(
        &self,
        tree: &dyn Tree,
        file: &TreePath,
        parameters: &JsonnetParameters,
    ) -> Result<String, JsonnetError> {
        jsonnet::evaluate(tree, file, parameters)
    }

    /// Whether a plugin says that the folder is for it. The variables are for its commands.
    fn discover(&self, path: &TreePath, variables: &[(String, String)]) -> Result<Discovery, SeamError> {
        let _ = (path, variables);
        Ok(Discovery::NoPlugins)
    }

    /// The manifests that a plugin makes of the folder; the one that discovery finds when the name is empty.
    fn plugin(
        &self,
        name: &str,
        path: &TreePath,
        variables: &[(String, String)],
    ) -> Result<Vec<String>, SeamError> {
        let _ = variables;
        Err(SeamError::fact(format!("{path}: there are no plugins here, {name:?} is not asked")))
    }
}

/// What a template looks up: an object, or, without a name, all objects of a kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lookup {
    /// As `apps/v1`.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// The namespace; empty for kinds without, and for objects of all namespaces.
    pub namespace: String,
    /// The name; empty for a list.
    pub name: String,
}

/// What discovery among plugins gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// There is nobody to ask.
    NoPlugins,
    /// Nobody wants the folder.
    Unclaimed,
    /// A plugin takes it.
    Claimed,
}

/// Nothing outside: no time, no randomness, nothing to fetch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nowhere;

impl Outside for Nowhere {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn random(&self, _: &mut [u8]) -> Result<(), String> {
        Err("no source of randomness".into())
    }

    fn tree(&self, base: &RemoteBase) -> Result<Arc<dyn Tree>, SeamError> {
        Err(SeamError::fact(format!("{}: other repositories are not available here", base.repository)))
    }

    fn file(&self, url: &str) -> Result<Vec<u8>, SeamError> {
        Err(SeamError::fact(format!("{url}: remote files are not available here")))
    }

    fn chart(&self, wanted: &MissingDependency) -> Result<Vec<u8>, SeamError> {
        let MissingDependency { name, repository, version } = wanted;
        Err(SeamError::fact(format!(
            "chart {name} {version} of {repository}: charts are not fetched here; put it into charts/"
        )))
    }
}

/// Trees of other sources, by the `$name` that values files start with.
pub type References = BTreeMap<String, Arc<dyn Tree>>;

/// The world as templates see it.
pub(crate) struct TemplateWorld<'a>(pub(crate) &'a dyn Outside);

impl gotemplate::Outside for TemplateWorld<'_> {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn random(&mut self, buffer: &mut [u8]) -> Result<(), String> {
        self.0.random(buffer)
    }

    fn lookup(
        &mut self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<gotemplate::Value, String> {
        let lookup = Lookup {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        let found = self.0.lookup(&lookup).map_err(|error| error.cause)?;
        // Whole numbers are whole, as what comes from a cluster is for Helm.
        let value = found.as_ref().map(gotemplate::Value::from_json_with_integers);
        Ok(value.unwrap_or_else(|| gotemplate::Map::any(BTreeMap::new())))
    }
}
