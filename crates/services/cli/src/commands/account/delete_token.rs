//! `argocd account delete-token`.

use wire::account::DeleteTokenRequest;
use wire::session::GetUserInfoRequest;

use crate::command::{Command, Running, text};
use crate::failure::Outcome;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[text("account", "Account name. Defaults to the current account.").short('a')]],
    run: Some(start),
    ..Command::new("delete-token", "", "Deletes account token")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let id = session.only_argument()?;
    let server = session.server().await?;
    let mut name = session.text("account");
    if name.is_empty() {
        name = server.sessions().get_user_info(GetUserInfoRequest {}).await?.into_inner().username;
    }
    if session.confirm(&format!("Are you sure you want to delete '{id}' token? [y/n]"))? {
        server.accounts().delete_token(DeleteTokenRequest { name, id }).await?;
    } else {
        session.line(&format!("The command to delete '{id}' was cancelled."));
    }
    Ok(())
}
