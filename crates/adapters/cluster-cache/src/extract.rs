//! What the cache asks about each object that arrives.

use object::Object;

/// Reads out of an object what its users need later, so that the object itself need not be kept.
pub trait Extract: Send + Sync + 'static {
    /// What is kept of every object: health, images, network information, …
    type Info: Send + Sync + 'static;

    /// Called once for each version of each object, in the order of arrival for any one of them.
    fn extract(&self, object: &Object) -> Extracted<Self::Info>;
}

/// What an object means to applications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extracted<I> {
    /// The application instance that manages the object, by the tracking rule. The whole manifest is kept for
    /// managed objects only.
    pub application: Option<String>,
    /// Hash of everything a comparison or a health check can see. A write that leaves it alone wakes nobody.
    pub projection: u64,
    /// Owners that are not among the object's owner references: the Service of an Endpoints object.
    pub implied: Vec<Implied>,
    /// Whatever else is to be kept.
    pub info: I,
}

/// An owner known by name only, in the object's own namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Implied {
    /// API group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
}
