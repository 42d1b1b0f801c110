//! What Kubernetes says that manifests would make of live objects: `ServerSideDiff`. Nothing is changed; only objects
//! of the application's own tree are asked about, and what is live is read from the cluster, not believed. Of Secrets
//! nobody knows more than masks: these are compared, and neither read nor asked about.

use crate::authorization::{Access, Wanted};
use crate::failure;
use crate::found;
use crate::hub::Hub;
use crate::masking;
use api::v1alpha1::{Application, ResourceDiff};
use diff::{DiffError, DiffOptions};
use kubernetes::{ApplyOptions, Cluster};
use object::{Object, is_secret};
use serde_json::Value;
use tonic::Status;
use wire::application::{ApplicationServerSideDiffQuery, ApplicationServerSideDiffResponse};

/// More pairs than an application is shown with.
const MOST_PAIRS: usize = 10_000;

/// The differences of the pairs that were sent: of each place in the two lists, what is live and what is wanted. Either
/// may be missing.
pub(crate) async fn differences(
    hub: &Hub,
    access: &Access,
    query: &ApplicationServerSideDiffQuery,
) -> Result<ApplicationServerSideDiffResponse, Status> {
    let wanted = Wanted::new(&query.project, &query.app_namespace, &query.app_name);
    let application = access.application(wanted, "get").await?;
    if query.live_resources.is_empty() && query.target_manifests.is_empty() {
        return Ok(ApplicationServerSideDiffResponse::default());
    }
    if query.live_resources.len() > MOST_PAIRS {
        return Err(Status::invalid_argument(format!("more than {MOST_PAIRS} resources")));
    }
    if query.live_resources.len() != query.target_manifests.len() {
        return Err(Status::invalid_argument(
            "error performing state diffs: left and right arrays have mismatched lengths",
        ));
    }
    let scope = hub.project_of(&application)?;
    let options = options(hub, &application)?;
    let with_webhooks = compare::server_side_diff(&application, true).unwrap_or_default();
    let managed = found::managed(hub, &application).await?;
    let pairs = query.live_resources.iter().zip(&query.target_manifests).enumerate();
    let pairs: Vec<Pair<'_>> = pairs
        .map(|(place, (asked, target))| pair(&application, &managed, place, asked, target))
        .collect::<Result<_, _>>()?;
    let cluster = hub.connect(&application, &scope).await?;
    let mut items = Vec::new();
    for pair in &pairs {
        items.push(difference(&cluster, pair, &options, with_webhooks, access).await?);
    }
    let modified = items.iter().any(|item| item.modified);
    Ok(ApplicationServerSideDiffResponse { items, modified })
}

/// What is asked about one object.
struct Pair<'a> {
    asked: &'a ResourceDiff,
    target: Option<Object>,
    /// The live one as the caller knows it; it is the application's.
    live: Option<Object>,
}

/// Whether a text stands for no object.
fn is_nothing(text: &str) -> bool {
    matches!(text, "" | "null")
}

/// Reads a pair. Both sides must be the object that is named, and a live one the application's.
fn pair<'a>(
    application: &Application,
    managed: &[ResourceDiff],
    place: usize,
    asked: &'a ResourceDiff,
    target: &str,
) -> Result<Pair<'a>, Status> {
    let live = if is_nothing(&asked.live_state) {
        None
    } else {
        let live = found::object(&asked.live_state).ok_or_else(|| {
            Status::invalid_argument(format!(
                "error unmarshaling live state for {}/{}: it is not an object",
                asked.kind, asked.name
            ))
        })?;
        check_named(asked, &live, live.namespace())?;
        let is_own = managed.iter().any(|entry| {
            (&entry.group, &entry.kind, &entry.namespace, &entry.name)
                == (&asked.group, &asked.kind, &asked.namespace, &asked.name)
        });
        if !is_own {
            return Err(Status::permission_denied(format!(
                "{}/{} {} not found as part of application {}",
                asked.group, asked.kind, asked.name, application.metadata.name
            )));
        }
        Some(live)
    };
    let target = if is_nothing(target) {
        None
    } else {
        let target = found::object(target).ok_or_else(|| {
            Status::invalid_argument(format!(
                "error unmarshaling target manifest {place}: it is not an object"
            ))
        })?;
        // One without a namespace is in the destination's.
        let namespace =
            if target.namespace().is_empty() { &asked.namespace } else { target.namespace() }.to_owned();
        check_named(asked, &target, &namespace)?;
        Some(target)
    };
    if target.is_none() && live.is_none() {
        return Err(Status::invalid_argument(
            "error performing state diffs: both live and config are null objects",
        ));
    }
    Ok(Pair { asked, target, live })
}

/// Refuses an object that is another one than it is said to be: what it is decides what is masked.
fn check_named(asked: &ResourceDiff, object: &Object, namespace: &str) -> Result<(), Status> {
    let pairs = [
        ("name", asked.name.as_str(), object.name()),
        ("namespace", &asked.namespace, namespace),
        ("group", &asked.group, object.group()),
        ("kind", &asked.kind, object.kind()),
    ];
    match pairs.into_iter().find(|(_, expected, got)| expected != got) {
        None => Ok(()),
        Some((what, expected, got)) => Err(Status::invalid_argument(format!(
            "{what} mismatch: expected {expected}, got {got} for live resource {}/{}/{}",
            asked.group, asked.kind, asked.name
        ))),
    }
}

fn options(hub: &Hub, application: &Application) -> Result<DiffOptions, Status> {
    let snapshot = hub.snapshot();
    let (customizations, _) = settings::Customizations::parse(&snapshot.data);
    let (compared, _) = settings::CompareOptions::parse(&snapshot.data);
    compare::diff_options(application, &customizations, compared, &snapshot.tracking)
        .map_err(|error| Status::invalid_argument(error.to_string()))
}

/// What would be live, and what is.
type Sides = (Option<Object>, Option<Object>);

/// One difference.
async fn difference(
    cluster: &Cluster,
    pair: &Pair<'_>,
    options: &DiffOptions,
    with_webhooks: bool,
    access: &Access,
) -> Result<ResourceDiff, Status> {
    let (predicted, live) = if pair.target.iter().chain(&pair.live).any(is_secret) {
        masked_sides(pair, options)?
    } else {
        predicted_sides(cluster, pair, options, with_webhooks).await?
    };
    let (predicted, live) = (predicted.map(shown), live.map(shown));
    let (predicted, live) = (diff::state(predicted.as_ref()), diff::state(live.as_ref()));
    let asked = pair.asked;
    let mut item = ResourceDiff {
        group: asked.group.clone(),
        kind: asked.kind.clone(),
        namespace: asked.namespace.clone(),
        name: asked.name.clone(),
        hook: asked.hook,
        resource_version: asked.resource_version.clone(),
        modified: predicted != live,
        target_state: predicted,
        live_state: live,
        ..ResourceDiff::default()
    };
    masking::resource(&mut item, &access.snapshot().masked_annotations);
    Ok(item)
}

/// The sides of a Secret, both as the caller has them: masked. A target of another revision was masked alone, so that an
/// equal mask says little of a value there, as in the original.
fn masked_sides(pair: &Pair<'_>, options: &DiffOptions) -> Result<Sides, Status> {
    let live = pair.live.as_ref();
    let mut wanted = pair.target.clone();
    if let (Some(wanted), Some(live)) = (wanted.as_mut(), live)
        && wanted.namespace().is_empty()
    {
        wanted.set_namespace(live.namespace());
    }
    if wanted.is_none() || live.is_none() {
        return Ok(diff::normalized(wanted.as_ref(), live, options));
    }
    let found = diff::diff(wanted.as_ref(), live, options).map_err(|error| not_compared(&error))?;
    Ok((found.predicted_live, found.normalized_live))
}

/// The sides of any other object. What is live is read from the cluster; where only one side is there, nothing is
/// predicted.
async fn predicted_sides(
    cluster: &Cluster,
    pair: &Pair<'_>,
    options: &DiffOptions,
    with_webhooks: bool,
) -> Result<Sides, Status> {
    let Pair { asked, target, live: known } = pair;
    let tried = |error: kubernetes::Error| {
        failure::within("error running server-side dry run apply", &failure::kubernetes(&error))
    };
    let mut live = None;
    let mut wanted = target.clone();
    let mut answer = None;
    if let Some(known) = known {
        let kind = target.as_ref().unwrap_or(known).gvk();
        let resource = cluster.resource(&kind).await.map_err(tried)?;
        live = cluster.find(&resource, &asked.namespace, &asked.name).await.map_err(tried)?;
        if let Some(target) = wanted.as_mut() {
            if resource.namespaced && target.namespace().is_empty() {
                target.set_namespace(&asked.namespace);
            }
            // As the controller asks when it compares.
            let apply = ApplyOptions::prediction(diff::FIELD_MANAGER);
            answer = Some(cluster.apply(&resource, target, &apply).await.map_err(tried)?.object);
        }
    }
    match (&wanted, &live, &answer) {
        (Some(wanted), Some(live), Some(answer)) => {
            let found = diff::diff_predicted(wanted, live, answer, with_webhooks, options);
            let found = found.map_err(|error| not_compared(&error))?;
            Ok((found.predicted_live, found.normalized_live))
        }
        _ => Ok(diff::normalized(answer.or(wanted).as_ref(), live.as_ref(), options)),
    }
}

fn not_compared(error: &DiffError) -> Status {
    Status::invalid_argument(format!("error performing state diffs: {error}"))
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
