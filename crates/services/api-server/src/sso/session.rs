//! What is kept of a user's session at the provider, sealed in the cache: for groups that are not in the token, and for
//! a new token when the old one ends.

use super::App;
use crate::cookies::set_cookies;
use crate::hub::Hub;
use auth::oidc::{FederatedClaims, unverified_scope};
use bytes::Bytes;
use jiff::Timestamp;
use oidc::{Tokens, UserInfoAnswer};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// Nothing is kept longer, whatever a token says of its life.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// What a token must permit for its bearer's groups to be told.
const GRAPH_SCOPE: &str = "User.Read";
/// A provider's clock is not further behind ours.
const SKEW_SECONDS: i64 = 300;

fn access_key(subject: &str) -> String {
    format!("access_token_{subject}")
}

fn tokens_key(subject: &str, session: &str) -> String {
    format!("oidc_token_{subject}_{session}")
}

fn user_info_key(subject: &str) -> String {
    format!("userinfo_response_{subject}")
}

fn graph_key(subject: &str) -> String {
    format!("azure_groups_overage_response_{subject}")
}

/// How long a token still lasts.
pub(super) fn left(claims: &FederatedClaims) -> Duration {
    let seconds = claims.seconds("exp").unwrap_or_default() - Timestamp::now().as_second();
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default()).min(LONGEST)
}

/// The shorter of what is configured and what the token lasts.
fn keep(configured: Duration, claims: &FederatedClaims) -> Duration {
    if configured.is_zero() { left(claims) } else { configured.min(left(claims)) }
}

/// What is kept of a login for as long as a session may last.
#[derive(Serialize, Deserialize)]
struct Kept {
    tokens: Tokens,
    /// When the user logged in.
    since: i64,
}

impl Hub {
    /// How long a login of that time still lasts.
    fn rest_of_session(&self, since: i64) -> Duration {
        let age = u64::try_from(Timestamp::now().as_second().saturating_sub(since)).unwrap_or_default();
        self.snapshot().sessions.session_duration.saturating_sub(Duration::from_secs(age))
    }

    async fn put_sealed(&self, app: &App, key: &str, value: &[u8], keep: Duration) {
        if keep.is_zero() {
            return;
        }
        let sealed = app.sealed.seal(key, value, rand::random());
        if let Err(error) = self.cache.set(key, Bytes::from(sealed), keep).await {
            tracing::warn!(%error, "a session could not be kept in the cache");
        }
    }

    async fn get_sealed(&self, app: &App, key: &str) -> Option<Vec<u8>> {
        let bytes = self.cache.get(key).await.ok()??;
        // What others wrote is as if it were not there.
        app.sealed.open(key, std::str::from_utf8(&bytes).ok()?).ok()
    }

    async fn forget(&self, keys: &[String]) {
        for key in keys {
            if let Err(error) = self.cache.delete(key).await {
                tracing::warn!(%error, "a session could not be removed from the cache");
            }
        }
    }

    /// Keeps what a login brought. Groups that were found before are asked for anew.
    pub(super) async fn remember_session(&self, app: &App, claims: &FederatedClaims, tokens: &Tokens) {
        let (subject, session) = (claims.text("sub"), claims.text("sid"));
        self.forget(&[user_info_key(subject), graph_key(subject)]).await;
        let access = tokens.access_token.reveal().as_bytes();
        self.put_sealed(app, &access_key(subject), access, left(claims)).await;
        let kept = Kept { tokens: tokens.clone(), since: Timestamp::now().as_second() };
        if let Ok(all) = serde_json::to_vec(&kept) {
            self.put_sealed(app, &tokens_key(subject, session), &all, self.rest_of_session(kept.since)).await;
        }
    }

    /// Forgets all that was kept of a session.
    pub(super) async fn forget_session(&self, subject: &str, session: &str) {
        let keys =
            [access_key(subject), tokens_key(subject, session), user_info_key(subject), graph_key(subject)];
        self.forget(&keys).await;
    }

    /// Adds groups that are not in the token. Without them nobody gets in: rights would be missing in silence, and
    /// denials, too.
    pub(super) async fn complete_groups(
        &self,
        app: &App,
        claims: &mut FederatedClaims,
    ) -> Result<(), String> {
        if let Some(user_info) = &app.user_info {
            let groups = self.groups_of_user_info(app, user_info, claims).await?;
            claims.set_groups(groups);
            return Ok(());
        }
        if !claims.groups_are_elsewhere() {
            return Ok(());
        }
        if app.graph.is_empty() {
            tracing::warn!(
                user = %claims.identifier(),
                "the groups did not fit into the token: set oidc.config azure.enableUserGroupOverageClaim, or have the \
                 identity provider send fewer groups"
            );
            return Ok(());
        }
        let groups = self.groups_of_graph(app, claims).await?;
        claims.set_groups(groups);
        Ok(())
    }

    async fn access_token(&self, app: &App, subject: &str) -> Result<String, String> {
        let kept = self.get_sealed(app, &access_key(subject)).await;
        kept.and_then(|bytes| String::from_utf8(bytes).ok()).filter(|token| !token.is_empty()).ok_or_else(|| {
            "groups are not in the token, and no access token is kept for this session: log in again in the browser"
                .to_owned()
        })
    }

    async fn groups_of_user_info(
        &self,
        app: &App,
        user_info: &settings::UserInfo,
        claims: &FederatedClaims,
    ) -> Result<Value, String> {
        let subject = claims.text("sub");
        let key = user_info_key(subject);
        if let Some(kept) = self.get_sealed(app, &key).await
            && let Ok(groups) = serde_json::from_slice(&kept)
        {
            return Ok(groups);
        }
        let token = self.access_token(app, subject).await?;
        let failed = |reason: &dyn std::fmt::Display| {
            tracing::warn!(%reason, "user info could not be read");
            "error fetching user info endpoint".to_owned()
        };
        let answer = app.provider.user_info(&user_info.url, &token).await.map_err(|error| failed(&error))?;
        let told = match answer {
            UserInfoAnswer::Claims(told) => FederatedClaims::from(told),
            UserInfoAnswer::Signed(token) => app.verify(&token).await.map_err(|error| failed(&error))?,
        };
        if told.text("sub") != subject {
            return Err(failed(&"it is about another subject than the token"));
        }
        let groups = told.get("groups").cloned().unwrap_or_default();
        if let Ok(bytes) = serde_json::to_vec(&groups) {
            self.put_sealed(app, &key, &bytes, keep(user_info.keep, claims)).await;
        }
        Ok(groups)
    }

    async fn groups_of_graph(&self, app: &App, claims: &FederatedClaims) -> Result<Value, String> {
        let subject = claims.text("sub");
        let key = graph_key(subject);
        if let Some(kept) = self.get_sealed(app, &key).await
            && let Ok(groups) = serde_json::from_slice(&kept)
        {
            return Ok(groups);
        }
        let token = self.access_token(app, subject).await?;
        if !unverified_scope(&token, GRAPH_SCOPE) {
            tracing::warn!(
                "access token missing User.Read scope; ensure the User.Read delegated permission is granted on the app \
                 registration in Azure AD"
            );
            return Err("error fetching groups from Azure overage claim".into());
        }
        let groups = app.provider.graph_groups(&app.graph, &token).await.map_err(|error| {
            tracing::warn!(%error, "groups could not be read");
            "error fetching groups from Azure overage claim".to_owned()
        })?;
        if let Ok(bytes) = serde_json::to_vec(&groups) {
            self.put_sealed(app, &key, &bytes, keep(app.graph_keep, claims)).await;
        }
        Ok(Value::from(groups))
    }

    /// A token to go on with, and what it says, where the session has a refresh token. A session lasts no longer than
    /// settings say, however often it is renewed.
    pub(super) async fn renewed(
        &self,
        app: &App,
        claims: &FederatedClaims,
    ) -> Option<(String, FederatedClaims)> {
        let (subject, session) = (claims.text("sub"), claims.text("sid"));
        let key = tokens_key(subject, session);
        let _one_at_a_time = app.renewing.lock().await;
        let Kept { tokens: kept, since } = serde_json::from_slice(&self.get_sealed(app, &key).await?).ok()?;
        // A token of another login must not bring this one's: providers without session ids know only the user.
        if claims.seconds("iat").is_some_and(|issued| issued.saturating_add(SKEW_SECONDS) < since) {
            return None;
        }
        if self.rest_of_session(since).is_zero() {
            tracing::info!(user = %claims.identifier(), "a session is as old as it may be: its user must log in again");
            return None;
        }
        // Another request may have been faster.
        if let Ok(newer) = app.verify(kept.id_token.reveal()).await
            && left(&newer) >= app.refresh_threshold
        {
            return Some((kept.id_token.reveal().clone(), newer));
        }
        if kept.refresh_token.reveal().is_empty() {
            return None;
        }
        let client = app.client_now(self).ok()?;
        let refreshed = app.provider.refresh(&client, kept.refresh_token.reveal()).await;
        let tokens =
            refreshed.map_err(|error| tracing::warn!(%error, "a session could not be renewed")).ok()?;
        let fresh = app.verify(tokens.id_token.reveal()).await;
        let fresh = fresh
            .map_err(|error| tracing::warn!(%error, "a renewed token of the provider was refused"))
            .ok()?;
        if fresh.text("sub") != subject {
            tracing::warn!("a renewed token of the provider is about another subject: it is not used");
            return None;
        }
        let id_token = tokens.id_token.reveal().clone();
        if set_cookies(&id_token, &self.options.base_href, true).len() > self.options.most_cookies {
            tracing::warn!("a renewed token of the provider is too long for a browser: it is not used");
            return None;
        }
        let access = tokens.access_token.reveal().as_bytes();
        self.put_sealed(app, &access_key(subject), access, left(&fresh)).await;
        let bytes = serde_json::to_vec(&Kept { tokens, since }).ok()?;
        self.put_sealed(app, &key, &bytes, self.rest_of_session(since)).await;
        Some((id_token, fresh))
    }
}
