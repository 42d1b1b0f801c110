//! Objects as they are, for whoever lets users' expressions look at them: what a type does not know, or would make up, counts there.

use crate::store::{Store, core, root_resource};
use crate::watched::{Selectors, Source, Watched};
use api::v1alpha1::{AppProject, Application};
use kubernetes::ApiResource;
use object::Object;

impl Store {
    /// Applications in permitted namespaces as they are; a watch of its own, to be stopped by its owner.
    pub fn raw_applications(&self, labels: &str) -> Watched<Object> {
        let namespaces = self.namespaces().clone();
        let everywhere = if namespaces.is_single() { self.namespace() } else { "" };
        let selectors = Selectors { labels: labels.to_owned(), fields: String::new() };
        let keep = move |object: &Object| namespaces.permits(object.namespace());
        self.raw(root_resource::<Application>(), everywhere, selectors, Box::new(keep))
    }

    /// Projects as they are.
    pub fn raw_projects(&self) -> Watched<Object> {
        let keep = Box::new(|_: &Object| true);
        self.raw(root_resource::<AppProject>(), self.namespace(), Selectors::default(), keep)
    }

    /// ConfigMaps of one name, in the control plane's namespace or in all.
    pub fn raw_config_maps(&self, name: &str, everywhere: bool) -> Watched<Object> {
        self.named(core("ConfigMap", "configmaps"), name, everywhere)
    }

    /// Secrets of one name, in the control plane's namespace or in all.
    pub fn raw_secrets(&self, name: &str, everywhere: bool) -> Watched<Object> {
        self.named(core("Secret", "secrets"), name, everywhere)
    }

    fn named(&self, resource: ApiResource, name: &str, everywhere: bool) -> Watched<Object> {
        let namespace = if everywhere { "" } else { self.namespace() };
        let selectors = Selectors { labels: String::new(), fields: format!("metadata.name={name}") };
        let name = name.to_owned();
        self.raw(resource, namespace, selectors, Box::new(move |object| object.name() == name))
    }

    fn raw(
        &self,
        resource: ApiResource,
        namespace: &str,
        selectors: Selectors,
        keep: Box<dyn Fn(&Object) -> bool + Send + Sync>,
    ) -> Watched<Object> {
        let watched = Watched::start(Source {
            cluster: self.cluster().clone(),
            resource,
            namespace: namespace.to_owned(),
            selectors,
            keep,
            decode: |object| {
                let mut object = object.clone();
                object.metadata_mut().remove("managedFields");
                Ok(object)
            },
        });
        watched.forget_changes();
        watched
    }
}
