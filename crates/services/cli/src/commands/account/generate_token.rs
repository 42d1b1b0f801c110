//! `argocd account generate-token`.

use wire::account::CreateTokenRequest;
use wire::session::GetUserInfoRequest;

use crate::command::{Command, Running, text};
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
    let expires_in = seconds(session.matches.text("expires-in"))?;
    let mut name = session.text("account");
    if name.is_empty() {
        name = server.sessions().get_user_info(GetUserInfoRequest {}).await?.into_inner().username;
    }
    let request = CreateTokenRequest { name, expires_in, id: session.text("id") };
    let answer = server.accounts().create_token(request).await?.into_inner();
    session.line(&answer.token);
    Ok(())
}

/// A number and one unit of s, m, h, d.
fn seconds(text: &str) -> Outcome<i64> {
    let invalid = || {
        Failure::generic(format!("invalid since format '{text}', expected format <duration><unit> (e.g. 3h)"))
    };
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 86400,
        _ => return Err(invalid()),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| invalid())?;
    Ok(i64::from(number) * unit)
}
