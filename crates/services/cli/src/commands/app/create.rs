//! `argocd app create`.

use api::v1alpha1::Application;
use tonic::Code;
use wire::application::{ApplicationCreateRequest, ApplicationQuery};

use super::spec;
use crate::command::{Command, Running, array, switch, text};
use crate::connection::Server;
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd app create guestbook --repo https://git.example.com/apps.git --path guestbook \
              --dest-namespace default --dest-server https://kubernetes.default.svc\n  \
              argocd app create -f app.yaml",
    flags: &[
        spec::FLAGS,
        &[
            array("annotations", "An annotation, as key=value"),
            super::NAMESPACE,
            text("file", "File or URL of a manifest of the application; - is standard input").short('f'),
            array("label", "A label, as key=value").short('l'),
            text("name", "The name; not needed when it is an argument or in the file"),
            switch("set-finalizer", "Delete the resources together with the application"),
            switch("upsert", "Replace an application that exists and is different"),
        ],
    ],
    run: Some(start),
    ..Command::new("create", "APPNAME", "Create an application")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let mut applications = described(session)?;
    let namespace = session.text("app-namespace");
    if !namespace.is_empty() {
        applications.iter_mut().for_each(|one| one.metadata.namespace.clone_from(&namespace));
    }
    if applications.iter().any(|application| application.metadata.name.is_empty()) {
        return Err(Failure::usage());
    }
    let server = session.server().await?;
    for application in applications {
        create(session, &server, application).await?;
    }
    Ok(())
}

async fn create(session: &mut Session<'_>, server: &Server, application: Application) -> Outcome {
    let query = ApplicationQuery {
        name: Some(application.metadata.name.clone()),
        app_namespace: Some(application.metadata.namespace.clone()),
        ..ApplicationQuery::default()
    };
    let existing = match server.applications().get(query).await {
        Ok(answer) => Some(answer.into_inner()),
        // The server does not tell who may not know whether it exists.
        Err(status) if matches!(status.code(), Code::NotFound | Code::PermissionDenied) => None,
        Err(status) => return Err(status.into()),
    };
    let request = ApplicationCreateRequest {
        application,
        upsert: Some(session.is("upsert")),
        validate: Some(session.is("validate")),
    };
    let created = server.applications().create(request).await?.into_inner();
    let action = match existing {
        None => "created",
        Some(existing) if !session.is("upsert") || same(&existing, &created) => "unchanged",
        Some(_) => "updated",
    };
    session.line(&format!("application '{}' {action}", created.metadata.name));
    Ok(())
}

fn same(one: &Application, other: &Application) -> bool {
    one.spec == other.spec
        && one.metadata.labels == other.metadata.labels
        && one.metadata.annotations == other.metadata.annotations
        && one.metadata.finalizers == other.metadata.finalizers
}

/// The applications that the flags, and the file if there is one, describe.
pub(crate) fn described(session: &mut Session<'_>) -> Outcome<Vec<Application>> {
    let file = session.text("file");
    let from_file = !file.is_empty();
    let mut applications =
        if from_file { session.read_manifests(&file)? } else { vec![Application::default()] };
    let named = match (session.arguments(), session.matches.text("name")) {
        ([], name) => name.to_owned(),
        ([argument, ..], "") => argument.clone(),
        ([argument, ..], name) if argument == name => name.to_owned(),
        ([argument, ..], name) => {
            return Err(Failure::generic(format!(
                "--name argument '{name}' does not match app name {argument}"
            )));
        }
    };
    let labels = spec::labels(session.matches.list("label"))?;
    let annotations = spec::labels(session.matches.list("annotations"))?;
    for application in &mut applications {
        if !named.is_empty() {
            application.metadata.name.clone_from(&named);
        }
        application.metadata.labels.extend(labels.clone());
        application.metadata.annotations.extend(annotations.clone());
        let index = (!application.spec.sources.is_empty()).then_some(0);
        let changed =
            session.matches.changed_flags().any(|flag| spec::FLAGS.iter().any(|known| known.name == flag));
        if !from_file || changed {
            spec::apply(session, &mut application.spec, index)?;
        }
        let source = match application.spec.sources.first_mut() {
            Some(source) => source,
            None => application.spec.source.get_or_insert_default(),
        };
        spec::apply_parameters(session, source, "")?;
        spec::forget_empty_source(&mut application.spec);
        let finalizer = "resources-finalizer.argocd.argoproj.io";
        let finalizers = &mut application.metadata.finalizers;
        if session.is("set-finalizer") && !finalizers.iter().any(|known| known == finalizer) {
            finalizers.push(finalizer.to_owned());
        }
    }
    Ok(applications)
}
