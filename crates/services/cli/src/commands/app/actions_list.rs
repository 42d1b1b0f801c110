//! `argocd app actions list`.

use serde::Serialize;
use wire::application::ApplicationResourceRequest;

use super::super::NAMESPACE;
use super::chosen;
use crate::command::{Command, Running, text};
use crate::failure::Outcome;
use crate::output::documents;
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[
        NAMESPACE,
        text("group", "Group"),
        text("kind", "Kind"),
        text("namespace", "Namespace"),
        text("out", "Output format. One of: yaml, json").short('o'),
        text("resource-name", "Name of resource"),
    ]],
    run: Some(start),
    ..Command::new("list", "APPNAME", "Lists available actions on a resource")
};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Action {
    group: String,
    kind: String,
    name: String,
    action: String,
    disabled: bool,
}

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, namespace) = session.application(&session.only_argument()?);
    let server = session.server().await?;
    let mut actions = Vec::new();
    for live in chosen::for_actions(session, &server, &name, &namespace, true).await? {
        let request = ApplicationResourceRequest {
            name: name.clone(),
            app_namespace: Some(namespace.clone()),
            namespace: Some(live.namespace),
            resource_name: live.name.clone(),
            version: live.version,
            group: Some(live.group.clone()),
            kind: live.kind.clone(),
            project: None,
        };
        for action in server.applications().list_resource_actions(request).await?.into_inner().actions {
            actions.push(Action {
                group: live.group.clone(),
                kind: live.kind.clone(),
                name: live.name.clone(),
                action: action.name,
                disabled: action.disabled,
            });
        }
    }
    let key = |action: &Action| {
        (action.group.clone(), action.kind.clone(), action.name.clone(), action.action.clone())
    };
    actions.sort_by_key(key);
    match session.text("out").as_str() {
        "yaml" => session.line(&documents::yaml(&actions)),
        "json" => session.line(&documents::json(&actions)),
        _ => {
            let mut table = Table::new();
            table.row(&["GROUP", "KIND", "NAME", "ACTION", "DISABLED"]);
            for Action { group, kind, name, action, disabled } in &actions {
                table.row(&[group, kind, name, action, if *disabled { "true" } else { "false" }]);
            }
            session.print(&table.finish());
        }
    }
    Ok(())
}
