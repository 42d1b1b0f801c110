//! `argocd app`: applications.

mod actions;
mod confirm_deletion;
pub(crate) mod create;
mod delete;
mod delete_resource;
mod diff;
mod edit;
mod get;
mod get_resource;
mod history;
pub(crate) mod list;
mod local;
mod local_files;
mod logs;
mod manifests;
mod patch;
mod patch_resource;
mod remove_source;
mod resources;
mod rollback;
mod set;
mod sources;
pub(crate) mod spec;
mod sync;
mod terminate_op;
mod unset;
mod wait;
mod watch;

use api::v1alpha1::Application;
use wire::application::{ApplicationQuery, ResourcesQuery};
use wire::cluster::SettingsQuery;

use crate::command::{Command, Flag, text};
use crate::connection::Server;
use crate::failure::Outcome;
use crate::options::KUBERNETES;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd app list\n  argocd app get my-app\n  argocd app sync my-app",
    inherited: &[KUBERNETES],
    commands: &[
        &actions::COMMAND,
        &sources::COMMAND,
        &confirm_deletion::COMMAND,
        &create::COMMAND,
        &delete_resource::COMMAND,
        &delete::COMMAND,
        &diff::COMMAND,
        &edit::COMMAND,
        &get_resource::COMMAND,
        &get::COMMAND,
        &history::COMMAND,
        &list::COMMAND,
        &logs::COMMAND,
        &manifests::COMMAND,
        &patch_resource::COMMAND,
        &patch::COMMAND,
        &remove_source::COMMAND,
        &resources::COMMAND,
        &rollback::COMMAND,
        &set::COMMAND,
        &sync::COMMAND,
        &terminate_op::COMMAND,
        &unset::COMMAND,
        &wait::COMMAND,
    ],
    ..Command::new("app", "", "Manage applications")
};

/// The namespace of the application, which most commands take.
const NAMESPACE: Flag = text("app-namespace", "The namespace of the application").short('N');

/// The application `name` of `namespace`, with the kind of refresh before it is read.
/// On the heap, because it is large and is handed on a lot.
async fn application(
    server: &Server,
    name: &str,
    namespace: &str,
    refresh: Option<&str>,
) -> Outcome<Box<Application>> {
    let query = ApplicationQuery {
        name: Some(name.to_owned()),
        app_namespace: Some(namespace.to_owned()),
        refresh: refresh.map(str::to_owned),
        ..ApplicationQuery::default()
    };
    let mut client = server.applications();
    let answer = Box::pin(client.get(query)).await?;
    Ok(Box::new(answer.into_inner()))
}

/// The query for what belongs to an application.
fn resources_of(name: &str, namespace: &str) -> ResourcesQuery {
    ResourcesQuery {
        application_name: name.to_owned(),
        app_namespace: Some(namespace.to_owned()),
        ..ResourcesQuery::default()
    }
}

/// Where the UI shows the application.
async fn address(server: &Server, name: &str) -> Outcome<String> {
    let settings = server.settings().get(SettingsQuery {}).await?.into_inner();
    if !settings.url.is_empty() {
        return Ok(format!("{}/applications/{name}", settings.url));
    }
    let target = &server.target;
    let (scheme, address) = if target.plain_text {
        ("http", target.address.as_str())
    } else {
        ("https", target.address.trim_end_matches(":443"))
    };
    Ok(format!("{scheme}://{address}/applications/{name}"))
}
