//! `argocd app edit`: the specification in the user's editor.

use std::process::Command as Process;

use api::v1alpha1::ApplicationSpec;
use wire::application::ApplicationUpdateSpecRequest;

use crate::command::{Command, Running};
use crate::failure::{Failure, Outcome, rpc_error};
use crate::options;
use crate::output::documents;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[super::NAMESPACE]],
    run: Some(start),
    ..Command::new("edit", "APPNAME", "Edit application")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, namespace) = session.application(&session.only_argument()?);
    let server = session.server().await?;
    let application = super::application(&server, &name, &namespace, None).await?;
    let original = documents::yaml(&application.spec);
    let mut text = original.clone();
    let mut complaint = String::new();
    loop {
        let edited = edited(session, &format!("{complaint}{text}"))?;
        if edited == original || edited.trim().is_empty() || (edited == text && !complaint.is_empty()) {
            return Err(Failure::fatal("Edit cancelled, no valid changes were saved."));
        }
        let result = match parsed(&edited) {
            Err(error) => Err(error),
            Ok(spec) => {
                let request = ApplicationUpdateSpecRequest {
                    name: name.clone(),
                    spec,
                    validate: Some(true),
                    app_namespace: Some(namespace.clone()),
                    project: None,
                };
                let answer = server.applications().update_spec(request).await;
                answer
                    .map(|_| ())
                    .map_err(|status| format!("failed to update application spec: {}", rpc_error(&status)))
            }
        };
        let Err(error) = result else { return Ok(()) };
        complaint = error.lines().map(|line| format!("# {line}\n")).collect();
        text = edited;
    }
}

fn parsed(text: &str) -> Result<ApplicationSpec, String> {
    let value = object::yaml::decode(text.as_bytes())
        .map_err(|error| format!("error converting YAML to JSON: {error}"))?;
    serde_json::from_value(value)
        .map_err(|error| format!("error unmarshaling input into application spec: {error}"))
}

/// Shows the text in the editor and returns what was saved, without comment lines.
fn edited(session: &Session<'_>, text: &str) -> Outcome<String> {
    let editor = session.environment.variable("EDITOR").unwrap_or("vi");
    let words = options::words(editor).map_err(Failure::generic)?;
    let (program, arguments) = words.split_first().ok_or_else(|| Failure::generic("EDITOR is empty"))?;
    let file = tempfile::Builder::new().prefix("argocd-").suffix("-edit.yaml").tempfile()?;
    std::fs::write(file.path(), text)?;
    let status = Process::new(program).args(arguments).arg(file.path()).status()?;
    if !status.success() {
        return Err(Failure::generic(format!("{program} ended with {status}")));
    }
    let saved = std::fs::read_to_string(file.path())?;
    Ok(saved.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect())
}
