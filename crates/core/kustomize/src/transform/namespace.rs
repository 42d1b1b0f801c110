//! Namespaces: of the objects, of role binding subjects, of services named elsewhere.

use crate::error::{Error, Result, Within as _};
use crate::field_spec::{FieldSpec, FieldSpecs, Made, apply};
use crate::id::Gvk;
use crate::node::{Kind, Node, Tag};
use crate::resource::{Resource, note};
use crate::resources::{Resources, id_key};
use crate::schema::Schema;
use std::collections::HashMap;

/// Which subjects of role bindings get the namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Subjects {
    #[default]
    NamedDefault,
    ServiceAccounts,
    None,
}

impl Subjects {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        match text {
            "" | "defaultOnly" => Ok(Self::NamedDefault),
            "allServiceAccounts" => Ok(Self::ServiceAccounts),
            "none" => Ok(Self::None),
            other => Err(Error::invalid(format!(
                "invalid value {other:?} for setRoleBindingSubjects: must be one of \"defaultOnly\", \"none\" or \
                 \"allServiceAccounts\""
            ))),
        }
    }
}

/// Sets namespaces.
#[derive(Debug)]
pub(crate) struct NamespaceTransformer {
    pub(crate) namespace: String,
    pub(crate) field_specs: FieldSpecs,
    pub(crate) unset_only: bool,
    pub(crate) subjects: Subjects,
}

const MADE: Option<Made> = Some(Made { kind: Kind::Scalar, tag: Tag::Str });

impl NamespaceTransformer {
    pub(crate) fn run(&self, resources: &mut Resources, schema: &Schema) -> Result<()> {
        if self.namespace.is_empty() {
            return Ok(());
        }
        let mut counts: HashMap<String, usize> = HashMap::new();
        for resource in resources.list() {
            *counts.entry(id_key(resource, schema)).or_default() += 1;
        }
        for resource in resources.list_mut() {
            if resource.is_nothing() || resource.annotation(note::HELM) == Some("true") {
                continue;
            }
            let before = id_key(resource, schema);
            resource.store_previous_id(schema)?;
            self.change(resource, schema).within(|| "namespace transformation failed".to_owned())?;
            resource.settle();
            let after = id_key(resource, schema);
            if let Some(count) = counts.get_mut(&before) {
                *count -= 1;
            }
            let count = counts.entry(after).or_default();
            *count += 1;
            if *count != 1 {
                return Err(Error::invalid(format!(
                    "namespace transformation produces ID conflict: {}",
                    resource.current_id(schema)
                )));
            }
        }
        Ok(())
    }

    /// As `ValueAddTransformer` sets it: on the object alone.
    pub(crate) fn change(&self, resource: &mut Resource, schema: &Schema) -> Result<()> {
        let is_binding = matches!(resource.kind(), "RoleBinding" | "ClusterRoleBinding");
        let is_v1 = resource.api_version() == "v1";
        if !resource.is_cluster_scoped(schema) {
            let spec = FieldSpec::new(Gvk::default(), "metadata/namespace", true);
            let made = Some(Made { kind: Kind::Scalar, tag: Tag::None });
            apply(&spec, &mut resource.node, made, &mut |node| self.set(node))?;
        }
        if is_binding {
            self.set_subjects(&mut resource.node)?;
        }
        for spec in &self.field_specs {
            let of_bindings = is_binding
                && matches!(spec.gvk.kind.as_str(), "RoleBinding" | "ClusterRoleBinding")
                && spec.path == "subjects/namespace";
            if spec.path == "metadata/namespace" || (spec.path == "metadata/name" && !is_v1) || of_bindings {
                continue;
            }
            apply(spec, &mut resource.node, MADE, &mut |node| self.set(node))?;
        }
        Ok(())
    }

    fn set(&self, node: &mut Node) -> Result<()> {
        if self.unset_only && !node.text_value().is_empty() {
            return Ok(());
        }
        node.set_scalar(Node::tagged(self.namespace.as_str(), Tag::Str))
    }

    fn set_subjects(&self, node: &mut Node) -> Result<()> {
        let (field, wanted) = match self.subjects {
            Subjects::None => return Ok(()),
            Subjects::NamedDefault => ("name", "default"),
            Subjects::ServiceAccounts => ("kind", "ServiceAccount"),
        };
        let Some(subjects) = node.get_mut("subjects").filter(|subjects| !subjects.is_null()) else {
            return Ok(());
        };
        let doing = || "setting namespace on (cluster)role binding subjects".to_owned();
        subjects.expect(Kind::Sequence).within(doing)?;
        for subject in subjects.items_mut() {
            let found = subject.lookup(&[field]).within(doing)?;
            if found.is_none_or(|found| found.is_null() || found.text() != wanted) {
                continue;
            }
            if let Some(namespace) = subject.lookup_create(&["namespace"], Kind::Scalar).within(doing)? {
                self.set(namespace)?;
            }
        }
        Ok(())
    }
}
