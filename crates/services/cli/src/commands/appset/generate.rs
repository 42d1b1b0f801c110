//! `argocd appset generate`.

use api::v1alpha1::Application;
use api::{API_VERSION, Root};
use serde_json::{Map, Value};
use wire::applicationset::ApplicationSetGenerateRequest;

use crate::command::{Command, Running};
use crate::commands::app::list::table;
use crate::commands::output;
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd appset generate FILE",
    flags: &[&[super::NAMESPACE, output("wide", "Output format. One of: json|yaml|wide")]],
    run: Some(start),
    ..Command::new("generate", "", "Generate apps of ApplicationSet rendered templates")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let file = session.first_argument()?;
    let mut sets = super::described(session, &file).await?;
    let (Some(set), true) = (sets.pop(), sets.is_empty()) else {
        session.print("Input file must contain one ApplicationSet");
        return Err(Failure::Exit(1));
    };
    let server = session.server().await?;
    let request = ApplicationSetGenerateRequest { application_set: Some(set) };
    let applications = server.application_sets().generate(request).await?.into_inner().applications;
    match session.text("output").as_str() {
        "wide" | "" => session.print(&table(&applications, true)),
        format => {
            let mut shown: Vec<Value> = applications.iter().map(shown).collect();
            if shown.len() == 1 {
                session.print_document(&shown.remove(0), format)?;
            } else {
                session.print_document(&shown, format)?;
            }
        }
    }
    Ok(())
}

/// An application as a manifest, keys sorted.
fn shown(application: &Application) -> Value {
    let mut value = serde_json::to_value(application).unwrap_or(Value::Null);
    if let Some(members) = value.as_object_mut() {
        members.remove("status");
        members.insert("apiVersion".into(), API_VERSION.into());
        members.insert("kind".into(), Application::KIND.into());
    }
    sorted(value)
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> =
                members.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            members.sort_by(|left, right| left.0.cmp(&right.0));
            Value::Object(Map::from_iter(members))
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}
