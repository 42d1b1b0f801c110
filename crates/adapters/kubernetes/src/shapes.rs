//! How kinds merge, as the cluster's own OpenAPI documents say.

use crate::cluster::Cluster;
use crate::discovery::Discovery;
use object::{GroupVersionKind, Shape};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

/// What one document says of its kinds; nothing where it could not be read.
type OfVersion = Arc<BTreeMap<GroupVersionKind, Arc<Shape>>>;

/// What is known since a discovery: definitions of kinds may have changed when the cluster is discovered anew.
#[derive(Default)]
pub(crate) struct Known {
    since: Option<Arc<Discovery>>,
    documents: BTreeMap<(String, String), OfVersion>,
}

impl Cluster {
    /// How objects of these kinds merge under server-side apply. A kind whose schema cannot be read, or says nothing, is not in it.
    pub async fn shapes(
        &self,
        kinds: impl IntoIterator<Item = GroupVersionKind>,
    ) -> BTreeMap<GroupVersionKind, Arc<Shape>> {
        let Ok(discovery) = self.discovery().await else { return BTreeMap::new() };
        let mut shapes = BTreeMap::new();
        // What is not served is nothing to ask about: the name of a kind may be anything.
        for kind in kinds.into_iter().filter(|kind| discovery.find(kind).is_some()) {
            let of_version = self.of_version(&discovery, &kind.group, &kind.version).await;
            if let Some(shape) = of_version.get(&kind) {
                shapes.insert(kind, shape.clone());
            }
        }
        shapes
    }

    async fn of_version(&self, discovery: &Arc<Discovery>, group: &str, version: &str) -> OfVersion {
        let place = (group.to_owned(), version.to_owned());
        if let Some(found) = self.known_shapes(discovery, |documents| documents.get(&place).cloned()) {
            return found;
        }
        let path = match group {
            "" => format!("/openapi/v3/api/{version}"),
            group => format!("/openapi/v3/apis/{group}/{version}"),
        };
        let document = match self.raw(&path, "application/json").await {
            Ok(answer) => serde_json::from_slice(&answer.body).unwrap_or_default(),
            Err(error) => {
                tracing::debug!(%error, server = self.server(), "the schema of a group cannot be read");
                serde_json::Value::Null
            }
        };
        let shapes = Shape::of_document(&document).into_iter().filter(|(_, shape)| *shape != Shape::Plain);
        let found: OfVersion = Arc::new(shapes.map(|(kind, shape)| (kind, Arc::new(shape))).collect());
        self.known_shapes(discovery, |documents| documents.insert(place, found.clone()));
        found
    }

    /// Works on what is known since that discovery.
    fn known_shapes<T>(
        &self,
        discovery: &Arc<Discovery>,
        work: impl FnOnce(&mut BTreeMap<(String, String), OfVersion>) -> T,
    ) -> T {
        let mut known = self.inner().shapes.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.since.as_ref().is_some_and(|since| Arc::ptr_eq(since, discovery)) {
            *known = Known { since: Some(discovery.clone()), documents: BTreeMap::new() };
        }
        work(&mut known.documents)
    }
}
