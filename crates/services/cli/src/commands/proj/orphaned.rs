//! `argocd proj add-orphaned-ignore` and `remove-orphaned-ignore`.

use api::v1alpha1::OrphanedResourceKey;

use super::{Change, arguments, changed};
use crate::command::{Command, Flag, Running, text};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

const FLAGS: &[Flag] = &[text("name", "Pattern of the resources' names")];

pub(crate) static ADD: Command = Command {
    flags: &[FLAGS],
    run: Some(start_add),
    ..Command::new("add-orphaned-ignore", "PROJECT GROUP KIND", "Add a resource to orphaned ignore list")
};

pub(crate) static REMOVE: Command = Command {
    flags: &[FLAGS],
    run: Some(start_remove),
    ..Command::new(
        "remove-orphaned-ignore",
        "PROJECT GROUP KIND",
        "Remove a resource from orphaned ignore list",
    )
};

fn start_add<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { add(session).await })
}

fn start_remove<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { remove(session).await })
}

fn named(session: &Session<'_>) -> Outcome<(String, OrphanedResourceKey)> {
    let [project, group, kind] = arguments(session)?;
    Ok((project, OrphanedResourceKey { group, kind, name: session.text("name") }))
}

async fn add(session: &mut Session<'_>) -> Outcome {
    let (name, wanted) = named(session)?;
    changed(session, &name, |_, project| {
        let ignored = &mut project.spec.orphaned_resources.get_or_insert_default().ignore;
        if ignored.contains(&wanted) {
            return Err(Failure::fatal(
                "Specified resource is already defined in the orphaned ignore list of project",
            ));
        }
        ignored.push(wanted);
        Ok(Change::Made)
    })
    .await
}

async fn remove(session: &mut Session<'_>) -> Outcome {
    let (name, wanted) = named(session)?;
    changed(session, &name, |_, project| {
        let Some(settings) = &mut project.spec.orphaned_resources else {
            return Err(Failure::fatal(
                "Specified resource does not exist in the orphaned ignore list of project",
            ));
        };
        let found = settings.ignore.iter().position(|known| *known == wanted);
        let missing =
            || Failure::fatal("Specified resource does not exist in the orphaned ignore of project");
        settings.ignore.remove(found.ok_or_else(missing)?);
        Ok(Change::Made)
    })
    .await
}
