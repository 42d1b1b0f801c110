//! `kustomize build` over a tree of files: a kustomization becomes manifests, as kustomize v5.8.1 makes them.
//!
//! Reads through `source_tree::Tree` only. What lies elsewhere, remote bases and Helm charts, comes through
//! [`Remote`] and [`Charts`]. Knows nothing of applications but [`application`], which applies the fields of an
//! Application's source; nothing of Git, of the network or of clusters.

pub mod application;
mod builtin;
mod config;
mod error;
mod field_spec;
mod fields;
mod generate;
mod helm;
mod id;
mod json_patch;
mod kustomization;
mod loader;
mod merge;
mod name_reference;
mod node;
mod options;
mod origin;
mod plugin;
mod read;
mod repository_url;
mod resource;
mod resources;
mod schema;
mod seams;
mod select;
mod sort;
mod target;
mod transform;
mod vars;

pub use error::Error;
pub use options::{Limits, LoadRestrictions, Options, Reorder};
pub use seams::{ChartRequest, Charts, Offline, Remote, RemoteBase, SeamError};

use crate::kustomization::{FILE_NAMES, Kustomization};
use crate::loader::{Loader, Reading};
use crate::resource::note;
use crate::resources::Resources;
use crate::schema::Schema;
use crate::target::{Build, Target};
use object::Object;
use serde_json::Value;
use source_tree::{Tree, TreePath};
use std::cell::RefCell;
use std::rc::Rc;

/// The version of the original this crate builds as.
pub const VERSION: &str = "v5.8.1";

/// Who answers for what lies outside the tree.
#[derive(Clone, Copy)]
pub struct Seams<'a> {
    /// Remote bases and files.
    pub remote: &'a dyn Remote,
    /// Helm charts.
    pub charts: &'a dyn Charts,
}

impl Seams<'_> {
    /// Nothing lies outside.
    pub fn offline() -> Seams<'static> {
        Seams { remote: &Offline, charts: &Offline }
    }
}

/// What came out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Built {
    /// The objects, in the order they are printed.
    pub objects: Vec<Object>,
    /// What the original says on its standard error: old fields.
    pub warnings: Vec<String>,
}

impl Built {
    /// The text `kustomize build` prints.
    pub fn to_yaml(&self) -> String {
        let mut text = String::new();
        for (number, object) in self.objects.iter().enumerate() {
            if number > 0 {
                text.push_str("---\n");
            }
            text.push_str(&object::yaml::encode(&object.to_value()));
        }
        text
    }
}

/// Whether a folder holds a kustomization, by the name of a file in it.
pub fn is_kustomization(file_name: &str) -> bool {
    FILE_NAMES.contains(&file_name)
}

/// Builds the kustomization in a folder.
pub fn build(tree: &dyn Tree, path: &TreePath, options: &Options, seams: Seams<'_>) -> Result<Built, Error> {
    build_with(tree, path, options, seams, Kustomization::parse)
}

/// Builds a folder with a kustomization made from its file's text.
fn build_with(
    tree: &dyn Tree,
    path: &TreePath,
    options: &Options,
    seams: Seams<'_>,
    read: impl FnOnce(&[u8], &str) -> Result<Kustomization, Error>,
) -> Result<Built, Error> {
    let reading = Rc::new(Reading::new(seams.remote, options.load_restrictions, options.limits));
    let loader = Rc::new(Loader::start(tree, path, reading)?);
    let (content, file) = target::read_file(&loader)?;
    let kustomization = read(&content, &loader.root().to_string())?;
    let build =
        Build { schema: Schema::default(), options, charts: seams.charts, warnings: RefCell::default() };
    let target = Target::new(kustomization, file, loader, &build);
    target.set_schema()?;
    let sort_options = target.kustomization.sort_options.clone();
    let metadata = target.kustomization.build_metadata.clone();
    let mut resources = target.build()?;
    match sort_options {
        Some(sort_options) => sort::sort(&mut resources, &sort_options)?,
        None if options.reorder != Reorder::None => sort::sort_by_default(&mut resources),
        None => {}
    }
    finish(&mut resources, &metadata, options)?;
    let mut objects = Vec::with_capacity(resources.len());
    for resource in resources.list() {
        let name = || format!("print {} {}", resource.kind(), resource.name());
        match resource.node.to_value().map_err(|error| error.within(name()))? {
            Value::Object(members) => objects.push(Object(members)),
            _ => return Err(Error::Invalid { message: format!("{}: not an object", name()) }),
        }
    }
    Ok(Built { objects, warnings: build.warnings.into_inner() })
}

/// Removes the notes of the build, but for those that were asked for.
fn finish(resources: &mut Resources, metadata: &[String], options: &Options) -> Result<(), Error> {
    let wants = |option: &str| metadata.iter().any(|one| one == option);
    let managed = options.managed_by_label || wants("managedByLabel");
    let origins = wants("originAnnotations");
    let transformations = wants("transformerAnnotations");
    for resource in resources.list_mut() {
        if managed {
            let mut labels = resource.labels();
            labels.insert("app.kubernetes.io/managed-by".to_owned(), format!("kustomize-{VERSION}"));
            resource.set_labels(&labels)?;
        }
        let mut annotations = resource.annotations();
        // The original sets what is left once more for each kind of note.
        if annotations.is_empty() && origins && transformations {
            continue;
        }
        annotations.retain(|name, _| {
            !note::ALL.contains(&name.as_str())
                && (origins || name != note::ORIGIN)
                && (transformations || name != note::TRANSFORMATIONS)
        });
        resource.set_annotations(&annotations)?;
    }
    Ok(())
}
