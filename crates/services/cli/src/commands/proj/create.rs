//! `argocd proj create`.

use api::v1alpha1::AppProject;
use wire::project::ProjectCreateRequest;

use super::flags;
use crate::command::{Command, Running, switch, text};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd proj create my-project --dest https://kubernetes.default.svc,default\n  \
              argocd proj create -f project.yaml",
    flags: &[
        flags::FLAGS,
        &[
            text("file", "File or URL of a manifest of the project; - is standard input").short('f'),
            switch("upsert", "Replace a project that exists and is different"),
        ],
    ],
    run: Some(start),
    ..Command::new("create", "PROJECT", "Create a project")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let project = described(session).await?;
    let server = session.server().await?;
    let request = ProjectCreateRequest { project: Some(project), upsert: session.is("upsert") };
    server.projects().create(request).await?;
    Ok(())
}

/// The project that the flags, and the file if there is one, describe. An argument must be the name that a file has.
pub(crate) async fn described(session: &mut Session<'_>) -> Outcome<AppProject> {
    let file = session.text("file");
    let mut project = match file.as_str() {
        "" => {
            let mut project = AppProject::default();
            project.metadata.name = session.first_argument()?;
            project
        }
        place => read(session, place).await?,
    };
    if let [name] = session.arguments()
        && file != "-"
        && *name != project.metadata.name
    {
        return Err(Failure::generic(format!(
            "project name '{name}' does not match project spec metadata.name '{}'",
            project.metadata.name
        )));
    }
    flags::apply(session, &mut project.spec)?;
    Ok(project)
}

async fn read(session: &mut Session<'_>, place: &str) -> Outcome<AppProject> {
    let read: Result<Vec<AppProject>, String> = session.read_manifests(place).await;
    let failed =
        if place == "-" { "unable to read manifest from stdin" } else { "error reading proj from uri" };
    let projects = read.map_err(|error| Failure::generic(format!("{failed}: {error}")))?;
    projects.into_iter().next().ok_or_else(Failure::usage)
}
