//! What another replica wrote a moment ago, and the watches have not told yet: one question to the API server before
//! anything is said not to be there.

use crate::authorization::project_name;
use crate::hub::Hub;
use crate::terminal::is_name;
use api::v1alpha1::{AppProject, Application, ApplicationSet};
use std::sync::Arc;
use std::time::Duration;
use store::StoreError;

/// Whoever is refused waits no longer for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest name Kubernetes takes.
const LONGEST: usize = 253;

impl Hub {
    /// An application as the API server has it, with its project known; nothing where none can be.
    pub(crate) async fn fetched(&self, namespace: &str, name: &str) -> Option<Arc<Application>> {
        let namespace = self.namespace_or_default(namespace);
        let fetch = self.store.fetch_application(namespace, name);
        let fetched = self.looked(&[namespace, name], fetch).await?.ok()?;
        self.project_now(project_name(&fetched)).await.ok();
        Some(Arc::new(fetched))
    }

    /// An ApplicationSet as the API server has it, with its project known; nothing where none can be.
    pub(crate) async fn fetched_set(&self, namespace: &str, name: &str) -> Option<Arc<ApplicationSet>> {
        let namespace = self.namespace_or_default(namespace);
        let fetch = self.store.fetch_application_set(namespace, name);
        let fetched = self.looked(&[namespace, name], fetch).await?.ok()?;
        self.project_now(&fetched.spec.template.spec.project).await.ok();
        Some(Arc::new(fetched))
    }

    /// A project as it is in memory, or else as the API server has it.
    pub(crate) async fn project_now(&self, name: &str) -> Result<Arc<AppProject>, StoreError> {
        match self.store.project(name) {
            Err(StoreError::NotFound { .. }) => self.fetched_project(name).await,
            known => known,
        }
    }

    /// A project as the API server has it; one that is not there in the words for it.
    pub(crate) async fn fetched_project(&self, name: &str) -> Result<Arc<AppProject>, StoreError> {
        match self.looked(&[name], self.store.fetch_project(name)).await {
            None => self.store.project(name),
            Some(Err(StoreError::Cluster(error))) if error.is_not_found() => self.store.project(name),
            Some(fetched) => fetched.map(Arc::new),
        }
    }

    /// A look at the API server, a few at once; nothing where there can be no such name, or no answer comes soon.
    async fn looked<T>(&self, names: &[&str], look: impl Future<Output = T>) -> Option<T> {
        if !names.iter().all(|name| may_be_called(name)) {
            return None;
        }
        let look = async {
            let _turn = self.looks.acquire().await.ok()?;
            Some(look.await)
        };
        tokio::time::timeout(PATIENCE, look).await.ok().flatten()
    }
}

/// Whether an object may have a name: what it cannot be called need not be asked for.
fn may_be_called(text: &str) -> bool {
    !text.is_empty() && is_name(text, LONGEST, true)
}

#[cfg(test)]
mod tests {
    use super::may_be_called;

    #[test]
    fn only_what_an_object_may_be_called_is_asked_for() {
        for name in ["a", "a-b.c", "0", &"a".repeat(253)] {
            assert!(may_be_called(name), "{name}");
        }
        for name in ["", "A", "a/b", "..", "a?b", "-a", "a.", "a b", "ä", &"a".repeat(254)] {
            assert!(!may_be_called(name), "{name}");
        }
    }
}
