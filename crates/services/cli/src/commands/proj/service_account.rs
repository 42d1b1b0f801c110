//! `argocd proj add-destination-service-account` and `remove-destination-service-account`.

use api::v1alpha1::ApplicationDestinationServiceAccount;

use super::{Change, arguments, changed};
use crate::command::{Command, Running, text};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static ADD: Command = Command {
    flags: &[&[text(
        "service-account-namespace",
        "The service account's namespace; the destination's by default",
    )]],
    run: Some(start_add),
    ..Command::new(
        "add-destination-service-account",
        "PROJECT SERVER NAMESPACE SERVICE_ACCOUNT",
        "Add project destination's default service account",
    )
};

pub(crate) static REMOVE: Command = Command {
    run: Some(start_remove),
    ..Command::new(
        "remove-destination-service-account",
        "PROJECT SERVER NAMESPACE SERVICE_ACCOUNT",
        "Remove default destination service account from the project",
    )
};

fn start_add<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { add(session).await })
}

fn start_remove<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { remove(session).await })
}

async fn add(session: &mut Session<'_>) -> Outcome {
    let [name, server, namespace, account] = arguments(session)?;
    let own = session.text("service-account-namespace");
    for (what, value) in [("service-account-namespace", &own), ("ServiceAccount", &account)] {
        if value.contains('*') {
            let message = format!("{what} for DestinationServiceAccount must not contain wildcards");
            return Err(Failure::fatal(message));
        }
    }
    let account = if own.is_empty() { account } else { format!("{own}:{account}") };
    let wanted = ApplicationDestinationServiceAccount { server, namespace, default_service_account: account };
    changed(session, &name, |_, project| {
        let known = &mut project.spec.destination_service_accounts;
        if known.contains(&wanted) {
            return Err(Failure::fatal(
                "Specified destination service account is already defined in project",
            ));
        }
        known.push(wanted);
        Ok(Change::Made)
    })
    .await
}

async fn remove(session: &mut Session<'_>) -> Outcome {
    let [name, server, namespace, account] = arguments(session)?;
    changed(session, &name, |_, project| {
        let known = &mut project.spec.destination_service_accounts;
        let found = known.iter().position(|known| {
            known.server == server && known.namespace == namespace && known.default_service_account == account
        });
        let missing = || Failure::fatal("Specified destination service account does not exist in project");
        known.remove(found.ok_or_else(missing)?);
        Ok(Change::Made)
    })
    .await
}
