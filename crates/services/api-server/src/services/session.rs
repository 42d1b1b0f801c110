//! Logging in and out.

use crate::hub::Hub;
use crate::passwords;
use auth::{Capability, Subject};
use jiff::Timestamp;
use std::sync::Arc;
use tonic::{Request, Response, Status};
use wire::session::session_service_server::SessionService;
use wire::session::{
    GetUserInfoRequest, GetUserInfoResponse, SessionCreateRequest, SessionDeleteRequest, SessionResponse,
};

/// Longer names are nobody's. Those that are too long are told so, which says nothing of who is there.
const LONGEST_NAME: usize = 32;

/// Sessions.
pub(crate) struct Sessions(pub(crate) Arc<Hub>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl SessionService for Sessions {
    async fn create(&self, request: Request<SessionCreateRequest>) -> Answer<SessionResponse> {
        let request = request.into_inner();
        if !request.token.is_empty() {
            return Err(Status::unauthenticated(
                "token-based session creation no longer supported. please upgrade argocd cli to v0.7+",
            ));
        }
        if request.username.is_empty() || request.password.is_empty() {
            return Err(Status::unauthenticated("no credentials supplied"));
        }
        let token = login(&self.0, &request.username, request.password).await;
        self.0.metrics.login(token.is_ok());
        Ok(Response::new(SessionResponse { token: token? }))
    }

    async fn delete(&self, request: Request<SessionDeleteRequest>) -> Answer<SessionResponse> {
        let (access, _) = self.0.open(request);
        if let Some(identity) = access.caller().identity()
            && matches!(identity.subject, Subject::Login(_) | Subject::Federated { .. })
        {
            self.0.revoke(&identity.claims).await;
        }
        Ok(Response::new(SessionResponse::default()))
    }

    async fn get_user_info(&self, request: Request<GetUserInfoRequest>) -> Answer<GetUserInfoResponse> {
        let (access, _) = self.0.open(request);
        Ok(Response::new(match access.caller().identity() {
            None => GetUserInfoResponse::default(),
            Some(identity) => GetUserInfoResponse {
                logged_in: true,
                username: identity.subject.display_name(),
                iss: identity.claims.iss.clone(),
                groups: identity.claims.groups.clone(),
            },
        }))
    }
}

fn refused() -> Status {
    Status::unauthenticated("Invalid username or password")
}

/// A token for a name and password. Every wrong one gets the same answer after the same work.
async fn login(hub: &Hub, name: &str, password: String) -> Result<String, Status> {
    let Ok(_permit) = hub.logins.try_acquire() else {
        tracing::warn!("too many logins at once");
        return Err(refused());
    };
    if name.len() > LONGEST_NAME {
        return Err(Status::invalid_argument(format!("Username is too long ({LONGEST_NAME} bytes max)")));
    }
    let snapshot = hub.snapshot();
    let account = snapshot.accounts.get(name);
    let may_try = hub.may_try(name);
    // A blocked name is answered as slowly as any other.
    let hash = account.filter(|_| may_try).map(|account| account.password_hash.clone());
    let right = passwords::matches(password, hash).await;
    if !may_try {
        tracing::warn!(name, "a login was refused: too many failures");
        return Err(refused());
    }
    let account = account.filter(|_| right);
    hub.note_login(name, account.is_some());
    let Some(account) = account else { return Err(refused()) };
    if !account.enabled {
        return Err(Status::unauthenticated(format!("Account {name} is disabled")));
    }
    if !account.can(Capability::Login) {
        return Err(Status::unauthenticated(format!("Account {name} does not have login capability")));
    }
    let key = snapshot.key.as_ref().ok_or_else(|| Status::unavailable("server.secretkey is missing"))?;
    let lifetime = i64::try_from(snapshot.sessions.session_duration.as_secs()).ok();
    let id = uuid::Uuid::new_v4().to_string();
    Ok(key.issue(&Subject::Login(name.to_owned()), &id, Timestamp::now(), lifetime).0)
}
