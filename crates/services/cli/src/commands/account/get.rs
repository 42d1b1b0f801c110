//! `argocd account get`.

use jiff::Timestamp;
use wire::account::{Account, GetAccountRequest};
use wire::session::GetUserInfoRequest;

use crate::command::{Command, Running, text};
use crate::commands::output;
use crate::failure::Outcome;
use crate::output::documents::unknown;
use crate::output::moment;
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[
        text("account", "Account name. Defaults to the current account.").short('a'),
        output("wide", "Output format. One of: json|yaml|wide|name"),
    ]],
    run: Some(start),
    ..Command::new("get", "", "Get account details")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let server = session.server().await?;
    let mut name = session.text("account");
    if name.is_empty() {
        name = server.sessions().get_user_info(GetUserInfoRequest {}).await?.into_inner().username;
    }
    let account = server.accounts().get_account(GetAccountRequest { name }).await?.into_inner();
    match session.text("output").as_str() {
        format @ ("json" | "yaml") => session.print_document(&super::Account::from(&account), format)?,
        "name" => session.line(&account.name),
        "wide" | "" => session.print(&details(&account)),
        format => return Err(unknown(format)),
    }
    Ok(())
}

fn details(account: &Account) -> String {
    let capabilities = account.capabilities.join(", ");
    let mut text = format!(
        "{:<20}{}\n{:<20}{}\n{:<20}{capabilities}\n\nTokens:\n",
        "Name:", account.name, "Enabled:", account.enabled, "Capabilities:"
    );
    if account.tokens.is_empty() {
        text += "NONE\n";
        return text;
    }
    let time = |seconds: i64| Timestamp::from_second(seconds).map(moment::local).unwrap_or_default();
    let mut table = Table::new();
    table.row(&["ID", "ISSUED AT", "EXPIRING AT"]);
    for token in &account.tokens {
        let expiry = if token.expires_at == 0 { "never".to_owned() } else { time(token.expires_at) };
        table.row(&[&token.id, &time(token.issued_at), &expiry]);
    }
    text + &table.finish()
}
