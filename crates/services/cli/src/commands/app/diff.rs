//! `argocd app diff`. The differences are the server's: it compares with the same code as the controller.

use std::collections::BTreeMap;

use api::v1alpha1::{Application, ResourceDiff};
use object::Object;
use object::tracking::{AppInstance, Tracking, TrackingMethod, set_tracking};
use serde_json::Value;
use wire::application::{ApplicationManifestQuery, ApplicationServerSideDiffQuery};
use wire::cluster::{Settings, SettingsQuery};

use super::manifests::parsed;
use super::sources::{check_revisions, positions};
use crate::command::{Command, Running, array, duration, int, ints, switch, text};
use crate::connection::Server;
use crate::failure::{Failure, Outcome};
use crate::log::Level;
use crate::output::application;
use crate::output::states::Key;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "The environment variable KUBECTL_EXTERNAL_DIFF chooses another diff tool.\nExit codes: 2 on wrong \
              arguments, 1 when there is a difference, 0 when there is none.\nOf a Secret's values only plus signs are \
              shown. They tell values apart where the controller compared them, and need not with --revision, \
              --revisions and --local. Without --server-side-generate, --local leaves Secrets out.",
    flags: &[&[
        super::NAMESPACE,
        int("diff-exit-code", "Exit code when there is a difference").or("1"),
        switch("exit-code", "Return non-zero exit code when there is a difference").or("true"),
        switch("hard-refresh", "Compare again before, and render the manifests anew"),
        duration("ignore-normalizer-jq-execution-timeout", "Limit for jq expressions in ignore rules")
            .or("1s"),
        text("local", "Compare with this local folder"),
        array("local-include", "Patterns of the file names that are sent").or("*.yaml,*.yml,*.json"),
        text("local-repo-root", "The root of the local repository").or("/"),
        switch("refresh", "Compare again before"),
        text("revision", "Compare with this revision"),
        array("revisions", "Compare with these revisions of the chosen sources"),
        switch("server-side-diff", "Let the Kubernetes API predict the result"),
        int("server-side-diff-concurrency", "How many server-side diffs run at once").or("-1"),
        int("server-side-diff-max-batch-kb", "Largest batch of a server-side diff").or("250"),
        switch("server-side-generate", "Let the server render the local folder"),
        array("source-names", "Names of the sources that --revisions are for"),
        ints("source-positions", "Positions of the sources that --revisions are for, from 1"),
    ]],
    run: Some(start),
    ..Command::new("diff", "APPNAME", "Perform a diff against the target and live state.")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let argument = session.only_argument().map_err(|_| Failure::Usage { code: 2 })?;
    let (name, namespace) = session.application(&argument);
    check_revisions(session)?;
    let server = session.server().await?;
    let found = super::application(&server, &name, &namespace, super::get::refresh(session)).await?;
    let local = !session.matches.text("local").is_empty();
    if local && !session.is("server-side-generate") {
        session.warn_plainly(
            "Warning: local diff without --server-side-generate is deprecated and does not work with plugins. \
             Server-side generation will be the default in v2.7.\n",
        );
    }
    let asked = session.is("server-side-diff");
    let given = session.matches.changed("server-side-diff");
    if local && !session.is("server-side-generate") && if given { asked } else { server_side(&found) } {
        return Err(Failure::fatal("--server-side-diff with --local requires --server-side-generate."));
    }
    let other_targets = local
        || !session.matches.text("revision").is_empty()
        || !session.matches.list("source-positions").is_empty()
        || !session.matches.list("source-names").is_empty();
    let different = if asked || other_targets {
        if asked && !server_side(&found) {
            session.warn_plainly("Warning: Application does not have ServerSideDiff=true annotation.\n");
        }
        print_predicted(session, &server, &found, other_targets).await?
    } else {
        print(session, &server, &found).await?
    };
    if different && session.is("exit-code") {
        let code = i32::try_from(session.matches.number("diff-exit-code")).unwrap_or(1);
        return Err(Failure::Exit(code));
    }
    Ok(())
}

fn server_side(application: &Application) -> bool {
    let options = application.metadata.annotations.get("argocd.argoproj.io/compare-options");
    options.is_some_and(|options| options.split(',').any(|option| option.trim() == "ServerSideDiff=true"))
}

/// One pair to show.
struct Pair {
    key: Key,
    live: Value,
    target: Value,
}

/// Prints how the live state differs from the target state; returns whether it does.
pub(crate) async fn print(
    session: &mut Session<'_>,
    server: &Server,
    application: &Application,
) -> Outcome<bool> {
    let metadata = &application.metadata;
    let query = super::resources_of(&metadata.name, &metadata.namespace);
    let items = server.applications().managed_resources(query).await?.into_inner().items;
    let mut pairs = Vec::new();
    for item in items {
        let key = key(&item);
        let (live, target) = (parsed(&item.normalized_live_state)?, parsed(&item.target_state)?);
        if item.hook || is_hook(&live) || is_hook(&target) || (live.is_null() && target.is_null()) {
            continue;
        }
        if live.is_null() || target.is_null() {
            pairs.push(Pair { key, live, target });
        } else if item.modified {
            pairs.push(Pair { key, live, target: parsed(&item.predicted_live_state)? });
        }
    }
    print_pairs(session, pairs)
}

fn key(item: &ResourceDiff) -> Key {
    (item.group.clone(), item.kind.clone(), item.namespace.clone(), item.name.clone())
}

fn is_hook(object: &Value) -> bool {
    let annotations = &object["metadata"]["annotations"];
    ["argocd.argoproj.io/hook", "helm.sh/hook"].iter().any(|name| annotations.get(name).is_some())
}

fn print_pairs(session: &mut Session<'_>, pairs: Vec<Pair>) -> Outcome<bool> {
    let different = !pairs.is_empty();
    for Pair { key: (group, kind, namespace, name), live, target } in pairs {
        session.line(&format!("\n===== {group}/{kind} {namespace}/{name} ======"));
        let there = |object: &Value| !object.is_null();
        session.print_difference(
            &name,
            Some(&live).filter(|live| there(live)),
            Some(&target).filter(|target| there(target)),
        )?;
    }
    Ok(different)
}

/// The same with predictions of the Kubernetes API, for the target state or for other revisions.
async fn print_predicted(
    session: &mut Session<'_>,
    server: &Server,
    found: &Application,
    other_targets: bool,
) -> Outcome<bool> {
    let metadata = &found.metadata;
    let query = super::resources_of(&metadata.name, &metadata.namespace);
    let items = server.applications().managed_resources(query).await?.into_inner().items;
    let mut targets = if other_targets {
        rendered_targets(session, server, found, &items).await?
    } else {
        let target = |item: &ResourceDiff| parsed(&item.target_state).map(|target| (key(item), target));
        items.iter().map(target).collect::<Outcome<BTreeMap<_, _>>>()?
    };
    let without_secrets = renders_here(session);
    let mut pairs = Vec::new();
    let (mut lives, mut manifests, mut wholes) = (Vec::new(), Vec::new(), BTreeMap::new());
    for item in items {
        let key = key(&item);
        let target = targets.remove(&key).unwrap_or(Value::Null);
        let live = parsed(&item.normalized_live_state)?;
        if (without_secrets && is_secret(&key))
            || is_hook(&live)
            || is_hook(&target)
            || (live.is_null() && target.is_null())
        {
            continue;
        }
        if live.is_null() || target.is_null() {
            pairs.push(Pair { key, live, target });
        } else if is_secret(&key) && !other_targets {
            // The controller compared the values, and masked them so that a difference still shows.
            if item.modified {
                pairs.push(Pair { key, live, target: parsed(&item.predicted_live_state)? });
            }
        } else {
            manifests.push(target.to_string());
            wholes.insert(key, live);
            lives.push(item);
        }
    }
    for (key, target) in targets {
        if !is_hook(&target) && !target.is_null() {
            pairs.push(Pair { key, live: Value::Null, target });
        }
    }
    let query = ApplicationServerSideDiffQuery {
        app_name: metadata.name.clone(),
        app_namespace: Some(metadata.namespace.clone()),
        project: Some(application::project(&found.spec).to_owned()),
        live_resources: lives,
        target_manifests: manifests,
    };
    for item in server.applications().server_side_diff(query).await?.into_inner().items {
        let whole = wholes.remove(&key(&item)).filter(|_| !session.is("server-side-diff"));
        if item.modified {
            pairs.push(predicted(&item, whole)?);
        }
    }
    pairs.sort_by(|one, other| one.key.cmp(&other.key));
    print_pairs(session, pairs)
}

/// What a prediction shows. It leaves out what the cluster writes by itself; beside it, where the `whole` live object is
/// known, nothing of it is left out.
fn predicted(item: &ResourceDiff, whole: Option<Value>) -> Outcome<Pair> {
    let (live, target) = (parsed(&item.live_state)?, parsed(&item.target_state)?);
    let key = key(item);
    let Some(whole) = whole else { return Ok(Pair { key, live, target }) };
    let mut changed = whole.clone();
    if let Some(change) = kubernetes::merge_patch(&live, &target) {
        kubernetes::apply_merge_patch(&mut changed, &change);
    }
    Ok(Pair { key, live: whole, target: changed })
}

/// Whether the targets are rendered in this process. Nobody masks Secrets then, and what is live of them is masked: they
/// cannot be compared.
fn renders_here(session: &Session<'_>) -> bool {
    !session.matches.text("local").is_empty() && !session.is("server-side-generate")
}

/// The targets that flags name, where the controller puts them.
async fn rendered_targets(
    session: &mut Session<'_>,
    server: &Server,
    found: &Application,
    items: &[ResourceDiff],
) -> Outcome<BTreeMap<Key, Value>> {
    let mut objects = Vec::new();
    for text in manifests(session, server, found).await? {
        let object = Object::from_value(parsed(&text)?);
        objects.push(object.map_err(|error| Failure::generic(format!("a manifest is no object: {error}")))?);
    }
    if renders_here(session) {
        let (secrets, others): (Vec<_>, Vec<_>) = objects.into_iter().partition(object::is_secret);
        objects = others;
        for secret in secrets {
            let (namespace, name) = (secret.namespace(), secret.name());
            session.warn_plainly(&format!(
                "Warning: Secret {namespace}/{name} is not supported in local diff and will be ignored\n"
            ));
        }
    }
    let settings = server.settings().get(SettingsQuery {}).await?.into_inner();
    let (targets, repeated) = placed(objects, items, found, &settings)?;
    for ((group, kind, namespace, name), times) in repeated {
        let message = format!(
            "RepeatedResourceWarning: Resource {group}/{kind}/{namespace}/{name} appeared {times} times among application resources."
        );
        session.log(Level::Warning, &message);
    }
    Ok(targets)
}

fn is_secret((group, kind, _, _): &Key) -> bool {
    group.is_empty() && kind == "Secret"
}

async fn manifests(session: &Session<'_>, server: &Server, found: &Application) -> Outcome<Vec<String>> {
    if !session.matches.text("local").is_empty() {
        return if session.is("server-side-generate") {
            super::local_files::manifests(session, server, found).await
        } else {
            super::local::manifests(session, server, found).await
        };
    }
    let mut query = ApplicationManifestQuery {
        name: found.metadata.name.clone(),
        app_namespace: Some(found.metadata.namespace.clone()),
        no_cache: Some(session.is("hard-refresh")),
        ..ApplicationManifestQuery::default()
    };
    if session.matches.text("revision").is_empty() {
        query.source_positions = positions(session, &found.spec.effective_sources())?;
        query.revisions = session.matches.list("revisions").to_vec();
    } else {
        query.revision = Some(session.text("revision"));
    }
    Ok(server.applications().get_manifests(query).await?.into_inner().manifests)
}

/// Objects where the controller puts them: without a namespace where the cluster has their kind as a whole, in the
/// destination's where they name none. The mark names the place, so it is made anew. Of several at one place the last one
/// counts; how many they are is told.
fn placed(
    objects: Vec<Object>,
    items: &[ResourceDiff],
    found: &Application,
    settings: &Settings,
) -> Outcome<(BTreeMap<Key, Value>, BTreeMap<Key, usize>)> {
    let metadata = &found.metadata;
    let instance = AppInstance::new(&metadata.namespace, &metadata.name, &settings.controller_namespace);
    let tracking = Tracking {
        method: TrackingMethod::from_setting(&settings.tracking_method),
        label_key: &settings.app_label_key,
        installation_id: &settings.installation_id,
    };
    let destination = &found.spec.destination.namespace;
    let (mut targets, mut repeated) = (BTreeMap::new(), BTreeMap::new());
    for (index, mut object) in objects.into_iter().enumerate() {
        if let Some(namespace) = other_namespace(&object, items, destination) {
            object.set_namespace(namespace);
            let marked = set_tracking(&mut object, &instance, destination, tracking);
            marked.map_err(|error| Failure::generic(error.to_string()))?;
        }
        let key = object.key_among(index);
        let key = (key.group, key.kind, key.namespace, key.name);
        if targets.insert(key.clone(), object.into_value()).is_some() {
            *repeated.entry(key).or_insert(1) += 1;
        }
    }
    Ok((targets, repeated))
}

/// The namespace that an object gets instead of its own; none when it keeps it. What is managed of its kind tells
/// whether it has one.
fn other_namespace<'d>(object: &Object, items: &[ResourceDiff], destination: &'d str) -> Option<&'d str> {
    let of_kind = items.iter().filter(|item| item.group == object.group() && item.kind == object.kind());
    let namespaced = of_kind.map(|item| !item.namespace.is_empty()).reduce(|one, other| one || other)?;
    match (namespaced, object.namespace().is_empty()) {
        (true, true) => Some(destination),
        (false, false) => Some(""),
        _ => None,
    }
}
