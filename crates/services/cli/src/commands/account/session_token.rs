//! `argocd account session-token`.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::command::{Command, Running, text};
use crate::commands::login;
use crate::config;
use crate::connection::Target;
use crate::failure::{Failure, Outcome};
use crate::output::moment;
use crate::session::Session;
use crate::sso;

pub(crate) static COMMAND: Command = Command {
    details: "\nA token of single sign-on that has run out is exchanged for a new one where the context holds what for.\n\n\
              Examples:\n  argocd account session-token\n  argocd account session-token -o json\n  \
              export ARGOCD_AUTH_TOKEN=$(argocd account session-token)",
    flags: &[&[text("output", "Output format. One of: json|yaml; the token alone by default").short('o')]],
    run: Some(start),
    ..Command::new("session-token", "", "Print the token of the current session")
};

/// What is told of a token, in the original's names and in their order.
#[derive(Serialize)]
struct Told {
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    has_refresh_token: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_at: Option<String>,
    issuer: String,
    token: String,
    r#type: &'static str,
    username: String,
}

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

/// The server is not asked, unless there is a token to exchange: it is the token that calls would be made with.
async fn run(session: &mut Session<'_>) -> Outcome {
    let mut target = Target::resolve(session).await?;
    sso::refresh(session, &mut target).await?;
    if target.token.is_empty() {
        return Err(Failure::fatal("No authentication token found. Please login first with 'argocd login'"));
    }
    let claims = login::claims(&target.token)
        .map_err(|_| Failure::fatal("Invalid token format. Please run 'argocd relogin'"))?;
    let second = |name: &str| claims.get(name).and_then(Value::as_f64);
    let now = session.environment.now().timestamp();
    let seconds_now = now.as_duration().as_secs_f64();
    if second("exp").is_some_and(|end| end <= seconds_now)
        || second("nbf").is_some_and(|start| start > seconds_now)
    {
        return Err(Failure::fatal("Token is invalid or expired. Please run 'argocd relogin'"));
    }
    match session.text("output").as_str() {
        "" => session.line(&target.token),
        format => {
            let told = told(session, &target.token, &claims);
            session.print_document(&told, format)?;
        }
    }
    Ok(())
}

fn told(session: &Session<'_>, token: &str, claims: &Value) -> Told {
    let time = |name: &str| {
        let seconds = claims.get(name).and_then(Value::as_i64)?;
        Timestamp::from_second(seconds).ok().map(moment::local)
    };
    let federated = claims.pointer("/federated_claims/user_id");
    let federated = federated.filter(|user| user.as_str().is_some_and(|user| !user.is_empty()));
    let user = federated.or_else(|| claims.get("sub"));
    Told {
        expires_at: time("exp"),
        has_refresh_token: is_renewed(session, token),
        issued_at: time("iat"),
        issuer: claims.get("iss").and_then(Value::as_str).unwrap_or_default().to_owned(),
        r#type: if login::is_ours(claims) { "local" } else { "sso" },
        token: token.to_owned(),
        username: login::account(user),
    }
}

/// Whether the configuration file knows how to renew this token.
fn is_renewed(session: &Session<'_>, token: &str) -> bool {
    let path = config::path(session.matches.text("config"), session.environment);
    let Ok(Some(config)) = config::read(&path) else { return false };
    let context = config.resolve(session.matches.text("argocd-context")).ok().flatten();
    context.is_some_and(|context| context.user.auth_token == token && !context.user.refresh_token.is_empty())
}
