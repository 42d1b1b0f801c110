//! Where a resource comes from and what changed it, for `buildMetadata`.

use crate::error::Result;
use crate::node::Node;
use crate::repository_url;
use crate::resource::{Resource, note};

/// A place, and the generator or transformer configured there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) path: String,
    pub(crate) repository: String,
    pub(crate) reference: String,
    pub(crate) configured_in: String,
    /// API version, kind, name and namespace.
    pub(crate) configured_by: [String; 4],
}

impl Origin {
    /// The origin of what lies at a path below this one.
    pub(crate) fn append(&self, path: &str) -> Self {
        let mut origin = self.clone();
        match repository_url::parse(path) {
            Some(url) => {
                origin.repository = url.base.repository;
                origin.reference = url.base.reference.unwrap_or_default();
                origin.path = join("", &url.folder);
            }
            None => origin.path = join(&origin.path, path),
        }
        origin
    }

    /// A built-in generator or transformer of a kustomization file here.
    pub(crate) fn builtin(&self, file: &str, kind: &str) -> Self {
        Self {
            path: String::new(),
            configured_in: join(&self.path, file),
            configured_by: ["builtin".to_owned(), kind.to_owned(), String::new(), String::new()],
            ..self.clone()
        }
    }

    /// What a plugin's configuration says of itself.
    pub(crate) fn of_plugin(resource: &Resource) -> Option<Self> {
        let text = resource.annotation(note::ORIGIN)?;
        let value = object::yaml::decode(text.as_bytes()).ok()?;
        let field =
            |name: &str| value.get(name).and_then(|field| field.as_str()).unwrap_or_default().to_owned();
        Some(Self {
            path: String::new(),
            repository: field("repo"),
            reference: field("ref"),
            configured_in: field("path"),
            configured_by: [resource.api_version(), resource.kind(), resource.name(), resource.namespace()]
                .map(ToOwned::to_owned),
        })
    }

    pub(crate) fn node(&self) -> Node {
        let mut node = Node::mapping();
        let mut add = |name: &str, text: &str| {
            if !text.is_empty() {
                node.push_field(crate::node::Key::new(name), Node::string(text));
            }
        };
        add("path", &self.path);
        add("repo", &self.repository);
        add("ref", &self.reference);
        add("configuredIn", &self.configured_in);
        let names = ["apiVersion", "kind", "name", "namespace"];
        let mut by = Node::mapping();
        for (name, text) in names.iter().zip(&self.configured_by).filter(|(_, text)| !text.is_empty()) {
            by.push_field(crate::node::Key::new(*name), Node::string(text.as_str()));
        }
        if !by.is_nothing() {
            node.push_field(crate::node::Key::new("configuredBy"), by);
        }
        node
    }

    /// As the annotation has it.
    pub(crate) fn text(&self) -> String {
        let node = self.node();
        if node.is_nothing() { "{}\n".to_owned() } else { node.to_text() }
    }

    pub(crate) fn set_on(&self, resource: &mut Resource) -> Result<()> {
        let mut annotations = resource.annotations();
        annotations.insert(note::ORIGIN.to_owned(), self.text());
        resource.set_annotations(&annotations)
    }

    /// Notes this as the origin of what has none, as one more transformation of what has one.
    pub(crate) fn note_transformation(&self, resource: &mut Resource) -> Result<()> {
        if resource.annotation(note::ORIGIN).is_none() {
            return self.set_on(resource);
        }
        let before = resource.annotation(note::TRANSFORMATIONS).unwrap_or_default();
        let text = format!("{before}{}", Node::sequence(vec![self.node()]).to_text());
        let mut annotations = resource.annotations();
        annotations.insert(note::TRANSFORMATIONS.to_owned(), text);
        resource.set_annotations(&annotations)
    }
}

/// `filepath.Join`: cleaned, `..` kept where they climb.
fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}
