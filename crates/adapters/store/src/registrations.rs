//! Repositories and credential templates as users register them: the two registers, and what is written.

use crate::error::StoreError;
use crate::members::{self, Member};
use crate::repositories::{
    credentials_for, has_credentials, inherit, read_credentials, read_repository, repository_for, same_url,
};
use crate::secret_data::SecretEntry;
use crate::store::{Store, core};
use api::names::{MANAGED_BY, MANAGED_BY_VALUE, SECRET_TYPE};
use api::v1alpha1::{RepoCreds, Repository};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kubernetes::{DeleteOptions, Patch};
use object::{Object, Secret};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What a repository is registered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Register {
    /// Manifests are read from it.
    Read,
    /// Hydrated manifests are pushed to it.
    Write,
}

impl Register {
    fn repositories(self) -> &'static str {
        match self {
            Self::Read => "repository",
            Self::Write => "repository-write",
        }
    }

    fn credentials(self) -> &'static str {
        match self {
            Self::Read => "repo-creds",
            Self::Write => "repo-write-creds",
        }
    }

    /// How the names of Secrets begin. The original names both alike, so that an address cannot be in both registers.
    fn prefixes(self) -> (&'static str, &'static str) {
        match self {
            Self::Read => ("repo", "creds"),
            Self::Write => ("repo-write", "creds-write"),
        }
    }
}

impl Store {
    /// Every repository of a register, each with the credentials it has or inherits; those that cannot be read with
    /// the reason.
    pub fn registered_repositories(&self, register: Register) -> Vec<Result<Secret<Repository>, StoreError>> {
        let credentials = self.secrets_of(register.credentials());
        let entries = self.secrets_of(register.repositories());
        entries.iter().map(|entry| with_credentials(read_repository(entry)?, &credentials)).collect()
    }

    /// The repository at a URL as a project may use it, registered or not, with the credentials of the longest
    /// matching template where it has none of its own.
    pub fn repository_in(
        &self,
        register: Register,
        url: &str,
        project: &str,
    ) -> Result<Secret<Repository>, StoreError> {
        let entries = self.secrets_of(register.repositories());
        let unregistered = || Secret::new(Repository { repo: url.into(), ..Repository::default() });
        let repository = repository_for(&entries, url, project)?.unwrap_or_else(unregistered);
        with_credentials(repository, &self.secrets_of(register.credentials()))
    }

    /// The credentials of the longest template that matches a URL.
    pub fn credentials_for(
        &self,
        register: Register,
        url: &str,
    ) -> Result<Option<Secret<RepoCreds>>, StoreError> {
        credentials_for(&self.secrets_of(register.credentials()), url)
    }

    /// The registration of exactly this URL and project, without what it inherits.
    pub fn registration(
        &self,
        register: Register,
        url: &str,
        project: &str,
    ) -> Result<Option<Secret<Repository>>, StoreError> {
        self.repository_secret(register, url, project).map(|entry| read_repository(&entry)).transpose()
    }

    /// Registers a repository. One that is registered already, by whatever means, is a conflict.
    pub async fn create_repository(
        &self,
        register: Register,
        repository: &Repository,
    ) -> Result<(), StoreError> {
        if self.repository_secret(register, &repository.repo, &repository.project).is_some() {
            return Err(StoreError::Registered { kind: "repository", name: repository.repo.clone() });
        }
        let name = secret_name(register.prefixes().0, &repository.repo, &repository.project);
        let members = members::of_repository(repository);
        self.create_registration(&name, register.repositories(), &members)
            .await
            .map_err(|error| taken(error, "repository", &repository.repo))
    }

    /// Replaces what is registered of a repository.
    pub async fn update_repository(
        &self,
        register: Register,
        repository: &Repository,
    ) -> Result<(), StoreError> {
        let found = self.repository_secret(register, &repository.repo, &repository.project);
        let entry = found.ok_or_else(|| not_found("repo", &repository.repo))?;
        self.update_registration(&entry, register.repositories(), &members::of_repository(repository)).await
    }

    /// Takes a registration back.
    pub async fn delete_repository(
        &self,
        register: Register,
        url: &str,
        project: &str,
    ) -> Result<(), StoreError> {
        let found = self.repository_secret(register, url, project).ok_or_else(|| not_found("repo", url))?;
        self.unregister(&found).await
    }

    /// Every credential template of a register.
    pub fn credential_templates(&self, register: Register) -> Vec<Result<Secret<RepoCreds>, StoreError>> {
        self.secrets_of(register.credentials()).iter().map(|entry| read_credentials(entry)).collect()
    }

    /// The template of exactly this URL.
    pub fn credential_template(
        &self,
        register: Register,
        url: &str,
    ) -> Result<Option<Secret<RepoCreds>>, StoreError> {
        self.credentials_secret(register, url).map(|entry| read_credentials(&entry)).transpose()
    }

    /// Registers a credential template.
    pub async fn create_credentials(
        &self,
        register: Register,
        credentials: &RepoCreds,
    ) -> Result<(), StoreError> {
        let kind = "repository credentials";
        if self.credentials_secret(register, &credentials.url).is_some() {
            return Err(StoreError::Registered { kind, name: credentials.url.clone() });
        }
        let name = secret_name(register.prefixes().1, &credentials.url, "");
        let members = members::of_credentials(credentials);
        self.create_registration(&name, register.credentials(), &members)
            .await
            .map_err(|error| taken(error, kind, &credentials.url))
    }

    /// Replaces a credential template.
    pub async fn update_credentials(
        &self,
        register: Register,
        credentials: &RepoCreds,
    ) -> Result<(), StoreError> {
        let found = self.credentials_secret(register, &credentials.url);
        let entry = found.ok_or_else(|| not_found("repository credentials", &credentials.url))?;
        let members = members::of_credentials(credentials);
        self.update_registration(&entry, register.credentials(), &members).await
    }

    /// Takes a credential template back.
    pub async fn delete_credentials(&self, register: Register, url: &str) -> Result<(), StoreError> {
        let found = self.credentials_secret(register, url);
        let found = found.ok_or_else(|| not_found("repository credentials", url))?;
        self.unregister(&found).await
    }

    fn repository_secret(&self, register: Register, url: &str, project: &str) -> Option<Arc<SecretEntry>> {
        let same =
            |entry: &Arc<SecretEntry>| same_url(&entry.text("url"), url) && entry.text("project") == project;
        self.secrets_of(register.repositories()).into_iter().find(same)
    }

    /// The original takes the longest template that matches; here deleting `https://host/a` never deletes the
    /// template of `https://host`.
    fn credentials_secret(&self, register: Register, url: &str) -> Option<Arc<SecretEntry>> {
        let mut templates = self.secrets_of(register.credentials()).into_iter();
        templates.find(|entry| same_url(&entry.text("url"), url))
    }

    async fn create_registration(
        &self,
        name: &str,
        secret_type: &str,
        members: &[Member<'_>],
    ) -> Result<(), StoreError> {
        let object = Object::from_value(json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {
                "name": name, "namespace": self.namespace(), "labels": {SECRET_TYPE: secret_type},
                "annotations": {MANAGED_BY: MANAGED_BY_VALUE},
            },
            "data": encoded(members, None),
        }))?;
        let resource = core("Secret", "secrets");
        let created = self.0.cluster.create(&resource, &object, &self.server_writes()).await;
        match created {
            Ok(created) => {
                self.0.secrets.observe(created).ok();
                Ok(())
            }
            Err(error) if error.is_already_exists() => {
                let found = self.0.cluster.find(&resource, self.namespace(), name).await?;
                let marked = found.is_some_and(|found| found.label(SECRET_TYPE).is_some());
                Err(if marked { error.into() } else { StoreError::Unmarked(name.to_owned()) })
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn update_registration(
        &self,
        entry: &SecretEntry,
        secret_type: &str,
        members: &[Member<'_>],
    ) -> Result<(), StoreError> {
        let patch = Patch::Merge(json!({
            "metadata": {
                "resourceVersion": entry.resource_version, "labels": {SECRET_TYPE: secret_type},
            },
            "data": encoded(members, Some(entry)),
        }));
        self.patch_secret(&entry.name, &patch).await
    }

    /// The Secret goes when the API made it, else it only loses its mark.
    pub(crate) async fn unregister(&self, entry: &SecretEntry) -> Result<(), StoreError> {
        if entry.annotations.get(MANAGED_BY).map(String::as_str) != Some(MANAGED_BY_VALUE) {
            let patch = Patch::Merge(json!({"metadata": {"labels": {SECRET_TYPE: null}}}));
            return self.patch_secret(&entry.name, &patch).await;
        }
        let resource = core("Secret", "secrets");
        let options = DeleteOptions { uid: Some(entry.uid.clone()), ..DeleteOptions::default() };
        match self.0.cluster.delete(&resource, self.namespace(), &entry.name, &options).await {
            Err(error) if !error.is_not_found() => Err(error.into()),
            _ => {
                self.0.secrets.forget(self.namespace(), &entry.name, &entry.uid);
                Ok(())
            }
        }
    }
}

fn with_credentials(
    repository: Secret<Repository>,
    templates: &[Arc<SecretEntry>],
) -> Result<Secret<Repository>, StoreError> {
    let mut repository = repository.into_revealed();
    if !has_credentials(&repository)
        && let Some(found) = credentials_for(templates, &repository.repo)?
    {
        inherit(&mut repository, found.into_revealed());
    }
    Ok(Secret::new(repository))
}

fn not_found(kind: &'static str, name: &str) -> StoreError {
    StoreError::NotRegistered { kind, name: name.to_owned() }
}

/// The Secret of a name exists: somebody was faster.
fn taken(error: StoreError, kind: &'static str, name: &str) -> StoreError {
    match error {
        StoreError::Cluster(error) if error.is_already_exists() => {
            StoreError::Registered { kind, name: name.to_owned() }
        }
        other => other,
    }
}

fn encoded(members: &[Member<'_>], existing: Option<&SecretEntry>) -> Map<String, Value> {
    let data = members::data(members, existing).into_iter();
    data.map(|(key, value)| (key, STANDARD.encode(value.reveal()).into())).collect()
}

/// Name of the Secret of a registration: a prefix and a hash of what it is for.
pub fn secret_name(prefix: &str, url: &str, project: &str) -> String {
    format!("{prefix}-{}", fnv1a(&[url, project]))
}

/// FNV-1a, 32 bits.
pub(crate) fn fnv1a(parts: &[&str]) -> u32 {
    let bytes = parts.iter().flat_map(|part| part.bytes());
    bytes.fold(0x811c_9dc5u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::secret_name;

    #[test]
    fn names_of_secrets_are_the_originals() {
        assert_eq!(secret_name("repo", "http://127.0.0.1:9190/git/apps.git", ""), "repo-2577439077");
        assert_eq!(secret_name("creds", "http://127.0.0.1:9190/private", ""), "creds-822123481");
        let (own, shared) =
            (secret_name("repo", "https://h/a", "red"), secret_name("repo", "https://h/a", ""));
        assert_ne!(own, shared);
    }
}
