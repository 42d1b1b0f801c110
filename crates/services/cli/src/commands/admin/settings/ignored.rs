//! `argocd admin settings resource-overrides`: what of an object is not compared, and what of its changes wakes
//! nobody up.

use api::v1alpha1::{Application, OverrideIgnoreDiff};
use object::Object;
use serde_json::Value;
use settings::{CompareOptions, Tracking, override_key};

use super::source::{Settings, kind_of, resource};
use crate::command::{Command, Running, duration};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(super) static DIFFERENCES: Command = Command {
    details: "\nExamples:\n  argocd admin settings resource-overrides ignore-differences ./deploy.yaml --argocd-cm-path ./argocd-cm.yaml",
    run: Some(differences),
    ..Command::new("ignore-differences", "RESOURCE_YAML_PATH", "Renders fields excluded from diffing")
};

pub(super) static UPDATES: Command = Command {
    details: "\nExamples:\n  argocd admin settings resource-overrides ignore-resource-updates ./deploy.yaml --argocd-cm-path ./argocd-cm.yaml",
    flags: &[&[duration(
        "ignore-normalizer-jq-execution-timeout",
        "Taken for scripts' sake: expressions that could run for long are refused",
    )
    .or("1s")]],
    run: Some(updates),
    ..Command::new(
        "ignore-resource-updates",
        "RESOURCE_YAML_PATH",
        "Renders fields excluded from resource updates",
    )
};

fn differences<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move {
        let target = resource(session)?;
        let settings = Settings::read(session).await?;
        let customizations = settings.customizations(session);
        let own = customizations.overrides.get(&override_key(target.group(), target.kind()));
        if own.is_none_or(|entry| is_empty(&entry.ignore_differences)) {
            session.line(&format!("Ignore differences are not configured for '{}'", kind_of(&target)));
            return Ok(());
        }
        let options = compare::diff_options(
            &Application::default(),
            &customizations,
            CompareOptions::parse(&settings.data).0,
            &Tracking::parse(&settings.data).0,
        );
        let options = options.map_err(|error| Failure::generic(error.to_string()))?;
        let rest = options.rules.without_ignored(&target);
        show(session, &target, rest, "ignoreDifferences")
    })
}

fn updates<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move {
        let target = resource(session)?;
        let customizations = Settings::read(session).await?.customizations(session);
        let ignored = customizations.ignored_updates();
        let own = ignored.get(&override_key(target.group(), target.kind()));
        if own.is_none_or(|entry| is_empty(&entry.ignore_differences)) {
            session.line(&format!("Ignore resource updates are not configured for '{}'", kind_of(&target)));
            return Ok(());
        }
        let rules = compare::update_rules(&customizations);
        let rules = rules.map_err(|error| Failure::generic(error.to_string()))?;
        let rest = rules.without_ignored(&target);
        show(session, &target, rest, "ignoreResourceUpdates")
    })
}

fn is_empty(ignored: &OverrideIgnoreDiff) -> bool {
    ignored.json_pointers.is_empty() && ignored.jq_path_expressions.is_empty()
}

fn show(session: &mut Session<'_>, target: &Object, rest: Option<Object>, setting: &str) -> Outcome {
    let Some(rest) = rest.filter(|rest| rest != target) else {
        session.line(&format!("No fields are ignored by {setting} settings"));
        return Ok(());
    };
    session.print("Following fields are ignored:\n\n");
    let value = |object: &Object| Value::Object(object.0.clone());
    session.print_difference(target.name(), Some(&value(target)), Some(&value(&rest)))
}
