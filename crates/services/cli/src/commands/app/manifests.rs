//! `argocd app manifests`.

use serde_json::Value;
use wire::application::ApplicationManifestQuery;

use super::sources::{check_revisions, positions};
use crate::command::{Command, Running, array, ints, text};
use crate::failure::{Failure, Outcome};
use crate::output::documents;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd app manifests my-app\n  argocd app manifests my-app --revision 0.0.1\n  \
              argocd app manifests my-app --revisions 0.0.1 --source-positions 1",
    flags: &[&[
        super::NAMESPACE,
        text("local", "Render this local folder instead"),
        text("local-repo-root", "The root of the local repository").or("."),
        text("revision", "Show the manifests of this revision"),
        array("revisions", "Show the manifests of these revisions of the chosen sources"),
        text("source", "Source of manifests. One of: live|git").or("git"),
        array("source-names", "Names of the sources that --revisions are for"),
        ints("source-positions", "Positions of the sources that --revisions are for, from 1"),
    ]],
    run: Some(start),
    ..Command::new("manifests", "APPNAME", "Print manifests of an application")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, namespace) = session.application(&session.only_argument()?);
    check_revisions(session)?;
    if session.matches.numbers("source-positions").iter().any(|position| *position <= 0) {
        return Err(Failure::fatal(
            "source-position cannot be less than or equal to 0, Counting starts at 1",
        ));
    }
    let server = session.server().await?;
    let source = session.text("source");
    let revisions = session.matches.list("revisions").to_vec();
    let chosen = session.matches.changed("source-names") || session.matches.changed("source-positions");
    let texts: Vec<String> = match source.as_str() {
        "git" if !session.matches.text("local").is_empty() => {
            let found = super::application(&server, &name, &namespace, None).await?;
            super::local::manifests(session, &server, &found).await?
        }
        "git" if chosen || session.matches.changed("revision") => {
            let mut query = ApplicationManifestQuery {
                name: name.clone(),
                app_namespace: Some(namespace.clone()),
                revision: Some(session.text("revision")),
                ..ApplicationManifestQuery::default()
            };
            if chosen {
                let found = super::application(&server, &name, &namespace, None).await?;
                query.source_positions = positions(session, &found.spec.effective_sources())?;
                query.revisions = revisions;
            }
            server.applications().get_manifests(query).await?.into_inner().manifests
        }
        "git" | "live" => {
            let query = super::resources_of(&name, &namespace);
            let items = server.applications().managed_resources(query).await?.into_inner().items;
            items
                .into_iter()
                .map(|item| if source == "git" { item.target_state } else { item.live_state })
                // A hook that is live has no target; what is not live prints as `null`.
                .filter(|state| source == "live" || !matches!(state.as_str(), "" | "null"))
                .collect()
        }
        other => return Err(Failure::fatal(format!("Unknown source type '{other}'"))),
    };
    for text in texts {
        session.line(&format!("---\n{}", documents::yaml(&parsed(&text)?)));
    }
    Ok(())
}

/// An object the server sent as text; `null` and nothing are no object.
pub(crate) fn parsed(text: &str) -> Outcome<Value> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(text)
        .map_err(|error| Failure::generic(format!("the server sent an object that is not JSON: {error}")))
}
