//! `argocd repo`: repositories.

mod add;
mod described;
mod get;
mod list;
mod rm;

pub(super) use described::{CREDENTIALS, REPOSITORY, complete, complete_repository, credentials, repository};

use api::v1alpha1::Repository;

use crate::command::{Command, Flag, text};
use crate::failure::{Failure, Outcome};
use crate::options::KUBERNETES;
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    inherited: &[KUBERNETES],
    commands: &[&add::COMMAND, &get::COMMAND, &list::COMMAND, &rm::COMMAND],
    ..Command::new("repo", "", "Manage repository connection parameters")
};

const REFRESH: Flag = text("refresh", "Force a cache refresh on connection status , must be one of: 'hard'");

/// Whether the server is to try the repositories now.
fn force_refresh(session: &Session<'_>) -> Outcome<bool> {
    match session.text("refresh").as_str() {
        "" => Ok(false),
        "hard" => Ok(true),
        _ => Err(Failure::generic("--refresh must be one of: 'hard'")),
    }
}

fn table(repositories: &[Repository]) -> String {
    let mut table = Table::new();
    table.row(&["TYPE", "NAME", "REPO", "INSECURE", "OCI", "LFS", "CREDS", "STATUS", "MESSAGE", "PROJECT"]);
    for repository in repositories {
        let credentials = if repository.inherited_creds { "inherited" } else { own(repository) };
        let state = &repository.connection_state;
        table.row(&[
            &repository.r#type,
            &repository.name,
            &repository.repo,
            word(repository.insecure || repository.insecure_ignore_host_key),
            word(repository.enable_oci),
            word(repository.enable_lfs),
            credentials,
            &state.status,
            &state.message,
            &repository.project,
        ]);
    }
    table.finish()
}

/// Whether it has credentials, as far as the server shows them.
fn own(repository: &Repository) -> &'static str {
    word(!repository.username.is_empty() || repository.use_azure_workload_identity)
}

fn word(yes: bool) -> &'static str {
    if yes { "true" } else { "false" }
}
