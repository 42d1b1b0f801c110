//! Kubernetes events about an application or one of its resources.

use crate::authorization::{Access, Wanted};
use crate::failure;
use crate::hub::Hub;
use api::k8s::meta_v1::{ListMeta, MicroTime, ObjectMeta, Time};
use kubernetes::{ApiResource, Cluster, ListOptions};
use object::Object;
use serde::de::DeserializeOwned;
use tonic::Status;
use wire::application::ApplicationResourceEventsQuery;
use wire::events::{Event, EventList, EventSeries, EventSource, ObjectReference};

/// What events are about.
pub(crate) struct About<'a> {
    /// Namespace of the object, where its events are.
    pub(crate) namespace: &'a str,
    /// Name of the object.
    pub(crate) name: &'a str,
    /// Uid of the object.
    pub(crate) uid: &'a str,
}

/// Events of an application, or of one of its resources.
pub(crate) async fn of_application(
    hub: &Hub,
    access: &Access,
    query: &ApplicationResourceEventsQuery,
) -> Result<EventList, Status> {
    let there = Wanted::new(&query.project, &query.app_namespace, &query.name);
    let application = access.application(there, "get").await?;
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let (namespace, name, uid) =
        (text(&query.resource_namespace), text(&query.resource_name), text(&query.resource_uid));
    if name.is_empty() && uid.is_empty() {
        let metadata = &application.metadata;
        let about = About { namespace: &metadata.namespace, name: &metadata.name, uid: &metadata.uid };
        return list(hub.store.cluster(), &about).await;
    }
    let tree = crate::found::tree(hub, &application).await?;
    let belongs = tree.nodes.iter().chain(&tree.orphaned_nodes).any(|node| {
        let of = &node.resource_ref;
        of.uid == uid && of.name == name && of.namespace == namespace
    });
    if !belongs {
        return Err(Status::invalid_argument(format!(
            "{name} not found as part of application {}",
            application.metadata.name
        )));
    }
    let scope = hub.project_of(&application)?;
    let cluster = hub.acting(&application, &scope).await?;
    list(&cluster, &About { namespace: &namespace, name: &name, uid: &uid }).await
}

/// The events about an object.
pub(crate) async fn list(cluster: &Cluster, about: &About<'_>) -> Result<EventList, Status> {
    let resource = ApiResource {
        version: "v1".into(),
        kind: "Event".into(),
        plural: "events".into(),
        namespaced: true,
        ..ApiResource::default()
    };
    let fields = [
        ("involvedObject.name", about.name),
        ("involvedObject.uid", about.uid),
        ("involvedObject.namespace", about.namespace),
    ];
    let selector: Vec<String> = fields
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(field, value)| format!("{field}={}", escaped(value)))
        .collect();
    let options = ListOptions { field_selector: selector.join(","), ..ListOptions::default() };
    let listed = cluster.list(&resource, about.namespace, &options).await;
    let (objects, resource_version) = listed.map_err(|error| failure::kubernetes(&error))?;
    let items = objects.iter().map(event).collect();
    Ok(EventList { metadata: Some(ListMeta { resource_version, ..ListMeta::default() }), items })
}

/// A value as field selectors have it, so that it cannot say more than itself.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace(',', "\\,").replace('=', "\\=")
}

/// An event as the API shows it. What is new keeps its times and numbers elsewhere than what is old; both are found in the old
/// places, as in the original.
fn event(object: &Object) -> Event {
    let mut event = as_written(object);
    let time = |MicroTime { seconds, nanos }| Time { seconds, nanos };
    let at = event.event_time.map(time);
    if let Some(series) = &event.series {
        event.count = series.count;
        event.last_timestamp = series.last_observed_time.map(time).or(event.last_timestamp);
    } else if event.count == 0 && at.is_some() {
        event.count = 1;
    }
    event.first_timestamp = event.first_timestamp.or(at);
    event.last_timestamp = event.last_timestamp.or(at);
    event
}

fn as_written(object: &Object) -> Event {
    let text = |path: &[&str]| object.text_at(path).to_owned();
    let number = |path: &[&str]| i32::try_from(object.int_at(path).unwrap_or(0)).unwrap_or(0);
    Event {
        metadata: part::<ObjectMeta>(object, &["metadata"]),
        involved_object: reference(object, "involvedObject"),
        reason: text(&["reason"]),
        message: text(&["message"]),
        source: Some(EventSource {
            component: text(&["source", "component"]),
            host: text(&["source", "host"]),
        }),
        first_timestamp: part::<Time>(object, &["firstTimestamp"]),
        last_timestamp: part::<Time>(object, &["lastTimestamp"]),
        count: number(&["count"]),
        r#type: text(&["type"]),
        event_time: part::<MicroTime>(object, &["eventTime"]),
        series: object.at(&["series"]).filter(|series| series.is_object()).map(|_| EventSeries {
            count: number(&["series", "count"]),
            last_observed_time: part::<MicroTime>(object, &["series", "lastObservedTime"]),
        }),
        action: text(&["action"]),
        related: reference(object, "related"),
        reporting_component: text(&["reportingComponent"]),
        reporting_instance: text(&["reportingInstance"]),
    }
}

fn part<T: DeserializeOwned>(object: &Object, path: &[&str]) -> Option<T> {
    let value = object.at(path).filter(|value| !value.is_null())?;
    serde_json::from_value(value.clone()).ok()
}

fn reference(object: &Object, member: &str) -> Option<ObjectReference> {
    object.at(&[member]).filter(|value| value.is_object())?;
    let text = |name: &str| object.text_at(&[member, name]).to_owned();
    Some(ObjectReference {
        kind: text("kind"),
        namespace: text("namespace"),
        name: text("name"),
        uid: text("uid"),
        api_version: text("apiVersion"),
        resource_version: text("resourceVersion"),
        field_path: text("fieldPath"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_widen_the_selection() {
        assert_eq!(escaped("a,involvedObject.name=b"), "a\\,involvedObject.name\\=b");
    }

    #[test]
    fn new_events_have_their_times_where_old_ones_have_them() {
        let read = |value: serde_json::Value| event(&Object::from_value(value).expect("an object"));
        let base = |more: serde_json::Value| {
            let mut value = serde_json::json!({
                "apiVersion": "v1", "kind": "Event", "metadata": {"name": "a", "namespace": "b"},
                "eventTime": "2026-01-02T03:04:05.000006Z",
            });
            let members = more.as_object().expect("members").clone();
            value.as_object_mut().expect("an object").extend(members);
            read(value)
        };
        let at = |seconds: i64| seconds - 1_767_323_045;
        let once = base(serde_json::json!({}));
        let times = |event: &Event| {
            [event.first_timestamp, event.last_timestamp].map(|time| time.map(|time| at(time.seconds)))
        };
        assert_eq!((once.count, times(&once)), (1, [Some(0), Some(0)]));
        let series = serde_json::json!({"count": 7, "lastObservedTime": "2026-01-02T03:04:15.000000Z"});
        let often = base(serde_json::json!({"series": series}));
        assert_eq!((often.count, times(&often)), (7, [Some(0), Some(10)]));
        let shown = often.series.expect("a series");
        assert_eq!(shown.last_observed_time.map(|time| at(time.seconds)), Some(10));
        let old = base(serde_json::json!({
            "eventTime": null, "count": 3,
            "firstTimestamp": "2026-01-02T03:04:06Z", "lastTimestamp": "2026-01-02T03:04:07Z",
        }));
        assert_eq!((old.count, times(&old)), (3, [Some(1), Some(2)]));
    }
}
