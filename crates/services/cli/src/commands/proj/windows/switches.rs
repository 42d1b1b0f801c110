//! `argocd proj windows enable-manual-sync`, `disable-manual-sync`, `enable-sync-overrun` and `disable-sync-overrun`.

use api::v1alpha1::SyncWindow;

use super::super::{Change, changed};
use crate::command::{Command, Running};
use crate::failure::Outcome;
use crate::session::Session;

pub(crate) static DISABLE_MANUAL_SYNC: Command = Command {
    run: Some(start_disable_manual_sync),
    ..Command::new("disable-manual-sync", "PROJECT ID", "Disable manual sync for a sync window")
};

pub(crate) static DISABLE_SYNC_OVERRUN: Command = Command {
    run: Some(start_disable_sync_overrun),
    ..Command::new("disable-sync-overrun", "PROJECT ID", "Disable sync overrun for a sync window")
};

pub(crate) static ENABLE_MANUAL_SYNC: Command = Command {
    run: Some(start_enable_manual_sync),
    ..Command::new("enable-manual-sync", "PROJECT ID", "Enable manual sync for a sync window")
};

pub(crate) static ENABLE_SYNC_OVERRUN: Command = Command {
    run: Some(start_enable_sync_overrun),
    ..Command::new("enable-sync-overrun", "PROJECT ID", "Enable sync overrun for a sync window")
};

fn start_disable_manual_sync<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { set(session, |window| window.manual_sync = false).await })
}

fn start_disable_sync_overrun<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { set(session, |window| window.sync_overrun = false).await })
}

fn start_enable_manual_sync<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { set(session, |window| window.manual_sync = true).await })
}

fn start_enable_sync_overrun<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { set(session, |window| window.sync_overrun = true).await })
}

/// A number there is no window of changes nothing.
async fn set(session: &mut Session<'_>, change: impl FnOnce(&mut SyncWindow)) -> Outcome {
    let (name, id) = super::numbered(session)?;
    changed(session, &name, |_, project| {
        if let Some(window) = super::window(&mut project.spec.sync_windows, id) {
            change(window);
        }
        Ok(Change::Made)
    })
    .await
}
