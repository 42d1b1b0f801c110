//! `argocd appset get`.

use wire::applicationset::ApplicationSetGetQuery;

use crate::command::{Command, Running, switch};
use crate::commands::output;
use crate::failure::Outcome;
use crate::output::application;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[
        super::NAMESPACE,
        output("wide", "Output format. One of: json|yaml|wide"),
        switch("show-params", "Show the parameters of the template's source"),
    ]],
    run: Some(start),
    ..Command::new("get", "APPSETNAME", "Get ApplicationSet details")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, appset_namespace) = session.application_set(&session.first_argument()?);
    let server = session.server().await?;
    let query = ApplicationSetGetQuery { name, appset_namespace };
    let set = server.application_sets().get(query).await?.into_inner();
    super::show(session, &set)?;
    if session.is("show-params") && matches!(session.matches.text("output"), "wide" | "") {
        let source = application::source(&set.spec.template.spec);
        let parameters = source.helm.as_ref().map(application::parameters);
        session.print(&parameters.unwrap_or_else(|| "\n".to_owned()));
    }
    Ok(())
}
