//! `argocd proj`: projects.

pub(crate) mod create;
mod delete;
mod destination;
mod edit;
pub(crate) mod flags;
mod get;
mod integrity;
mod kinds;
mod list;
mod orphaned;
mod role;
mod service_account;
mod set;
mod signature_key;
mod source;
mod source_namespace;
mod windows;

use api::v1alpha1::AppProject;
use wire::project::{ProjectQuery, ProjectUpdateRequest};

use crate::command::Command;
use crate::connection::Server;
use crate::failure::{Failure, Outcome};
use crate::options::KUBERNETES;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    aliases: &["project"],
    inherited: &[KUBERNETES],
    details: "\nExamples:\n  argocd proj list\n  argocd proj create my-project --src https://git.example.com/apps.git",
    commands: &[
        &service_account::ADD,
        &destination::ADD,
        &orphaned::ADD,
        &signature_key::ADD,
        &source_namespace::ADD,
        &source::ADD,
        &kinds::ALLOW_CLUSTER,
        &kinds::ALLOW_NAMESPACED,
        &create::COMMAND,
        &delete::COMMAND,
        &kinds::DENY_CLUSTER,
        &kinds::DENY_NAMESPACED,
        &edit::COMMAND,
        &get::COMMAND,
        &list::COMMAND,
        &service_account::REMOVE,
        &destination::REMOVE,
        &orphaned::REMOVE,
        &signature_key::REMOVE,
        &source_namespace::REMOVE,
        &source::REMOVE,
        &role::COMMAND,
        &set::COMMAND,
        &integrity::COMMAND,
        &windows::COMMAND,
    ],
    ..Command::new("proj", "", "Manage projects")
};

/// What a change of a project came to.
enum Change {
    /// It is to be written.
    Made,
    /// There is nothing to change.
    Needless,
}

/// The arguments, when there are as many as the command takes.
fn arguments<const N: usize>(session: &Session<'_>) -> Outcome<[String; N]> {
    session.arguments().to_vec().try_into().map_err(|_| Failure::usage())
}

/// A project by its name.
async fn project(server: &Server, name: &str) -> Outcome<AppProject> {
    Ok(server.projects().get(ProjectQuery { name: name.to_owned() }).await?.into_inner())
}

/// Writes a project that was read and changed.
async fn update(server: &Server, project: AppProject) -> Outcome {
    server.projects().update(ProjectUpdateRequest { project: Some(project) }).await?;
    Ok(())
}

/// Reads a project, changes it, and writes it when something changed.
async fn changed(
    session: &mut Session<'_>,
    name: &str,
    change: impl FnOnce(&mut Session<'_>, &mut AppProject) -> Outcome<Change>,
) -> Outcome {
    let server = session.server().await?;
    let mut found = project(&server, name).await?;
    match change(session, &mut found)? {
        Change::Made => update(&server, found).await,
        Change::Needless => Ok(()),
    }
}

/// How orphaned resources are treated, in words.
fn orphaned(project: &AppProject) -> String {
    match &project.spec.orphaned_resources {
        None => "disabled".to_owned(),
        Some(settings) => {
            let ignored = settings.ignore.len();
            let warn = settings.warn.unwrap_or(false);
            if ignored > 0 {
                format!("enabled (warn={warn}, ignored {ignored})")
            } else {
                format!("enabled (warn={warn})")
            }
        }
    }
}
