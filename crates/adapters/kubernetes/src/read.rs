//! Reading objects: one, or many as they arrive.

use crate::cluster::Cluster;
use crate::connect::chain;
use crate::discovery::ApiResource;
use crate::error::Error;
use crate::items::ItemSplitter;
use crate::request::Call;
use futures::StreamExt;
use http_body_util::BodyExt;
use object::{GroupVersionKind, Object};
use serde::Deserialize;

/// Which objects to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// Label selector; empty for all.
    pub label_selector: String,
    /// Field selector; empty for all.
    pub field_selector: String,
    /// Objects per request; zero for 500, as the original asks.
    pub page_size: u32,
}

/// What a list gives while it runs.
#[derive(Debug)]
pub enum Listed {
    /// The list began anew because its continuation had expired: forget what it gave so far.
    Restarted,
    /// The next object.
    Object(Object),
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    metadata: EnvelopeMetadata,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct EnvelopeMetadata {
    resource_version: String,
    r#continue: String,
}

impl Cluster {
    /// Reads one object.
    pub async fn get(&self, resource: &ApiResource, namespace: &str, name: &str) -> Result<Object, Error> {
        named(resource, name)?;
        let action = describe("get", resource, namespace, name);
        self.fetch_json(&Call::get(action, resource.path(namespace, name))).await
    }

    /// Reads one object, `None` when there is none of that name.
    pub async fn find(
        &self,
        resource: &ApiResource,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Object>, Error> {
        match self.get(resource, namespace, name).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads one object by its kind, discovering how to reach it. `None` when there is no such object; a kind
    /// that is not served is an error.
    pub async fn find_kind(
        &self,
        gvk: &GroupVersionKind,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Object>, Error> {
        let resource = self.resource(gvk).await?;
        self.find(&resource, namespace, name).await
    }

    /// Lists objects, giving each as it arrives; returns the resource version to watch from. The list is
    /// consistent: no older than the moment it was asked for.
    pub async fn list_each(
        &self,
        resource: &ApiResource,
        namespace: &str,
        options: &ListOptions,
        mut each: impl FnMut(Listed) + Send,
    ) -> Result<String, Error> {
        let mut token = String::new();
        let mut paged = true;
        loop {
            let limit = if options.page_size == 0 { 500 } else { options.page_size };
            let call = Call::get(describe("list", resource, namespace, ""), resource.collection(namespace))
                .with("labelSelector", options.label_selector.as_str())
                .with("fieldSelector", options.field_selector.as_str())
                .with("limit", if paged { limit.to_string() } else { String::new() })
                .with("continue", token.as_str());
            match self.page(resource, &call, &mut each).await {
                Ok(metadata) if metadata.r#continue.is_empty() => return Ok(metadata.resource_version),
                Ok(metadata) => token = metadata.r#continue,
                // The pages took longer than etcd keeps history: one answer cannot expire.
                Err(error) if error.is_gone() && !token.is_empty() => {
                    each(Listed::Restarted);
                    token.clear();
                    paged = false;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Lists objects into memory; for kinds that are few.
    pub async fn list(
        &self,
        resource: &ApiResource,
        namespace: &str,
        options: &ListOptions,
    ) -> Result<(Vec<Object>, String), Error> {
        let mut objects = Vec::new();
        let version = self
            .list_each(resource, namespace, options, |listed| match listed {
                Listed::Restarted => objects.clear(),
                Listed::Object(object) => objects.push(object),
            })
            .await?;
        Ok((objects, version))
    }

    async fn page(
        &self,
        resource: &ApiResource,
        call: &Call,
        each: &mut (impl FnMut(Listed) + Send),
    ) -> Result<EnvelopeMetadata, Error> {
        let patience = self.inner().limits.answer_timeout;
        let api_version = resource.api_version();
        let mut chunks = self.send(call).await?.into_body().into_data_stream();
        let mut splitter = ItemSplitter::default();
        let mut unreadable = None;
        let decode = |reason: String| Error::Decode { action: call.action.clone(), reason };
        loop {
            let chunk = match tokio::time::timeout(patience, chunks.next()).await {
                Ok(None) => break,
                Ok(Some(Ok(chunk))) => chunk,
                Ok(Some(Err(error))) => {
                    return Err(Error::Transport { action: call.action.clone(), reason: chain(&error) });
                }
                Err(_) => {
                    let reason = format!("the list stopped for {}s", patience.as_secs());
                    return Err(Error::Transport { action: call.action.clone(), reason });
                }
            };
            splitter
                .push(&chunk, |item| match serde_json::from_slice::<Object>(item) {
                    Ok(mut object) => {
                        // Items of built-in lists leave out what the list already says.
                        object.0.entry("apiVersion").or_insert_with(|| api_version.clone().into());
                        object.0.entry("kind").or_insert_with(|| resource.kind.clone().into());
                        each(Listed::Object(object));
                    }
                    Err(error) => unreadable = Some(error.to_string()),
                })
                .map_err(|reason| decode(reason.into()))?;
            if let Some(reason) = unreadable.take() {
                return Err(decode(reason));
            }
        }
        let envelope = splitter.finish().map_err(|reason| decode(reason.into()))?;
        let envelope: Envelope =
            serde_json::from_slice(&envelope).map_err(|error| decode(error.to_string()))?;
        Ok(envelope.metadata)
    }
}

/// `get apps/v1/Deployment default/web`, for messages.
pub(crate) fn describe(verb: &str, resource: &ApiResource, namespace: &str, name: &str) -> String {
    let gvk = resource.gvk();
    match (namespace.is_empty() || !resource.namespaced, name.is_empty()) {
        (true, true) => format!("{verb} {gvk}"),
        (true, false) => format!("{verb} {gvk} {name}"),
        (false, true) => format!("{verb} {gvk} in namespace {namespace}"),
        (false, false) => format!("{verb} {gvk} {namespace}/{name}"),
    }
}

/// An empty name would turn a request for one object into one for all of them.
pub(crate) fn named(resource: &ApiResource, name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::InvalidObject(format!("{}: the object has no name", resource.gvk())));
    }
    Ok(())
}
