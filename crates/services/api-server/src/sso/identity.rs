//! Whom a token of the provider speaks for.

use super::App;
use super::session::left;
use crate::hub::Hub;
use crate::options::Options;
use crate::tokens::Identity;
use auth::oidc::{Audiences, FederatedClaims, IdTokenError};
use auth::{Claims, Subject};
use jiff::Timestamp;
use object::Secret;
use oidc::{Client, OidcError, Wanted};

/// All that is told about a token that is not believed; the log says more.
const NOT_VERIFIED: &str = "failed to verify the token";
/// A client assertion is never longer.
const LONGEST_ASSERTION: usize = 64 * 1024;

impl App {
    fn wanted<'a>(&'a self, nonce: Option<&'a str>) -> Wanted<'a> {
        Wanted {
            audiences: Audiences { allowed: &self.audiences, may_be_missing: self.audience_may_be_missing },
            nonce,
            // Other tokens were not asked for here: what they lack was not promised.
            essential: nonce.map(|_| &self.essential),
        }
    }

    /// What the token of a login says.
    pub(super) async fn verify_login(&self, token: &str, nonce: &str) -> Result<FederatedClaims, OidcError> {
        self.provider.verify(token, &self.wanted(Some(nonce)), Timestamp::now()).await
    }

    /// What any token of the provider says.
    pub(super) async fn verify(&self, token: &str) -> Result<FederatedClaims, OidcError> {
        self.provider.verify(token, &self.wanted(None), Timestamp::now()).await
    }

    /// What a token said whose time is over: all else about it is as it must be. A login at the bundled Dex is over
    /// with its token.
    pub(super) async fn verify_over(&self, token: &str) -> Result<FederatedClaims, OidcError> {
        let expired = || OidcError::Token(IdTokenError::Expired);
        if self.dex.is_some() {
            return Err(expired());
        }
        let last = auth::oidc::unverified_expiry(token).and_then(|expires| expires.checked_sub(1));
        let then = last.and_then(|second| Timestamp::from_second(second).ok()).ok_or_else(expired)?;
        self.provider.verify(token, &self.wanted(None), then.min(Timestamp::now())).await
    }

    /// Our client, with the pod's own token where that stands for a secret.
    pub(super) fn client_now(&self, hub: &Hub) -> Result<Client, String> {
        if !self.workload_identity {
            return Ok(self.client.clone());
        }
        Ok(Client { assertion: Secret::new(assertion(&hub.options)?), ..self.client.clone() })
    }
}

/// The pod's token, which Kubernetes exchanges now and then.
fn assertion(options: &Options) -> Result<String, String> {
    let file = &options.azure_token_file;
    if file.is_empty() {
        return Err("failed to generate client assertion: AZURE_FEDERATED_TOKEN_FILE is not set; make sure \
                    workload identity is enabled on the cluster"
            .into());
    }
    match std::fs::read_to_string(file) {
        Ok(text) if text.len() <= LONGEST_ASSERTION => Ok(text.trim().to_owned()),
        Ok(_) => Err(format!("failed to generate client assertion: {file} is too long")),
        Err(error) => Err(format!("failed to generate client assertion: read {file}: {error}")),
    }
}

/// The id that a token is taken back by. One without an id of its own is known by what it is.
pub(crate) fn token_id(claims: &FederatedClaims, token: &str) -> String {
    match claims.token_id() {
        "" => auth::oidc::dex_client_secret(token.as_bytes()),
        id => id.to_owned(),
    }
}

impl Hub {
    /// Whom a token of the provider speaks for, and a token to go on with when it is about to expire. The error is for
    /// `invalid session: …`.
    pub(crate) async fn identify_federated(&self, token: &str) -> Result<(Identity, Option<String>), String> {
        let app = self.sso().app.clone().ok_or("SSO is not configured")?;
        let refused = |error: OidcError| {
            tracing::warn!(%error, "a token of the identity provider was refused");
            NOT_VERIFIED.to_owned()
        };
        let mut fresh = None;
        let mut claims = match app.verify(token).await {
            Err(OidcError::Token(IdTokenError::Expired)) => {
                let over = app.verify_over(token).await.map_err(refused)?;
                self.not_revoked(&token_id(&over, token)).await?;
                let renewed = self.renewed(&app, &over).await;
                let (next, claims) = renewed.ok_or_else(|| refused(IdTokenError::Expired.into()))?;
                fresh = Some(next);
                claims
            }
            judged => judged.map_err(refused)?,
        };
        let id = token_id(&claims, fresh.as_deref().unwrap_or(token));
        self.not_revoked(&id).await?;
        self.complete_groups(&app, &mut claims).await?;
        if fresh.is_none() && left(&claims) < app.refresh_threshold {
            fresh = self.renewed(&app, &claims).await.map(|(next, _)| next);
        }
        Ok((self.identity(&claims, id), fresh.filter(|fresh| fresh != token)))
    }

    async fn not_revoked(&self, id: &str) -> Result<(), String> {
        if self.is_revoked(id).await { Err("token is revoked, please re-login".into()) } else { Ok(()) }
    }

    /// The provider's claims as ours.
    fn identity(&self, claims: &FederatedClaims, id: String) -> Identity {
        let own = Claims {
            iss: claims.text("iss").to_owned(),
            sub: claims.text("sub").to_owned(),
            exp: claims.seconds("exp"),
            nbf: claims.seconds("nbf"),
            iat: claims.seconds("iat").unwrap_or_default(),
            jti: id,
            groups: claims.groups(&self.snapshot().scopes),
        };
        let subject = Subject::Federated {
            id: claims.identifier().to_owned(),
            shown: claims.display_name().to_owned(),
        };
        Identity { claims: own, subject }
    }
}
