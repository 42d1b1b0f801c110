//! `argocd account generate-token`.

use wire::account::CreateTokenRequest;
use wire::session::GetUserInfoRequest;

use crate::command::{Command, Running, text};
use crate::duration;
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[
        text("account", "Account name. Defaults to the current account.").short('a'),
        text("expires-in", "Duration before the token will expire, e.g. 12h, 7d; never by default")
            .short('e')
            .or("0s"),
        text("id", "Identifier of the token; one is made when not given"),
    ]],
    run: Some(start),
    ..Command::new("generate-token", "", "Generate account token")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let server = session.server().await?;
    let expires_in = duration::with_days(session.matches.text("expires-in")).map_err(Failure::generic)?;
    let mut name = session.text("account");
    if name.is_empty() {
        name = server.sessions().get_user_info(GetUserInfoRequest {}).await?.into_inner().username;
    }
    let request = CreateTokenRequest { name, expires_in, id: session.text("id") };
    let answer = server.accounts().create_token(request).await?.into_inner();
    session.line(&answer.token);
    Ok(())
}
