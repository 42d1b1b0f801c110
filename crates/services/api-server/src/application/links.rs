//! Links beside applications and their objects.

use crate::application::resources::{self, Named};
use crate::authorization::{Access, Wanted};
use crate::deep_links::Known;
use crate::destinations::Scope;
use crate::hub::Hub;
use crate::masking;
use api::v1alpha1::Application;
use serde_json::Value;
use settings::DeepLinks;
use tonic::Status;
use wire::application::{ApplicationResourceRequest, LinksResponse, ListAppLinksRequest};

/// The links beside an application.
pub(super) async fn of_application(
    hub: &Hub,
    access: &Access,
    query: &ListAppLinksRequest,
) -> Result<LinksResponse, Status> {
    let application =
        access.application(Wanted::new(&query.project, &query.namespace, &query.name), "get").await?;
    let (links, _) = DeepLinks::parse(&access.snapshot().data);
    let scope = hub.project_of(&application)?;
    let known = Known::default().application(&application).managed_here(&access.snapshot().server.url);
    let known = with_cluster(hub, known, &application, &scope)?;
    hub.links(links.application, known, &application.metadata.name).await
}

/// The links beside an object of an application.
pub(super) async fn of_resource(
    hub: &Hub,
    access: &Access,
    query: &ApplicationResourceRequest,
) -> Result<LinksResponse, Status> {
    let reached = resources::reach_or_application(hub, access, &Named::of(query), "get").await?;
    let live = reached.live().await?;
    let shown = masking::shown(&live, &access.snapshot().masked_annotations);
    let shown: Value = serde_json::from_str(&shown)
        .map_err(|_| Status::internal("an object that was just written cannot be read"))?;
    let (links, _) = DeepLinks::parse(&access.snapshot().data);
    let known =
        Known::default().resource(shown).application(&reached.application).project(&reached.scope.project);
    let known = with_cluster(hub, known, &reached.application, &reached.scope)?;
    hub.links(links.resource, known, live.name()).await
}

/// Adds the destination's cluster, if there is one the project permits.
fn with_cluster(hub: &Hub, known: Known, application: &Application, scope: &Scope) -> Result<Known, Status> {
    let destination = &application.spec.destination;
    let Ok(cluster) = scope.destination(destination) else { return Ok(known) };
    let to = project::Destination { cluster: &cluster, namespace: &destination.namespace };
    if !project::permits_destination(&scope.project, to, &scope.own_clusters) {
        return Err(Status::unknown("error getting destination cluster"));
    }
    let registered = hub.store.cluster_by_server(&cluster.server, true);
    Ok(match registered {
        Ok(registered) => known.cluster(registered.reveal()),
        Err(_) => known,
    })
}
