//! The ConfigMaps the hub reads its settings from.

use object::Object;
use std::collections::BTreeMap;

/// A ConfigMap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigMapEntry {
    /// Name.
    pub name: String,
    /// Resource version.
    pub resource_version: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Values by key.
    pub data: BTreeMap<String, String>,
}

impl ConfigMapEntry {
    pub(crate) fn decode(object: &Object) -> Result<Self, String> {
        let data = match object.at(&["data"]) {
            None | Some(serde_json::Value::Null) => BTreeMap::new(),
            Some(data) => serde_json::from_value(data.clone()).map_err(|error| format!("data: {error}"))?,
        };
        Ok(Self {
            name: object.name().into(),
            resource_version: object.resource_version().into(),
            labels: object.labels(),
            data,
        })
    }
}
