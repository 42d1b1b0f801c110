//! `argocd admin cluster namespaces`: which namespaces of each cluster applications deploy to.

use super::modes;
use super::registered::{Registered, namespaces};
use crate::command::{Command, Running};
use crate::failure::Outcome;
use crate::options::KUBERNETES;
use crate::output::table::Table;
use crate::session::Session;

/// More names than these are only counted.
const SHOWN: usize = 4;

pub(super) static COMMAND: Command = Command {
    inherited: &[KUBERNETES],
    commands: &[&modes::DISABLE, &modes::ENABLE],
    run: Some(start),
    ..Command::new("namespaces", "", "Print information namespaces which Argo CD manages in each cluster.")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let registered = Registered::read(session).await?;
    let mut table = Table::new();
    table.row(&["CLUSTER", "NAMESPACES"]);
    for (cluster, applications) in registered.of(session) {
        table.row(&[&cluster.server, &shown(&namespaces(&applications))]);
    }
    session.print(&table.finish());
    registered.end().await;
    Ok(())
}

fn shown(names: &[String]) -> String {
    match names.get(..SHOWN) {
        Some(first) if names.len() > SHOWN => format!("{} (total {})", first.join(","), names.len()),
        _ => names.join(","),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_counted() {
        let names = |count: usize| (0..count).map(|number| format!("n{number}")).collect::<Vec<_>>();
        assert_eq!(shown(&names(0)), "");
        assert_eq!(shown(&names(4)), "n0,n1,n2,n3");
        assert_eq!(shown(&names(17)), "n0,n1,n2,n3 (total 17)");
    }
}
