//! From a source at a revision to manifests: which kind of source it is, its parameters, its objects with the
//! application's mark on them. Reads through a `Tree` only, so that what a render read is the key of its cache.

mod charts;
mod details;
mod directory;
mod environment;
mod error;
mod kustomizations;
mod outside;
mod overrides;
mod plugins;
mod source_type;
mod value_files;

pub use details::{Details, details};
pub use environment::{Environment, EnvironmentOf};
pub use error::RenderError;
pub use outside::{
    Discovery, JsonnetError, JsonnetParameters, Lookup, MissingDependency, Nowhere, Outside, References,
    RemoteBase, SeamError,
};
pub use overrides::with_overrides;
pub use plugins::variables as plugin_variables;
pub use source_type::{SourceType, source_type, source_type_among_plugins, told_by};

use api::v1alpha1::ApplicationSource;
use object::Object;
use object::tracking::{AppInstance, Tracking, set_tracking};
use source_tree::{Tree, TreePath};
use std::collections::BTreeMap;

/// Changes whenever the same input may give other manifests: cached renders of another engine are not used.
pub const ENGINE: &str = "argocd-rs/1";

/// What a render may take and make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// All manifest files of a directory source together, in bytes; 0 for no limit.
    pub manifest_bytes: u64,
    /// Objects of one render.
    pub objects: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { manifest_bytes: 10 << 20, objects: 100_000 }
    }
}

/// A render to be done.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The source, overrides not applied yet.
    pub source: &'a ApplicationSource,
    /// The application the objects are marked with; no mark when there is none.
    pub application: Option<&'a AppInstance>,
    /// The application's name, for `.argocd-source-<name>.yaml`.
    pub application_name: &'a str,
    /// The destination's namespace.
    pub namespace: &'a str,
    /// How objects are marked.
    pub tracking: Tracking<'a>,
    /// Source types that are switched off have `false` here.
    pub enabled: &'a BTreeMap<String, bool>,
    /// Variables that parameters may name.
    pub environment: &'a Environment,
    /// The destination's Kubernetes version; empty when not known.
    pub kube_version: &'a str,
    /// The destination's API versions.
    pub api_versions: &'a [String],
    /// Flags of `kustomize build`, as `kustomize.buildOptions` has them.
    pub kustomize_options: &'a str,
    /// Schemes of addresses that values files may be read from.
    pub value_file_schemes: &'a [String],
    /// Trees of other sources, for values files that start with `$name`.
    pub references: &'a References,
    /// What lies outside of the tree.
    pub outside: &'a dyn Outside,
    /// Limits.
    pub limits: Limits,
}

/// What came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// The objects, marked, in the order of the source.
    pub objects: Vec<Object>,
    /// How they were made.
    pub source_type: SourceType,
    /// Whether they name the revision: then they are good for that one only, whatever was read.
    pub revision_used: bool,
}

/// Renders a source.
pub fn render(tree: &dyn Tree, request: &Request<'_>) -> Result<Rendered, RenderError> {
    let path = application_path(tree, &request.source.path)?;
    let source = with_overrides(tree, &path, request.source, request.application_name)?;
    let claimed = || plugins::claim(&path, &source, request);
    let source_type = source_type_among_plugins(tree, &path, &source, request.enabled, claimed)?;
    let documents = match source_type {
        SourceType::Directory => {
            let options = source.directory.unwrap_or_default();
            directory::documents(tree, &path, &options, request)?
        }
        SourceType::Helm => charts::documents(tree, &path, &source.helm.unwrap_or_default(), request)?,
        SourceType::Kustomize => kustomizations::documents(tree, &path, source.kustomize.as_ref(), request)?,
        SourceType::Plugin => plugins::documents(&path, &source, request)?,
    };
    if documents.len() > request.limits.objects {
        let (path, limit) = (path.as_str().to_owned(), request.limits.objects as u64);
        return Err(RenderError::TooMuch { path, what: "the objects", limit });
    }
    let mut objects = Vec::with_capacity(documents.len());
    for mut object in documents {
        if let Some(application) = request.application {
            set_tracking(&mut object, application, request.namespace, request.tracking)?;
        }
        objects.push(object);
    }
    Ok(Rendered { objects, source_type, revision_used: request.environment.revision_used() })
}

/// The folder a source names, which must be there.
pub fn application_path(tree: &dyn Tree, path: &str) -> Result<TreePath, RenderError> {
    if path.starts_with('/') {
        return Err(RenderError::AbsolutePath { path: path.to_owned() });
    }
    let parsed = TreePath::parse(path)?;
    match tree.entry(&parsed)? {
        None => Err(RenderError::NoPath { path: path.to_owned() }),
        Some(entry) if entry.kind.is_file() => Err(RenderError::NotAFolder { path: path.to_owned() }),
        Some(_) => Ok(parsed),
    }
}
