//! `argocd proj role create-token`.

use jiff::Timestamp;
use serde_json::Value;
use wire::project::ProjectTokenCreateRequest;

use super::super::arguments;
use crate::command::{Command, Running, switch, text};
use crate::commands::login::claims;
use crate::duration;
use crate::failure::{Failure, Outcome};
use crate::output::moment;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    aliases: &["token-create"],
    flags: &[&[
        text("expires-in", "Duration before the token will expire, e.g. 12h, 7d; never by default")
            .short('e'),
        text("id", "Identifier of the token; one is made when not given").short('i'),
        switch("token-only", "Print the token alone, for scripts").short('t'),
    ]],
    run: Some(start),
    ..Command::new("create-token", "PROJECT ROLE-NAME", "Create a project token")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let [project, role] = arguments(session)?;
    let server = session.server().await?;
    let expires_in = match session.matches.text("expires-in") {
        "" => 0,
        text => duration::with_days(text).map_err(Failure::generic)?,
    };
    let request = ProjectTokenCreateRequest {
        project,
        role,
        expires_in,
        id: session.text("id"),
        ..ProjectTokenCreateRequest::default()
    };
    let token = server.projects().create_token(request).await?.into_inner().token;
    if session.is("token-only") {
        session.line(&token);
        return Ok(());
    }
    let claims = claims(&token)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let time = |name: &str| moment_or_never(claims.get(name).and_then(Value::as_i64).unwrap_or(0));
    session.line(&format!("Create token succeeded for {}.", text("sub")));
    session.line(&format!("  ID: {}", text("jti")));
    session.line(&format!("  Issued At: {}", time("iat")));
    session.line(&format!("  Expires At: {}", time("exp")));
    session.line(&format!("  Token: {token}"));
    Ok(())
}

/// A time in seconds; none is never.
pub(super) fn moment_or_never(seconds: i64) -> String {
    match Timestamp::from_second(seconds) {
        Ok(time) if seconds > 0 => moment::local(time),
        _ => "Never".to_owned(),
    }
}
