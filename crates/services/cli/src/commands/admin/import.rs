//! `argocd admin import`: brings an installation to what a backup says.

use std::collections::BTreeMap;
use std::time::Instant;

use api::names::{INSTANCE_LABEL, TRACKING_ID};
use kubernetes::{ApiResource, DeleteOptions, Error, WriteOptions};
use object::Object;
use serde_json::Value;

use super::backup::{Installation, Kind, NAMESPACES};
use crate::command::{Command, Flag, Running, switch, text};
use crate::failure::{Failure, Outcome};
use crate::log::Level;
use crate::options::KUBERNETES;
use crate::session::Session;

/// Who is recorded as the writer.
const MANAGER: &str = "argocd";
/// How often a write that meets a newer version is tried again with `--override-on-conflict`.
const TRIES: usize = 5;
/// Times of a status that say nothing about the application.
const RESTLESS: [&str; 2] = ["reconciledAt", "observedAt"];

const OWN: &[Flag] = &[
    switch("dry-run", "Print what would be done"),
    switch("ignore-tracking", "Leave the mark of an application that manages an object as it is"),
    switch("override-on-conflict", "Write again where somebody else wrote meanwhile"),
    switch("prompts-enabled", "Ask before something is pruned"),
    switch("prune", "Delete Secrets, applications and projects that the backup does not have"),
    text("skip-resources-with-label", "Leave out what has this label"),
    switch("stop-operation", "Stop running operations"),
    switch("verbose", "Print what is unchanged too"),
];

pub(crate) static COMMAND: Command = Command {
    inherited: &[KUBERNETES],
    flags: &[NAMESPACES, OWN],
    run: Some(start),
    ..Command::new("import", "SOURCE", "Import Argo CD data from stdin (specify `-') or a file")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let source = session.only_argument()?;
    let began = Instant::now();
    let installation = Installation::connect(session).await.map_err(Failure::fatal)?;
    let namespace = installation.hub.namespace.clone();
    session.line(&format!("import process started {namespace}"));
    let bytes = session.read_file(&source).map_err(Failure::fatal)?;
    // Everything is read before anything is written: half a backup changes nothing.
    let wanted = wanted(&bytes, &namespace).map_err(Failure::fatal)?;
    let mut live = BTreeMap::new();
    let mut resources = BTreeMap::new();
    for kind in Kind::ALL {
        for object in installation.objects(kind).await.map_err(Failure::fatal)? {
            live.insert((kind, object.namespace().to_owned(), object.name().to_owned()), object);
        }
        if let Some(resource) = installation.resource(kind).await.map_err(Failure::fatal)? {
            resources.insert(kind, resource);
        }
    }
    let import = Import { installation: &installation, resources: &resources, dry: session.is("dry-run") };
    for (kind, object) in wanted {
        if is_skipped(session, &object) {
            session.line(&format!("Skipping {}", described(kind, &object, true)));
            continue;
        }
        let key = (kind, object.namespace().to_owned(), object.name().to_owned());
        let known = live.remove(&key);
        if installation.permits(kind, object.namespace()) {
            import.bring(session, kind, object, known).await?;
        }
    }
    for ((kind, ..), object) in live {
        import.prune(session, kind, object).await?;
    }
    let now = session.environment.now().timestamp();
    let now = now.strftime("%Y-%m-%dT%H:%M:%SZ");
    session.line(&format!(
        "Import process completed successfully in namespace {namespace} at {now}, duration: {:?}",
        began.elapsed()
    ));
    Ok(())
}

/// The objects of a backup, each of a kind that backups have.
fn wanted(bytes: &[u8], namespace: &str) -> Result<Vec<(Kind, Object)>, String> {
    let values: Vec<Value> = crate::manifests::objects(bytes)?;
    let mut wanted = Vec::new();
    for value in values {
        let mut object = Object::from_value(value).map_err(|error| error.to_string())?;
        let kind = Kind::of(&object)
            .ok_or_else(|| format!("{} {:?} is no kind that a backup has", object.kind(), object.name()))?;
        if object.name().is_empty() {
            return Err(format!("a {} of the backup has no name", object.kind()));
        }
        if object.namespace().is_empty() {
            object.metadata_mut().insert("namespace".into(), namespace.into());
        }
        wanted.push((kind, object));
    }
    Ok(wanted)
}

fn is_skipped(session: &Session<'_>, object: &Object) -> bool {
    let labels = session.matches.text("skip-resources-with-label").split(',').map(str::trim);
    labels.filter(|label| !label.is_empty()).any(|label| object.label(label).is_some())
}

fn described(kind: Kind, object: &Object, with_namespace: bool) -> String {
    let gvk = kind.gvk();
    let text = format!("{}/{} {}", gvk.group, gvk.kind, object.name());
    if with_namespace { format!("{text} in namespace {}", object.namespace()) } else { text }
}

struct Import<'a> {
    installation: &'a Installation,
    resources: &'a BTreeMap<Kind, ApiResource>,
    dry: bool,
}

impl Import<'_> {
    fn mark(&self) -> &'static str {
        if self.dry { " (dry run)" } else { "" }
    }

    fn resource(&self, kind: Kind) -> Outcome<&ApiResource> {
        let missing = || Failure::fatal(format!("the cluster does not serve {}", kind.gvk().kind));
        self.resources.get(&kind).ok_or_else(missing)
    }

    /// Creates or changes one object.
    async fn bring(
        &self,
        session: &mut Session<'_>,
        kind: Kind,
        mut object: Object,
        live: Option<Object>,
    ) -> Outcome {
        let stop = session.is("stop-operation");
        let text = described(kind, &object, true);
        let options = WriteOptions::manager(MANAGER);
        let Some(live) = live else {
            if !self.dry {
                let created =
                    self.installation.hub.cluster.create(self.resource(kind)?, &object, &options).await;
                if !told(session, kind, &object, created)? {
                    return Ok(());
                }
            }
            session.line(&format!("{text} created{}", self.mark()));
            return Ok(());
        };
        if session.is("ignore-tracking") {
            keep_marks(&mut object, &live);
        }
        let runs = kind == Kind::Application && live.at(&["operation"]).is_some_and(|it| !it.is_null());
        if is_same(kind, &object, &live) && !(stop && runs) {
            if session.is("verbose") {
                session.line(&format!("{} unchanged{}", described(kind, &object, false), self.mark()));
            }
            return Ok(());
        }
        if !self.dry {
            let changed = changed(kind, &object, &live, stop);
            let written = self.replace(session, kind, changed).await?;
            if !told(session, kind, &object, written)? {
                return Ok(());
            }
        }
        session.line(&format!("{text} updated{}", self.mark()));
        Ok(())
    }

    async fn replace(
        &self,
        session: &mut Session<'_>,
        kind: Kind,
        mut object: Object,
    ) -> Outcome<Result<Object, Error>> {
        let cluster = &self.installation.hub.cluster;
        let resource = self.resource(kind)?;
        let options = WriteOptions::manager(MANAGER);
        let mut tries = 0;
        loop {
            match cluster.replace(resource, &object, &options).await {
                Err(error) if error.is_conflict() => {
                    let text = described(kind, &object, true);
                    session.line(&format!("failed to update {text}: {}", error.message()));
                    tries += 1;
                    if !session.is("override-on-conflict") || tries > TRIES {
                        return Ok(Err(error));
                    }
                    let live = cluster.get(resource, object.namespace(), object.name()).await;
                    let live = live.map_err(|error| Failure::fatal(error.message()))?;
                    object.metadata_mut().insert("resourceVersion".into(), live.resource_version().into());
                }
                other => return Ok(other),
            }
        }
    }

    /// Deletes what the backup does not have, where that is asked for. What an application manages stays: its
    /// finalizers, which would delete it, are taken off before.
    async fn prune(&self, session: &mut Session<'_>, kind: Kind, object: Object) -> Outcome {
        let text = described(kind, &object, false);
        // Settings are what everything else needs to run.
        if !session.is("prune") || kind == Kind::ConfigMap {
            session.line(&format!("{text} needs pruning"));
            return Ok(());
        }
        if !self.dry {
            if !session.confirm(&format!("Are you sure you want to prune {text} ? [y/n]"))? {
                session.line(&format!("The command to prune {text} was cancelled."));
                return Ok(());
            }
            let cluster = &self.installation.hub.cluster;
            let resource = self.resource(kind)?;
            let mut object = object;
            if kind == Kind::Application && !object.finalizers().is_empty() {
                object.metadata_mut().remove("finalizers");
                if let Err(error) = self.replace(session, kind, object.clone()).await? {
                    return Err(Failure::fatal(error.message()));
                }
            }
            let options = DeleteOptions { uid: Some(object.uid().to_owned()), ..DeleteOptions::default() };
            let deleted = cluster.delete(resource, object.namespace(), object.name(), &options).await;
            if !told(session, kind, &object, deleted)? {
                return Ok(());
            }
        }
        session.line(&format!("{text} pruned{}", self.mark()));
        Ok(())
    }
}

/// Whether a write was done. What the user may not write is a warning, and the rest goes on.
fn told<T>(
    session: &mut Session<'_>,
    kind: Kind,
    object: &Object,
    written: Result<T, Error>,
) -> Outcome<bool> {
    match written {
        Ok(_) => Ok(true),
        Err(error) if error.is_forbidden() || error.is_not_found() => {
            let text = format!("{}: {}", described(kind, object, false), error.message());
            session.log(Level::Warning, &text);
            Ok(false)
        }
        Err(error) => Err(Failure::fatal(error.message())),
    }
}

/// Leaves the marks of what manages an object as they are.
fn keep_marks(object: &mut Object, live: &Object) {
    for (member, name) in [("annotations", TRACKING_ID), ("labels", INSTANCE_LABEL)] {
        let Some(mark) = live.at(&["metadata", member, name]).cloned() else { continue };
        if let Some(Value::Object(entries)) = object.metadata_mut().get_mut(member)
            && entries.contains_key(name)
        {
            entries.insert(name.to_owned(), mark);
        }
    }
}

/// What both have in common for a backup: nothing given is as good as empty.
fn part(object: &Object, path: &[&str]) -> Value {
    let mut value = object.at(path).cloned().unwrap_or_default();
    if let (Value::Object(status), ["status"]) = (&mut value, path) {
        for member in RESTLESS {
            status.remove(member);
        }
    }
    let is_empty = value.as_object().is_some_and(serde_json::Map::is_empty)
        || value.as_array().is_some_and(Vec::is_empty);
    if is_empty { Value::Null } else { value }
}

fn is_same(kind: Kind, object: &Object, live: &Object) -> bool {
    let same = |path: &[&str]| part(object, path) == part(live, path);
    // The original takes every application set for a changed one.
    kind != Kind::ApplicationSet
        && ["annotations", "labels", "finalizers"].iter().all(|member| same(&["metadata", member]))
        && kind.content().iter().all(|member| same(&[member]))
}

/// The live object with what the backup says.
fn changed(kind: Kind, object: &Object, live: &Object, stop: bool) -> Object {
    let mut changed = live.clone();
    for member in ["annotations", "labels", "finalizers"] {
        match object.at(&["metadata", member]).cloned() {
            Some(value) => changed.metadata_mut().insert(member.into(), value),
            None => changed.metadata_mut().remove(member),
        };
    }
    for member in kind.content() {
        match object.0.get(*member).cloned() {
            Some(value) => changed.0.insert((*member).into(), value),
            // A backup without a status says nothing about it.
            None if *member == "status" => None,
            None => changed.0.remove(*member),
        };
    }
    if stop && kind == Kind::Application {
        changed.0.remove("operation");
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn application(status: &Value) -> Object {
        Object::from_value(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": "a", "namespace": "argocd", "annotations": {TRACKING_ID: "mine"}},
            "spec": {"project": "default"}, "status": status, "operation": {"sync": {}},
        }))
        .expect("an application")
    }

    #[test]
    fn a_backup_has_only_kinds_of_backups_and_names() {
        let read = |text: &str| wanted(text.as_bytes(), "argocd");
        let config_map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm}\n";
        let found = read(config_map).expect("read");
        assert_eq!((found[0].0, found[0].1.namespace()), (Kind::ConfigMap, "argocd"));
        let error =
            read("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n").expect_err("no kind of a backup");
        assert!(error.contains("Pod \"p\""), "{error}");
        assert!(read("apiVersion: v1\nkind: Secret\n").is_err());
    }

    #[test]
    fn times_make_no_difference_and_a_status_does() {
        let old =
            application(&json!({"reconciledAt": "2026-01-01T00:00:00Z", "health": {"status": "Healthy"}}));
        let new =
            application(&json!({"reconciledAt": "2026-01-02T00:00:00Z", "health": {"status": "Healthy"}}));
        assert!(is_same(Kind::Application, &old, &new));
        assert!(!is_same(Kind::Application, &old, &application(&json!({"health": {"status": "Degraded"}}))));
    }

    #[test]
    fn what_the_backup_does_not_say_stays_and_operations_stop_when_asked() {
        let live = application(&json!({"health": {"status": "Healthy"}}));
        let mut backup = application(&Value::Null);
        backup.0.remove("status");
        backup.0.insert("spec".into(), json!({"project": "other"}));
        let result = changed(Kind::Application, &backup, &live, false);
        assert_eq!(result.at(&["status"]), live.at(&["status"]));
        assert_eq!(result.text_at(&["spec", "project"]), "other");
        assert!(result.at(&["operation"]).is_some());
        assert!(changed(Kind::Application, &backup, &live, true).at(&["operation"]).is_none());
    }

    #[test]
    fn marks_of_live_objects_can_be_kept() {
        let mut backup = application(&Value::Null);
        let mut live = backup.clone();
        live.metadata_mut().insert("annotations".into(), json!({TRACKING_ID: "another's"}));
        keep_marks(&mut backup, &live);
        assert_eq!(backup.annotation(TRACKING_ID), Some("another's"));
    }
}
