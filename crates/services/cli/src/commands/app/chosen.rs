//! The live objects of an application that `--group`, `--kind`, `--namespace` and `--resource-name` mean.

use api::Root as _;
use api::v1alpha1::Application;
use serde_json::Value;

use crate::connection::Server;
use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// What identifies a live object.
pub(crate) struct Live {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Live {
    fn of(object: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let api_version = text(&object["apiVersion"]);
        let (group, version) = object::split_api_version(&api_version);
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: text(&object["kind"]),
            namespace: text(&object["metadata"]["namespace"]),
            name: text(&object["metadata"]["name"]),
        }
    }
}

/// The same among what actions can be run on: the application itself is, too.
pub(crate) async fn for_actions(
    session: &Session<'_>,
    server: &Server,
    name: &str,
    namespace: &str,
    all: bool,
) -> Outcome<Vec<Live>> {
    let mut live = managed(session, server, name, namespace).await?;
    let application = super::super::application(server, name, namespace, None).await?;
    live.push(Live {
        group: api::GROUP.into(),
        version: object::split_api_version(api::API_VERSION).1.to_owned(),
        kind: Application::KIND.into(),
        namespace: application.metadata.namespace,
        name: application.metadata.name,
    });
    chosen(session, live, all)
}

/// The objects; none is an error, and so are several unless all are wanted.
pub(crate) async fn live(
    session: &Session<'_>,
    server: &Server,
    name: &str,
    namespace: &str,
    all: bool,
) -> Outcome<Vec<Live>> {
    chosen(session, managed(session, server, name, namespace).await?, all)
}

async fn managed(session: &Session<'_>, server: &Server, name: &str, namespace: &str) -> Outcome<Vec<Live>> {
    let mut query = super::super::resources_of(name, namespace);
    if session
        .matches
        .path
        .last()
        .is_some_and(|command| command.flags.iter().copied().flatten().any(|flag| flag.name == "project"))
    {
        query.project = Some(session.text("project")).filter(|project| !project.is_empty());
    }
    let items = server.applications().managed_resources(query).await?.into_inner().items;
    let mut found = Vec::new();
    for item in items {
        let object = super::super::manifests::parsed(&item.live_state)?;
        if object.is_null() {
            continue;
        }
        found.push(Live::of(&object));
    }
    Ok(found)
}

fn chosen(session: &Session<'_>, mut found: Vec<Live>, all: bool) -> Outcome<Vec<Live>> {
    let wanted = |flag: &str, value: &str| {
        let text = session.matches.text(flag);
        text.is_empty() || text == value
    };
    found.retain(|live| {
        let group = !session.matches.changed("group") || session.matches.text("group") == live.group;
        group
            && wanted("kind", &live.kind)
            && wanted("namespace", &live.namespace)
            && wanted("resource-name", &live.name)
    });
    if found.is_empty() {
        return Err(Failure::generic("no matching resource found"));
    }
    if found.len() > 1 && !all {
        return Err(Failure::generic(
            "multiple resources match inputs. Use the --all flag to patch multiple resources",
        ));
    }
    Ok(found)
}
