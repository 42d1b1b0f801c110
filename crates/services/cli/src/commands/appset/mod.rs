//! `argocd appset`: ApplicationSets.

mod create;
mod delete;
mod generate;
mod get;
mod list;

use api::v1alpha1::ApplicationSet;

use crate::command::{Command, Flag, text};
use crate::failure::{Failure, Outcome};
use crate::manifests;
use crate::options::KUBERNETES;
use crate::output::application::{self, line, source_lines};
use crate::output::moment;
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    inherited: &[KUBERNETES],
    details: "\nExamples:\n  argocd appset list\n  argocd appset create FILE\n  argocd appset delete APPSETNAME",
    commands: &[&create::COMMAND, &delete::COMMAND, &generate::COMMAND, &get::COMMAND, &list::COMMAND],
    ..Command::new("appset", "", "Manage ApplicationSets")
};

/// The namespace of the ApplicationSet, which all commands take.
const NAMESPACE: Flag = text("appset-namespace", "The namespace of the ApplicationSet").short('N');

/// The ApplicationSets of a file or an address, in the namespace that is said.
async fn described(session: &mut Session<'_>, file: &str) -> Outcome<Vec<ApplicationSet>> {
    let failed =
        |error: String| Failure::generic(format!("error reading applicationset from file {file}: {error}"));
    let bytes = session.read_place(file).await;
    let bytes = bytes.map_err(|error| failed(format!("error reading file payload: {error}")))?;
    let mut sets: Vec<ApplicationSet> = manifests::objects(&bytes).map_err(failed)?;
    for set in &mut sets {
        if set.metadata.name.is_empty() {
            return Err(Failure::generic(format!("{file}: an ApplicationSet has no name")));
        }
        if !session.matches.text("appset-namespace").is_empty() {
            set.metadata.namespace = session.text("appset-namespace");
        }
    }
    Ok(sets)
}

/// The block of `Name:` to `SyncPolicy:`, and the conditions.
fn summary(set: &ApplicationSet) -> String {
    let spec = &set.spec.template.spec;
    let mut text = line("Name:", &application::qualified(&set.metadata));
    text += &line("Project:", application::project(spec));
    text += &line("Server:", application::destination(spec));
    text += &line("Namespace:", &spec.destination.namespace);
    text += &line("Health Status:", &set.status.health.status);
    text += if spec.has_several_sources() { "Sources:\n" } else { "Source:\n" };
    let mut sources = spec.effective_sources();
    if sources.is_empty() {
        sources.push(Default::default());
    }
    sources.iter().for_each(|source| text += &source_lines(source));
    let automated = spec.sync_policy.as_ref().and_then(|policy| policy.automated.as_ref());
    let policy = match automated.filter(|automated| automated.enabled != Some(false)) {
        Some(automated) if automated.prune == Some(true) => "Automated (Prune)",
        Some(_) => "Automated",
        None => "<none>",
    };
    text += &line("SyncPolicy:", policy);
    if !set.status.conditions.is_empty() {
        text += &format!("\n{}\n", conditions(set));
    }
    text
}

fn conditions(set: &ApplicationSet) -> String {
    let mut table = Table::new();
    table.row(&["CONDITION", "STATUS", "MESSAGE", "LAST TRANSITION"]);
    for condition in &set.status.conditions {
        let time = moment::optional(condition.last_transition_time.as_ref());
        table.row(&[&condition.r#type, &condition.status, &condition.message, &time]);
    }
    table.finish()
}

/// Shows a set as the format says.
fn show(session: &mut Session<'_>, set: &ApplicationSet) -> Outcome {
    match session.text("output").as_str() {
        "wide" | "" => session.print(&summary(set)),
        format => session.print_document(set, format)?,
    }
    Ok(())
}
