//! `argocd admin repo`: registrations of repositories as Secrets.

use std::collections::BTreeMap;

use super::secret::{OUTPUT, Registration};
use crate::command::{Command, Running};
use crate::commands::repo::{CREDENTIALS, REPOSITORY, complete_repository, repository};
use crate::failure::Outcome;
use crate::session::Session;

pub(crate) static COMMAND: Command =
    Command { commands: &[&GENERATE], ..Command::new("repo", "", "Manage repositories configuration") };

static GENERATE: Command = Command {
    details: "\nExamples:\n  argocd admin repo generate-spec https://git.example.com/repos/repo --username git --password secret",
    flags: &[OUTPUT, CREDENTIALS, REPOSITORY],
    run: Some(start),
    ..Command::new("generate-spec", "REPOURL", "Generate declarative config for a repo")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session) })
}

fn run(session: &mut Session<'_>) -> Outcome {
    let url = session.only_argument()?;
    let mut repository = repository(session, &url)?;
    complete_repository(session, &mut repository)?;
    let data = store::repository_secret_data(&repository).into_iter();
    Registration {
        name: store::secret_name("repo", &repository.repo, &repository.project),
        secret_type: "repository",
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        data: data.map(|(key, value)| (key, value.into_revealed())).collect(),
    }
    .print(session)
}
