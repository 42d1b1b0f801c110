//! The three kinds a user writes, as Kubernetes objects.

use crate::k8s::meta_v1::ObjectMeta;
use crate::v1alpha1::{AppProject, Application, ApplicationSet};
use object::Object;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// A kind that is stored in Kubernetes. `kind` and `apiVersion` are not fields of the Rust types: they are
/// the same for every value, and the gRPC API does not carry them.
pub trait Root: Serialize + DeserializeOwned {
    /// The kind.
    const KIND: &'static str;
    /// The plural name in URLs and in the CRD's name.
    const PLURAL: &'static str;

    /// The object's metadata.
    fn metadata(&self) -> &ObjectMeta;

    /// The object as Kubernetes stores it.
    fn to_object(&self) -> Object {
        let Ok(Value::Object(mut map)) = serde_json::to_value(self) else {
            unreachable!("a struct with text keys is a JSON object")
        };
        map.insert("apiVersion".into(), API_VERSION.into());
        map.insert("kind".into(), Self::KIND.into());
        Object(map)
    }

    /// Reads what Kubernetes stored; says which field has the wrong type.
    fn from_object(object: Object) -> Result<Self, InvalidRoot> {
        if object.kind() != Self::KIND || object.group() != GROUP {
            return Err(InvalidRoot {
                kind: Self::KIND,
                name: object.name().into(),
                reason: format!("it is a {}", object.gvk()),
            });
        }
        let name = object.name().to_owned();
        serde_json::from_value(object.into_value()).map_err(|error| InvalidRoot {
            kind: Self::KIND,
            name,
            reason: error.to_string(),
        })
    }
}

/// API group of the three kinds.
pub const GROUP: &str = "argoproj.io";
/// API version of the three kinds.
pub const API_VERSION: &str = "argoproj.io/v1alpha1";

/// Why an object cannot be read as the kind it says it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read {kind} {name:?}: {reason}")]
pub struct InvalidRoot {
    /// The kind that was asked for.
    pub kind: &'static str,
    /// The object's name.
    pub name: String,
    /// Which member is wrong, and how.
    pub reason: String,
}

impl Root for Application {
    const KIND: &'static str = "Application";
    const PLURAL: &'static str = "applications";

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }
}

impl Root for AppProject {
    const KIND: &'static str = "AppProject";
    const PLURAL: &'static str = "appprojects";

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }
}

impl Root for ApplicationSet {
    const KIND: &'static str = "ApplicationSet";
    const PLURAL: &'static str = "applicationsets";

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }
}
