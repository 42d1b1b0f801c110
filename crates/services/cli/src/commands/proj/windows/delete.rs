//! `argocd proj windows delete`.

use super::super::{project, update};
use crate::command::{Command, Running};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    run: Some(start),
    ..Command::new(
        "delete",
        "PROJECT ID",
        "Delete a sync window from a project. Its ID is what \"argocd proj windows list PROJECT\" shows",
    )
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, id) = super::numbered(session)?;
    let server = session.server().await?;
    let mut found = project(&server, &name).await?;
    let windows = &mut found.spec.sync_windows;
    let index = usize::try_from(id).ok().filter(|index| *index < windows.len());
    windows.remove(index.ok_or_else(|| Failure::generic(format!("window with id '{id}' not found")))?);
    if !session.confirm("Are you sure you want to delete sync window? [y/n]")? {
        session.line("The command to delete the sync window was cancelled");
        return Ok(());
    }
    update(&server, found).await
}
