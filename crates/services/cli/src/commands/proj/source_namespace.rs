//! `argocd proj add-source-namespace` and `remove-source-namespace`.

use super::{Change, arguments, changed};
use crate::command::{Command, Running};
use crate::failure::Outcome;
use crate::session::Session;

pub(crate) static ADD: Command = Command {
    run: Some(start_add),
    ..Command::new("add-source-namespace", "PROJECT NAMESPACE", "Add source namespace to the AppProject")
};

pub(crate) static REMOVE: Command = Command {
    run: Some(start_remove),
    ..Command::new(
        "remove-source-namespace",
        "PROJECT NAMESPACE",
        "Removes the source namespace from the AppProject",
    )
};

fn start_add<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { add(session).await })
}

fn start_remove<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { remove(session).await })
}

async fn add(session: &mut Session<'_>) -> Outcome {
    let [name, namespace] = arguments(session)?;
    changed(session, &name, |session, project| {
        let known = &mut project.spec.source_namespaces;
        if known.iter().any(|known| known == "*" || *known == namespace) {
            // Scripts know this sentence, star and all.
            session.line("Source namespace '*' already allowed in project");
            return Ok(Change::Needless);
        }
        known.push(namespace);
        Ok(Change::Made)
    })
    .await
}

async fn remove(session: &mut Session<'_>) -> Outcome {
    let [name, namespace] = arguments(session)?;
    changed(session, &name, |session, project| {
        let known = &mut project.spec.source_namespaces;
        let found = known.iter().position(|known| *known == namespace && known != "*");
        let Some(found) = found else {
            session.line(&format!(
                "Source namespace '{namespace}' does not exist in project or cannot be removed"
            ));
            return Ok(Change::Needless);
        };
        known.remove(found);
        Ok(Change::Made)
    })
    .await
}
