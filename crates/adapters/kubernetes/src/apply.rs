//! Applying an object the way `kubectl apply`, `create` and `replace` do, with their messages.

use crate::cluster::Cluster;
use crate::discovery::ApiResource;
use crate::error::Error;
use crate::merge::{merge_patch, three_way, writes_list};
use crate::write::{DeleteOptions, DryRun, FieldValidation, Patch, Propagation, WriteOptions, namespace_of};
use api::names::LAST_APPLIED;
use object::{Object, object_to_go_json};
use std::fmt;
use std::time::Duration;

/// How often a client-side apply starts over because someone else wrote the object meanwhile.
const TRIES: u32 = 8;

/// How an object is brought to the cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// Three-way merge worked out here against the last applied configuration kept in an annotation.
    #[default]
    ClientSide,
    /// The server merges by field ownership; fields of other managers are taken over.
    ServerSide,
    /// The whole object is replaced, or created when it is not there.
    Replace,
    /// Only created; an object that is there is an error.
    Create,
}

/// The details of an apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplyOptions {
    /// How.
    pub method: Method,
    /// Who is recorded in `managedFields`.
    pub field_manager: String,
    /// Whether to pretend.
    pub dry_run: DryRun,
    /// Whether unknown members are refused.
    pub validate: bool,
    /// Whether to delete and create anew when the change is refused. A server-side apply never does: there, force is
    /// about fields of other managers, which it always takes over.
    pub force: bool,
    /// How long to wait for the old object to go when forcing.
    pub delete_timeout: Duration,
}

impl ApplyOptions {
    /// What a server-side apply by a manager would make of an object: nothing is changed, and unknown members are no reason
    /// to refuse an answer.
    pub fn prediction(manager: &str) -> Self {
        Self {
            method: Method::ServerSide,
            field_manager: manager.into(),
            dry_run: DryRun::Server,
            validate: false,
            ..Self::default()
        }
    }
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self {
            method: Method::ClientSide,
            field_manager: "argocd-controller".into(),
            dry_run: DryRun::No,
            validate: true,
            force: false,
            delete_timeout: Duration::from_secs(120),
        }
    }
}

/// What an apply did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The object is new.
    Created,
    /// The object changed.
    Configured,
    /// The object was as wanted.
    Unchanged,
    /// The server merged it; whether that changed anything shows in the resource version.
    ServerSideApplied,
    /// The object was replaced.
    Replaced,
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Unchanged => "unchanged",
            Self::ServerSideApplied => "serverside-applied",
            Self::Replaced => "replaced",
        })
    }
}

/// The result of an apply.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// What was done.
    pub outcome: Outcome,
    /// The object as it is now, or would be after a dry run.
    pub object: Object,
    /// As kubectl says it: `deployment.apps/web configured`.
    pub message: String,
}

/// What the caller knows of the live object, so that it need not be read.
#[derive(Clone, Debug, Default)]
pub enum Known {
    /// Nothing.
    #[default]
    Nothing,
    /// It was not there a moment ago.
    Absent,
    /// It was this a moment ago. Nothing is written over a newer one, and nothing is said of it unread.
    Live(Box<Object>),
}

impl Cluster {
    /// Brings an object to the cluster.
    pub async fn apply(
        &self,
        resource: &ApiResource,
        target: &Object,
        options: &ApplyOptions,
    ) -> Result<Applied, Error> {
        self.apply_knowing(resource, target, Known::Nothing, options).await
    }

    /// The same, with what a watch has told of the live object: a client-side apply then takes one request.
    pub async fn apply_knowing(
        &self,
        resource: &ApiResource,
        target: &Object,
        known: Known,
        options: &ApplyOptions,
    ) -> Result<Applied, Error> {
        let namespace = namespace_of(resource, target)?.to_owned();
        let apply = Apply { cluster: self, resource, namespace, target, options };
        match options.method {
            Method::Create => apply.create(target).await,
            // Only `create` gives names to objects that have none.
            _ if target.name().is_empty() => apply.create(target).await,
            Method::ServerSide => apply.server_side().await,
            Method::Replace => apply.replace().await,
            Method::ClientSide => apply.client_side(known).await,
        }
    }
}

struct Apply<'a> {
    cluster: &'a Cluster,
    resource: &'a ApiResource,
    namespace: String,
    target: &'a Object,
    options: &'a ApplyOptions,
}

impl Apply<'_> {
    async fn client_side(&self, known: Known) -> Result<Applied, Error> {
        let modified = with_last_applied(self.target);
        let mut known = Some(known);
        let mut tries = 1;
        loop {
            let (live, pinned) = match known.take() {
                Some(Known::Live(live)) => (Some(*live), true),
                Some(Known::Absent) => (None, true),
                Some(Known::Nothing) | None => (self.live().await?, false),
            };
            let Some(live) = live else {
                match self.create(&modified).await {
                    Err(error) if error.is_already_exists() && tries < TRIES => {
                        tries += 1;
                        continue;
                    }
                    done => return done,
                }
            };
            match self.change(&modified, &live, pinned).await {
                // What was known says that there is nothing to do. Before that is told, it is looked at.
                Ok(applied)
                    if pinned
                        && applied.outcome == Outcome::Unchanged
                        && self.options.dry_run == DryRun::No => {}
                Err(error) if error.is_conflict() && tries < TRIES => tries += 1,
                Err(error) if error.is_not_found() && tries < TRIES => tries += 1,
                Err(error) if self.options.force && (error.is_conflict() || error.is_invalid()) => {
                    return self.recreate(&modified, &live).await;
                }
                done => return done,
            }
        }
    }

    /// One try of the three-way merge; pinned, it is for no other version than the live object's.
    async fn change(&self, modified: &Object, live: &Object, pinned: bool) -> Result<Applied, Error> {
        let (original, warning) = match live.annotation(LAST_APPLIED) {
            Some(text) => {
                let original = serde_json::from_str::<Object>(text).map_err(|error| {
                    // The annotation of a Secret holds its values: the error's position is enough.
                    Error::InvalidObject(format!(
                        "{}/{}: the annotation {LAST_APPLIED} cannot be read at column {}",
                        self.resource.kubectl_name(),
                        modified.name(),
                        error.column()
                    ))
                })?;
                (Some(original), String::new())
            }
            None => (None, self.missing_annotation()),
        };
        let mut desired = three_way(original.as_ref(), modified, live);
        // Generators write `creationTimestamp: null`; asking the server to drop its own mark changes nothing.
        if let Some(created) = live.metadata().and_then(|metadata| metadata.get("creationTimestamp")) {
            desired.metadata_mut().insert("creationTimestamp".into(), created.clone());
        }
        let Some(mut patch) = merge_patch(&live.to_value(), &desired.to_value()) else {
            return Ok(self.done(Outcome::Unchanged, live.clone(), &warning));
        };
        if (pinned || writes_list(&patch)) && !live.resource_version().is_empty() {
            patch["metadata"]["resourceVersion"] = live.resource_version().into();
        }
        if self.options.dry_run == DryRun::Client {
            return Ok(self.done(Outcome::Configured, desired, &warning));
        }
        let object = self
            .cluster
            .patch(
                self.resource,
                &self.namespace,
                modified.name(),
                &Patch::Merge(patch),
                &self.write_options(),
            )
            .await
            .map_err(|error| error.redacted(modified))?;
        Ok(self.done(Outcome::Configured, object, &warning))
    }

    async fn server_side(&self) -> Result<Applied, Error> {
        let mut wanted = self.target.clone();
        // The server refuses an apply that says who owns what.
        wanted.metadata_mut().remove("managedFields");
        let mut options = self.write_options();
        if options.dry_run == DryRun::Client {
            options.dry_run = DryRun::Server;
        }
        let patch = Patch::Apply { object: wanted.into_value(), force: true };
        let name = self.target.name();
        let object = self.cluster.patch(self.resource, &self.namespace, name, &patch, &options).await?;
        Ok(self.done(Outcome::ServerSideApplied, object, ""))
    }

    /// Replaces what is there. Controllers write statuses all the time, so a version nobody asked for by name is
    /// read anew when it went stale.
    async fn replace(&self) -> Result<Applied, Error> {
        let pinned = !self.target.resource_version().is_empty();
        let mut tries = 1;
        loop {
            let Some(live) = self.live().await? else { return self.create(self.target).await };
            if self.options.force {
                let mut applied = self.recreate(self.target, &live).await?;
                applied.outcome = Outcome::Replaced;
                applied.message = self.message(Outcome::Replaced, "");
                return Ok(applied);
            }
            let mut wanted = self.target.clone();
            if !pinned {
                wanted.metadata_mut().insert("resourceVersion".into(), live.resource_version().into());
            }
            if self.options.dry_run == DryRun::Client {
                return Ok(self.done(Outcome::Replaced, wanted, ""));
            }
            match self.cluster.replace(self.resource, &wanted, &self.write_options()).await {
                Err(error) if error.is_conflict() && !pinned && tries < TRIES => tries += 1,
                other => return Ok(self.done(Outcome::Replaced, other?, "")),
            }
        }
    }

    async fn create(&self, object: &Object) -> Result<Applied, Error> {
        if self.options.dry_run == DryRun::Client {
            return Ok(self.done(Outcome::Created, object.clone(), ""));
        }
        let created = self.cluster.create(self.resource, object, &self.write_options()).await?;
        Ok(self.done(Outcome::Created, created, ""))
    }

    /// Deletes the live object and creates the wanted one in its place.
    async fn recreate(&self, wanted: &Object, live: &Object) -> Result<Applied, Error> {
        if self.options.dry_run != DryRun::No {
            return Ok(self.done(Outcome::Configured, wanted.clone(), ""));
        }
        self.remove(live).await?;
        let mut created = self.create(wanted).await?;
        created.outcome = Outcome::Configured;
        created.message = self.message(Outcome::Configured, "");
        Ok(created)
    }

    /// Deletes exactly this object and waits until it is gone.
    async fn remove(&self, live: &Object) -> Result<(), Error> {
        let options = DeleteOptions {
            propagation: Some(Propagation::Foreground),
            uid: Some(live.uid().to_owned()),
            ..DeleteOptions::default()
        };
        let (namespace, name) = (self.namespace.as_str(), live.name());
        match self.cluster.delete(self.resource, namespace, name, &options).await {
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        self.cluster.wait_gone(self.resource, namespace, name, live.uid(), self.options.delete_timeout).await
    }

    async fn live(&self) -> Result<Option<Object>, Error> {
        self.cluster.find(self.resource, &self.namespace, self.target.name()).await
    }

    fn write_options(&self) -> WriteOptions {
        WriteOptions {
            field_manager: self.options.field_manager.clone(),
            dry_run: self.options.dry_run,
            validation: if self.options.validate { FieldValidation::Strict } else { FieldValidation::Ignore },
            subresource: "",
        }
    }

    fn done(&self, outcome: Outcome, object: Object, warning: &str) -> Applied {
        let mut message = self.message(outcome, warning);
        if self.target.name().is_empty() && !object.name().is_empty() {
            message = message.replacen("/ ", &format!("/{} ", object.name()), 1);
        }
        Applied { outcome, object, message }
    }

    fn message(&self, outcome: Outcome, warning: &str) -> String {
        let pretended = match self.options.dry_run {
            DryRun::No => "",
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        };
        format!("{}/{} {outcome}{pretended}{warning}", self.resource.kubectl_name(), self.target.name())
    }

    /// kubectl's words, with the gaps where it would name itself, as Argo CD's users see them.
    fn missing_annotation(&self) -> String {
        format!(
            ". Warning: resource {}/{} is missing the {LAST_APPLIED} annotation which is required by  apply.  \
             apply should only be used on resources created declaratively by either  create --save-config or  \
             apply. The missing annotation will be patched automatically.",
            self.resource.plural,
            self.target.name()
        )
    }
}

/// The object with the record of itself that the next apply compares with.
fn with_last_applied(target: &Object) -> Object {
    let mut bare = target.clone();
    bare.remove_annotation(LAST_APPLIED);
    let mut record = bare.clone();
    // kubectl keeps an empty annotations map in the record, since it had to make one.
    if record.metadata().and_then(|metadata| metadata.get("annotations")).is_none() {
        record.metadata_mut().insert("annotations".into(), serde_json::Value::Object(serde_json::Map::new()));
    }
    let text = format!("{}\n", object_to_go_json(&record.0));
    bare.set_annotation(LAST_APPLIED, &text);
    bare
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_record_is_what_kubectl_keeps() {
        let target = Object::from_value(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "<b>"},
            "metadata": {"name": "x", "annotations": {LAST_APPLIED: "old"}},
        }))
        .unwrap();
        assert_eq!(
            with_last_applied(&target).annotation(LAST_APPLIED).unwrap(),
            "{\"apiVersion\":\"v1\",\"data\":{\"a\":\"\\u003cb\\u003e\"},\"kind\":\"ConfigMap\",\
             \"metadata\":{\"annotations\":{},\"name\":\"x\"}}\n"
        );
    }
}
