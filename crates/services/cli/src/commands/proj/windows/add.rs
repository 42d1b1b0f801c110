//! `argocd proj windows add`.

use api::v1alpha1::SyncWindow;

use super::super::{Change, changed};
use crate::command::{Command, Running, list, switch, text};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd proj windows add PROJECT --kind allow --schedule \"0 22 * * *\" --duration 1h \
              --applications \"*\"",
    flags: &[&[
        list("applications", "Applications the window is for; patterns"),
        list("clusters", "Clusters the window is for; patterns"),
        text("description", "What the window is for"),
        text("duration", "How long it lasts, e.g. 1h"),
        text("kind", "Either allow or deny").short('k'),
        switch("manual-sync", "Let users sync all the same"),
        list("namespaces", "Namespaces the window is for; patterns"),
        text("schedule", "When it begins, as in cron: \"0 22 * * *\""),
        switch("sync-overrun", "Let a running sync go on when the window begins or ends"),
        text("time-zone", "Time zone of the schedule").or("UTC"),
        switch("use-and-operator", "Applications, namespaces and clusters must all match, not any"),
    ]],
    run: Some(start),
    ..Command::new("add", "PROJECT", "Add a sync window to a project")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let name = session.only_argument()?;
    changed(session, &name, |session, project| {
        let window = described(session)?;
        project.spec.sync_windows.push(window);
        Ok(Change::Made)
    })
    .await
}

fn described(session: &Session<'_>) -> Outcome<SyncWindow> {
    let window = SyncWindow {
        kind: session.text("kind"),
        schedule: session.text("schedule"),
        duration: session.text("duration"),
        applications: session.matches.list("applications").to_vec(),
        namespaces: session.matches.list("namespaces").to_vec(),
        clusters: session.matches.list("clusters").to_vec(),
        manual_sync: session.is("manual-sync"),
        time_zone: session.text("time-zone"),
        and_operator: session.is("use-and-operator"),
        description: session.text("description"),
        sync_overrun: session.is("sync-overrun"),
    };
    if window.kind.is_empty() || window.schedule.is_empty() || window.duration.is_empty() {
        return Err(Failure::generic(
            "cannot create window: require kind, schedule, duration and one or more of applications, namespaces \
             and clusters",
        ));
    }
    super::valid(&window)?;
    Ok(window)
}
