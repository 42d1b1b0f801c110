//! `argocd proj windows update`.

use api::v1alpha1::SyncWindow;

use super::super::{Change, changed};
use crate::command::{Command, Running, list, text};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd proj windows update PROJECT ID --schedule \"0 20 * * *\"",
    flags: &[&[
        list("applications", "Applications the window is for; patterns"),
        list("clusters", "Clusters the window is for; patterns"),
        text("description", "What the window is for"),
        text("duration", "How long it lasts, e.g. 1h"),
        list("namespaces", "Namespaces the window is for; patterns"),
        text("schedule", "When it begins, as in cron: \"0 22 * * *\""),
        text("time-zone", "Time zone of the schedule").or("UTC"),
    ]],
    run: Some(start),
    ..Command::new("update", "PROJECT ID", "Update a project sync window")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, id) = super::numbered(session)?;
    changed(session, &name, |session, project| {
        if let Some(window) = super::window(&mut project.spec.sync_windows, id) {
            apply(session, window)?;
        }
        Ok(Change::Made)
    })
    .await
}

/// What is not given stays as it is, except for the time zone, which has a default.
fn apply(session: &Session<'_>, window: &mut SyncWindow) -> Outcome {
    let texts = [
        ("schedule", &mut window.schedule),
        ("duration", &mut window.duration),
        ("description", &mut window.description),
    ];
    let mut given = false;
    for (flag, field) in texts {
        let text = session.matches.text(flag);
        if !text.is_empty() {
            text.clone_into(field);
            given = true;
        }
    }
    let lists = [
        ("applications", &mut window.applications),
        ("namespaces", &mut window.namespaces),
        ("clusters", &mut window.clusters),
    ];
    for (flag, field) in lists {
        let list = session.matches.list(flag);
        if !list.is_empty() {
            *field = list.to_vec();
            given = true;
        }
    }
    if !given {
        return Err(Failure::generic(
            "cannot update: require one or more of schedule, duration, application, namespace, cluster or description",
        ));
    }
    window.time_zone = match session.text("time-zone") {
        zone if zone.is_empty() => "UTC".to_owned(),
        zone => zone,
    };
    super::valid(window)
}
