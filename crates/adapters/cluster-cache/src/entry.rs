//! What is kept of one live object.

use crate::extract::Extracted;
use crate::intern::Interner;
use object::{GroupVersionKind, Object, ResourceKey};
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// An object's uid in sixteen bytes where it is a UUID, as practically all are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Uid {
    /// A UUID.
    Uuid(u128),
    /// Anything else.
    Text(Box<str>),
}

impl Uid {
    /// Reads a uid; `None` for an empty one.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let canonical = text.len() == 36
            && text.bytes().enumerate().all(|(index, byte)| match index {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            });
        if canonical && let Ok(number) = u128::from_str_radix(&text.replace('-', ""), 16) {
            return Some(Self::Uuid(number));
        }
        Some(Self::Text(text.into()))
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(text),
            Self::Uuid(number) => {
                let hex = format!("{number:032x}");
                let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
                formatter.write_str(&parts.join("-"))
            }
        }
    }
}

/// A resource version; those of one kind can be compared when they are numbers, as Kubernetes' own are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ResourceVersion {
    /// A number.
    Number(u64),
    /// Anything else; aggregated API servers may use it.
    Text(Box<str>),
}

impl ResourceVersion {
    /// Reads a resource version.
    pub fn parse(text: &str) -> Self {
        match text.parse::<u64>() {
            Ok(number) if number.to_string() == text => Self::Number(number),
            _ => Self::Text(text.into()),
        }
    }

    /// Which of two is newer, if that can be said.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => Some(left.cmp(right)),
            (left, right) => (left == right).then_some(Ordering::Equal),
        }
    }

    /// Whether this is surely older than the other.
    pub fn is_before(&self, other: &Self) -> bool {
        self.order(other) == Some(Ordering::Less)
    }

    /// Whether this is at least as new as the other; versions that cannot be compared are not.
    pub fn covers(&self, other: &Self) -> bool {
        matches!(self.order(other), Some(Ordering::Greater | Ordering::Equal))
    }
}

impl fmt::Display for ResourceVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(formatter),
            Self::Text(text) => formatter.write_str(text),
        }
    }
}

/// An owner reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// API version of the owner.
    pub api_version: Arc<str>,
    /// Kind of the owner.
    pub kind: Arc<str>,
    /// Name of the owner.
    pub name: Arc<str>,
    /// Uid of the owner; `None` for owners known by name only.
    pub uid: Option<Uid>,
    /// Whether the owner is the managing controller.
    pub controller: bool,
}

impl Owner {
    /// API group of the owner.
    pub fn group(&self) -> &str {
        object::split_api_version(&self.api_version).0
    }
}

/// What is kept of one live object. Never changed: a new version of the object is a new entry.
#[derive(Debug)]
pub struct Entry<I> {
    /// API group.
    pub group: Arc<str>,
    /// Version the object was read at.
    pub version: Arc<str>,
    /// Kind.
    pub kind: Arc<str>,
    /// Namespace; empty for cluster-scoped objects.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// Uid; some virtual objects have none.
    pub uid: Option<Uid>,
    /// Resource version.
    pub resource_version: ResourceVersion,
    /// Creation time in seconds since the epoch; 0 when unknown.
    pub created: i64,
    /// Whether the object is being deleted.
    pub deleting: bool,
    /// Owners: the references, then those known by name only.
    pub owners: Box<[Owner]>,
    /// The application instance that manages the object.
    pub application: Option<Arc<str>>,
    /// Hash of what matters to comparisons and health.
    pub projection: u64,
    /// What the extractor kept.
    pub info: I,
    manifest: Option<Box<[u8]>>,
}

impl<I> Entry<I> {
    /// Keeps what is needed of an object.
    pub(crate) fn new(
        object: &Object,
        extracted: Extracted<I>,
        interner: &mut Interner,
        keep_managed_fields: bool,
    ) -> Self {
        let gvk = object.gvk();
        let mut owners: Vec<Owner> = object
            .owner_references()
            .into_iter()
            .map(|owner| Owner {
                api_version: interner.intern(&owner.api_version),
                kind: interner.intern(&owner.kind),
                name: owner.name.into(),
                uid: Uid::parse(&owner.uid),
                controller: owner.controller.unwrap_or(false),
            })
            .collect();
        owners.extend(extracted.implied.into_iter().map(|implied| Owner {
            // The version of an implied owner is nobody's concern; the group is found in front of the slash.
            api_version: if implied.group.is_empty() {
                interner.intern("v1")
            } else {
                interner.intern(&format!("{}/", implied.group))
            },
            kind: interner.intern(&implied.kind),
            name: implied.name.into(),
            uid: None,
            controller: false,
        }));
        let manifest = extracted.application.is_some().then(|| serialise(object, keep_managed_fields));
        Self {
            group: interner.intern(&gvk.group),
            version: interner.intern(&gvk.version),
            kind: interner.intern(&gvk.kind),
            namespace: interner.intern(object.namespace()),
            name: object.name().into(),
            uid: Uid::parse(object.uid()),
            resource_version: ResourceVersion::parse(object.resource_version()),
            created: object
                .creation_timestamp()
                .parse::<jiff::Timestamp>()
                .map_or(0, jiff::Timestamp::as_second),
            deleting: !object.deletion_timestamp().is_empty(),
            owners: owners.into(),
            application: extracted.application.map(|application| interner.intern(&application)),
            projection: extracted.projection,
            info: extracted.info,
            manifest,
        }
    }

    /// Names the object.
    pub fn key(&self) -> ResourceKey {
        ResourceKey::new(&*self.group, &*self.kind, &*self.namespace, &*self.name)
    }

    /// The kind at the version it was read at.
    pub fn gvk(&self) -> GroupVersionKind {
        GroupVersionKind::new(&*self.group, &*self.version, &*self.kind)
    }

    /// The whole object; kept for managed objects only.
    pub fn manifest(&self) -> Option<Object> {
        let bytes = self.manifest.as_ref()?;
        Some(serde_json::from_slice(bytes).expect("the manifest was serialised from an object"))
    }

    /// Whether the whole object is kept.
    pub fn has_manifest(&self) -> bool {
        self.manifest.is_some()
    }
}

fn serialise(object: &Object, keep_managed_fields: bool) -> Box<[u8]> {
    let bytes = if keep_managed_fields || object.metadata().is_none_or(|m| !m.contains_key("managedFields")) {
        serde_json::to_vec(object)
    } else {
        let mut bare = object.clone();
        bare.metadata_mut().remove("managedFields");
        serde_json::to_vec(&bare)
    };
    bytes.expect("a tree of JSON values can be written").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_reads_back_as_it_was() {
        for text in ["0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", "A-b", "0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9"] {
            assert_eq!(Uid::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Uid::parse(""), None);
    }

    #[test]
    fn versions_compare_as_numbers_or_not_at_all() {
        let version = ResourceVersion::parse;
        assert!(version("9").is_before(&version("10")));
        assert!(!version("x").is_before(&version("10")));
        assert!(version("x").covers(&version("x")));
        assert!(!version("x").covers(&version("1")));
    }
}
