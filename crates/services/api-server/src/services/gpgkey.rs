//! Public keys that signatures of commits are verified with.

use crate::authorization::Access;
use crate::failure;
use crate::hub::Hub;
use crate::services::register::no_payload;
use api::k8s::meta_v1::ListMeta;
use api::v1alpha1::{GnuPGPublicKey, GnuPGPublicKeyList};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::GPG_KEYS;
use tonic::{Request, Response, Status};
use trust::{PublicKey, key_id, public_keys};
use wire::gpgkey::gpg_key_service_server::GpgKeyService;
use wire::gpgkey::{
    GnuPgPublicKeyCreateRequest, GnuPgPublicKeyCreateResponse, GnuPgPublicKeyQuery, GnuPgPublicKeyResponse,
};

const RESOURCE: &str = "gpgkeys";

/// Signing keys.
pub(crate) struct SigningKeys(pub(crate) Arc<Hub>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl GpgKeyService for SigningKeys {
    async fn list(&self, request: Request<GnuPgPublicKeyQuery>) -> Answer<GnuPGPublicKeyList> {
        let (access, _) = self.0.enter(request)?;
        access.require(RESOURCE, "get", "")?;
        // The keys themselves are given one by one.
        let items = configured(&self.0)
            .into_iter()
            .map(|key| GnuPGPublicKey { key_data: String::new(), ..told(key) });
        Ok(Response::new(GnuPGPublicKeyList { metadata: ListMeta::default(), items: items.collect() }))
    }

    async fn get(&self, request: Request<GnuPgPublicKeyQuery>) -> Answer<GnuPGPublicKey> {
        let (access, query) = self.0.enter(request)?;
        access.require(RESOURCE, "get", "")?;
        let invalid = || Status::unknown(format!("'{}' is not a valid GnuPG key ID", query.key_id));
        let wanted = key_id(&query.key_id).ok_or_else(invalid)?;
        let found = configured(&self.0).into_iter().find(|key| key.key_id() == wanted);
        let found = found.ok_or_else(|| Status::unknown(format!("no such key: {wanted}")))?;
        Ok(Response::new(told(found)))
    }

    async fn create(
        &self,
        request: Request<GnuPgPublicKeyCreateRequest>,
    ) -> Answer<GnuPgPublicKeyCreateResponse> {
        let (access, request) = self.0.enter(request)?;
        create(&self.0, &access, request).await.map(Response::new)
    }

    async fn delete(&self, request: Request<GnuPgPublicKeyQuery>) -> Answer<GnuPgPublicKeyResponse> {
        let (access, query) = self.0.enter(request)?;
        access.require(RESOURCE, "delete", &query.key_id)?;
        let _one_at_a_time = self.0.writes.lock().await;
        let before = self.0.store.config_map(GPG_KEYS);
        if !before.contains_key(&query.key_id) {
            return Err(Status::unknown(format!("no such key configured: {}", query.key_id)));
        }
        let change = BTreeMap::from([(query.key_id, None)]);
        let written = self.0.store.change_config_map(GPG_KEYS, &before, &change).await;
        written.map_err(|error| failure::store(&error))?;
        Ok(Response::new(GnuPgPublicKeyResponse {}))
    }
}

/// The keys there are, by id. One that cannot be read, or is not what it is called, hides no other.
fn configured(hub: &Hub) -> Vec<PublicKey> {
    let stored = hub.store.config_map(GPG_KEYS);
    let read = stored.iter().filter_map(|(name, text)| {
        let called = key_id(name);
        let keys = public_keys(text).unwrap_or_default();
        let found = keys.into_iter().find(|key| Some(key.key_id()) == called);
        if found.is_none() {
            tracing::warn!(name, "an entry of argocd-gpg-keys-cm is not the key that it is called");
        }
        found
    });
    read.collect()
}

async fn create(
    hub: &Hub,
    access: &Access,
    request: GnuPgPublicKeyCreateRequest,
) -> Result<GnuPgPublicKeyCreateResponse, Status> {
    access.require(RESOURCE, "create", "")?;
    let given = request.publickey.ok_or_else(no_payload)?;
    if given.key_data.trim().is_empty() {
        return Err(Status::unknown("submitted key data is empty"));
    }
    let keys = public_keys(&given.key_data)
        .map_err(|error| Status::unknown(format!("error validating PGP keys from input: {error}")))?;
    let _one_at_a_time = hub.writes.lock().await;
    let before = hub.store.config_map(GPG_KEYS);
    let (mut added, mut skipped) = (BTreeMap::new(), Vec::new());
    for key in keys {
        let id = key.key_id().to_owned();
        if before.contains_key(&id) || added.contains_key(&id) {
            skipped.push(id);
        } else {
            added.insert(id, key);
        }
    }
    if !added.is_empty() {
        let changes = added.iter().map(|(id, key)| (id.clone(), Some(key.armored.clone()))).collect();
        let written = hub.store.change_config_map(GPG_KEYS, &before, &changes).await;
        written.map_err(|error| failure::store(&error))?;
    }
    let items = added.into_values().map(told).collect();
    let created = Some(GnuPGPublicKeyList { metadata: ListMeta::default(), items });
    Ok(GnuPgPublicKeyCreateResponse { created, skipped })
}

fn told(key: PublicKey) -> GnuPGPublicKey {
    GnuPGPublicKey {
        key_id: key.key_id().to_owned(),
        fingerprint: key.fingerprint,
        owner: key.owner,
        trust: "unknown".into(),
        sub_type: key.algorithm,
        key_data: key.armored,
    }
}
