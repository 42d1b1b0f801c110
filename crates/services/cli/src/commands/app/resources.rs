//! `argocd app resources`.

use jiff::Timestamp;

use crate::command::{Command, Running, switch, text};
use crate::failure::Outcome;
use crate::output::table::Table;
use crate::output::tree;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[
        super::NAMESPACE,
        switch("orphaned", "Only orphaned resources"),
        text("output", "Provides the tree view of the resources: tree or tree=detailed"),
        text("project", "The project of the application"),
    ]],
    run: Some(start),
    ..Command::new("resources", "APPNAME", "List resource of application")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, namespace) = session.application(&session.only_argument()?);
    let server = session.server().await?;
    let mut query = super::resources_of(&name, &namespace);
    query.project = Some(session.text("project")).filter(|project| !project.is_empty());
    let found = server.applications().resource_tree(query).await?.into_inner();
    let all = !session.matches.changed("orphaned");
    let orphaned = session.is("orphaned");
    let managed = if !orphaned || all { found.nodes } else { Vec::new() };
    let orphans = if orphaned || all { found.orphaned_nodes } else { Vec::new() };

    let mut table = Table::new();
    let header = ["GROUP", "KIND", "NAMESPACE", "NAME", "ORPHANED", "AGE", "HEALTH", "REASON"];
    match session.matches.text("output") {
        "tree=detailed" => {
            table.row(&header);
            let now = Some(Timestamp::now());
            tree::rows(&mut table, &managed, "No", now);
            tree::rows(&mut table, &orphans, "Yes", now);
        }
        "tree" => {
            table.row(&header[..5]);
            tree::rows(&mut table, &managed, "No", None);
            tree::rows(&mut table, &orphans, "Yes", None);
        }
        _ => {
            table.row(&header[..5]);
            let roots = managed.iter().filter(|node| node.parent_refs.is_empty()).map(|node| (node, "No"));
            for (node, orphaned) in roots.chain(orphans.iter().map(|node| (node, "Yes"))) {
                let of = &node.resource_ref;
                table.row(&[&of.group, &of.kind, &of.namespace, &of.name, orphaned]);
            }
        }
    }
    session.print(&table.finish());
    Ok(())
}
