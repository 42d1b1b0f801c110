//! Watching objects: what changed since a resource version.

use crate::cluster::Cluster;
use crate::connect::chain;
use crate::discovery::ApiResource;
use crate::error::{Error, Status};
use crate::read::describe;
use crate::request::Call;
use futures::StreamExt;
use futures::stream::BoxStream;
use http_body_util::BodyExt;
use object::Object;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;

/// No event is larger: it holds one object.
const LARGEST_EVENT: usize = 64 << 20;
/// The API server sends a bookmark about once a minute. A stream that did and then is silent for longer is
/// a connection that died without saying so.
const SILENCE_AFTER_BOOKMARK: Duration = Duration::from_secs(150);

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchEvent {
    /// The object is new, or came into the selection.
    Added(Object),
    /// The object changed.
    Modified(Object),
    /// The object is gone, or left the selection; its last state.
    Deleted(Object),
    /// Nothing changed up to this resource version.
    Bookmark(String),
}

/// Which objects to watch, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchOptions {
    /// Resource version to go on from.
    pub resource_version: String,
    /// Label selector; empty for all.
    pub label_selector: String,
    /// Field selector; empty for all.
    pub field_selector: String,
    /// After how many seconds the server ends the stream.
    pub timeout_s: u32,
}

impl WatchOptions {
    /// Everything after a resource version, for a little under five minutes.
    pub fn since(resource_version: impl Into<String>) -> Self {
        Self {
            resource_version: resource_version.into(),
            label_selector: String::new(),
            field_selector: String::new(),
            timeout_s: 290,
        }
    }
}

/// Changes as they come. Ends without an error when the server ends it: go on from the last resource version.
pub type WatchStream = BoxStream<'static, Result<WatchEvent, Error>>;

#[derive(Deserialize)]
struct Frame<'a> {
    r#type: &'a str,
    #[serde(borrow)]
    object: &'a RawValue,
}

impl Cluster {
    /// Watches objects in a namespace, or in all when it is empty.
    pub async fn watch(
        &self,
        resource: &ApiResource,
        namespace: &str,
        options: &WatchOptions,
    ) -> Result<WatchStream, Error> {
        let action = describe("watch", resource, namespace, "");
        let mut call = Call::get(action.clone(), resource.collection(namespace))
            .with("watch", "true")
            .with("allowWatchBookmarks", "true")
            .with("resourceVersion", options.resource_version.as_str())
            .with("labelSelector", options.label_selector.as_str())
            .with("fieldSelector", options.field_selector.as_str())
            .with("timeoutSeconds", options.timeout_s.to_string());
        call.lasting = true;
        let chunks = self.send(&call).await?.into_body().into_data_stream();
        let patience = Duration::from_secs(u64::from(options.timeout_s) + 30);
        let state = State { chunks, buffer: Vec::new(), scanned: 0, patience, action, done: false };
        Ok(futures::stream::unfold(state, |mut state| async move {
            let event = state.next().await?;
            Some((event, state))
        })
        .boxed())
    }
}

struct State<S> {
    chunks: S,
    buffer: Vec<u8>,
    /// How much of the buffer is known to hold no line end.
    scanned: usize,
    patience: Duration,
    action: String,
    done: bool,
}

impl<S, E> State<S>
where
    S: futures::Stream<Item = Result<bytes::Bytes, E>> + Unpin,
    E: std::error::Error,
{
    async fn next(&mut self) -> Option<Result<WatchEvent, Error>> {
        while !self.done {
            if let Some(end) = self.buffer[self.scanned..].iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(self.scanned + end + 1);
                let line = std::mem::replace(&mut self.buffer, rest);
                self.scanned = 0;
                if line.trim_ascii().is_empty() {
                    continue;
                }
                let event = decode(&line, &self.action);
                match &event {
                    Ok(WatchEvent::Bookmark(_)) => self.patience = self.patience.min(SILENCE_AFTER_BOOKMARK),
                    Ok(_) => {}
                    Err(_) => self.done = true,
                }
                return Some(event);
            }
            self.scanned = self.buffer.len();
            if let Err(error) = self.fill().await {
                self.done = true;
                return Some(Err(error));
            }
        }
        None
    }

    async fn fill(&mut self) -> Result<(), Error> {
        let transport = |reason: String| Error::Transport { action: self.action.clone(), reason };
        match tokio::time::timeout(self.patience, self.chunks.next()).await {
            Err(_) => Err(transport(format!("nothing was heard for {}s", self.patience.as_secs()))),
            Ok(Some(Err(error))) => Err(transport(chain(&error))),
            Ok(None) => {
                self.done = true;
                Ok(())
            }
            Ok(Some(Ok(chunk))) if self.buffer.len() + chunk.len() > LARGEST_EVENT => {
                Err(Error::Decode { action: self.action.clone(), reason: "an event is too large".into() })
            }
            Ok(Some(Ok(chunk))) => {
                self.buffer.extend_from_slice(&chunk);
                Ok(())
            }
        }
    }
}

fn decode(line: &[u8], action: &str) -> Result<WatchEvent, Error> {
    let unreadable = |reason: String| Error::Decode { action: action.into(), reason };
    let frame: Frame<'_> = serde_json::from_slice(line).map_err(|error| unreadable(error.to_string()))?;
    if frame.r#type == "ERROR" {
        let status: Status = serde_json::from_str(frame.object.get()).unwrap_or_default();
        return Err(Error::Api { action: action.into(), status: Box::new(status) });
    }
    let object: Object =
        serde_json::from_str(frame.object.get()).map_err(|error| unreadable(error.to_string()))?;
    match frame.r#type {
        "ADDED" => Ok(WatchEvent::Added(object)),
        "MODIFIED" => Ok(WatchEvent::Modified(object)),
        "DELETED" => Ok(WatchEvent::Deleted(object)),
        "BOOKMARK" => Ok(WatchEvent::Bookmark(object.resource_version().to_owned())),
        other => Err(unreadable(format!("unknown event type {other:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn events(chunks: Vec<&'static [u8]>) -> Vec<Result<WatchEvent, Error>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let chunks = futures::stream::iter(
            chunks.into_iter().map(|chunk| Ok::<_, std::io::Error>(Bytes::from_static(chunk))),
        );
        let mut state = State {
            chunks,
            buffer: Vec::new(),
            scanned: 0,
            patience: Duration::from_secs(5),
            action: "watch".into(),
            done: false,
        };
        runtime.block_on(async {
            let mut all = Vec::new();
            while let Some(event) = state.next().await {
                all.push(event);
            }
            all
        })
    }

    #[test]
    fn events_come_whole_whatever_the_chunks() {
        let all = events(vec![
            br#"{"type":"ADDED","obj"#,
            b"ect\":{\"kind\":\"Pod\"}}\n{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":",
            b"{\"resourceVersion\":\"9\"}}}\n",
        ]);
        assert!(matches!(&all[0], Ok(WatchEvent::Added(object)) if object.kind() == "Pod"));
        assert!(matches!(&all[1], Ok(WatchEvent::Bookmark(version)) if version == "9"));
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn an_expired_version_is_an_error_and_the_end() {
        let all = events(vec![
            b"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\"}}\n",
            b"{\"type\":\"ADDED\",\"object\":{}}\n",
        ]);
        assert_eq!(all.len(), 1);
        assert!(all[0].as_ref().is_err_and(Error::is_gone));
    }
}
