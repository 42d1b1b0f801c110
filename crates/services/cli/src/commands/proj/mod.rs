//! `argocd proj`: projects.

mod get;
mod list;

use api::v1alpha1::AppProject;

use crate::command::Command;
use crate::options::KUBERNETES;

pub(crate) static COMMAND: Command = Command {
    inherited: &[KUBERNETES],
    commands: &[&get::COMMAND, &list::COMMAND],
    ..Command::new("proj", "", "Manage projects")
};

/// How orphaned resources are treated, in words.
fn orphaned(project: &AppProject) -> String {
    match &project.spec.orphaned_resources {
        None => "disabled".to_owned(),
        Some(settings) => {
            let ignored = settings.ignore.len();
            let warn = settings.warn.unwrap_or(false);
            if ignored > 0 {
                format!("enabled (warn={warn}, ignored {ignored})")
            } else {
                format!("enabled (warn={warn})")
            }
        }
    }
}
