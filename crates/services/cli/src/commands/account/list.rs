//! `argocd account list`.

use wire::account::ListAccountRequest;

use crate::command::{Command, Running};
use crate::commands::output;
use crate::failure::Outcome;
use crate::output::documents::unknown;
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[output("wide", "Output format. One of: json|yaml|wide|name")]],
    run: Some(start),
    ..Command::new("list", "", "List accounts")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let server = session.server().await?;
    let accounts = server.accounts().list_accounts(ListAccountRequest {}).await?.into_inner().items;
    match session.text("output").as_str() {
        format @ ("json" | "yaml") => {
            let shown: Vec<_> = accounts.iter().map(super::Account::from).collect();
            session.print_document(&shown, format)?;
        }
        "name" => accounts.iter().for_each(|account| session.line(&account.name)),
        "wide" | "" => {
            let mut table = Table::new();
            table.row(&["NAME", "ENABLED", "CAPABILITIES"]);
            for account in &accounts {
                let enabled = account.enabled.to_string();
                table.row(&[&account.name, &enabled, &account.capabilities.join(", ")]);
            }
            session.print(&table.finish());
        }
        format => return Err(unknown(format)),
    }
    Ok(())
}
