//! What users ask not to be compared: JSON pointers, jq paths, fields of other managers, fields to be read as
//! a built-in type. Compiled once, used for every object.

use crate::DiffError;
use crate::jq::{InvalidPath, JqPath, Stopped};
use crate::pointer::Pointer;
use crate::schema::{self, Type};
use crate::typed::{Absent, Passage, Unknown};
use object::{GroupKind, Object};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Where a target says what of itself is not to be compared.
const IGNORE_DIFFERENCES: &str = "argocd.argoproj.io/ignore-differences";

/// `spec.ignoreDifferences[]` of an Application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IgnoreDifference {
    /// Group; a glob.
    pub group: String,
    /// Kind; a glob.
    pub kind: String,
    /// Name; any when empty.
    pub name: String,
    /// Namespace; any when empty.
    pub namespace: String,
    /// RFC 6901 pointers to what is removed before comparing.
    pub json_pointers: Vec<String>,
    /// jq path expressions for the same.
    pub jq_path_expressions: Vec<String>,
    /// Field managers whose fields do not count.
    pub managed_fields_managers: Vec<String>,
}

/// The part of a resource override of `argocd-cm` that concerns comparing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceOverride {
    /// JSON pointers, jq paths and managers to ignore; the selecting fields are not looked at.
    pub ignore: IgnoreDifference,
    /// Fields of custom kinds that hold built-in types.
    pub known_type_fields: Vec<KnownTypeField>,
}

/// A field of a custom kind that holds a built-in type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct KnownTypeField {
    /// Dotted path; lists are gone through.
    pub field: String,
    /// `core/v1/PodSpec`, `core/Quantity`, `meta/v1/Duration`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A rule that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ignoreDifferences of {group}/{kind}: {problem}")]
pub struct InvalidRule {
    group: String,
    kind: String,
    problem: InvalidPath,
}

/// Who a rule is for.
#[derive(Debug)]
struct Selector {
    group: String,
    kind: String,
    name: String,
    namespace: String,
}

impl Selector {
    fn matches(&self, object: &Object) -> bool {
        let glob = |pattern: &str, text: &str| glob_pattern::matches(pattern, text, &[]);
        glob(&self.group, object.group())
            && glob(&self.kind, object.kind())
            && (self.name.is_empty() || self.name == object.name())
            && (self.namespace.is_empty() || self.namespace == object.namespace())
    }
}

#[derive(Debug)]
enum Removal {
    Pointer(Pointer),
    Jq(JqPath),
}

#[derive(Debug)]
struct KnownField {
    path: Vec<String>,
    kind: Type,
}

/// All rules of an application, ready to be used.
#[derive(Debug, Default)]
pub struct Rules {
    removals: Vec<(Selector, Removal)>,
    managers: Vec<(Selector, Vec<String>)>,
    known_fields: BTreeMap<GroupKind, Vec<KnownField>>,
}

impl Rules {
    /// Compiles the rules of an application and those of the system. `overrides` is keyed `group/Kind`, or
    /// `Kind` for the core group; `*` are globs.
    pub fn compile(
        ignores: &[IgnoreDifference],
        overrides: &BTreeMap<String, ResourceOverride>,
    ) -> Result<Self, InvalidRule> {
        let mut rules = Self::default();
        for ignore in ignores {
            rules.add(ignore)?;
        }
        for (key, system) in overrides {
            let (group, kind) = key.split_once('/').unwrap_or(("", key));
            let ignore = IgnoreDifference {
                group: group.to_owned(),
                kind: kind.to_owned(),
                name: String::new(),
                namespace: String::new(),
                ..system.ignore.clone()
            };
            rules.add(&ignore)?;
            for known in &system.known_type_fields {
                if let Some(kind_of_field) = known_type(&known.kind) {
                    let path = known.field.split('.').map(str::to_owned).collect();
                    let fields = rules.known_fields.entry(GroupKind::new(group, kind)).or_default();
                    fields.push(KnownField { path, kind: kind_of_field });
                }
            }
        }
        rules.know_rollouts();
        Ok(rules)
    }

    fn add(&mut self, ignore: &IgnoreDifference) -> Result<(), InvalidRule> {
        let selector = || Selector {
            group: ignore.group.clone(),
            kind: ignore.kind.clone(),
            name: ignore.name.clone(),
            namespace: ignore.namespace.clone(),
        };
        for pointer in &ignore.json_pointers {
            self.removals.push((selector(), Removal::Pointer(Pointer::parse(pointer))));
        }
        for expression in &ignore.jq_path_expressions {
            let path = JqPath::compile(expression).map_err(|problem| InvalidRule {
                group: ignore.group.clone(),
                kind: ignore.kind.clone(),
                problem,
            })?;
            self.removals.push((selector(), Removal::Jq(path)));
        }
        if !ignore.managed_fields_managers.is_empty() {
            self.managers.push((selector(), ignore.managed_fields_managers.clone()));
        }
        Ok(())
    }

    /// Argo Rollouts embed a pod template; unless the settings say otherwise, it is read as one.
    fn know_rollouts(&mut self) {
        let rollout = GroupKind::new("argoproj.io", "Rollout");
        if let Some(kind) = known_type("core/v1/PodSpec") {
            let path = ["spec", "template", "spec"].map(str::to_owned).to_vec();
            self.known_fields.entry(rollout).or_insert_with(|| vec![KnownField { path, kind }]);
        }
    }

    /// Managers whose fields do not count on this object.
    pub(crate) fn trusted_managers(&self, object: &Object) -> Vec<&str> {
        let matching = self.managers.iter().filter(|(selector, _)| selector.matches(object));
        matching.flat_map(|(_, managers)| managers.iter().map(String::as_str)).collect()
    }

    /// The object without what is ignored; nothing where no rule is about it.
    pub fn without_ignored(&self, object: &Object) -> Option<Object> {
        let concerned = self.removals.iter().any(|(selector, _)| selector.matches(object));
        concerned.then(|| {
            let mut rest = object.clone();
            // An update that cannot be told from another is worth a look.
            match self.remove_ignored(&mut rest, &OwnRules::default()) {
                Ok(()) => rest,
                Err(_) => object.clone(),
            }
        })
    }

    /// Removes what is ignored, and reads known fields as their types. `own` is what the target itself asks for.
    pub(crate) fn normalize(&self, object: &mut Object, own: &OwnRules) -> Result<(), DiffError> {
        self.remove_ignored(object, own)?;
        for field in self.known_fields.get(&object.group_kind()).into_iter().flatten() {
            read_as(&mut object.0, &field.path, &field.kind);
        }
        Ok(())
    }

    /// Removes what is ignored.
    pub(crate) fn remove_ignored(&self, object: &mut Object, own: &OwnRules) -> Result<(), DiffError> {
        let matching: Vec<&Removal> = self
            .removals
            .iter()
            .filter(|(selector, _)| selector.matches(object))
            .map(|(_, removal)| removal)
            .collect();
        if matching.is_empty() && own.0.is_empty() {
            return Ok(());
        }
        let key = object.key();
        let mut stopped = None;
        let mut value = Value::Object(std::mem::take(&mut object.0));
        for removal in matching {
            // What is not there, or is of another shape, is left alone, as in the original.
            match removal {
                Removal::Pointer(pointer) => pointer.remove(&mut value),
                Removal::Jq(path) => stopped = stopped.or(path.remove(&mut value).err()),
            }
        }
        own.0.iter().for_each(|pointer| pointer.remove(&mut value));
        if let Value::Object(members) = value {
            object.0 = members;
        }
        match stopped {
            None => Ok(()),
            Some(Stopped { expression }) => Err(DiffError::Stopped { object: key.to_string(), expression }),
        }
    }
}

/// What a target asks not to be compared of itself, in an annotation.
#[derive(Debug, Default)]
pub(crate) struct OwnRules(Vec<Pointer>);

impl OwnRules {
    /// Reads `argocd.argoproj.io/ignore-differences`. What cannot be read asks for nothing.
    pub(crate) fn of(target: Option<&Object>) -> Self {
        let asked = target.and_then(|target| target.annotation(IGNORE_DIFFERENCES)).unwrap_or_default();
        if asked.is_empty() {
            return Self::default();
        }
        let Ok(Value::Object(asked)) = object::yaml::decode(asked.as_bytes()) else { return Self::default() };
        let pointers = asked.iter().find(|(name, _)| name.eq_ignore_ascii_case("jsonPointers"));
        let Some((_, Value::Array(pointers))) = pointers else { return Self::default() };
        let pointers: Option<Vec<&str>> = pointers.iter().map(Value::as_str).collect();
        Self(pointers.unwrap_or_default().into_iter().map(Pointer::parse).collect())
    }
}

fn known_type(name: &str) -> Option<Type> {
    match name {
        "core/Quantity" => Some(Type::Quantity),
        "core/v1/ResourceList" => Some(Type::Map(Box::new(Type::Quantity))),
        "meta/v1/Duration" => Some(Type::Duration),
        _ => {
            let (package, name) = name.rsplit_once('/')?;
            schema::struct_named(&format!("{package}.{name}")).map(Type::Struct)
        }
    }
}

/// Replaces the value at a path by itself read as a type; lists on the way are gone through.
fn read_as(members: &mut Map<String, Value>, path: &[String], kind: &Type) {
    let Some((first, rest)) = path.split_first() else { return };
    match members.get_mut(first) {
        Some(Value::Array(items)) => {
            for item in items {
                match (rest.is_empty(), item) {
                    // The original reads only maps in lists.
                    (true, item) if item.is_object() => read_value(item, kind),
                    (false, Value::Object(inner)) => read_as(inner, rest, kind),
                    _ => {}
                }
            }
        }
        Some(value) if rest.is_empty() => read_value(value, kind),
        Some(Value::Object(inner)) => read_as(inner, rest, kind),
        _ => {}
    }
}

fn read_value(value: &mut Value, kind: &Type) {
    let passage = Passage { unknown: Unknown::Dropped, absent: Absent::Written };
    if let Ok(read) = passage.value(kind, value) {
        *value = read;
    }
}
