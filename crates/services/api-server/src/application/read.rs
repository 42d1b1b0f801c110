//! Lists and single applications.

use crate::application::listing::{Narrowed, Order, Page, page};
use crate::application::refresh;
use crate::authorization::{APPLICATIONS, Access, Wanted, project_name};
use crate::found;
use crate::hub::Hub;
use crate::masking::operations;
use crate::selector::Selector;
use api::codes::{HealthStatusCode, RefreshType};
use api::k8s::meta_v1::ListMeta;
use api::v1alpha1::{Application, ApplicationList, HealthStatus, ResourceNode};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tonic::Status;
use wire::application::ApplicationQuery;

/// Where resources' health is when it is not in the status.
const IN_TREE: &str = "appTree";

/// Which applications a query is about. Names, projects and namespaces that are not said permit all.
pub(crate) struct Filter {
    name: String,
    /// Names, or `<namespace>/<name>`.
    names: BTreeSet<String>,
    namespace: String,
    repository: String,
    projects: Vec<String>,
    selector: Selector,
}

impl Filter {
    /// Reads a query; the error is the selector's.
    pub(crate) fn new(query: &ApplicationQuery) -> Result<Self, String> {
        Ok(Self {
            name: query.name().to_owned(),
            names: query.names.iter().cloned().collect(),
            namespace: query.app_namespace().to_owned(),
            repository: query.repo().to_owned(),
            projects: if query.project.is_empty() { query.projects.clone() } else { query.project.clone() },
            selector: Selector::parse(query.selector())?,
        })
    }

    /// Makes of one name that of an application in one namespace: the control plane's, where none is said.
    pub(crate) fn of_one(&mut self, control: &str) {
        if !self.name.is_empty() && self.namespace.is_empty() {
            control.clone_into(&mut self.namespace);
        }
    }

    fn is_among_names(&self, application: &Application) -> bool {
        let (name, namespace) = place(application);
        self.names.is_empty()
            || self.names.contains(name)
            || self.names.contains(&format!("{namespace}/{name}"))
    }

    /// Whether an application is meant.
    pub(crate) fn takes(&self, application: &Application) -> bool {
        let metadata = &application.metadata;
        // Of several sources the first counts, as with the original.
        let is_from =
            |url: &String| application.spec.first_source().is_some_and(|source| source.repo_url == *url);
        (self.name.is_empty() || self.name == metadata.name)
            && self.is_among_names(application)
            && (self.namespace.is_empty() || self.namespace == metadata.namespace)
            && (self.projects.is_empty()
                || self.projects.iter().any(|name| name == project_name(application)))
            && (self.repository.is_empty() || is_from(&self.repository))
            && self.selector.matches(&metadata.labels)
    }
}

/// The applications of a query that the caller may see, by name where no other order is asked for.
pub(crate) fn list(hub: &Hub, access: &Access, query: &ApplicationQuery) -> Result<ApplicationList, Status> {
    let filter = Filter::new(query)
        .map_err(|error| Status::unknown(format!("error parsing the selector: {error}")))?;
    let (stored, resource_version) = hub.store.applications().snapshot();
    let (narrowed, order) = (Narrowed::new(hub, query), Order::parse(query.sort())?);
    let mut found: Vec<&Arc<Application>> = stored
        .iter()
        .filter_map(|stored| stored.value())
        .filter(|application| filter.takes(application) && narrowed.takes(application))
        .filter(|application| access.permits(APPLICATIONS, "get", &access.object_of(application)))
        .collect();
    order.sort(&mut found);
    let Page { items, next, remaining } = page(&found, order, query)?;
    let annotations = &access.snapshot().masked_annotations;
    let items = items.into_iter().map(|application| operations(application, annotations)).collect();
    let metadata = ListMeta {
        resource_version,
        r#continue: next,
        remaining_item_count: remaining,
        ..ListMeta::default()
    };
    Ok(ApplicationList { metadata, items })
}

/// Where an application is in a list.
fn place(application: &Application) -> (&str, &str) {
    (&application.metadata.name, &application.metadata.namespace)
}

/// One application; after a refresh when one is asked for.
pub(crate) async fn get(hub: &Hub, access: &Access, query: &ApplicationQuery) -> Result<Application, Status> {
    let projects = if query.project.is_empty() { &query.projects } else { &query.project };
    if projects.len() > 1 {
        return Err(Status::invalid_argument(
            "multiple projects specified - the get endpoint accepts either zero or one project",
        ));
    }
    let wanted = Wanted {
        project: projects.first().map_or("", String::as_str),
        namespace: query.app_namespace(),
        name: query.name(),
    };
    let mut application = access.application(wanted, "get").await?;
    if let Some(level) = &query.refresh {
        let namespace = hub.namespace_or_default(wanted.namespace);
        let hard = level == RefreshType::Hard.as_str();
        application = refresh::refreshed(hub, namespace, wanted.name, hard).await?;
        // It may have moved to another project meanwhile.
        if !access.permits(APPLICATIONS, "get", &access.object_of(&application)) {
            return Err(crate::failure::denied());
        }
    }
    Ok(with_health(hub, &application).await)
}

/// An application whose resources have their health, which the controller may keep in the tree only.
pub(crate) async fn with_health(hub: &Hub, application: &Arc<Application>) -> Application {
    let mut application = operations(Application::clone(application), &hub.snapshot().masked_annotations);
    if application.status.resource_health_source != IN_TREE {
        return application;
    }
    let Some(tree) = found::known_tree(hub, &found::instance(hub, &application)).await else {
        return application;
    };
    type Key<'k> = (&'k str, &'k str, &'k str, &'k str);
    let nodes: BTreeMap<Key<'_>, &ResourceNode> = tree
        .nodes
        .iter()
        .map(|node| {
            let of = &node.resource_ref;
            ((of.group.as_str(), of.kind.as_str(), of.namespace.as_str(), of.name.as_str()), node)
        })
        .collect();
    for resource in &mut application.status.resources {
        let key = (
            resource.group.as_str(),
            resource.kind.as_str(),
            resource.namespace.as_str(),
            resource.name.as_str(),
        );
        // Of what the tree does not know there is none.
        resource.health = nodes.get(&key).copied().and_then(health_of);
    }
    application
}

/// A node's health. One of which nothing is said, without traces of life, stands for an object that is not there.
fn health_of(node: &ResourceNode) -> Option<HealthStatus> {
    let is_missing =
        node.resource_ref.uid.is_empty() && node.resource_version.is_empty() && node.created_at.is_none();
    let missing = || HealthStatus {
        status: HealthStatusCode::Missing.as_str().to_owned(),
        message: "Resource has not been created".to_owned(),
        ..HealthStatus::default()
    };
    node.health.clone().or_else(|| is_missing.then(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn application() -> Application {
        let mut application = Application::default();
        application.metadata.name = "a".into();
        application.metadata.namespace = "argocd".into();
        application.metadata.labels = [("team".to_owned(), "x".to_owned())].into();
        application.spec.source =
            Some(api::v1alpha1::ApplicationSource { repo_url: "r".into(), ..Default::default() });
        application
    }

    #[test]
    fn what_stands_for_an_object_that_is_not_there_is_missing() {
        let mut node = ResourceNode::default();
        let health = health_of(&node).unwrap();
        let told = (health.status.as_str(), health.message.as_str());
        assert_eq!(told, ("Missing", "Resource has not been created"));
        let known = HealthStatus { status: "Missing".into(), ..HealthStatus::default() };
        node.health = Some(known);
        assert_eq!(health_of(&node).unwrap().message, "", "what the controller said stays");
        node = ResourceNode { resource_version: "7".into(), ..ResourceNode::default() };
        assert!(health_of(&node).is_none());
    }

    #[test]
    fn every_filter_must_take_an_application() {
        let takes = |query: ApplicationQuery| Filter::new(&query).unwrap().takes(&application());
        assert!(takes(ApplicationQuery::default()));
        assert!(takes(ApplicationQuery { projects: vec!["default".into()], ..Default::default() }));
        assert!(takes(ApplicationQuery { project: vec!["default".into()], ..Default::default() }));
        assert!(takes(ApplicationQuery { repo: Some("r".into()), ..Default::default() }));
        assert!(takes(ApplicationQuery { selector: Some("team=x".into()), ..Default::default() }));
        assert!(!takes(ApplicationQuery { name: Some("b".into()), ..Default::default() }));
        assert!(!takes(ApplicationQuery { app_namespace: Some("other".into()), ..Default::default() }));
        assert!(!takes(ApplicationQuery { projects: vec!["none".into()], ..Default::default() }));
        assert!(!takes(ApplicationQuery { repo: Some("s".into()), ..Default::default() }));
    }
}
