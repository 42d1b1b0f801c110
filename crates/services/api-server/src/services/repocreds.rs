//! Credential templates: what repositories below an address are entered with. Only addresses and user names leave.

use crate::authorization::Access;
use crate::failure;
use crate::hub::Hub;
use crate::services::path_value::address;
use crate::services::register::{Purpose, READ, WRITE, different, no_payload};
use api::k8s::meta_v1::ListMeta;
use api::v1alpha1::{RepoCreds, RepoCredsList};
use std::sync::Arc;
use store::StoreError;
use tonic::{Request, Response, Status};
use wire::repocreds::repo_creds_service_server::RepoCredsService;
use wire::repocreds::{
    RepoCredsCreateRequest, RepoCredsDeleteRequest, RepoCredsQuery, RepoCredsResponse, RepoCredsUpdateRequest,
};

/// Credential templates.
pub(crate) struct CredentialTemplates(pub(crate) Arc<Hub>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl RepoCredsService for CredentialTemplates {
    async fn list_repository_credentials(&self, request: Request<RepoCredsQuery>) -> Answer<RepoCredsList> {
        let (access, _) = self.0.enter(request)?;
        Ok(Response::new(list(&self.0, &access, READ)))
    }

    async fn list_write_repository_credentials(
        &self,
        request: Request<RepoCredsQuery>,
    ) -> Answer<RepoCredsList> {
        let (access, _) = self.0.enter(request)?;
        Ok(Response::new(list(&self.0, &access, WRITE)))
    }

    async fn create_repository_credentials(
        &self,
        request: Request<RepoCredsCreateRequest>,
    ) -> Answer<RepoCreds> {
        let (access, request) = self.0.enter(request)?;
        create(&self.0, &access, READ, request).await.map(Response::new)
    }

    async fn create_write_repository_credentials(
        &self,
        request: Request<RepoCredsCreateRequest>,
    ) -> Answer<RepoCreds> {
        let (access, request) = self.0.enter(request)?;
        create(&self.0, &access, WRITE, request).await.map(Response::new)
    }

    async fn update_repository_credentials(
        &self,
        request: Request<RepoCredsUpdateRequest>,
    ) -> Answer<RepoCreds> {
        let (access, request) = self.0.enter(request)?;
        update(&self.0, &access, READ, request.creds).await.map(Response::new)
    }

    async fn update_write_repository_credentials(
        &self,
        request: Request<RepoCredsUpdateRequest>,
    ) -> Answer<RepoCreds> {
        let (access, request) = self.0.enter(request)?;
        update(&self.0, &access, WRITE, request.creds).await.map(Response::new)
    }

    async fn delete_repository_credentials(
        &self,
        request: Request<RepoCredsDeleteRequest>,
    ) -> Answer<RepoCredsResponse> {
        let (access, request) = self.0.enter(request)?;
        delete(&self.0, &access, READ, &request.url).await
    }

    async fn delete_write_repository_credentials(
        &self,
        request: Request<RepoCredsDeleteRequest>,
    ) -> Answer<RepoCredsResponse> {
        let (access, request) = self.0.enter(request)?;
        delete(&self.0, &access, WRITE, &request.url).await
    }
}

/// All that the caller may see.
fn list(hub: &Hub, access: &Access, purpose: Purpose) -> RepoCredsList {
    let templates = hub.store.credential_templates(purpose.register).into_iter();
    let readable = templates.filter_map(|template| match template {
        Ok(template) => Some(template.into_revealed()),
        Err(error) => {
            tracing::warn!(%error, "a credential template cannot be read");
            None
        }
    });
    let mut items: Vec<RepoCreds> = readable
        .filter(|template| access.permits(purpose.resource, "get", &template.url))
        .map(|template| shown(&template))
        .collect();
    items.sort_by(|left, right| left.url.cmp(&right.url));
    RepoCredsList { metadata: ListMeta::default(), items }
}

async fn create(
    hub: &Hub,
    access: &Access,
    purpose: Purpose,
    request: RepoCredsCreateRequest,
) -> Result<RepoCreds, Status> {
    let wanted = request.creds.ok_or_else(no_payload)?;
    access.require(purpose.resource, "create", &wanted.url)?;
    if wanted.url.is_empty() {
        return Err(Status::invalid_argument("must specify URL"));
    }
    match hub.store.create_credentials(purpose.register, &wanted).await {
        Ok(()) => Ok(named(&wanted)),
        Err(StoreError::Registered { .. }) => {
            let found = hub.store.credential_template(purpose.register, &wanted.url);
            let found = found.map_err(|error| {
                let status = failure::store(&error);
                let text = status.message();
                Status::internal(format!("unable to check existing repository credentials details: {text}"))
            })?;
            let known = found.map(object::Secret::into_revealed).unwrap_or_default();
            match store::credentials_differences(&known, &wanted) {
                differences if differences.is_empty() => Ok(named(&wanted)),
                _ if request.upsert => update(hub, access, purpose, Some(wanted)).await,
                differences => Err(different("repository credentials", &differences)),
            }
        }
        Err(error) => Err(failure::store(&error)),
    }
}

async fn update(
    hub: &Hub,
    access: &Access,
    purpose: Purpose,
    wanted: Option<RepoCreds>,
) -> Result<RepoCreds, Status> {
    let wanted = wanted.ok_or_else(no_payload)?;
    access.require(purpose.resource, "update", &wanted.url)?;
    let updated = hub.store.update_credentials(purpose.register, &wanted).await;
    updated.map_err(|error| failure::store(&error))?;
    Ok(named(&wanted))
}

async fn delete(hub: &Hub, access: &Access, purpose: Purpose, url: &str) -> Answer<RepoCredsResponse> {
    let url = address(url);
    access.require(purpose.resource, "delete", &url)?;
    let deleted = hub.store.delete_credentials(purpose.register, &url).await;
    deleted.map_err(|error| failure::store(&error))?;
    Ok(Response::new(RepoCredsResponse {}))
}

/// What of a template opens nothing.
fn shown(template: &RepoCreds) -> RepoCreds {
    RepoCreds {
        url: template.url.clone(),
        username: template.username.clone(),
        r#type: template.r#type.clone(),
        enable_oci: template.enable_oci,
        ..RepoCreds::default()
    }
}

/// A template as the answer to a change names it.
fn named(template: &RepoCreds) -> RepoCreds {
    RepoCreds { url: template.url.clone(), ..RepoCreds::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_opens_a_repository_is_shown() {
        let canary = || "canary".to_owned();
        let template = RepoCreds {
            url: "https://git.example".into(),
            username: "bob".into(),
            password: canary(),
            bearer_token: canary(),
            ssh_private_key: canary(),
            tls_client_cert_data: canary(),
            tls_client_cert_key: canary(),
            github_app_private_key: canary(),
            gcp_service_account_key: canary(),
            azure_service_principal_client_secret: canary(),
            ..RepoCreds::default()
        };
        for text in [&shown(&template), &named(&template)].map(|shown| serde_json::to_string(shown).unwrap())
        {
            assert!(!text.contains("canary"), "{text}");
        }
    }
}
