//! `argocd relogin`: a new token for the user of a context.

use crate::command::{Command, Running, text};
use crate::commands::login;
use crate::config;
use crate::connection::Target;
use crate::failure::{Failure, Outcome};
use crate::session::Session;
use crate::sso::{self, Login};

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd relogin\n  argocd relogin --password YOUR_PASSWORD",
    flags: &[login::SSO, &[text("password", "Password of the account")]],
    run: Some(start),
    ..Command::new("relogin", "", "Refresh an expired authenticate token")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    if !session.arguments().is_empty() {
        return Err(Failure::usage());
    }
    let path = config::path(session.matches.text("config"), session.environment);
    let Some(mut config) = config::load(&path)? else {
        return Err(Failure::fatal("No context found. Login using `argocd login`"));
    };
    let resolved = config.resolve(session.matches.text("argocd-context")).map_err(Failure::generic)?;
    let resolved = resolved.ok_or_else(|| Failure::fatal("No context found. Login using `argocd login`"))?;
    let mut target = Target::of_relogin(session, &resolved.server, &resolved.user)?;
    let claims = login::claims(&target.token)?;
    target.token.clear();
    let Login { token, refresh_token } = if login::is_ours(&claims) {
        session.line(&format!("Relogging in as '{}'", login::display_name(&claims)));
        let subject = login::account(claims.get("sub"));
        let server = session.connect(target).await?;
        let password = session.text("password");
        let token = login::by_password(session, &server, subject, password).await?;
        Login { token, refresh_token: String::new() }
    } else {
        session.line("Reinitiating SSO login");
        let server = session.connect(target).await?;
        let login = sso::login(session, &server).await?;
        let name = login::display_name(&login::claims(&login.token)?).to_owned();
        session.line(&format!("'{name}' logged in successfully"));
        login
    };
    config.put_user(config::User { name: resolved.user.name, auth_token: token, refresh_token });
    config::write(&path, &config)?;
    session.line(&format!("Context '{}' updated", resolved.name));
    Ok(())
}
