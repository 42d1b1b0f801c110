//! What templates of charts look up in the destination's cluster, as far as the project permits it. The repo-server says
//! what they want, whoever asks for manifests reads it here, and the render is done again with it. What cannot be read
//! ends the render: an answer of nothing would make templates believe that nothing is there.

use api::v1alpha1::AppProject;
use kubernetes::{Cluster, ListOptions};
use object::GroupVersionKind;
use project::{Destination, PermittedLookups, permits_destination};
use serde_json::{Value, json};
use tonic::Status;
use tonic::transport::Channel;
use wire::lookups::lookups_service_client::LookupsServiceClient;
use wire::lookups::{Answer, LookingRequest, Lookup};
use wire::repository::{ManifestRequest, ManifestResponse};

/// How often a source is rendered: templates may look up something because of what they found.
const ROUNDS: usize = 8;

/// Lookups of one source.
const MOST: usize = 100;

/// Bytes of all that is read for an application.
const MOST_BYTES: usize = 16 << 20;

/// A cluster as the templates of one application see it. Each object is read once.
pub struct ClusterView<'a> {
    cluster: Cluster,
    permitted: PermittedLookups,
    project: &'a AppProject,
    place: &'a project::Cluster,
    own_clusters: &'a [project::Cluster],
    /// What was read so far.
    read: Vec<Answer>,
}

impl<'a> ClusterView<'a> {
    /// The cluster at a place, reached as it is for the application's objects. `own_clusters` are those that belong to
    /// the project.
    pub fn new(
        cluster: Cluster,
        permitted: PermittedLookups,
        project: &'a AppProject,
        place: &'a project::Cluster,
        own_clusters: &'a [project::Cluster],
    ) -> Self {
        Self { cluster, permitted, project, place, own_clusters, read: Vec::new() }
    }

    /// The manifests of a source whose templates see this cluster.
    pub async fn manifests(
        &mut self,
        client: &LookupsServiceClient<Channel>,
        request: ManifestRequest,
    ) -> Result<ManifestResponse, Status> {
        let mut asked = LookingRequest { request: Some(request), answers: Vec::new() };
        for _ in 0..ROUNDS {
            let response = client.clone().render(asked.clone()).await?.into_inner();
            if response.wanted.is_empty() {
                return response
                    .manifests
                    .ok_or_else(|| Status::internal("the repo-server gave no manifests"));
            }
            if asked.answers.len() + response.wanted.len() > MOST {
                return Err(too_much(&format!("make more than {MOST} lookups")));
            }
            for wanted in response.wanted {
                asked.answers.push(self.answer(wanted).await?);
            }
        }
        Err(too_much(&format!("look up more because of what they found, more than {ROUNDS} times over")))
    }

    /// What is there, or nothing where there is nothing that may be seen.
    async fn answer(&mut self, wanted: Lookup) -> Result<Answer, Status> {
        if let Some(known) = self.read.iter().find(|known| known.lookup.as_ref() == Some(&wanted)) {
            return Ok(known.clone());
        }
        let found = self.look(&wanted).await.map_err(|error| {
            Status::unknown(format!("look up {} in the cluster: {error}", shown(&wanted)))
        })?;
        let content = found.map(|value| value.to_string().into_bytes()).unwrap_or_default();
        let read: usize = self.read.iter().map(|known| known.content.len()).sum();
        if read + content.len() > MOST_BYTES {
            return Err(too_much(&format!(
                "look up more than {MOST_BYTES} bytes of objects, the last being {}",
                shown(&wanted)
            )));
        }
        let answer = Answer { lookup: Some(wanted), content };
        self.read.push(answer.clone());
        Ok(answer)
    }

    async fn look(&self, wanted: &Lookup) -> Result<Option<Value>, kubernetes::Error> {
        let gvk = GroupVersionKind::from_api_version(&wanted.api_version, &wanted.kind);
        if !self.permitted.permits(&gvk) {
            return Ok(None);
        }
        let resource = self.cluster.resource(&gvk).await?;
        let namespace = if resource.namespaced { wanted.namespace.as_str() } else { "" };
        // A kind without namespaces is permitted by its name alone.
        let visible = |namespace: &str| !resource.namespaced || self.permits(namespace);
        if !wanted.name.is_empty() {
            // An object of no namespace, of a kind that has them, is never there.
            let nowhere = resource.namespaced && namespace.is_empty();
            if nowhere || !visible(namespace) {
                return Ok(None);
            }
            let found = self.cluster.find(&resource, namespace, &wanted.name).await?;
            return Ok(found.map(|object| Value::Object(object.0)));
        }
        if !namespace.is_empty() && !visible(namespace) {
            return Ok(None);
        }
        let (objects, _) = self.cluster.list(&resource, namespace, &ListOptions::default()).await?;
        let objects = objects.into_iter().filter(|object| visible(object.namespace()));
        let items: Vec<Value> = objects.map(|object| Value::Object(object.0)).collect();
        // Without the list's own version: it moves with every change in the cluster, and no template is made of it.
        let kind = format!("{}List", wanted.kind);
        Ok(Some(json!({ "apiVersion": wanted.api_version, "kind": kind, "metadata": {}, "items": items })))
    }

    fn permits(&self, namespace: &str) -> bool {
        permits_destination(self.project, Destination { cluster: self.place, namespace }, self.own_clusters)
    }
}

fn too_much(what: &str) -> Status {
    Status::resource_exhausted(format!("templates {what}"))
}

fn shown(wanted: &Lookup) -> String {
    let Lookup { api_version, kind, namespace, name } = wanted;
    let place = if namespace.is_empty() { String::new() } else { format!(" of namespace {namespace:?}") };
    match name.as_str() {
        "" => format!("all {api_version}/{kind}{place}"),
        name => format!("{api_version}/{kind} {name:?}{place}"),
    }
}
