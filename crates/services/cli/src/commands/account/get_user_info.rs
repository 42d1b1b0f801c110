//! `argocd account get-user-info`: who the caller is.

use serde::Serialize;
use wire::session::{GetUserInfoRequest, GetUserInfoResponse};

use crate::command::{Command, Running};
use crate::commands::output;
use crate::failure::{Failure, Outcome};
use crate::output::documents;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    aliases: &["whoami"],
    flags: &[&[output("", "Output format. One of: yaml, json")]],
    run: Some(start),
    ..Command::new("get-user-info", "", "Get user info")
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct User {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    logged_in: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    username: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    iss: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
}

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    if !session.arguments().is_empty() {
        return Err(Failure::usage());
    }
    let server = session.server().await?;
    let GetUserInfoResponse { logged_in, username, iss, groups } =
        server.sessions().get_user_info(GetUserInfoRequest {}).await?.into_inner();
    let user = User { logged_in, username, iss, groups };
    match session.text("output").as_str() {
        "json" => session.line(&documents::json(&user)),
        "yaml" => session.line(&documents::yaml(&user)),
        "" if user.logged_in => {
            let groups = user.groups.join(",");
            let text = format!(
                "Logged In: true\nUsername: {}\nIssuer: {}\nGroups: {groups}",
                user.username, user.iss
            );
            session.line(&text);
        }
        "" => session.line("Logged In: false"),
        format => return Err(Failure::fatal(format!("Unknown output format: {format}"))),
    }
    Ok(())
}
