//! `argocd proj role delete-token`.

use wire::project::ProjectTokenDeleteRequest;

use super::super::arguments;
use crate::command::{Command, Running};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    aliases: &["token-delete", "remove-token"],
    run: Some(start),
    ..Command::new("delete-token", "PROJECT ROLE-NAME ISSUED-AT", "Delete a project token")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let [project, role, issued] = arguments(session)?;
    let iat = crate::parse::parse_int(&issued)
        .ok_or_else(|| Failure::generic(format!("strconv.ParseInt: parsing {issued:?}: invalid syntax")))?;
    let server = session.server().await?;
    if !session.confirm(&format!("Are you sure you want to delete '{issued}' project token? [y/n]"))? {
        session.line(&format!("The command to delete project token '{issued}' was cancelled."));
        return Ok(());
    }
    let request = ProjectTokenDeleteRequest { project, role, iat, ..ProjectTokenDeleteRequest::default() };
    server.projects().delete_token(request).await?;
    Ok(())
}
