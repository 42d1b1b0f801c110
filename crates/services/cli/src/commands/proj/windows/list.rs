//! `argocd proj windows list`.

use api::v1alpha1::SyncWindow;
use jiff::Timestamp;

use super::super::project;
use crate::command::{Command, Running};
use crate::commands::output;
use crate::failure::Outcome;
use crate::output::documents::unknown;
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[output("wide", "Output format. One of: json|yaml|wide")]],
    run: Some(start),
    ..Command::new("list", "PROJECT", "List project sync windows")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let name = session.only_argument()?;
    let server = session.server().await?;
    let windows = project(&server, &name).await?.spec.sync_windows;
    match session.text("output").as_str() {
        format @ ("json" | "yaml") => session.print_document(&windows, format)?,
        "wide" | "" => session.print(&table(&windows)),
        format => return Err(unknown(format)),
    }
    Ok(())
}

fn table(windows: &[SyncWindow]) -> String {
    let mut table = Table::new();
    // The empty cell at the end aligns the last column, too.
    table.row(&[
        "ID",
        "STATUS",
        "KIND",
        "SCHEDULE",
        "DURATION",
        "APPLICATIONS",
        "NAMESPACES",
        "CLUSTERS",
        "MANUALSYNC",
        "SYNCOVERRUN",
        "TIMEZONE",
        "USEANDOPERATOR",
        "",
    ]);
    let now = Timestamp::now();
    for (id, window) in windows.iter().enumerate() {
        let active = project::windows::is_active(window, now);
        table.row(&[
            &id.to_string(),
            if active { "Active" } else { "Inactive" },
            &window.kind,
            &window.schedule,
            &window.duration,
            &joined(&window.applications),
            &joined(&window.namespaces),
            &joined(&window.clusters),
            enabled(window.manual_sync),
            enabled(window.sync_overrun),
            &window.time_zone,
            enabled(window.and_operator),
            "",
        ]);
    }
    table.finish()
}

fn joined(list: &[String]) -> String {
    if list.is_empty() { "-".to_owned() } else { list.join(",") }
}

fn enabled(on: bool) -> &'static str {
    if on { "Enabled" } else { "Disabled" }
}
