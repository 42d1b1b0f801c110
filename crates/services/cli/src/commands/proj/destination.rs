//! `argocd proj add-destination` and `remove-destination`.

use api::v1alpha1::ApplicationDestination;

use super::{Change, arguments, changed};
use crate::command::{Command, Running, switch};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static ADD: Command = Command {
    flags: &[&[switch("name", "The destination is the name of a cluster, not its server")]],
    run: Some(start_add),
    ..Command::new("add-destination", "PROJECT SERVER/NAME NAMESPACE", "Add project destination")
};

pub(crate) static REMOVE: Command = Command {
    run: Some(start_remove),
    ..Command::new("remove-destination", "PROJECT SERVER NAMESPACE", "Remove project destination")
};

fn start_add<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { add(session).await })
}

fn start_remove<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { remove(session).await })
}

async fn add(session: &mut Session<'_>) -> Outcome {
    let [name, cluster, namespace] = arguments(session)?;
    let mut wanted = ApplicationDestination { namespace, ..ApplicationDestination::default() };
    if session.is("name") {
        wanted.name = cluster;
    } else {
        wanted.server = cluster;
    }
    changed(session, &name, |_, project| {
        let same = |known: &ApplicationDestination| {
            let server = !wanted.server.is_empty() && known.server == wanted.server;
            let name = !wanted.name.is_empty() && known.name == wanted.name;
            known.namespace == wanted.namespace && (server || name)
        };
        if project.spec.destinations.iter().any(same) {
            return Err(Failure::fatal("Specified destination is already defined in project"));
        }
        project.spec.destinations.push(wanted);
        Ok(Change::Made)
    })
    .await
}

async fn remove(session: &mut Session<'_>) -> Outcome {
    let [name, server, namespace] = arguments(session)?;
    changed(session, &name, |_, project| {
        let known = &mut project.spec.destinations;
        let found = known.iter().position(|known| known.namespace == namespace && known.server == server);
        let missing = || Failure::fatal("Specified destination does not exist in project");
        known.remove(found.ok_or_else(missing)?);
        Ok(Change::Made)
    })
    .await
}
