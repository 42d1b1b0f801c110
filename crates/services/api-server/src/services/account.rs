//! Local accounts, their API keys, and what the caller may do.

use crate::authorization::{Access, OF_PROJECTS, rbac_name};
use crate::failure;
use crate::hub::Hub;
use crate::passwords;
use auth::{Account, Capability, IssuedToken, Password, Subject};
use jiff::Timestamp;
use object::Secret;
use std::sync::Arc;
use tonic::{Request, Response, Status};
use wire::account::account_service_server::AccountService;
use wire::account::{
    AccountsList, CanIRequest, CanIResponse, CreateTokenRequest, CreateTokenResponse, DeleteTokenRequest,
    EmptyResponse, GetAccountRequest, ListAccountRequest, Token, UpdatePasswordRequest,
    UpdatePasswordResponse,
};

const RESOURCES: [&str; 12] = [
    "clusters",
    "projects",
    "applications",
    "applicationsets",
    "repositories",
    "write-repositories",
    "certificates",
    "accounts",
    "gpgkeys",
    "logs",
    "exec",
    "extensions",
];
const ACTIONS: [&str; 9] =
    ["get", "create", "update", "delete", "sync", "rollback", "override", "action", "invoke"];

/// Metadata of an answer to `CanI`: the line of the policy that decided; `Grpc-Metadata-Rbac-Line` over REST.
const EXPLANATION: &str = "rbac-line";

/// How new a provider's token must be to change a password of a local account without one.
const FRESH_SECONDS: i64 = 300;

/// Accounts.
pub(crate) struct Accounts(pub(crate) Arc<Hub>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl AccountService for Accounts {
    async fn can_i(&self, request: Request<CanIRequest>) -> Answer<CanIResponse> {
        let (access, request) = self.0.enter(request)?;
        among(&ACTIONS, &request.action)?;
        among(&RESOURCES, &request.resource)?;
        // While rollbacks have no right of their own, they are syncs.
        let action = match request.action.as_str() {
            "rollback" if !access.snapshot().server.rollback_needs_action => "sync",
            action => action,
        };
        let object = object_of(self.0.store.namespace(), &request.resource, &request.subresource);
        let allowed = access.permits(&request.resource, action, &object);
        let mut response =
            Response::new(CanIResponse { value: if allowed { "yes" } else { "no" }.to_owned() });
        let line = access.explained(&request.resource, action, &object);
        // A line that cannot stand in a header is left out; the answer is the same.
        if let Some(line) = line.and_then(|line| line.parse().ok()) {
            response.metadata_mut().insert(EXPLANATION, line);
        }
        Ok(response)
    }

    async fn update_password(
        &self,
        request: Request<UpdatePasswordRequest>,
    ) -> Answer<UpdatePasswordResponse> {
        let (access, request) = self.0.enter(request)?;
        update_password(&self.0, &access, request).await?;
        Ok(Response::new(UpdatePasswordResponse {}))
    }

    async fn list_accounts(&self, request: Request<ListAccountRequest>) -> Answer<AccountsList> {
        let (access, _) = self.0.enter(request)?;
        let accounts = &access.snapshot().accounts.0;
        let items = accounts
            .iter()
            .filter(|(name, _)| may_see(&access, name).is_ok())
            .map(|(name, account)| told(name, account))
            .collect();
        Ok(Response::new(AccountsList { items }))
    }

    async fn get_account(&self, request: Request<GetAccountRequest>) -> Answer<wire::account::Account> {
        let (access, request) = self.0.enter(request)?;
        may_see(&access, &request.name)?;
        Ok(Response::new(told(&request.name, account(&access, &request.name)?)))
    }

    async fn create_token(&self, request: Request<CreateTokenRequest>) -> Answer<CreateTokenResponse> {
        let (access, request) = self.0.enter(request)?;
        may_change(&access, &request.name)?;
        account(&access, &request.name)?;
        let token = create_token(&self.0, &request).await?;
        Ok(Response::new(CreateTokenResponse { token }))
    }

    async fn delete_token(&self, request: Request<DeleteTokenRequest>) -> Answer<EmptyResponse> {
        let (access, request) = self.0.enter(request)?;
        may_change(&access, &request.name)?;
        account(&access, &request.name)?;
        change_tokens(&self.0, &request.name, |account| {
            let mut tokens = account.tokens.clone();
            tokens.retain(|token| token.id != request.id);
            if tokens.len() == account.tokens.len() {
                return Err(Status::not_found(format!("token with id '{}' does not exist", request.id)));
            }
            Ok(tokens)
        })
        .await?;
        Ok(Response::new(EmptyResponse {}))
    }
}

fn among(words: &[&str], word: &str) -> Result<(), Status> {
    if words.contains(&word) {
        return Ok(());
    }
    Err(Status::invalid_argument(format!("[{}] does not contain {word}", words.join(" "))))
}

/// The object of the policy that a caller means: `<project>/<namespace>/<name>` is `<project>/<name>` in the control
/// plane's namespace.
fn object_of(control: &str, resource: &str, asked: &str) -> String {
    let parts: Vec<&str> = asked.split('/').collect();
    match parts.as_slice() {
        [project, namespace, name] if OF_PROJECTS.contains(&resource) => {
            rbac_name(control, project, namespace, name)
        }
        _ => asked.to_owned(),
    }
}

/// Everybody may see and change their own account.
fn is_own(access: &Access, name: &str) -> bool {
    let subject = access.caller().identity().map(|identity| &identity.subject);
    matches!(subject, Some(Subject::Login(own) | Subject::ApiKey(own)) if own == name)
}

fn may_see(access: &Access, name: &str) -> Result<(), Status> {
    if is_own(access, name) { Ok(()) } else { access.require("accounts", "get", name) }
}

fn may_change(access: &Access, name: &str) -> Result<(), Status> {
    if is_own(access, name) { Ok(()) } else { access.require("accounts", "update", name) }
}

fn account<'a>(access: &'a Access, name: &str) -> Result<&'a Account, Status> {
    let found = access.snapshot().accounts.get(name);
    found.ok_or_else(|| Status::not_found(format!("account '{name}' does not exist")))
}

fn told(name: &str, account: &Account) -> wire::account::Account {
    let mut tokens: Vec<Token> = account
        .tokens
        .iter()
        .map(|token| Token { id: token.id.clone(), issued_at: token.iat, expires_at: token.exp })
        .collect();
    tokens.sort_by(|left, right| right.issued_at.cmp(&left.issued_at).then_with(|| left.id.cmp(&right.id)));
    wire::account::Account {
        name: name.to_owned(),
        enabled: account.enabled,
        capabilities: account.capabilities.iter().map(|capability| capability.as_str().to_owned()).collect(),
        tokens,
    }
}

/// Start of an account's keys in `argocd-secret`.
fn prefix(name: &str) -> String {
    if name == "admin" { name.to_owned() } else { format!("accounts.{name}") }
}

/// Whether the caller's own password is this one, and good for a login. A blocked or slow guess here is no better than
/// at the login.
async fn is_own_password(hub: &Hub, access: &Access, caller: &str, password: String) -> bool {
    let account = access.snapshot().accounts.get(caller);
    let may_try = hub.may_try(caller);
    let right = passwords::matches(password, account.map(|account| account.password_hash.clone())).await;
    if may_try {
        hub.note_login(caller, right);
    }
    right && may_try && account.is_some_and(|account| account.enabled && account.can(Capability::Login))
}

/// Changes a password: one's own, or another's with the right to. Local callers open the way with their own password,
/// those of a provider by having logged in just now.
async fn update_password(hub: &Hub, access: &Access, request: UpdatePasswordRequest) -> Result<(), Status> {
    let Some(identity) = access.caller().identity() else {
        access.require("accounts", "update", &request.name)?;
        return Err(Status::unknown("failed to get issue time: unable to extract token claims"));
    };
    let caller = identity.subject.name();
    let name = if request.name.is_empty() { caller.clone() } else { request.name.clone() };
    match &identity.subject {
        Subject::Federated { .. } => {
            access.require("accounts", "update", &request.name)?;
            if Timestamp::now().as_second().saturating_sub(identity.claims.iat) > FRESH_SECONDS {
                return Err(Status::unknown(
                    "SSO token is too old. Please use 'argocd relogin' to get a new token",
                ));
            }
        }
        subject => {
            if name != caller {
                access.require("accounts", "update", &name)?;
            }
            if request.name.is_empty() && matches!(subject, Subject::Project { .. }) {
                return Err(Status::invalid_argument(format!(
                    "password can only be changed for local users, not user {caller:?}"
                )));
            }
            if !is_own_password(hub, access, &caller, request.current_password).await {
                return Err(Status::invalid_argument("current password does not match"));
            }
        }
    }
    account(access, &name)?;
    let pattern = &access.snapshot().sessions.password_pattern;
    if !Password::new(request.new_password.clone()).meets(pattern).unwrap_or(false) {
        return Err(Status::unknown(format!(
            "new password does not match the following expression: {pattern}"
        )));
    }
    let new = request.new_password;
    let hash = tokio::task::spawn_blocking(move || passwords::hash(&new)).await;
    let hash = hash.map_err(|_| Status::internal("the password could not be hashed"))?;
    let time = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let prefix = prefix(&name);
    let values = [
        (format!("{prefix}.password"), Some(Secret::new(hash.into_bytes()))),
        (format!("{prefix}.passwordMtime"), Some(Secret::new(time.into_bytes()))),
    ];
    let _one_at_a_time = hub.writes.lock().await;
    hub.store.set_argocd_secret(&values).await.map_err(|error| failure::store(&error))?;
    tracing::info!(user = %caller, account = %name, "a password was changed");
    Ok(())
}

async fn create_token(hub: &Hub, request: &CreateTokenRequest) -> Result<String, Status> {
    let id = if request.id.is_empty() { uuid::Uuid::new_v4().to_string() } else { request.id.clone() };
    let now = Timestamp::now();
    let snapshot = hub.snapshot();
    let key = snapshot.key.as_ref().ok_or_else(|| Status::unavailable("server.secretkey is missing"))?;
    let lifetime = (request.expires_in > 0).then_some(request.expires_in);
    if lifetime.is_some_and(|seconds| now.as_second().checked_add(seconds).is_none()) {
        return Err(Status::invalid_argument("expiresIn is out of range"));
    }
    let (token, claims) = key.issue(&Subject::ApiKey(request.name.clone()), &id, now, lifetime);
    change_tokens(hub, &request.name, |account| {
        let refused = |reason: String| {
            Status::unknown(format!("failed to update account with new token: account {reason}"))
        };
        if account.tokens.iter().any(|token| token.id == id) {
            return Err(refused(format!("already has token with id '{id}'")));
        }
        if !account.can(Capability::ApiKey) {
            return Err(refused(format!("'{}' does not have apiKey capability", request.name)));
        }
        let fresh = IssuedToken { id: id.clone(), iat: claims.iat, exp: claims.exp.unwrap_or(0) };
        Ok(account.tokens.iter().cloned().chain([fresh]).collect())
    })
    .await?;
    Ok(token)
}

/// Changes an account's keys as they are now, one change at a time.
async fn change_tokens(
    hub: &Hub,
    name: &str,
    change: impl FnOnce(&Account) -> Result<Vec<IssuedToken>, Status> + Send,
) -> Result<(), Status> {
    let _one_at_a_time = hub.writes.lock().await;
    let snapshot = hub.snapshot();
    let account = snapshot.accounts.get(name);
    let account = account.ok_or_else(|| Status::not_found(format!("account '{name}' does not exist")))?;
    let tokens =
        serde_json::to_vec(&change(account)?).map_err(|error| Status::internal(error.to_string()))?;
    let values = [(format!("{}.tokens", prefix(name)), Some(Secret::new(tokens)))];
    hub.store.set_argocd_secret(&values).await.map_err(|error| failure::store(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_are_told_with_the_known_ones() {
        assert!(among(&ACTIONS, "get").is_ok());
        assert_eq!(
            among(&ACTIONS, "fly").unwrap_err().message(),
            "[get create update delete sync rollback override action invoke] does not contain fly"
        );
    }
}
