//! `argocd proj add-source` and `remove-source`.

use super::{Change, arguments, changed};
use crate::command::{Command, Running};
use crate::failure::Outcome;
use crate::session::Session;

pub(crate) static ADD: Command = Command {
    run: Some(start_add),
    ..Command::new("add-source", "PROJECT URL", "Add project source repository")
};

pub(crate) static REMOVE: Command = Command {
    run: Some(start_remove),
    ..Command::new("remove-source", "PROJECT URL", "Remove project source repository")
};

fn start_add<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { add(session).await })
}

fn start_remove<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { remove(session).await })
}

async fn add(session: &mut Session<'_>) -> Outcome {
    let [name, url] = arguments(session)?;
    changed(session, &name, |session, project| {
        let same =
            |known: &&String| **known == url || project::normalized(known) == project::normalized(&url);
        if let Some(known) = project.spec.source_repos.iter().find(same) {
            session.line(&format!("Source repository '{known}' already allowed in project"));
            return Ok(Change::Needless);
        }
        project.spec.source_repos.push(url);
        Ok(Change::Made)
    })
    .await
}

async fn remove(session: &mut Session<'_>) -> Outcome {
    let [name, url] = arguments(session)?;
    changed(session, &name, |session, project| {
        let known = &mut project.spec.source_repos;
        let Some(found) = known.iter().position(|known| *known == url) else {
            session.line(&format!("Source repository '{url}' does not exist in project"));
            return Ok(Change::Needless);
        };
        known.remove(found);
        Ok(Change::Made)
    })
    .await
}
