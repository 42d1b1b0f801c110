//! `argocd proj windows`: when applications of a project may sync.

mod add;
mod delete;
mod list;
mod switches;
mod update;

use api::v1alpha1::SyncWindow;

use super::arguments;
use crate::command::Command;
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    commands: &[
        &add::COMMAND,
        &delete::COMMAND,
        &switches::DISABLE_MANUAL_SYNC,
        &switches::DISABLE_SYNC_OVERRUN,
        &switches::ENABLE_MANUAL_SYNC,
        &switches::ENABLE_SYNC_OVERRUN,
        &list::COMMAND,
        &update::COMMAND,
    ],
    ..Command::new("windows", "", "Manage a project's sync windows")
};

/// The project and the number of a window, as arguments.
fn numbered(session: &Session<'_>) -> Outcome<(String, i64)> {
    let [project, id] = arguments(session)?;
    let number = crate::parse::parse_int(&id)
        .ok_or_else(|| Failure::generic(format!("strconv.Atoi: parsing {id:?}: invalid syntax")))?;
    Ok((project, number))
}

/// The window of that number.
fn window(windows: &mut [SyncWindow], id: i64) -> Option<&mut SyncWindow> {
    windows.get_mut(usize::try_from(id).ok()?)
}

/// A window that can be read.
fn valid(window: &SyncWindow) -> Outcome {
    project::valid_window(window).map_err(|invalid| Failure::generic(invalid.message))
}
