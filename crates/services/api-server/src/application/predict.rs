//! What Kubernetes says that manifests would make of live objects: `ServerSideDiff`. Nothing is changed; only objects
//! of the application's own tree are asked about, and what is live is read from the cluster, not believed.

use crate::authorization::{Access, Wanted};
use crate::failure;
use crate::found;
use crate::hub::Hub;
use crate::masking;
use api::v1alpha1::{Application, ResourceDiff};
use diff::DiffOptions;
use kubernetes::{ApplyOptions, Cluster, DryRun, Method};
use object::{Object, ResourceKey, is_secret};
use serde_json::Value;
use std::collections::BTreeMap;
use tonic::Status;
use wire::application::{ApplicationServerSideDiffQuery, ApplicationServerSideDiffResponse};

/// More pairs than an application is shown with.
const MOST_PAIRS: usize = 10_000;

/// The differences of the pairs that were sent.
pub(crate) async fn differences(
    hub: &Hub,
    access: &Access,
    query: &ApplicationServerSideDiffQuery,
) -> Result<ApplicationServerSideDiffResponse, Status> {
    let wanted = Wanted::new(&query.project, &query.app_namespace, &query.app_name);
    let application = access.application(wanted, "get")?;
    if query.live_resources.is_empty() && query.target_manifests.is_empty() {
        return Ok(ApplicationServerSideDiffResponse::default());
    }
    if query.live_resources.len() > MOST_PAIRS {
        return Err(Status::invalid_argument(format!("more than {MOST_PAIRS} resources")));
    }
    let scope = hub.project_of(&application)?;
    let targets = targets(query, &application)?;
    let options = options(hub, &application)?;
    let managed = found::managed(hub, &application).await?;
    let cluster = hub.connect(&application, &scope).await?;
    let mut items = Vec::new();
    for asked in &query.live_resources {
        let key = ResourceKey::new(&asked.group, &asked.kind, &asked.namespace, &asked.name);
        let own = managed.iter().any(|entry| {
            (&entry.group, &entry.kind, &entry.namespace, &entry.name)
                == (&asked.group, &asked.kind, &asked.namespace, &asked.name)
        });
        let target = targets.get(&key).filter(|_| own).ok_or_else(|| {
            Status::invalid_argument(format!("{key} is not part of application {}", query.app_name))
        })?;
        items.push(difference(&cluster, target, &options, asked, access).await?);
    }
    let modified = items.iter().any(|item| item.modified);
    Ok(ApplicationServerSideDiffResponse { items, modified })
}

/// The manifests by key; one without a namespace is in the destination's.
fn targets(
    query: &ApplicationServerSideDiffQuery,
    application: &Application,
) -> Result<BTreeMap<ResourceKey, Object>, Status> {
    let mut targets = BTreeMap::new();
    for text in &query.target_manifests {
        let target = found::object(text).ok_or_else(|| {
            Status::invalid_argument("error unmarshaling target manifest: it is not an object")
        })?;
        let mut key = target.key();
        let known =
            query.live_resources.iter().any(|live| live.namespace == key.namespace && live.name == key.name);
        if key.namespace.is_empty() && !known {
            application.spec.destination.namespace.clone_into(&mut key.namespace);
        }
        targets.insert(key, target);
    }
    Ok(targets)
}

fn options(hub: &Hub, application: &Application) -> Result<DiffOptions, Status> {
    let snapshot = hub.snapshot();
    let (customizations, _) = settings::Customizations::parse(&snapshot.data);
    let (compared, _) = settings::CompareOptions::parse(&snapshot.data);
    compare::diff_options(application, &customizations, compared, &snapshot.tracking)
        .map_err(|error| Status::invalid_argument(error.to_string()))
}

async fn difference(
    cluster: &Cluster,
    target: &Object,
    options: &DiffOptions,
    asked: &ResourceDiff,
    access: &Access,
) -> Result<ResourceDiff, Status> {
    let tried = |error: kubernetes::Error| {
        let status = failure::kubernetes(&error);
        // Validation quotes what it refuses; of a Secret nothing is quoted.
        let status = if is_secret(target) {
            Status::new(status.code(), "the API server refused the Secret")
        } else {
            status
        };
        failure::within("error running server-side dry run apply", &status)
    };
    let resource = cluster.resource(&target.gvk()).await.map_err(tried)?;
    let live = cluster.find(&resource, &asked.namespace, &asked.name).await.map_err(tried)?;
    let mut target = target.clone();
    if resource.namespaced && target.namespace().is_empty() {
        set(&mut target, &["metadata", "namespace"], Value::from(asked.namespace.as_str()));
    }
    let apply =
        ApplyOptions { method: Method::ServerSide, dry_run: DryRun::Server, ..ApplyOptions::default() };
    let predicted = cluster.apply(&resource, &target, &apply).await.map_err(tried)?.object;
    let (predicted, live) = diff::normalized(Some(&predicted), live.as_ref(), options);
    let (predicted, live) = (predicted.map(shown), live.map(shown));
    let (predicted, live) = (diff::state(predicted.as_ref()), diff::state(live.as_ref()));
    let mut item = ResourceDiff {
        group: asked.group.clone(),
        kind: asked.kind.clone(),
        namespace: asked.namespace.clone(),
        name: asked.name.clone(),
        modified: predicted != live,
        target_state: predicted,
        live_state: live,
        ..ResourceDiff::default()
    };
    masking::resource(&mut item, &access.snapshot().masked_annotations);
    Ok(item)
}

/// What the cluster writes into an object's metadata by itself, also during a dry run.
const STAMPS: [&str; 5] = ["creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"];

/// An object without what is no difference.
fn shown(mut object: Object) -> Object {
    if let Some(metadata) = object.0.get_mut("metadata").and_then(Value::as_object_mut) {
        for name in STAMPS {
            metadata.remove(name);
        }
    }
    object
}

fn set(object: &mut Object, path: &[&str; 2], value: Value) {
    if let Some(holder) = object.0.get_mut(path[0]).and_then(Value::as_object_mut) {
        holder.insert(path[1].to_owned(), value);
    }
}
