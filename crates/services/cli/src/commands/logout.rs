//! `argocd logout`: ends the session of a context and forgets its token.

use crate::command::{Command, Running};
use crate::config;
use crate::connection::{Encryption, Target, probe};
use crate::failure::{Failure, Outcome};
use crate::log::Level;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd logout cd.argoproj.io",
    run: Some(start),
    ..Command::new("logout", "CONTEXT", "Log out from Argo CD")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let name = session.first_argument()?;
    let path = config::path(session.matches.text("config"), session.environment);
    let Some(mut config) = config::load(&path)? else {
        return Err(Failure::fatal("Nothing to logout from"));
    };
    let context = config.context(&name).cloned();
    let token =
        context.as_ref().and_then(|context| config.users.iter().find(|user| user.name == context.user));
    let token = token.map(|user| user.auth_token.clone()).unwrap_or_default();
    // The original asks the server of the context's name; the context's server is who can end the session.
    let address = context.as_ref().map_or_else(|| name.clone(), |context| context.server.clone());
    let server = config.servers.iter().find(|server| server.server == address).cloned().unwrap_or_default();
    let mut target =
        Target { address, insecure: server.insecure, plain_text: server.plain_text, ..Target::default() };
    if !target.address.contains(':') {
        target.address += ":443";
    }
    end_session(session, target, &token).await;
    if context.is_none() {
        return Err(Failure::fatal(format!("Context {name} does not exist")));
    }
    if let Some(user) =
        context.and_then(|context| config.users.iter_mut().find(|user| user.name == context.user))
    {
        user.auth_token.clear();
        user.refresh_token.clear();
    }
    config::write(&path, &config)?;
    session.line(&format!("Logged out from '{name}'"));
    Ok(())
}

/// Tells the server; that it cannot be told is no reason to keep the token.
async fn end_session(session: &mut Session<'_>, mut target: Target, token: &str) {
    match probe(&target).await {
        Ok(Encryption::None) => target.plain_text = true,
        Ok(Encryption::Trusted) => {}
        Ok(Encryption::Untrusted(reason)) if !target.insecure => {
            session.log(
                Level::Warning,
                &format!("failed to check the TLS config settings for the server : {reason}."),
            );
        }
        Ok(Encryption::Untrusted(_)) => {}
        Err(error) => {
            session.log(
                Level::Warning,
                &format!("failed to check the TLS config settings for the server : {error}."),
            );
        }
    }
    if token.is_empty() {
        let message = "failed to invalidate token on server: error getting token from local context file.";
        session.log(Level::Warning, message);
        return;
    }
    if let Err(error) = crate::connection::post(&target, "/auth/logout", token).await {
        session.log(Level::Warning, &format!("failed to invalidate token on server: {error}."));
    }
}
