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
    let mut applications = described(session).await?;
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
    // Stored before projects were filled in, perhaps.
    let mut spec = one.spec.clone();
    if spec.project.is_empty() {
        "default".clone_into(&mut spec.project);
    }
    spec == other.spec
        && one.metadata.labels == other.metadata.labels
        && one.metadata.annotations == other.metadata.annotations
        && one.metadata.finalizers == other.metadata.finalizers
}

/// The applications that the flags, and the file if there is one, describe. Those of standard input are taken as they
/// are: neither arguments nor flags that describe an application count for them.
pub(crate) async fn described(session: &mut Session<'_>) -> Outcome<Vec<Application>> {
    let file = session.text("file");
    let mut applications: Vec<Application> = match file.as_str() {
        "" => vec![named(session)?],
        place => session.read_manifests(place).await.map_err(Failure::generic)?,
    };
    if file != "-" {
        let values = spec::literal_values(session).await?;
        for application in &mut applications {
            if !file.is_empty() {
                rename(session, application)?;
            }
            describe(session, application, values.as_deref())?;
        }
    }
    if session.is("set-finalizer") {
        let finalizer = "resources-finalizer.argocd.argoproj.io";
        for application in &mut applications {
            let finalizers = &mut application.metadata.finalizers;
            if !finalizers.iter().any(|known| known == finalizer) {
                finalizers.push(finalizer.to_owned());
            }
        }
    }
    Ok(applications)
}

/// An application with nothing but the name that the argument or `--name` gives, as `name` or `namespace/name`.
fn named(session: &Session<'_>) -> Outcome<Application> {
    let flag = session.matches.text("name");
    let given = match session.arguments() {
        [argument] if !flag.is_empty() && flag != argument.as_str() => {
            return Err(Failure::generic(format!(
                "--name argument '{flag}' does not match app name {argument}"
            )));
        }
        [argument] => argument.as_str(),
        _ => flag,
    };
    let (namespace, name) = given.split_once('/').unwrap_or(("", given));
    let mut application = Application::default();
    namespace.clone_into(&mut application.metadata.namespace);
    name.clone_into(&mut application.metadata.name);
    Ok(application)
}

/// Gives an application of a file the name of `--name`; an argument must be the name that the file has.
fn rename(session: &Session<'_>, application: &mut Application) -> Outcome {
    let name = &mut application.metadata.name;
    if let [argument] = session.arguments()
        && *argument != *name
    {
        return Err(Failure::generic(format!(
            "app name '{argument}' does not match app spec metadata.name '{name}'"
        )));
    }
    let flag = session.matches.text("name");
    if !flag.is_empty() {
        flag.clone_into(name);
    }
    if name.is_empty() {
        return Err(Failure::generic("app.Name is empty. --name argument can be used to provide app.Name"));
    }
    Ok(())
}

/// Applies the flags that describe an application.
fn describe(session: &mut Session<'_>, application: &mut Application, values: Option<&[u8]>) -> Outcome {
    let metadata = &mut application.metadata;
    metadata.labels.extend(spec::labels(session.matches.list("label"))?);
    for text in session.matches.list("annotations") {
        let (key, value) = text.split_once('=').unwrap_or((text.as_str(), ""));
        metadata.annotations.insert(key.to_owned(), value.to_owned());
    }
    // No flag says which of several sources it means.
    if application.spec.has_several_sources() {
        return Ok(());
    }
    spec::apply(session, &mut application.spec, None, values)?;
    if application.spec.source_hydrator.is_none() {
        let source = application.spec.source.get_or_insert_default();
        spec::apply_parameters(session, source, &application.status.source_type)?;
    }
    Ok(())
}
