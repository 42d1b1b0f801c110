//! Writing objects: create, replace, patch, delete.

use crate::cluster::Cluster;
use crate::discovery::ApiResource;
use crate::error::Error;
use crate::read::{describe, named};
use crate::request::Call;
use bytes::Bytes;
use http::Method;
use object::Object;
use serde_json::{Value, json};

/// Whether the server only pretends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DryRun {
    /// It is done.
    #[default]
    No,
    /// Nothing is sent that would write; what would be sent is worked out here.
    Client,
    /// The server does everything, admission included, but keeps nothing.
    Server,
}

/// What the server does with members its schema does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FieldValidation {
    /// Drops them silently.
    Ignore,
    /// Drops them and warns.
    #[default]
    Warn,
    /// Refuses the object.
    Strict,
}

/// How an object is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteOptions {
    /// Who is recorded in `managedFields`.
    pub field_manager: String,
    /// Whether to pretend.
    pub dry_run: DryRun,
    /// What to do with unknown members.
    pub validation: FieldValidation,
    /// `status`, `scale`, …; empty for the object itself.
    pub subresource: &'static str,
}

impl WriteOptions {
    /// Writes for real in the name of a field manager.
    pub fn manager(field_manager: impl Into<String>) -> Self {
        Self {
            field_manager: field_manager.into(),
            dry_run: DryRun::No,
            validation: FieldValidation::Warn,
            subresource: "",
        }
    }

    /// The same for the `status` subresource.
    #[must_use]
    pub fn status(mut self) -> Self {
        self.subresource = "status";
        self
    }

    fn add_to(&self, call: Call) -> Call {
        let validation = match self.validation {
            FieldValidation::Ignore => "Ignore",
            FieldValidation::Warn => "",
            FieldValidation::Strict => "Strict",
        };
        call.with("fieldManager", self.field_manager.as_str())
            .with("fieldValidation", validation)
            .with("dryRun", if self.dry_run == DryRun::No { "" } else { "All" })
    }

    fn path(&self, path: String) -> String {
        if self.subresource.is_empty() { path } else { format!("{path}/{}", self.subresource) }
    }
}

/// A change to an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Patch {
    /// JSON merge patch (RFC 7386).
    Merge(Value),
    /// JSON patch (RFC 6902).
    Json(Value),
    /// Strategic merge patch; only Kubernetes' own kinds know it.
    Strategic(Value),
    /// Server-side apply.
    Apply {
        /// The fields wanted.
        object: Value,
        /// Whether to take fields other managers own.
        force: bool,
    },
}

/// What happens to the objects an object owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Propagation {
    /// They go first.
    Foreground,
    /// They go afterwards.
    Background,
    /// They stay.
    Orphan,
}

/// How an object is deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// What happens to its dependents; `None` for the kind's default.
    pub propagation: Option<Propagation>,
    /// Delete only the object with this uid, not a new one of the same name.
    pub uid: Option<String>,
    /// Delete only the object at this resource version.
    pub resource_version: Option<String>,
    /// How long pods may take to end.
    pub grace_period_s: Option<i64>,
    /// Whether to pretend.
    pub dry_run: DryRun,
}

impl Cluster {
    /// Creates an object. It may have a `generateName` instead of a name.
    pub async fn create(
        &self,
        resource: &ApiResource,
        object: &Object,
        options: &WriteOptions,
    ) -> Result<Object, Error> {
        let namespace = namespace_of(resource, object)?;
        let name = if object.name().is_empty() { object.generate_name() } else { object.name() };
        named(resource, name)?;
        let action = describe("create", resource, namespace, name);
        let call = Call::new(Method::POST, action, resource.collection(namespace));
        self.write(options.add_to(call), object.to_value(), Some(object)).await
    }

    /// Replaces an object; with a resource version in it, only that version.
    pub async fn replace(
        &self,
        resource: &ApiResource,
        object: &Object,
        options: &WriteOptions,
    ) -> Result<Object, Error> {
        let namespace = namespace_of(resource, object)?;
        named(resource, object.name())?;
        let action = describe("replace", resource, namespace, object.name());
        let path = options.path(resource.path(namespace, object.name()));
        self.write(options.add_to(Call::new(Method::PUT, action, path)), object.to_value(), Some(object))
            .await
    }

    /// Changes an object.
    pub async fn patch(
        &self,
        resource: &ApiResource,
        namespace: &str,
        name: &str,
        patch: &Patch,
        options: &WriteOptions,
    ) -> Result<Object, Error> {
        named(resource, name)?;
        needs_namespace(resource, namespace, name)?;
        let (verb, content_type, body) = match patch {
            Patch::Merge(body) => ("patch", "application/merge-patch+json", body),
            Patch::Json(body) => ("patch", "application/json-patch+json", body),
            Patch::Strategic(body) => ("patch", "application/strategic-merge-patch+json", body),
            Patch::Apply { object, .. } => ("apply", "application/apply-patch+yaml", object),
        };
        let path = options.path(resource.path(namespace, name));
        let mut call =
            options.add_to(Call::new(Method::PATCH, describe(verb, resource, namespace, name), path));
        if let Patch::Apply { force: true, .. } = patch {
            call = call.with("force", "true");
        }
        call.content_type = content_type;
        // A patch may leave out the kind, by which Secrets are told from the rest.
        let mut holder = match body {
            Value::Object(members) => Object(members.clone()),
            Value::Array(operations) => {
                let written = operations.iter().filter_map(|operation| operation.get("value")).cloned();
                Object([("data".to_owned(), Value::Array(written.collect()))].into_iter().collect())
            }
            _ => Object::default(),
        };
        holder.0.insert("kind".into(), resource.kind.clone().into());
        holder.0.insert("apiVersion".into(), resource.api_version().into());
        self.write(call, body.clone(), Some(&holder)).await
    }

    /// Deletes an object. Gives its last state while it waits for finalizers or dependents, `None` when it is
    /// gone at once. An object that is not there is an error, as for every other request.
    pub async fn delete(
        &self,
        resource: &ApiResource,
        namespace: &str,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<Option<Object>, Error> {
        named(resource, name)?;
        needs_namespace(resource, namespace, name)?;
        let mut body = json!({"apiVersion": "v1", "kind": "DeleteOptions"});
        if let Some(propagation) = options.propagation {
            body["propagationPolicy"] = match propagation {
                Propagation::Foreground => "Foreground",
                Propagation::Background => "Background",
                Propagation::Orphan => "Orphan",
            }
            .into();
        }
        if let Some(uid) = &options.uid {
            body["preconditions"]["uid"] = uid.as_str().into();
        }
        if let Some(version) = &options.resource_version {
            body["preconditions"]["resourceVersion"] = version.as_str().into();
        }
        if let Some(seconds) = options.grace_period_s {
            body["gracePeriodSeconds"] = seconds.into();
        }
        if options.dry_run != DryRun::No {
            body["dryRun"] = json!(["All"]);
        }
        let action = describe("delete", resource, namespace, name);
        let call = Call::new(Method::DELETE, action, resource.path(namespace, name));
        let answer = self.write(call, body, None).await?;
        Ok((answer.kind() != "Status").then_some(answer))
    }

    async fn write(&self, mut call: Call, body: Value, secret: Option<&Object>) -> Result<Object, Error> {
        call.body = Some(Bytes::from(body.to_string()));
        self.fetch_json(&call).await.map_err(|error| match secret {
            Some(object) => error.redacted(object),
            None => error,
        })
    }
}

/// The namespace to write to; a namespaced object without one would be refused with a puzzling 405 or 404.
pub(crate) fn namespace_of<'a>(resource: &ApiResource, object: &'a Object) -> Result<&'a str, Error> {
    needs_namespace(resource, object.namespace(), object.name())?;
    Ok(object.namespace())
}

fn needs_namespace(resource: &ApiResource, namespace: &str, name: &str) -> Result<(), Error> {
    if resource.namespaced && namespace.is_empty() {
        return Err(Error::InvalidObject(format!("{} {name}: the object has no namespace", resource.gvk())));
    }
    Ok(())
}
