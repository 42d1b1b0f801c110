//! `argocd app sync`.

use api::v1alpha1::{
    Application, Info, SyncOperationResource, SyncStrategy, SyncStrategyApply, SyncStrategyHook,
};
use serde_json::Value;
use wire::application::{ApplicationManifestQuery, ApplicationQuery, ApplicationSyncRequest, SyncOptions};

use super::sources::{check_revisions, positions};
use super::watch::{self, Conditions, Wait};
use super::{diff, manifests, spec};
use crate::command::{Command, Running, array, duration, int, ints, switch, text, uint};
use crate::commands::output;
use crate::connection::Server;
use crate::failure::{Failure, Outcome};
use crate::output::application;
use crate::output::states::{self, Selector};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd app sync my-app\n  argocd app sync my-app other-app\n  \
              argocd app sync -l app.kubernetes.io/instance=my-app\n  \
              argocd app sync my-app --resource apps:Deployment:my-service",
    flags: &[&[
        super::NAMESPACE,
        switch("apply-out-of-sync-only", "Sync only out-of-sync resources"),
        switch("assumeYes", "Assume yes as answer for all user queries or prompts"),
        switch("async", "Do not wait for the sync"),
        switch("dry-run", "Preview apply without affecting cluster"),
        switch("force", "Use a force apply"),
        duration("ignore-normalizer-jq-execution-timeout", "Limit for jq expressions in ignore rules")
            .or("1s"),
        array("info", "A key=value pair that is kept with the operation"),
        array("label", "Sync only resources with this label"),
        text("local", "Sync this local folder instead of the repository"),
        text("local-repo-root", "The root of the local repository").or("/"),
        output("wide", "Output format. One of: json|yaml|wide|tree|tree=detailed"),
        switch("preview-changes", "Show the differences and ask before the sync"),
        array("project", "Sync applications of this project"),
        switch("prune", "Allow deleting unexpected resources"),
        switch("replace", "Use a kubectl create/replace instead apply"),
        array("resource", "Sync this resource only, as [!]GROUP:KIND:NAME; * matches all"),
        duration("retry-backoff-duration", "Wait before the first retry").or("5s"),
        int("retry-backoff-factor", "How much longer each wait is than the one before").or("2"),
        duration("retry-backoff-max-duration", "The longest wait before a retry").or("3m0s"),
        int("retry-limit", "How often a failed sync is tried again"),
        switch("retry-refresh", "Retry with the newest revision"),
        text("revision", "Sync to a specific revision. Preserves parameter overrides"),
        array("revisions", "Sync to these revisions of the chosen sources"),
        text("selector", "Sync applications whose labels match").short('l'),
        switch("server-side", "Use server-side apply while syncing the application"),
        int("server-side-diff-concurrency", "How many server-side diffs run at once").or("-1"),
        int("server-side-diff-max-batch-kb", "Largest batch of a server-side diff").or("250"),
        array("source-names", "Names of the sources that --revisions are for"),
        ints("source-positions", "Positions of the sources that --revisions are for, from 1"),
        text("strategy", "Sync strategy (one of: apply|hook)"),
        uint("timeout", "Give up waiting after so many seconds"),
    ]],
    run: Some(start),
    ..Command::new(
        "sync",
        "[APPNAME... | -l selector | --project project-name]",
        "Sync an application to its target state",
    )
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let names = session.arguments().to_vec();
    let selector = session.text("selector");
    let projects = session.matches.list("project").to_vec();
    if names.is_empty() && selector.is_empty() && projects.is_empty() {
        return Err(Failure::usage());
    }
    if names.len() > 1 && !selector.is_empty() {
        return Err(Failure::fatal(
            "Cannot use selector option when application name(s) passed as argument(s)",
        ));
    }
    check_revisions(session)?;
    let server = session.server().await?;
    let labels = spec::labels(session.matches.list("label"))?;
    let names = if selector.is_empty() && projects.is_empty() {
        names
    } else {
        let found = selected(session, &server, selector, projects).await?;
        names.into_iter().chain(found).collect()
    };
    for argument in names {
        let mut resources = session.matches.list("resource").to_vec();
        if !labels.is_empty() {
            resources.extend(labelled(session, &server, &argument, &labels).await?);
        }
        Box::pin(sync(session, &server, &argument, &resources)).await?;
    }
    Ok(())
}

/// Names of the applications that selector and projects mean; none is an error.
async fn selected(
    session: &Session<'_>,
    server: &Server,
    selector: String,
    projects: Vec<String>,
) -> Outcome<Vec<String>> {
    let query = ApplicationQuery {
        selector: Some(selector.clone()),
        projects: projects.clone(),
        app_namespace: Some(session.text("app-namespace")),
        ..ApplicationQuery::default()
    };
    let found = server.applications().list(query).await?.into_inner().items;
    if found.is_empty() {
        let mut message = String::from("No matching apps found for filter:");
        if !selector.is_empty() {
            message += &format!(" selector {selector}");
        }
        if !projects.is_empty() {
            message += &format!(" projects [{}]", projects.join(" "));
        }
        return Err(Failure::fatal(message));
    }
    Ok(found.iter().map(application::qualified_name).collect())
}

/// The resources among the manifests that have one of the labels.
async fn labelled(
    session: &mut Session<'_>,
    server: &Server,
    argument: &str,
    labels: &std::collections::BTreeMap<String, String>,
) -> Outcome<Vec<String>> {
    let (name, namespace) = session.application(argument);
    let query = ApplicationManifestQuery {
        name: name.clone(),
        app_namespace: Some(namespace),
        revision: Some(session.text("revision")),
        ..ApplicationManifestQuery::default()
    };
    let answer = server.applications().get_manifests(query).await;
    let texts =
        answer.map_err(|status| Failure::fatal(crate::failure::rpc_error(&status)))?.into_inner().manifests;
    session.line(&format!("The name of the app is  {name}"));
    let mut found = Vec::new();
    for text in texts {
        let object = manifests::parsed(&text)?;
        let own = &object["metadata"]["labels"];
        if labels.iter().any(|(key, value)| own.get(key).and_then(Value::as_str) == Some(value)) {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let version = text(&object["apiVersion"]);
            let (group, _) = object::split_api_version(&version);
            found.push(format!("{group}:{}:{}", text(&object["kind"]), text(&object["metadata"]["name"])));
        }
    }
    if found.is_empty() && session.matches.list("resource").is_empty() {
        let labels = session.matches.list("label").join(" ");
        return Err(Failure::fatal(format!("No matching resources found for labels: [{labels}]")));
    }
    Ok(found)
}

async fn sync(session: &mut Session<'_>, server: &Server, argument: &str, resources: &[String]) -> Outcome {
    let selectors = states::selectors(resources).map_err(Failure::generic)?;
    let (name, namespace) = session.application(argument);
    let mut found = super::application(server, &name, &namespace, None).await?;
    if !resources.is_empty() && found.status.reconciled_at.is_none() {
        // Just made: which resources it has is known once it was compared.
        found = super::application(server, &name, &namespace, Some("normal")).await?;
    }
    check_sources(session, &found)?;
    let chosen = chosen(&found, &selectors);
    if !resources.is_empty() && chosen.is_empty() {
        let message =
            format!("No matching app resources found for resource filter: {}", resources.join(", "));
        return Err(Failure::fatal(message));
    }
    let mut manifests = Vec::new();
    if !session.matches.text("local").is_empty() {
        let automated = found.spec.sync_policy.as_ref().is_some_and(|policy| policy.automated.is_some());
        if automated && !session.is("dry-run") {
            let message = "Cannot use local sync when Automatic Sync Policy is enabled except with --dry-run";
            return Err(Failure::fatal(message));
        }
        manifests = super::local::manifests(session, server, &found).await?;
    }
    let request = ApplicationSyncRequest { manifests, ..request(session, &found, name, namespace, chosen)? };
    if session.is("preview-changes") {
        preview(session, server, argument, &found).await?;
    }
    server.applications().sync(request).await?;
    if session.is("async") {
        return Ok(());
    }
    let wait = Wait {
        conditions: Conditions { operation: true, ..Conditions::default() },
        selectors: &selectors,
        seconds: u64::try_from(session.matches.number("timeout")).unwrap_or(0),
        format: session.text("output"),
    };
    let waited = Box::pin(watch::wait(session, server, argument, &wait)).await?;
    if session.is("dry-run") {
        return Ok(());
    }
    check_result(waited, selectors.is_empty())
}

fn check_sources(session: &Session<'_>, found: &Application) -> Outcome {
    if !found.spec.has_several_sources() {
        return Ok(());
    }
    for flag in ["revision", "local"] {
        if !session.matches.text(flag).is_empty() {
            return Err(Failure::fatal(format!(
                "argocd cli does not work on multi-source app with --{flag} flag"
            )));
        }
    }
    Ok(())
}

/// The resources of the application that the selectors name.
fn chosen(found: &Application, selectors: &[Selector]) -> Vec<SyncOperationResource> {
    if selectors.is_empty() {
        return Vec::new();
    }
    let named = found
        .status
        .resources
        .iter()
        .filter(|one| states::selected(&one.group, &one.kind, &one.namespace, &one.name, selectors));
    named
        .map(|one| SyncOperationResource {
            group: one.group.clone(),
            kind: one.kind.clone(),
            name: one.name.clone(),
            namespace: one.namespace.clone(),
        })
        .collect()
}

fn request(
    session: &Session<'_>,
    found: &Application,
    name: String,
    namespace: String,
    resources: Vec<SyncOperationResource>,
) -> Outcome<ApplicationSyncRequest> {
    let force = session.is("force");
    let strategy = match session.matches.text("strategy") {
        "apply" => SyncStrategy { apply: Some(SyncStrategyApply { force }), hook: None },
        "" | "hook" => {
            let hook = SyncStrategyHook { sync_strategy_apply: SyncStrategyApply { force } };
            SyncStrategy { apply: None, hook: Some(hook) }
        }
        other => return Err(Failure::fatal(format!("Unknown sync strategy: '{other}'"))),
    };
    let options: Vec<String> = [
        ("replace", "Replace=true"),
        ("server-side", "ServerSideApply=true"),
        ("apply-out-of-sync-only", "ApplyOutOfSyncOnly=true"),
    ]
    .into_iter()
    .filter(|(flag, _)| session.is(flag))
    .map(|(_, option)| option.to_owned())
    .collect();
    let infos = spec::labels(session.matches.list("info"))?;
    let limit = session.matches.number("retry-limit");
    let many = session.matches.changed("source-positions") || session.matches.changed("source-names");
    let source_positions =
        if many { positions(session, &found.spec.effective_sources())? } else { Vec::new() };
    Ok(ApplicationSyncRequest {
        name,
        app_namespace: Some(namespace),
        dry_run: Some(session.is("dry-run")),
        revision: Some(session.text("revision")),
        resources,
        prune: Some(session.is("prune")),
        infos: infos.into_iter().map(|(name, value)| Info { name, value }).collect(),
        sync_options: (!options.is_empty()).then_some(SyncOptions { items: options }),
        strategy: Some(strategy),
        retry_strategy: (limit > 0 || session.is("retry-refresh")).then(|| spec::retry(session, "", limit)),
        revisions: if many { session.matches.list("revisions").to_vec() } else { Vec::new() },
        source_positions,
        ..ApplicationSyncRequest::default()
    })
}

/// Shows what the sync would change and asks; no ends the command.
async fn preview(session: &mut Session<'_>, server: &Server, argument: &str, found: &Application) -> Outcome {
    session.line(&format!(
        "====== Previewing differences between live and desired state of application {argument} ======"
    ));
    if !diff::print(session, server, found).await? {
        session.line("====== No Differences found ======");
        return Ok(());
    }
    let question = format!(
        "Please review changes to application {argument} shown above. Do you want to continue the sync process? (y/n): "
    );
    if !session.is("assumeYes") && !session.proceed(&question)? {
        return Err(Failure::Exit(0));
    }
    Ok(())
}

/// A sync that did not succeed, or that left something to prune, is an error.
fn check_result(waited: watch::Waited, whole: bool) -> Outcome {
    let Some((application, state)) = waited else { return Ok(()) };
    let Some(state) = state else { return Ok(()) };
    if state.phase != "Succeeded" {
        return Err(Failure::fatal(format!("Operation has completed with phase: {}", state.phase)));
    }
    let results = state.sync_result.as_ref().map_or(&[][..], |result| &result.resources);
    let unpruned = results.iter().filter(|one| one.status == "PruneSkipped").count();
    if whole && application.status.sync.status != "Synced" && unpruned > 0 {
        return Err(Failure::fatal(format!("{unpruned} resources require pruning")));
    }
    Ok(())
}
