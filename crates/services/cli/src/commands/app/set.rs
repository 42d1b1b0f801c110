//! `argocd app set`.

use wire::application::ApplicationUpdateSpecRequest;

use super::sources::chosen;
use super::spec;
use crate::command::{Command, Running, int};
use crate::failure::{Failure, Outcome};
use crate::log::Level;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd app set my-app --parameter key1=value1 --parameter key2=value2\n  \
              argocd app set my-app --source-position 1 --repo https://git.example.com/apps.git",
    flags: &[
        spec::FLAGS,
        &[super::NAMESPACE, int("source-position", "Position of the source among several, from 1").or("-1")],
    ],
    run: Some(start),
    ..Command::new("set", "APPNAME", "Set application parameters")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, namespace) = session.application(&session.only_argument()?);
    let server = session.server().await?;
    let mut application = super::application(&server, &name, &namespace, None).await?;
    let index = chosen(session, &application.spec)?;
    let values = spec::literal_values(session).await?;
    if spec::apply(session, &mut application.spec, index, values.as_deref())? == 0 {
        session.log(Level::Error, "Please set at least one option to update");
        return Err(Failure::usage());
    }
    if application.spec.source_hydrator.is_none() {
        let found = application.status.source_type.clone();
        let source = match index.and_then(|index| application.spec.sources.get_mut(index)) {
            Some(source) => source,
            None => application.spec.source.get_or_insert_default(),
        };
        spec::apply_parameters(session, source, &found)?;
    }
    let request = ApplicationUpdateSpecRequest {
        name: application.metadata.name,
        spec: application.spec,
        validate: Some(session.is("validate")),
        app_namespace: Some(namespace),
        project: None,
    };
    server.applications().update_spec(request).await?;
    Ok(())
}
