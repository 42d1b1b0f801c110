//! Whether a token still stands: its account or project, its age, and whether it was taken back.

use crate::authentication::Caller;
use crate::hub::Hub;
use crate::snapshot::Snapshot;
use auth::{Accounts, Capability, Claims, Subject};
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tonic::Status;

/// A login with less time left is renewed.
const RENEW_SECONDS: i64 = 300;
/// How long a token that never expires stays revoked in the cache.
const FOREVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// How many revoked tokens this process remembers beside the cache.
const REMEMBERED: usize = 100_000;

/// Somebody whose token stands.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) claims: Claims,
    pub(crate) subject: Subject,
}

/// Tokens that were taken back, as this process knows them. The cache holds them for all.
#[derive(Default)]
pub(crate) struct Revoked(Mutex<BTreeMap<String, i64>>);

impl Revoked {
    fn insert(&self, id: &str, expires: i64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            let now = Timestamp::now().as_second();
            known.retain(|_, expires| *expires > now);
        }
        known.insert(id.to_owned(), expires);
    }

    fn contains(&self, id: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(id)
    }
}

impl Hub {
    /// Whom a token speaks for, and a token to go on with when it is about to expire. The error is for
    /// `invalid session: …`.
    pub(crate) async fn identify(&self, token: &str) -> Result<(Identity, Option<String>), String> {
        // Who verifies it is all that is believed of a token before it is verified.
        if auth::oidc::unverified_issuer(token).is_some_and(|issuer| issuer != auth::ISSUER) {
            return self.identify_federated(token).await;
        }
        let snapshot = self.snapshot();
        let key = snapshot.key.as_ref().ok_or("server.secretkey is missing")?;
        let now = Timestamp::now();
        let claims = key.verify(token, now).map_err(|error| error.to_string())?;
        let subject = Subject::parse(&claims.sub);
        if !claims.jti.is_empty() && self.is_revoked(&claims.jti).await {
            return Err("token is revoked, please re-login".into());
        }
        self.check_subject(&snapshot, &subject, &claims)?;
        let renewed = renewed(&snapshot, &subject, &claims, now);
        Ok((Identity { claims, subject }, renewed))
    }

    /// Whether a session still stands, as far as it is known here: it has not run out or been taken back, and its account
    /// or role is still there and allowed to.
    pub(crate) fn stands_here(&self, caller: &Caller) -> Result<(), Status> {
        let Some(Identity { claims, subject }) = caller.identity() else { return Ok(()) };
        let over = |reason: String| Status::unauthenticated(format!("invalid session: {reason}"));
        if claims.exp.is_some_and(|expires| Timestamp::now().as_second() >= expires) {
            return Err(over("token has invalid claims: token is expired".into()));
        }
        if self.revoked.contains(&claims.jti) {
            return Err(over("token is revoked, please re-login".into()));
        }
        self.check_subject(&self.snapshot(), subject, claims).map_err(over)
    }

    /// Whether a session still stands, asking the cache, too.
    pub(crate) async fn stands(&self, caller: &Caller) -> Result<(), Status> {
        self.stands_here(caller)?;
        let Some(identity) = caller.identity() else { return Ok(()) };
        if !identity.claims.jti.is_empty() && self.is_revoked(&identity.claims.jti).await {
            return Err(Status::unauthenticated("invalid session: token is revoked, please re-login"));
        }
        Ok(())
    }

    fn check_subject(&self, snapshot: &Snapshot, subject: &Subject, claims: &Claims) -> Result<(), String> {
        match subject {
            Subject::Project { project, role } => self.check_project_token(project, role, claims),
            Subject::Login(name) => check_account(&snapshot.accounts, name, Capability::Login, claims),
            Subject::ApiKey(name) => check_account(&snapshot.accounts, name, Capability::ApiKey, claims),
            // The provider's own affair.
            Subject::Federated { .. } => Ok(()),
        }
    }

    /// Takes a token back, here and for all who share the cache.
    pub(crate) async fn revoke(&self, claims: &Claims) {
        let now = Timestamp::now().as_second();
        self.revoked.insert(&claims.jti, claims.exp.unwrap_or(i64::MAX));
        let left = claims.exp.and_then(|expires| u64::try_from(expires - now).ok()).map(Duration::from_secs);
        let kept = self.cache.set(&revoked_key(&claims.jti), Bytes::new(), left.unwrap_or(FOREVER)).await;
        if let Err(error) = kept {
            tracing::warn!(%error, "a revoked token could not be told to the other servers");
        }
    }

    pub(crate) async fn is_revoked(&self, id: &str) -> bool {
        if self.revoked.contains(id) {
            return true;
        }
        // A cache that is away must not lock everybody out.
        self.cache.get(&revoked_key(id)).await.is_ok_and(|found| found.is_some())
    }

    fn check_project_token(&self, project: &str, role: &str, claims: &Claims) -> Result<(), String> {
        let found = self.store.project(project);
        let found = found.map_err(|_| format!("appproject.{} {project:?} not found", api::GROUP))?;
        let role_of = found.spec.roles.iter().find(|candidate| candidate.name == role);
        let role_of = role_of.ok_or_else(|| format!("project '{project}' does not have role '{role}'"))?;
        let tokens = found.status.jwt_tokens_by_role.get(role).map_or(&[][..], |tokens| &tokens.items);
        let issued = tokens.iter().chain(&role_of.jwt_tokens).any(|token| {
            // Tokens of long ago have no id; their time of issue tells them apart.
            if token.id.is_empty() { token.iat == claims.iat } else { token.id == claims.jti }
        });
        issued.then_some(()).ok_or_else(|| format!("project '{project}' role '{role}' has no such token"))
    }
}

fn revoked_key(id: &str) -> String {
    format!("revoked-token|{id}")
}

fn check_account(
    accounts: &Accounts,
    name: &str,
    capability: Capability,
    claims: &Claims,
) -> Result<(), String> {
    let account = accounts.get(name).ok_or_else(|| format!("account '{name}' does not exist"))?;
    if !account.enabled {
        return Err(format!("account {name} is disabled"));
    }
    if !account.can(capability) {
        return Err(format!("account {name} does not have '{}' capability", capability.as_str()));
    }
    if claims.jti.is_empty() {
        return Err("token does not have a unique identifier (jti claim) and cannot be validated".into());
    }
    if capability == Capability::ApiKey && !account.tokens.iter().any(|token| token.id == claims.jti) {
        return Err(format!("account {name} does not have token with id {}", claims.jti));
    }
    if account.password_mtime.is_some_and(|changed| claims.iat < changed.as_second()) {
        return Err("account password has changed since token issued".into());
    }
    Ok(())
}

fn renewed(snapshot: &Snapshot, subject: &Subject, claims: &Claims, now: Timestamp) -> Option<String> {
    let expires = claims.exp?;
    let soon = expires - now.as_second() < RENEW_SECONDS;
    if !soon || !matches!(subject, Subject::Login(_)) {
        return None;
    }
    let id = uuid::Uuid::new_v4().to_string();
    Some(snapshot.key.as_ref()?.issue(subject, &id, now, Some(expires - claims.iat)).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(data: &[(&str, &str)], secrets: &[(&str, &str)]) -> Accounts {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        Accounts::parse(&map(data), &map(secrets)).0
    }

    fn claims(id: &str, iat: i64) -> Claims {
        Claims { jti: id.into(), iat, ..Claims::default() }
    }

    #[test]
    fn cve_2021_26921_tokens_from_before_the_password_are_void() {
        let accounts = account(&[], &[("admin.passwordMtime", "2026-01-01T00:00:00Z")]);
        let changed = 1_767_225_600;
        assert!(check_account(&accounts, "admin", Capability::Login, &claims("a", changed)).is_ok());
        let old = check_account(&accounts, "admin", Capability::Login, &claims("a", changed - 1));
        assert_eq!(old.unwrap_err(), "account password has changed since token issued");
    }

    #[test]
    fn only_known_keys_of_enabled_accounts_with_the_capability_stand() {
        let settings = [
            ("accounts.alice", "apiKey, login"),
            ("accounts.carol", "login"),
            ("accounts.carol.enabled", "false"),
        ];
        let accounts = account(&settings, &[("accounts.alice.tokens", r#"[{"id":"k","iat":1}]"#)]);
        let check = |name: &str, capability, id: &str| {
            check_account(&accounts, name, capability, &claims(id, 1)).err().unwrap_or_default()
        };
        assert_eq!(check("alice", Capability::ApiKey, "k"), "");
        assert_eq!(
            check("alice", Capability::ApiKey, ""),
            "token does not have a unique identifier (jti claim) and cannot be validated"
        );
        assert_eq!(
            check("alice", Capability::ApiKey, "other"),
            "account alice does not have token with id other"
        );
        assert_eq!(
            check("admin", Capability::ApiKey, "k"),
            "account admin does not have 'apiKey' capability"
        );
        assert_eq!(check("carol", Capability::Login, "k"), "account carol is disabled");
        assert_eq!(check("zed", Capability::Login, "k"), "account 'zed' does not exist");
    }
}
