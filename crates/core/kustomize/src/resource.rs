//! One resource on its way: its tree, with the notes transformers leave for each other in its annotations, as the
//! original does; a patch that replaces the annotations loses the notes here as there.

use crate::error::{Error, Result};
use crate::id::{Gvk, GvkRef, Id, effective_namespace};
use crate::merge::{Direction, merge};
use crate::node::{Kind, Node};
use crate::schema::Schema;
use std::collections::BTreeMap;

/// Annotations of the build itself; none is printed.
pub(crate) mod note {
    macro_rules! internal {
        ($name:literal) => {
            concat!("internal.config.kubernetes.io/", $name)
        };
    }
    pub(crate) const PREFIX: &str = internal!("");
    pub(crate) const PREVIOUS_KINDS: &str = internal!("previousKinds");
    pub(crate) const PREVIOUS_NAMES: &str = internal!("previousNames");
    pub(crate) const PREVIOUS_NAMESPACES: &str = internal!("previousNamespaces");
    pub(crate) const PREFIXES: &str = internal!("prefixes");
    pub(crate) const SUFFIXES: &str = internal!("suffixes");
    pub(crate) const ALLOW_NAME_CHANGE: &str = internal!("allowNameChange");
    pub(crate) const ALLOW_KIND_CHANGE: &str = internal!("allowKindChange");
    pub(crate) const REFERRED: &str = internal!("refBy");
    pub(crate) const BEHAVIOR: &str = internal!("generatorBehavior");
    pub(crate) const NEEDS_HASH: &str = internal!("needsHashSuffix");
    pub(crate) const HELM: &str = internal!("helm-generated");
    pub(crate) const ORIGIN: &str = "config.kubernetes.io/origin";
    pub(crate) const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";
    pub(crate) const LOCAL: &str = "config.kubernetes.io/local-config";
    pub(crate) const ENABLED: &str = "enabled";

    /// Those removed at the end.
    pub(crate) const ALL: [&str; 19] = [
        PREVIOUS_KINDS,
        PREVIOUS_NAMES,
        PREFIXES,
        SUFFIXES,
        PREVIOUS_NAMESPACES,
        ALLOW_NAME_CHANGE,
        ALLOW_KIND_CHANGE,
        REFERRED,
        BEHAVIOR,
        NEEDS_HASH,
        internal!("path"),
        internal!("index"),
        internal!("seqindent"),
        internal!("id"),
        internal!("annotations-migration-resource-id"),
        "config.kubernetes.io/path",
        "config.kubernetes.io/index",
        "config.k8s.io/id",
        HELM,
    ];
}

/// What a generator does with a resource that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behavior {
    Unspecified,
    Create,
    Replace,
    Merge,
}

impl Behavior {
    fn parse(text: &str) -> Self {
        match text {
            "replace" => Self::Replace,
            "merge" => Self::Merge,
            "create" => Self::Create,
            _ => Self::Unspecified,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Merge => "merge",
        }
    }
}

pub(crate) type Texts = BTreeMap<String, String>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resource {
    pub(crate) node: Node,
    /// Names of the vars that read from it.
    pub(crate) vars: Vec<String>,
    /// Whether some of its scalars are shared.
    pub(crate) shares: bool,
}

impl Resource {
    pub(crate) fn new(node: Node) -> Self {
        Self { node, vars: Vec::new(), shares: false }
    }

    /// Makes what is shared agree after a change.
    pub(crate) fn settle(&mut self) {
        if self.shares {
            self.node.settle();
        }
    }

    /// Whether a patch removed it.
    pub(crate) fn is_nothing(&self) -> bool {
        self.node.is_nothing()
    }

    pub(crate) fn api_version(&self) -> &str {
        self.node.get("apiVersion").map_or("", Node::text)
    }

    pub(crate) fn kind(&self) -> &str {
        self.node.get("kind").map_or("", Node::text)
    }

    pub(crate) fn gvk(&self) -> GvkRef<'_> {
        GvkRef::new(self.api_version(), self.kind())
    }

    fn metadata(&self) -> Option<&Node> {
        self.node.get("metadata").filter(|metadata| !metadata.is_nothing())
    }

    fn metadata_text(&self, name: &str) -> &str {
        self.metadata()
            .and_then(|metadata| metadata.get(name))
            .filter(|node| !node.is_nothing())
            .map_or("", Node::text)
    }

    pub(crate) fn name(&self) -> &str {
        self.metadata_text("name")
    }

    pub(crate) fn namespace(&self) -> &str {
        self.metadata_text("namespace")
    }

    pub(crate) fn is_cluster_scoped(&self, schema: &Schema) -> bool {
        schema.is_cluster_scoped(self.api_version(), self.kind())
    }

    pub(crate) fn effective_namespace(&self, schema: &Schema) -> &str {
        effective_namespace(self.namespace(), self.is_cluster_scoped(schema))
    }

    fn owned_gvk(&self, kind: &str) -> Gvk {
        let gvk = self.gvk();
        Gvk { group: gvk.group.to_owned(), version: gvk.version.to_owned(), kind: kind.to_owned() }
    }

    pub(crate) fn current_id(&self, schema: &Schema) -> Id {
        Id {
            gvk: self.owned_gvk(self.kind()),
            name: self.name().to_owned(),
            namespace: self.namespace().to_owned(),
            cluster: self.is_cluster_scoped(schema),
        }
    }

    /// The ids it had, oldest first.
    pub(crate) fn previous_ids(&self) -> Result<Vec<Id>> {
        let Some(names) = self.annotation(note::PREVIOUS_NAMES) else { return Ok(Vec::new()) };
        let namespaces = self.annotation(note::PREVIOUS_NAMESPACES).unwrap_or_default();
        let kinds = self.annotation(note::PREVIOUS_KINDS).unwrap_or_default();
        let count = |text: &str| text.split(',').count();
        if count(names) != count(namespaces) || count(names) != count(kinds) {
            return Err(Error::invalid(
                "number of previous names, number of previous namespaces, number of previous kinds not equal",
            ));
        }
        let ids = names.split(',').zip(namespaces.split(',')).zip(kinds.split(','));
        Ok(ids
            .map(|((name, namespace), kind)| Id {
                gvk: self.owned_gvk(kind),
                name: name.to_owned(),
                namespace: namespace.to_owned(),
                cluster: false,
            })
            .collect())
    }

    pub(crate) fn original_id(&self, schema: &Schema) -> Result<Id> {
        Ok(self.previous_ids()?.into_iter().next().unwrap_or_else(|| self.current_id(schema)))
    }

    /// Whether it has or had this name; a quick look before ids are compared.
    pub(crate) fn was_called(&self, name: &str) -> bool {
        self.name() == name
            || self
                .annotation(note::PREVIOUS_NAMES)
                .is_some_and(|names| names.split(',').any(|one| one == name))
    }

    /// Whether one of its ids is wanted.
    pub(crate) fn has_id(&self, schema: &Schema, wanted: impl Fn(&Id) -> bool) -> Result<bool> {
        Ok(self.previous_ids()?.iter().any(&wanted) || wanted(&self.current_id(schema)))
    }

    pub(crate) fn annotation(&self, name: &str) -> Option<&str> {
        self.metadata()?.get("annotations")?.get(name).map(Node::text)
    }

    pub(crate) fn label(&self, name: &str) -> Option<&str> {
        self.metadata()?.get("labels")?.get(name).map(Node::text)
    }

    fn texts(&self, field: &str) -> Texts {
        let fields = self.metadata().and_then(|metadata| metadata.get(field)).map_or(&[][..], Node::fields);
        fields.iter().map(|(key, value)| (key.text.clone(), value.text().to_owned())).collect()
    }

    pub(crate) fn annotations(&self) -> Texts {
        self.texts("annotations")
    }

    pub(crate) fn labels(&self) -> Texts {
        self.texts("labels")
    }

    fn set_texts(&mut self, field: &str, texts: &Texts) -> Result<()> {
        let Some(metadata) = self.node.lookup_create(&["metadata"], Kind::Mapping)? else { return Ok(()) };
        metadata.expect(Kind::Mapping)?;
        metadata.remove(field);
        if texts.is_empty() {
            return Ok(());
        }
        let Some(map) = metadata.lookup_create(&[field], Kind::Mapping)? else { return Ok(()) };
        texts.iter().try_for_each(|(name, text)| map.set_field(name, Node::string(text.clone())))
    }

    pub(crate) fn set_annotations(&mut self, annotations: &Texts) -> Result<()> {
        self.set_texts("annotations", annotations)
    }

    pub(crate) fn set_labels(&mut self, labels: &Texts) -> Result<()> {
        self.set_texts("labels", labels)
    }

    /// Sets one annotation; an empty map of annotations is not kept.
    pub(crate) fn annotate(&mut self, name: &str, text: impl Into<String>) -> Result<()> {
        let empty = |node: &Node| node.fields().is_empty() && node.items().is_empty();
        if let Some(metadata) = self.node.get_mut("metadata") {
            if metadata.get("annotations").is_some_and(empty) {
                metadata.remove("annotations");
            }
            if empty(metadata) {
                self.node.remove("metadata");
            }
        }
        self.set_in_metadata("annotations", name, text)
    }

    pub(crate) fn set_label(&mut self, name: &str, text: impl Into<String>) -> Result<()> {
        self.set_in_metadata("labels", name, text)
    }

    fn set_in_metadata(&mut self, field: &str, name: &str, text: impl Into<String>) -> Result<()> {
        match self.node.lookup_create(&["metadata", field], Kind::Mapping)? {
            Some(map) => map.set_field(name, Node::quoted(text)),
            None => Ok(()),
        }
    }

    fn append_note(&mut self, name: &str, text: &str) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let notes = match self.annotation(name) {
            Some(before) => format!("{before},{text}"),
            None => text.to_owned(),
        };
        self.annotate(name, notes)
    }

    fn notes(&self, name: &str) -> Vec<&str> {
        self.annotation(name).map_or_else(Vec::new, |notes| notes.split(',').collect())
    }

    pub(crate) fn prefixes(&self) -> Vec<&str> {
        self.notes(note::PREFIXES)
    }

    pub(crate) fn suffixes(&self) -> Vec<&str> {
        self.notes(note::SUFFIXES)
    }

    pub(crate) fn add_prefix(&mut self, prefix: &str) -> Result<()> {
        self.append_note(note::PREFIXES, prefix)
    }

    pub(crate) fn add_suffix(&mut self, suffix: &str) -> Result<()> {
        self.append_note(note::SUFFIXES, suffix)
    }

    /// Notes the id it has now, before it changes.
    pub(crate) fn store_previous_id(&mut self, schema: &Schema) -> Result<()> {
        let (name, kind) = (self.name().to_owned(), self.kind().to_owned());
        let namespace = self.effective_namespace(schema).to_owned();
        self.append_note(note::PREVIOUS_NAMES, &name)?;
        self.append_note(note::PREVIOUS_NAMESPACES, &namespace)?;
        self.append_note(note::PREVIOUS_KINDS, &kind)
    }

    /// Notes that it is referred to; by whom, nobody asks later.
    pub(crate) fn note_referral(&mut self, referrer: &str) -> Result<()> {
        if self.annotation(note::REFERRED).is_some() {
            return Ok(());
        }
        self.annotate(note::REFERRED, referrer)
    }

    fn is_enabled(&self, name: &str) -> bool {
        self.annotation(name) == Some(note::ENABLED)
    }

    pub(crate) fn enable(&mut self, name: &str) -> Result<()> {
        let mut annotations = self.annotations();
        annotations.insert(name.to_owned(), note::ENABLED.to_owned());
        self.set_annotations(&annotations)
    }

    pub(crate) fn needs_hash(&self) -> bool {
        self.is_enabled(note::NEEDS_HASH)
    }

    pub(crate) fn behavior(&self) -> Behavior {
        self.annotation(note::BEHAVIOR).map_or(Behavior::Unspecified, Behavior::parse)
    }

    pub(crate) fn set_behavior(&mut self, behavior: &str) -> Result<()> {
        let mut annotations = self.annotations();
        annotations.insert(note::BEHAVIOR.to_owned(), Behavior::parse(behavior).as_str().to_owned());
        self.set_annotations(&annotations)
    }

    pub(crate) fn set_name(&mut self, name: &str) -> Result<()> {
        self.set_in(&["metadata"], "name", name)
    }

    fn set_in(&mut self, path: &[&str], field: &str, text: &str) -> Result<()> {
        match self.node.lookup_create(path, Kind::Mapping)? {
            Some(node) => node.set_field(field, Node::plain(text)),
            None => Ok(()),
        }
    }

    pub(crate) fn set_namespace(&mut self, namespace: &str) -> Result<()> {
        if !namespace.is_empty() {
            return self.set_in(&["metadata"], "namespace", namespace);
        }
        if let Some(metadata) = self.node.get_mut("metadata") {
            metadata.expect(Kind::Mapping)?;
            metadata.remove("namespace");
        }
        Ok(())
    }

    fn set_kind(&mut self, kind: &str) -> Result<()> {
        self.set_in(&[], "kind", kind)
    }

    fn set_api_version(&mut self, api_version: &str) -> Result<()> {
        self.set_in(&[], "apiVersion", api_version)
    }

    /// Takes labels, annotations, name and namespace of the one it takes the place of; its own texts win.
    pub(crate) fn take_metadata_from(&mut self, other: &Self) -> Result<()> {
        let mut labels = other.labels();
        labels.extend(self.labels());
        self.set_labels(&labels)?;
        let own = self.annotations();
        let theirs = other.annotations();
        let hashed = own.contains_key(note::NEEDS_HASH);
        let mut annotations = theirs.clone();
        annotations.extend(own);
        for name in note::ALL {
            match theirs.get(name) {
                Some(text) => annotations.insert(name.to_owned(), text.clone()),
                None => annotations.remove(name),
            };
        }
        if !hashed {
            annotations.remove(note::NEEDS_HASH);
        }
        self.set_annotations(&annotations)?;
        self.set_name(other.name())?;
        self.set_namespace(other.namespace())?;
        self.vars.clone_from(&other.vars);
        Ok(())
    }

    fn data(&self, field: &str) -> Texts {
        let fields = self.node.get(field).map_or(&[][..], Node::fields);
        fields.iter().map(|(key, value)| (key.text.clone(), value.text_value().to_owned())).collect()
    }

    /// Adds the data of another one that it does not have itself.
    pub(crate) fn merge_data_from(&mut self, other: &Self) -> Result<()> {
        for field in ["data", "binaryData"] {
            let mut data = other.data(field);
            data.extend(self.data(field));
            self.node.remove(field);
            if data.is_empty() {
                continue;
            }
            let mut map = Node::mapping();
            for (name, text) in data {
                map.set_field(&name, Node::string(text))?;
            }
            self.node.set_field(field, map)?;
        }
        Ok(())
    }

    /// Applies a strategic-merge patch, which is used up.
    pub(crate) fn patch(&mut self, mut patch: Self, schema: &Schema) -> Result<()> {
        let name_changes = patch.is_enabled(note::ALLOW_NAME_CHANGE);
        let kind_changes = patch.is_enabled(note::ALLOW_KIND_CHANGE);
        let (name, namespace, kind) =
            (self.name().to_owned(), self.namespace().to_owned(), self.kind().to_owned());
        if name_changes || kind_changes {
            self.store_previous_id(schema)?;
        }
        if !merge(&mut self.node, &mut patch.node, schema, Direction::Prepend)? {
            self.node = Node::tagged("", crate::node::Tag::Null);
        }
        self.settle();
        if self.is_nothing() {
            return Ok(());
        }
        if !kind_changes {
            self.set_kind(&kind)?;
        }
        if !name_changes {
            self.set_name(&name)?;
        }
        self.set_namespace(&namespace)?;
        self.settle();
        Ok(())
    }

    /// A copy of this patch with the group and version of what it is to be merged into.
    pub(crate) fn as_patch_for(&self, target: &Self) -> Result<Self> {
        let mut patch = self.clone();
        patch.take_metadata_from(self)?;
        let kind = self.kind().to_owned();
        patch.set_kind(&kind)?;
        patch.set_api_version(target.api_version())?;
        Ok(patch)
    }
}
