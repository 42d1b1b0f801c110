//! AppProjects.

use crate::error::StoreError;
use crate::store::{Store, root_resource};
use api::Root;
use api::k8s::meta_v1::ObjectMeta;
use api::names::DEFAULT_PROJECT;
use api::v1alpha1::{AppProject, AppProjectSpec, ApplicationDestination, ClusterResourceRestrictionItem};
use kubernetes::{DeleteOptions, Patch};
use object::Object;
use std::sync::Arc;

/// The project that always exists: everything is permitted.
pub fn default_project(namespace: &str) -> AppProject {
    let any = || "*".to_owned();
    AppProject {
        metadata: ObjectMeta {
            name: DEFAULT_PROJECT.into(),
            namespace: namespace.into(),
            ..ObjectMeta::default()
        },
        spec: AppProjectSpec {
            source_repos: vec![any()],
            destinations: vec![ApplicationDestination {
                server: any(),
                namespace: any(),
                name: String::new(),
            }],
            cluster_resource_whitelist: vec![ClusterResourceRestrictionItem {
                group: any(),
                kind: any(),
                name: String::new(),
            }],
            ..AppProjectSpec::default()
        },
        ..AppProject::default()
    }
}

impl Store {
    /// The project of a name: an error when it is not there, or invalid.
    pub fn project(&self, name: &str) -> Result<Arc<AppProject>, StoreError> {
        let found = self.0.projects.get(self.namespace(), name);
        found
            .ok_or_else(|| StoreError::NotFound { kind: AppProject::KIND, name: name.into() })?
            .valid(AppProject::KIND)
    }

    /// The project as the API server has it at this moment.
    pub async fn fetch_project(&self, name: &str) -> Result<AppProject, StoreError> {
        let resource = root_resource::<AppProject>();
        self.taken_project(self.0.cluster.get(&resource, self.namespace(), name).await?)
    }

    /// Creates the default project unless it exists; says whether it was created.
    pub async fn ensure_default_project(&self) -> Result<bool, StoreError> {
        match self.create_project(&default_project(self.namespace())).await {
            Ok(_) => Ok(true),
            Err(StoreError::Cluster(error)) if error.is_already_exists() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Creates a project.
    pub async fn create_project(&self, project: &AppProject) -> Result<AppProject, StoreError> {
        let object = self.project_object(project);
        let resource = root_resource::<AppProject>();
        self.taken_project(self.0.cluster.create(&resource, &object, &self.server_writes()).await?)
    }

    /// Replaces a project; its resource version must be the stored one.
    pub async fn update_project(&self, project: &AppProject) -> Result<AppProject, StoreError> {
        let object = self.project_object(project);
        let resource = root_resource::<AppProject>();
        self.taken_project(self.0.cluster.replace(&resource, &object, &self.server_writes()).await?)
    }

    /// Changes a project.
    pub async fn patch_project(&self, name: &str, patch: &Patch) -> Result<AppProject, StoreError> {
        let resource = root_resource::<AppProject>();
        let options = self.server_writes();
        self.taken_project(self.0.cluster.patch(&resource, self.namespace(), name, patch, &options).await?)
    }

    /// Asks for a project to be deleted.
    pub async fn delete_project(&self, name: &str) -> Result<(), StoreError> {
        let resource = root_resource::<AppProject>();
        let options = DeleteOptions::default();
        if let Some(object) = self.0.cluster.delete(&resource, self.namespace(), name, &options).await? {
            self.0.projects.observe(object).ok();
        }
        Ok(())
    }

    fn project_object(&self, project: &AppProject) -> Object {
        let mut object = project.to_object();
        object.set_namespace(self.namespace());
        object
    }

    fn taken_project(&self, object: Object) -> Result<AppProject, StoreError> {
        let name = object.name().to_owned();
        self.0.projects.observe(object.clone()).ok();
        AppProject::from_object(object).map_err(|error| StoreError::Invalid {
            kind: AppProject::KIND.into(),
            namespace: self.namespace().into(),
            name,
            reason: error.reason,
        })
    }
}
