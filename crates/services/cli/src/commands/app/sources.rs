//! `argocd app add-source`, and which source of several a command means.

use api::v1alpha1::{ApplicationSource, ApplicationSpec};
use wire::application::ApplicationUpdateSpecRequest;

use super::spec;
use crate::command::{Command, Running};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd app add-source my-app --repo https://git.example.com/r.git --path p",
    flags: &[&[super::NAMESPACE], spec::FLAGS],
    run: Some(start),
    ..Command::new("add-source", "APPNAME", "Adds a source to the list of sources in the application")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, namespace) = session.application(&session.only_argument()?);
    let server = session.server().await?;
    let mut application = super::application(&server, &name, &namespace, None).await?;
    if application.spec.sources.is_empty() {
        return Err(Failure::generic(format!(
            "Cannot add source: application {name} does not have spec.sources defined"
        )));
    }
    let mut source = ApplicationSource::default();
    let values = spec::literal_values(session).await?;
    spec::apply_source(session, &mut source, values.as_deref())?;
    spec::apply_parameters(session, &mut source, &application.status.source_type)?;
    application.spec.sources.push(source);
    let request = ApplicationUpdateSpecRequest {
        name: application.metadata.name.clone(),
        spec: application.spec,
        validate: Some(session.is("validate")),
        app_namespace: Some(namespace),
        project: None,
    };
    server.applications().update_spec(request).await?;
    session.line(&format!("Application '{}' updated successfully", application.metadata.name));
    Ok(())
}

/// The default of `--source-position`.
const NOT_GIVEN: i64 = -1;

/// The index that `--source-name` or `--source-position` means where there are several sources. A name must be there even
/// where there are not.
pub(crate) fn chosen(session: &Session<'_>, spec: &ApplicationSpec) -> Outcome<Option<usize>> {
    let several = spec.has_several_sources();
    if !several && session.matches.text("source-name").is_empty() {
        return Ok(None);
    }
    let index = position(session, &spec.sources)?;
    Ok(Some(index).filter(|_| several))
}

/// The index that `--source-name` or `--source-position` means among several sources.
pub(crate) fn position(session: &Session<'_>, sources: &[ApplicationSource]) -> Outcome<usize> {
    if let Some(index) = named(session, sources)? {
        return Ok(index);
    }
    match usize::try_from(session.matches.number("source-position")) {
        Err(_) | Ok(0) => Err(Failure::generic(
            "Source position should be specified and must be greater than 0 for applications with multiple sources",
        )),
        Ok(position) if position > sources.len() => Err(Failure::generic(
            "Source position should be less than the number of sources in the application",
        )),
        Ok(position) => Ok(position - 1),
    }
}

/// The index that `--source-name` means, where it is given; a position beside it is refused.
pub(crate) fn named(session: &Session<'_>, sources: &[ApplicationSource]) -> Outcome<Option<usize>> {
    let name = session.matches.text("source-name");
    if name.is_empty() {
        return Ok(None);
    }
    if session.matches.number("source-position") != NOT_GIVEN {
        return Err(Failure::generic("Only one of source-position and source-name can be specified."));
    }
    index_of(sources, name).map(Some)
}

fn index_of(sources: &[ApplicationSource], name: &str) -> Outcome<usize> {
    let found = sources.iter().rposition(|source| source.name == name);
    found.ok_or_else(|| Failure::fatal(format!("Unknown source name '{name}'")))
}

/// The positions that `--source-names` and `--source-positions` mean, beside as many `--revisions`.
pub(crate) fn positions(session: &Session<'_>, sources: &[ApplicationSource]) -> Outcome<Vec<i64>> {
    let names = session.matches.list("source-names");
    let mut positions = session.matches.numbers("source-positions");
    for name in names {
        let index = index_of(sources, name)?;
        positions.push(i64::try_from(index).unwrap_or(i64::MAX).saturating_add(1));
    }
    let count = i64::try_from(sources.len()).unwrap_or(i64::MAX);
    if positions.iter().any(|position| *position <= 0 || *position > count) {
        return Err(Failure::fatal(
            "source-position cannot be less than 1 or more than number of sources in the app. Counting starts at 1.",
        ));
    }
    Ok(positions)
}

/// Refuses revisions without sources and the other way round.
pub(crate) fn check_revisions(session: &Session<'_>) -> Outcome {
    let matches = &session.matches;
    let (names, positions) = (matches.list("source-names"), matches.list("source-positions"));
    if !names.is_empty() && !positions.is_empty() {
        return Err(Failure::fatal("Only one of source-positions and source-names can be specified."));
    }
    let revisions = matches.list("revisions").len();
    if !positions.is_empty() && positions.len() != revisions {
        return Err(Failure::generic(
            "While using --revisions and --source-positions, length of values for both flags should be same.",
        ));
    }
    if !names.is_empty() && names.len() != revisions {
        return Err(Failure::generic(
            "While using --revisions and --source-names, length of values for both flags should be same.",
        ));
    }
    Ok(())
}
