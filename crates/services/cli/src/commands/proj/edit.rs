//! `argocd proj edit`: the specification in the user's editor.

use wire::project::ProjectUpdateRequest;

use super::project;
use crate::command::{Command, Running};
use crate::editor;
use crate::failure::{Outcome, rpc_error};
use crate::output::documents;
use crate::session::Session;

pub(crate) static COMMAND: Command =
    Command { run: Some(start), ..Command::new("edit", "PROJECT", "Edit project") };

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let name = session.only_argument()?;
    let server = session.server().await?;
    let found = project(&server, &name).await?;
    let mut editing = editor::Editing::new(documents::yaml(&found.spec));
    loop {
        let edited = editing.next(session)?;
        let spec = match edited.parsed("project spec") {
            Ok(spec) => spec,
            Err(error) => {
                editing.refused(&edited, &error);
                continue;
            }
        };
        // It may have changed while the editor was open; the specification is the user's.
        let mut current = project(&server, &name).await?;
        current.spec = spec;
        let request = ProjectUpdateRequest { project: Some(current) };
        match server.projects().update(request).await {
            Ok(_) => return Ok(()),
            Err(status) => {
                editing.refused(&edited, &format!("failed to update project: {}", rpc_error(&status)));
            }
        }
    }
}
