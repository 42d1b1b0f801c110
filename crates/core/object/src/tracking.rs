//! An application's mark on its objects: how it is written, and whose object one is.

use crate::{Object, ResourceKey};
use std::fmt;
use std::str::FromStr;

/// Annotation that names the application and the object itself.
pub const TRACKING_ANNOTATION: &str = "argocd.argoproj.io/tracking-id";
/// Annotation that names the installation, where several share a cluster.
pub const INSTALLATION_ANNOTATION: &str = "argocd.argoproj.io/installation-id";
/// Label used for tracking unless the settings name another.
pub const DEFAULT_LABEL_KEY: &str = "app.kubernetes.io/instance";
/// Label of the first versions, which also marked pod templates.
pub const LEGACY_LABEL_KEY: &str = "applications.argoproj.io/app-name";
/// Longest label value Kubernetes takes.
const LABEL_MAX: usize = 63;

/// Where the mark is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TrackingMethod {
    /// The annotation alone.
    #[default]
    Annotation,
    /// The label alone.
    Label,
    /// The annotation decides; the label informs people and other tools.
    AnnotationAndLabel,
}

impl TrackingMethod {
    /// From the setting. Nothing, and anything unknown, is the default, as in the original.
    pub fn from_setting(text: &str) -> Self {
        match text {
            "label" => Self::Label,
            "annotation+label" => Self::AnnotationAndLabel,
            _ => Self::Annotation,
        }
    }

    /// As the setting spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Annotation => "annotation",
            Self::Label => "label",
            Self::AnnotationAndLabel => "annotation+label",
        }
    }
}

impl fmt::Display for TrackingMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Names an application inside marks, caches and metrics: `<name>`, or `<namespace>_<name>` for one that lives
/// outside the control plane's namespace. Names of Kubernetes hold no `_`, so the two never meet.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppInstance(String);

impl AppInstance {
    /// The instance name of an application.
    pub fn new(namespace: &str, name: &str, control_plane_namespace: &str) -> Self {
        if namespace.is_empty() || namespace == control_plane_namespace {
            Self(name.to_owned())
        } else {
            Self(format!("{namespace}_{name}"))
        }
    }

    /// As it was found in a mark.
    pub fn from_mark(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Namespace and name of the application.
    pub fn split<'a>(&'a self, control_plane_namespace: &'a str) -> (&'a str, &'a str) {
        self.0.split_once('_').unwrap_or((control_plane_namespace, &self.0))
    }
}

impl fmt::Display for AppInstance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The tracking annotation's value, `<app>:<group>/<kind>:<namespace>/<name>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackingId {
    /// The application.
    pub application: AppInstance,
    /// The object the mark was made for. A cluster-scoped one carries the destination's namespace.
    pub key: ResourceKey,
}

/// A text that is no tracking id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("wrong resource tracking format, should be <application-name>:<group>/<kind>:<namespace>/<name>")]
pub struct InvalidTrackingId;

impl FromStr for TrackingId {
    type Err = InvalidTrackingId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, ':');
        let (Some(application), Some(kind), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(InvalidTrackingId);
        };
        let (group, kind) = pair(kind)?;
        let (namespace, name) = pair(name)?;
        Ok(Self {
            application: AppInstance::from_mark(application),
            key: ResourceKey::new(group, kind, namespace, name),
        })
    }
}

/// Exactly two parts.
fn pair(text: &str) -> Result<(&str, &str), InvalidTrackingId> {
    text.split_once('/').filter(|(_, right)| !right.contains('/')).ok_or(InvalidTrackingId)
}

impl fmt::Display for TrackingId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ResourceKey { group, kind, namespace, name } = &self.key;
        write!(formatter, "{}:{group}/{kind}:{namespace}/{name}", self.application)
    }
}

impl TrackingId {
    /// The mark for an object; one without a namespace carries the destination's.
    pub fn for_object(object: &Object, application: &AppInstance, destination_namespace: &str) -> Self {
        let mut key = object.key();
        if key.namespace.is_empty() {
            destination_namespace.clone_into(&mut key.namespace);
        }
        Self { application: application.clone(), key }
    }

    /// Whether the mark was made for an object whose name was generated afterwards, as those of hooks are.
    pub fn names_generated(&self, object: &Object) -> bool {
        let prefix = object.generate_name();
        let mut named = self.clone();
        object.name().clone_into(&mut named.key.name);
        let generated = !prefix.is_empty() && object.name().starts_with(prefix);
        self.key.name.is_empty() && generated && named.names(object)
    }

    /// Whether the mark was made for this object, not copied from another (argo-cd#11012).
    pub fn names(&self, object: &Object) -> bool {
        self.key.group == object.group()
            && self.key.kind == object.kind()
            && self.key.name == object.name()
            && (object.namespace().is_empty() || object.namespace() == self.key.namespace)
    }
}

/// The tracking id an object carries, whether or not it names that object.
pub fn tracking_id(object: &Object, installation_id: &str) -> Option<TrackingId> {
    if object.annotation(INSTALLATION_ANNOTATION).unwrap_or_default() != installation_id {
        return None;
    }
    object.annotation(TRACKING_ANNOTATION)?.parse().ok()
}

/// The application an object belongs to. A mark that was made for another object, or by another
/// installation, counts for nothing; one that was made before its object's name was generated counts.
pub fn owner_application(
    object: &Object,
    method: TrackingMethod,
    label_key: &str,
    installation_id: &str,
) -> Option<AppInstance> {
    match method {
        TrackingMethod::Label => {
            object.label(label_key).filter(|name| !name.is_empty()).map(AppInstance::from_mark)
        }
        TrackingMethod::Annotation | TrackingMethod::AnnotationAndLabel => {
            let id = tracking_id(object, installation_id)?;
            let made_for_it = id.names(object) || id.names_generated(object);
            (made_for_it && !id.application.as_str().is_empty()).then_some(id.application)
        }
    }
}

/// The application whose mark an object carries, even where the mark was made for another object, as on copies and
/// generated hooks: whether the object is the application's own is another question ([`owner_application`]). What
/// another object owns is that owner's: a Deployment's annotations are copied to its ReplicaSets.
pub fn marked_application(
    object: &Object,
    method: TrackingMethod,
    label_key: &str,
    installation_id: &str,
) -> Option<AppInstance> {
    let application = match method {
        TrackingMethod::Label => object.label(label_key).map(AppInstance::from_mark),
        TrackingMethod::Annotation | TrackingMethod::AnnotationAndLabel => {
            tracking_id(object, installation_id).map(|id| id.application)
        }
    };
    application
        .filter(|application| !application.as_str().is_empty())
        .filter(|_| object.owner_references().is_empty())
}

/// What a mark is made of.
#[derive(Clone, Copy, Debug)]
pub struct Tracking<'a> {
    /// Where the mark goes.
    pub method: TrackingMethod,
    /// The label, for the methods that set one.
    pub label_key: &'a str,
    /// Written beside the annotation when not empty.
    pub installation_id: &'a str,
}

/// Why a mark could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarkError {
    /// `metadata.labels` or `metadata.annotations` holds something else than texts.
    #[error("failed to get {field} from target object {object}: {problem}")]
    NotTexts {
        /// `labels` or `annotations`.
        field: &'static str,
        /// The object.
        object: String,
        /// What stands there.
        problem: String,
    },
    /// The application's name cannot be cut to a label.
    #[error("failed to set app instance label: unable to truncate label to not end with a special character")]
    Label,
}

/// Marks an object as the application's. CustomResourceDefinitions get no mark: several applications may
/// bring the same one.
pub fn set_tracking(
    object: &mut Object,
    application: &AppInstance,
    destination_namespace: &str,
    tracking: Tracking<'_>,
) -> Result<(), MarkError> {
    if is_crd(object) {
        return Ok(());
    }
    let annotate = tracking.method != TrackingMethod::Label;
    let label = tracking.method != TrackingMethod::Annotation;
    if annotate {
        check_texts(object, "annotations")?;
    }
    if label {
        check_texts(object, "labels")?;
    }
    if annotate {
        let id = TrackingId::for_object(object, application, destination_namespace);
        if tracking.installation_id.is_empty() {
            object.remove_annotation(INSTALLATION_ANNOTATION);
        } else {
            object.set_annotation(INSTALLATION_ANNOTATION, tracking.installation_id);
        }
        object.set_annotation(TRACKING_ANNOTATION, &id.to_string());
    }
    if label {
        let name = application.as_str();
        let value = if annotate { cut_label(name).ok_or(MarkError::Label)? } else { name };
        set_label(object, tracking.label_key, value);
    }
    Ok(())
}

/// Whether the object defines a kind.
pub fn is_crd(object: &Object) -> bool {
    object.group() == "apiextensions.k8s.io" && object.kind() == "CustomResourceDefinition"
}

/// A name as a label's value: at most 63 characters, the last one a letter or a digit (argo-cd#18237).
fn cut_label(name: &str) -> Option<&str> {
    if name.len() <= LABEL_MAX {
        return Some(name);
    }
    let end = (0..=LABEL_MAX).rev().find(|at| name.is_char_boundary(*at))?;
    let cut = name[..end].trim_end_matches(|last: char| !last.is_ascii_alphanumeric());
    (!cut.is_empty()).then_some(cut)
}

/// Sets the label; the legacy one goes into pod templates too, as it always did.
fn set_label(object: &mut Object, label_key: &str, value: &str) {
    object.set_label(label_key, value);
    if label_key != LEGACY_LABEL_KEY {
        return;
    }
    let has_template = match object.group() {
        "apps" | "extensions" => {
            matches!(object.kind(), "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
        }
        "batch" => object.kind() == "Job",
        _ => false,
    };
    let template = object.0.get_mut("spec").and_then(|spec| spec.get_mut("template"));
    if let (true, Some(template)) = (has_template, template.and_then(|template| template.as_object_mut())) {
        let mut wrapper = Object(std::mem::take(template));
        wrapper.set_label(label_key, value);
        *template = wrapper.0;
    }
}

fn check_texts(object: &Object, field: &'static str) -> Result<(), MarkError> {
    let problem = match object.metadata().and_then(|metadata| metadata.get(field)) {
        None | Some(serde_json::Value::Null) => return Ok(()),
        Some(serde_json::Value::Object(entries)) => {
            match entries.iter().find(|(_, value)| !value.is_string()) {
                None => return Ok(()),
                Some((name, value)) => format!(
                    ".metadata.{field} accessor error: contains non-string value in the map under key {name:?}: \
                     {value} is of the type {}, expected string",
                    json_type(value)
                ),
            }
        }
        Some(other) => {
            format!(".metadata.{field} accessor error: the value is of the type {}", json_type(other))
        }
    };
    let object = format!("{} {}/{}", object.gvk(), object.namespace(), object.name());
    Err(MarkError::NotTexts { field, object, problem })
}

/// Go's name for a JSON value's type.
fn json_type(value: &serde_json::Value) -> &'static str {
    match value {
        serde_json::Value::Null => "<nil>",
        serde_json::Value::Bool(_) => "bool",
        serde_json::Value::Number(number) if number.is_f64() => "float64",
        serde_json::Value::Number(_) => "int64",
        serde_json::Value::String(_) => "string",
        serde_json::Value::Array(_) => "[]interface {}",
        serde_json::Value::Object(_) => "map[string]interface {}",
    }
}
