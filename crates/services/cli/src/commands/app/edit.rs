//! `argocd app edit`: the specification in the user's editor.

use wire::application::ApplicationUpdateSpecRequest;

use crate::command::{Command, Running};
use crate::editor;
use crate::failure::{Outcome, rpc_error};
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
    let mut editing = editor::Editing::new(documents::yaml(&application.spec));
    loop {
        let edited = editing.next(session)?;
        let spec = match edited.parsed("application spec") {
            Ok(spec) => spec,
            Err(error) => {
                editing.refused(&edited, &error);
                continue;
            }
        };
        let request = ApplicationUpdateSpecRequest {
            name: name.clone(),
            spec,
            // As in the original: whether it renders is seen afterwards.
            validate: Some(false),
            app_namespace: Some(namespace.clone()),
            project: None,
        };
        match server.applications().update_spec(request).await {
            Ok(_) => return Ok(()),
            Err(status) => {
                let reason = format!("failed to update application spec: {}", rpc_error(&status));
                editing.refused(&edited, &reason);
            }
        }
    }
}
