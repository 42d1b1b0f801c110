//! `argocd account update-password`.

use wire::account::UpdatePasswordRequest;
use wire::session::GetUserInfoRequest;

use crate::command::{Command, Running, text};
use crate::commands::login;
use crate::config;
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[
        text("account", "An account name that should be updated. Defaults to current user account"),
        text("current-password", "Password of the currently logged on user"),
        text("new-password", "New password you want to update to"),
    ]],
    run: Some(start),
    ..Command::new("update-password", "", "Update an account's password")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    if !session.arguments().is_empty() {
        return Err(Failure::usage());
    }
    let server = session.server().await?;
    let user = server.sessions().get_user_info(GetUserInfoRequest {}).await?.into_inner();
    let name = session.text("account");
    let mut current_password = session.text("current-password");
    if user.iss == "argocd" && current_password.is_empty() {
        let prompt = format!("*** Enter password of currently logged in user ({}): ", user.username);
        current_password = session.read_password(&prompt)?;
    }
    let target = if name.is_empty() { user.username.clone() } else { name.clone() };
    let mut new_password = session.text("new-password");
    if new_password.is_empty() {
        new_password = session.read_password(&format!("*** Enter new password for user {target}: "))?;
        let again = session.read_password(&format!("*** Confirm new password for user {target}: "))?;
        if again != new_password {
            return Err(Failure::fatal("Passwords do not match"));
        }
    }
    let request =
        UpdatePasswordRequest { name: name.clone(), current_password, new_password: new_password.clone() };
    server.accounts().update_password(request).await?;
    session.line("Password updated");
    if name.is_empty() || name == user.username {
        log_in_again(session, &server, new_password).await?;
    }
    Ok(())
}

/// The old token ended with the old password.
async fn log_in_again(
    session: &mut Session<'_>,
    server: &crate::connection::Server,
    password: String,
) -> Outcome {
    let path = config::path(session.matches.text("config"), session.environment);
    let Some(mut config) = config::load(&path)? else { return Ok(()) };
    let resolved = config.resolve(session.matches.text("argocd-context")).map_err(Failure::generic)?;
    let Some(resolved) = resolved else { return Ok(()) };
    let claims = login::claims(&resolved.user.auth_token)?;
    let username = login::account(claims.get("sub"));
    let token = login::by_password(session, server, username, password).await?;
    config.put_user(config::User {
        name: resolved.user.name,
        auth_token: token,
        refresh_token: String::new(),
    });
    config::write(&path, &config)?;
    session.line(&format!("Context '{}' updated", resolved.name));
    Ok(())
}
