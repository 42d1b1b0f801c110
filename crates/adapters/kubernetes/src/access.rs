//! What the credentials may do, namespaces, and waiting for an object to go.

use crate::cluster::Cluster;
use crate::discovery::ApiResource;
use crate::error::Error;
use crate::request::Call;
use crate::watch::{WatchEvent, WatchOptions};
use crate::write::WriteOptions;
use futures::StreamExt;
use object::Object;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

/// A question: may I?
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Review {
    /// `get`, `list`, …
    pub verb: String,
    /// API group.
    pub group: String,
    /// Name of the kind in URLs.
    pub plural: String,
    /// Namespace; empty for all.
    pub namespace: String,
    /// Name; empty for all.
    pub name: String,
}

impl Cluster {
    /// Asks the API server whether these credentials may do something.
    pub async fn may(&self, review: &Review) -> Result<bool, Error> {
        let question = Object::from_value(json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {
                "verb": review.verb, "group": review.group, "resource": review.plural,
                "namespace": review.namespace, "name": review.name,
            }},
        }))
        .map_err(|error| Error::InvalidObject(error.to_string()))?;
        let resource =
            built_in("authorization.k8s.io", "SelfSubjectAccessReview", "selfsubjectaccessreviews", false);
        let mut call = Call::new(
            http::Method::POST,
            format!("ask whether {} {} is permitted", review.verb, review.plural),
            resource.collection(""),
        );
        call.body = Some(question.to_value().to_string().into());
        let answer: Object = self.fetch_json(&call).await?;
        Ok(answer.at(&["status", "allowed"]).and_then(serde_json::Value::as_bool).unwrap_or(false))
    }

    /// Creates a namespace unless it exists; says whether it was created.
    pub async fn ensure_namespace(&self, namespace: &Object, options: &WriteOptions) -> Result<bool, Error> {
        let resource = namespaces();
        if self.find(&resource, "", namespace.name()).await?.is_some() {
            return Ok(false);
        }
        match self.create(&resource, namespace, options).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_already_exists() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Waits until the object with this uid is gone, or another stands in its place.
    pub async fn wait_gone(
        &self,
        resource: &ApiResource,
        namespace: &str,
        name: &str,
        uid: &str,
        timeout: Duration,
    ) -> Result<(), Error> {
        let waiting = async {
            loop {
                let Some(live) = self.find(resource, namespace, name).await?.filter(|live| live.uid() == uid)
                else {
                    return Ok(());
                };
                let mut options = WatchOptions::since(live.resource_version());
                options.field_selector = format!("metadata.name={name}");
                let mut events = match self.watch(resource, namespace, &options).await {
                    Ok(events) => events,
                    Err(error) if error.is_gone() => continue,
                    Err(error) => return Err(error),
                };
                while let Some(Ok(event)) = events.next().await {
                    if matches!(&event, WatchEvent::Deleted(object) if object.uid() == uid) {
                        return Ok(());
                    }
                }
            }
        };
        tokio::time::timeout(timeout, waiting).await.unwrap_or_else(|_| {
            Err(Error::Transport {
                action: format!("wait until {} {namespace}/{name} is gone", resource.gvk()),
                reason: format!("it is still there after {}s", timeout.as_secs()),
            })
        })
    }
}

/// How namespaces are reached; every cluster has them.
pub(crate) fn namespaces() -> ApiResource {
    built_in("", "Namespace", "namespaces", false)
}

pub(crate) fn built_in(group: &str, kind: &str, plural: &str, namespaced: bool) -> ApiResource {
    ApiResource {
        group: group.into(),
        version: "v1".into(),
        kind: kind.into(),
        plural: plural.into(),
        namespaced,
        verbs: BTreeSet::new(),
        subresources: BTreeSet::new(),
    }
}
