//! A token of the provider that has run out is exchanged, when the configuration file holds what for.

use serde_json::Value;

use super::{check, provider_of};
use crate::commands::login::claims;
use crate::config;
use crate::connection::Target;
use crate::failure::{Failure, Outcome};
use crate::log::Level;
use crate::session::Session;

/// Puts a new token into `target` and into the configuration file, when the one of the context has run out and a refresh
/// token is there. Whoever gives a token by flag or environment means that one.
pub(crate) async fn refresh(session: &mut Session<'_>, target: &mut Target) -> Outcome {
    let path = config::path(session.matches.text("config"), session.environment);
    let Ok(Some(mut config)) = config::read(&path) else { return Ok(()) };
    let Ok(Some(context)) = config.resolve(session.matches.text("argocd-context")) else { return Ok(()) };
    let user = context.user;
    if user.refresh_token.is_empty() || user.auth_token != target.token || !has_run_out(&user.auth_token) {
        return Ok(());
    }
    session.log(Level::Debug, "Auth token no longer valid. Refreshing");
    let unknown = Target { token: String::new(), ..target.clone() };
    let server = session.connect(unknown).await?;
    let known = provider_of(&server).await?;
    let refreshed = known.provider.refresh(&known.client, &user.refresh_token).await;
    let failed = |reason: String| Failure::fatal(format!("{reason}; log in again with 'argocd relogin'"));
    let tokens = refreshed.map_err(|error| failed(error.to_string()))?;
    check(&known, &tokens, None).await.map_err(failed)?;
    tokens.id_token.reveal().clone_into(&mut target.token);
    config.put_user(config::User {
        name: user.name,
        auth_token: target.token.clone(),
        refresh_token: tokens.refresh_token.reveal().clone(),
    });
    config::write(&path, &config)
}

fn has_run_out(token: &str) -> bool {
    let Ok(claims) = claims(token) else { return false };
    let expires = claims.get("exp").and_then(Value::as_i64);
    expires.is_some_and(|expires| jiff::Timestamp::now().as_second() >= expires)
}

#[cfg(test)]
mod tests {
    use super::has_run_out;

    #[test]
    fn only_a_token_whose_time_is_over_has_run_out() {
        // {"exp":1}, {"exp":9999999999}, {}
        assert!(has_run_out("e30.eyJleHAiOjF9.x"));
        assert!(!has_run_out("e30.eyJleHAiOjk5OTk5OTk5OTl9.x"));
        assert!(!has_run_out("e30.e30.x"));
        assert!(!has_run_out(""));
    }
}
