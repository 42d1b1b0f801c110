//! ApplicationSets: what users write. Their status is their controller's.

use crate::error::StoreError;
use crate::store::{Store, root_resource};
use crate::watched::Stored;
use api::Root;
use api::v1alpha1::ApplicationSet;
use kubernetes::DeleteOptions;
use object::Object;
use std::sync::Arc;

impl Store {
    /// The ApplicationSet of a namespace and name: an error when it is not there, or invalid.
    pub fn application_set(&self, namespace: &str, name: &str) -> Result<Arc<ApplicationSet>, StoreError> {
        let watched = self.0.application_sets.as_ref();
        let found: Option<Arc<Stored<ApplicationSet>>> =
            watched.and_then(|watched| watched.get(namespace, name));
        found
            .ok_or_else(|| StoreError::NotFound { kind: ApplicationSet::KIND, name: name.into() })?
            .valid(ApplicationSet::KIND)
    }

    /// The ApplicationSet as the API server has it at this moment.
    pub async fn fetch_application_set(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<ApplicationSet, StoreError> {
        self.permitted(namespace)?;
        let resource = root_resource::<ApplicationSet>();
        self.taken_set(self.0.cluster.get(&resource, namespace, name).await?)
    }

    /// Creates an ApplicationSet in its namespace.
    pub async fn create_application_set(&self, set: &ApplicationSet) -> Result<ApplicationSet, StoreError> {
        let object = set.to_object();
        self.permitted(object.namespace())?;
        let resource = root_resource::<ApplicationSet>();
        self.taken_set(self.0.cluster.create(&resource, &object, &self.server_writes()).await?)
    }

    /// Replaces an ApplicationSet; its resource version must be the stored one.
    pub async fn update_application_set(&self, set: &ApplicationSet) -> Result<ApplicationSet, StoreError> {
        let object = set.to_object();
        self.permitted(object.namespace())?;
        let resource = root_resource::<ApplicationSet>();
        self.taken_set(self.0.cluster.replace(&resource, &object, &self.server_writes()).await?)
    }

    /// Asks for an ApplicationSet to be deleted.
    pub async fn delete_application_set(
        &self,
        namespace: &str,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<(), StoreError> {
        self.permitted(namespace)?;
        let resource = root_resource::<ApplicationSet>();
        if let Some(object) = self.0.cluster.delete(&resource, namespace, name, options).await?
            && let Some(watched) = &self.0.application_sets
        {
            // The answer to a deletion is of one that was kept.
            watched.observe(object).ok();
        }
        Ok(())
    }

    fn taken_set(&self, object: Object) -> Result<ApplicationSet, StoreError> {
        let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
        if let Some(watched) = &self.0.application_sets {
            watched.observe(object.clone()).ok();
        }
        ApplicationSet::from_object(object).map_err(|error| StoreError::Invalid {
            kind: ApplicationSet::KIND.into(),
            namespace,
            name,
            reason: error.reason,
        })
    }
}
