//! `argocd appset list`.

use api::v1alpha1::ApplicationSet;
use wire::applicationset::ApplicationSetListQuery;

use crate::command::{Command, Running, array, text};
use crate::commands::output;
use crate::failure::Outcome;
use crate::output::application;
use crate::output::moment;
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[
        super::NAMESPACE,
        output("wide", "Output format. One of: wide|name|json|yaml"),
        array("project", "Only ApplicationSets of this project").short('p'),
        text("selector", "Only ApplicationSets with these labels").short('l'),
    ]],
    run: Some(start),
    ..Command::new("list", "", "List ApplicationSets")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let server = session.server().await?;
    let query = ApplicationSetListQuery {
        projects: session.matches.list("project").to_vec(),
        selector: session.text("selector"),
        appset_namespace: session.text("appset-namespace"),
    };
    let sets = server.application_sets().list(query).await?.into_inner().items;
    match session.text("output").as_str() {
        "name" => sets.iter().for_each(|set| session.line(&application::qualified(&set.metadata))),
        "wide" | "" => session.print(&table(&sets)),
        format => session.print_document(&sets, format)?,
    }
    Ok(())
}

fn table(sets: &[ApplicationSet]) -> String {
    let mut table = Table::new();
    table.row(&["NAME", "PROJECT", "SYNCPOLICY", "HEALTH", "CONDITIONS", "REPO", "PATH", "TARGET"]);
    for set in sets {
        let source = application::source(&set.spec.template.spec);
        table.row(&[
            &application::qualified(&set.metadata),
            &set.spec.template.spec.project,
            &policy(set),
            &set.status.health.status,
            &conditions(set),
            &source.repo_url,
            &source.path,
            &source.target_revision,
        ]);
    }
    table.finish()
}

/// The policy as Go prints the message.
fn policy(set: &ApplicationSet) -> String {
    let Some(policy) = &set.spec.sync_policy else { return "nil".to_owned() };
    let applications = policy.applications_sync.as_ref().map_or("nil".to_owned(), |sync| format!("*{sync}"));
    format!(
        "&ApplicationSetSyncPolicy{{PreserveResourcesOnDeletion:{},ApplicationsSync:{applications},}}",
        policy.preserve_resources_on_deletion
    )
}

/// The conditions that hold, as Go prints them.
fn conditions(set: &ApplicationSet) -> String {
    let holding = set.status.conditions.iter().filter(|condition| condition.status == "True");
    let texts: Vec<String> = holding
        .map(|condition| {
            let time = moment::optional(condition.last_transition_time.as_ref());
            format!(
                "{{{} {} {time} {} {}}}",
                condition.r#type, condition.message, condition.status, condition.reason
            )
        })
        .collect();
    format!("[{}]", texts.join(" "))
}
