//! The end of a session of the provider's.

use super::identity::token_id;
use crate::hub::Hub;
use auth::Claims;

impl Hub {
    /// Takes a provider's token back, here and for all who share the cache.
    pub(crate) async fn revoke_federated(&self, token: &str) -> bool {
        let Some(app) = self.sso().app.clone() else { return false };
        let Ok(claims) = app.verify(token).await else { return false };
        let revoked =
            Claims { jti: token_id(&claims, token), exp: claims.seconds("exp"), ..Claims::default() };
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
