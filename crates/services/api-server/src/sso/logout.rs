//! The end of a session of the provider's.

use super::identity::token_id;
use crate::hub::Hub;
use auth::Claims;
use auth::oidc::IdTokenError;
use jiff::Timestamp;
use oidc::OidcError;

impl Hub {
    /// Takes a provider's token back, here and for all who share the cache.
    pub(crate) async fn revoke_federated(&self, token: &str) -> bool {
        let Some(app) = self.sso().app.clone() else { return false };
        // The session may outlast the token that began it.
        let judged = match app.verify(token).await {
            Err(OidcError::Token(IdTokenError::Expired)) => app.verify_over(token).await,
            judged => judged,
        };
        let Ok(claims) = judged else { return false };
        let session = i64::try_from(self.snapshot().sessions.session_duration.as_secs()).unwrap_or(i64::MAX);
        let until = Timestamp::now().as_second().saturating_add(session);
        let expires = claims.seconds("exp").map(|expires| expires.max(until));
        let revoked = Claims { jti: token_id(&claims, token), exp: expires, ..Claims::default() };
        self.revoke(&revoked).await;
        self.forget_session(claims.text("sub"), claims.text("sid")).await;
        true
    }
}

/// Where the provider ends its own session, if the settings say so.
pub(crate) fn provider_logout(hub: &Hub, token: &str, home: &str) -> Option<String> {
    let app = hub.sso().app.clone()?;
    let template = app.logout_url.as_str();
    (!template.is_empty())
        .then(|| template.replace("{{token}}", token).replace("{{logoutRedirectURL}}", home))
}
