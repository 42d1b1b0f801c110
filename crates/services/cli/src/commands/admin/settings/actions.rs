//! `argocd admin settings resource-overrides list-actions` and `run-action`.

use actions::{Actions, Impact, Parameters};
use jiff::Timestamp;
use lua_sandbox::Limits;
use serde_json::Value;

use super::source::{Settings, kind_of, resource};
use crate::command::{Command, Running, array};
use crate::failure::{Failure, Outcome};
use crate::output::table::Table;
use crate::session::Session;

pub(super) static LIST: Command = Command {
    details: "\nExamples:\n  argocd admin settings resource-overrides list-actions ./deploy.yaml --argocd-cm-path ./argocd-cm.yaml",
    run: Some(list),
    ..Command::new("list-actions", "RESOURCE_YAML_PATH", "List available resource actions")
};

pub(super) static RUN: Command = Command {
    aliases: &["action"],
    details: "\nExamples:\n  argocd admin settings resource-overrides run-action ./deploy.yaml restart --argocd-cm-path ./argocd-cm.yaml",
    flags: &[&[array("param", "A parameter of the action, as name=value")]],
    run: Some(run),
    ..Command::new("run-action", "RESOURCE_YAML_PATH ACTION", "Executes resource action")
};

fn list<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move {
        let live = resource(session)?;
        let actions = compiled(session).await?;
        let found = actions.discover(&live, Timestamp::now());
        let found = found.map_err(|error| Failure::generic(error.to_string()))?;
        if found.is_empty() {
            session.line(&format!("Actions are not configured for '{}'", kind_of(&live)));
            return Ok(());
        }
        let mut table = Table::new();
        table.row(&["NAME", "DISABLED"]);
        for action in &found {
            table.row(&[&action.name, if action.disabled { "true" } else { "false" }]);
        }
        session.print(&table.finish());
        Ok(())
    })
}

fn run<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move {
        let [_, action] = session.arguments() else { return Err(Failure::usage()) };
        let action = action.clone();
        let parameters = parameters(session)?;
        let live = resource(session)?;
        let actions = compiled(session).await?;
        let impacts = actions.run(&live, &action, &parameters, Timestamp::now());
        for impact in impacts.map_err(|error| Failure::generic(error.to_string()))? {
            match impact {
                Impact::Patch(changed) if changed == live => {
                    session.line(&format!("No fields had been changed by action: \n{action}"));
                }
                Impact::Patch(changed) => {
                    session.print("Following fields have been changed:\n\n");
                    let (before, after) = (Value::Object(live.0.clone()), Value::Object(changed.0));
                    session.print_difference(live.name(), Some(&before), Some(&after))?;
                }
                Impact::Create(created) => {
                    session.line("Following resource was created:");
                    session.line(&object::yaml::encode(&Value::Object(created.0)));
                }
            }
        }
        Ok(())
    })
}

async fn compiled(session: &mut Session<'_>) -> Outcome<Actions> {
    let customizations = Settings::read(session).await?.customizations(session);
    Ok(Actions::new(&customizations, Limits::default()))
}

fn parameters(session: &Session<'_>) -> Outcome<Parameters> {
    let given = session.matches.list("param").iter();
    let pairs = given.map(|text| {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| Failure::fatal(format!("Invalid parameter format: {text}")))?;
        Ok((name.to_owned(), value.to_owned()))
    });
    pairs.collect()
}
