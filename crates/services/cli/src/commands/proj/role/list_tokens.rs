//! `argocd proj role list-tokens`.

use super::super::{arguments, project};
use super::create_token::moment_or_never;
use super::role;
use crate::command::{Command, Running, switch};
use crate::failure::Outcome;
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    aliases: &["list-token", "token-list"],
    flags: &[&[switch("unixtime", "Print times in seconds, as delete-token takes them").short('u')]],
    run: Some(start),
    ..Command::new("list-tokens", "PROJECT ROLE-NAME", "List tokens for a given role.")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let [name, wanted] = arguments(session)?;
    let server = session.server().await?;
    let mut found = project(&server, &name).await?;
    let tokens = role(&mut found, &wanted)?.jwt_tokens.clone();
    if tokens.is_empty() {
        session.line(&format!("No tokens for {name}.{wanted}"));
        return Ok(());
    }
    let seconds = session.is("unixtime");
    let time = |time: i64| if seconds { time.to_string() } else { moment_or_never(time) };
    let mut table = Table::with_padding(4);
    table.row(&["ID", "ISSUED AT", "EXPIRES AT"]);
    for token in &tokens {
        table.row(&[&token.id, &time(token.iat), &time(token.exp)]);
    }
    session.print(&table.finish());
    Ok(())
}
