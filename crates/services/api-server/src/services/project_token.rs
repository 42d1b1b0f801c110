//! Tokens of a project's roles. Their records are in the project's status; the tokens themselves are kept nowhere.

use crate::audit::Reason;
use crate::authorization::Access;
use crate::failure;
use crate::hub::Hub;
use api::v1alpha1::{AppProject, JWTToken, ProjectRole};
use auth::Subject;
use jiff::Timestamp;
use std::sync::Arc;
use store::StoreError;
use tonic::Status;
use wire::project::{ProjectTokenCreateRequest, ProjectTokenDeleteRequest};

/// How often a change starts over because somebody else changed the project.
const TRIES: usize = 10;

/// Writes into the roles what the status has: the original keeps records in both places.
pub(crate) fn repeat(project: &mut AppProject) {
    project.status.jwt_tokens_by_role.retain(|_, tokens| !tokens.items.is_empty());
    for role in &mut project.spec.roles {
        let known = project.status.jwt_tokens_by_role.get(&role.name);
        role.jwt_tokens = known.map(|tokens| tokens.items.clone()).unwrap_or_default();
    }
}

/// Takes the records out of the roles into the status.
fn gather(project: &mut AppProject) {
    for role in &mut project.spec.roles {
        let of_role = project.status.jwt_tokens_by_role.entry(role.name.clone()).or_default();
        for token in std::mem::take(&mut role.jwt_tokens) {
            if !of_role.items.contains(&token) {
                of_role.items.push(token);
            }
        }
    }
}

/// The project, for those who may change it and for members of the role's own groups; the role may be gone. As the API
/// server has it: a token that another replica issued a moment ago is known, and can be taken back.
async fn changeable(
    hub: &Hub,
    access: &Access,
    project: &str,
    role: &str,
) -> Result<(Arc<AppProject>, Option<ProjectRole>), Status> {
    require_change(access, project, hub.store.project(project).ok().as_deref(), role)?;
    changed_meanwhile(hub, access, project, role).await
}

async fn changed_meanwhile(
    hub: &Hub,
    access: &Access,
    project: &str,
    role: &str,
) -> Result<(Arc<AppProject>, Option<ProjectRole>), Status> {
    let found = hub.fetched_project(project).await.map_err(|error| failure::store(&error))?;
    require_change(access, project, Some(&found), role)?;
    let role = role_of(&found, role).cloned();
    Ok((found, role))
}

fn role_of<'a>(project: &'a AppProject, role: &str) -> Option<&'a ProjectRole> {
    project.spec.roles.iter().find(|one| one.name == role)
}

fn require_change(
    access: &Access,
    name: &str,
    project: Option<&AppProject>,
    role: &str,
) -> Result<(), Status> {
    let groups = access.caller().identity().map_or(&[][..], |identity| &identity.claims.groups);
    let role = project.and_then(|project| role_of(project, role));
    let is_member = role.is_some_and(|role| role.groups.iter().any(|group| groups.contains(group)));
    if is_member { Ok(()) } else { access.require("projects", "update", name) }
}

/// Issues a token of a role.
pub(crate) async fn create(
    hub: &Hub,
    access: &Access,
    request: ProjectTokenCreateRequest,
) -> Result<String, Status> {
    let _one_at_a_time = hub.writes.lock().await;
    let name = &request.project;
    let (mut found, mut role) = changeable(hub, access, name, &request.role).await?;
    let snapshot = hub.snapshot();
    let id = if request.id.is_empty() { uuid::Uuid::new_v4().to_string() } else { request.id };
    for _ in 0..TRIES {
        if role.is_none() {
            let text = format!("project '{name}' does not have role '{}'", request.role);
            return Err(Status::not_found(text));
        }
        let mut project = AppProject::clone(&found);
        gather(&mut project);
        let tokens = &mut project.status.jwt_tokens_by_role.entry(request.role.clone()).or_default().items;
        if tokens.iter().any(|token| token.id == id) {
            // The original wraps its own status; its clients know the text.
            return Err(Status::invalid_argument(format!(
                "rpc error: code = InvalidArgument desc = Token id '{id}' has been used. "
            )));
        }
        let key = snapshot.key.as_ref().ok_or_else(|| Status::unavailable("server.secretkey is missing"))?;
        let now = Timestamp::now();
        let lifetime = (request.expires_in > 0).then_some(request.expires_in);
        if lifetime.is_some_and(|seconds| now.as_second().checked_add(seconds).is_none()) {
            return Err(Status::invalid_argument("expiresIn is out of range"));
        }
        let subject = Subject::Project { project: name.clone(), role: request.role.clone() };
        let (token, claims) = key.issue(&subject, &id, now, lifetime);
        tokens.push(JWTToken { iat: claims.iat, exp: claims.exp.unwrap_or(0), id: id.clone() });
        repeat(&mut project);
        match written(hub, &project).await? {
            Some(updated) => {
                hub.tell_project(access, &updated, Reason::Created, "created token").await;
                tracing::info!(project = %name, role = %request.role, user = %access.username(), "a project token was issued");
                return Ok(token);
            }
            None => (found, role) = changed_meanwhile(hub, access, name, &request.role).await?,
        }
    }
    Err(too_many_conflicts())
}

/// Takes a token of a role back. One that is not there, or whose role is not, is as good as taken back.
pub(crate) async fn delete(
    hub: &Hub,
    access: &Access,
    request: ProjectTokenDeleteRequest,
) -> Result<(), Status> {
    let _one_at_a_time = hub.writes.lock().await;
    let (mut found, mut role) = changeable(hub, access, &request.project, &request.role).await?;
    for _ in 0..TRIES {
        if role.is_none() {
            return Ok(());
        }
        let mut project = AppProject::clone(&found);
        gather(&mut project);
        let mut taken = false;
        if let Some(tokens) = project.status.jwt_tokens_by_role.get_mut(&request.role) {
            let before = tokens.items.len();
            let gone = |token: &JWTToken| {
                if request.id.is_empty() { token.iat == request.iat } else { token.id == request.id }
            };
            tokens.items.retain(|token| !gone(token));
            taken = tokens.items.len() < before;
        }
        repeat(&mut project);
        if project == *found {
            return Ok(());
        }
        match written(hub, &project).await? {
            Some(updated) => {
                if taken {
                    hub.tell_project(access, &updated, Reason::Deleted, "deleted token").await;
                }
                return Ok(());
            }
            None => (found, role) = changed_meanwhile(hub, access, &request.project, &request.role).await?,
        }
    }
    Err(too_many_conflicts())
}

/// Writes a project; nothing when somebody else wrote it meanwhile.
async fn written(hub: &Hub, project: &AppProject) -> Result<Option<AppProject>, Status> {
    match hub.store.update_project(project).await {
        Ok(updated) => Ok(Some(updated)),
        Err(StoreError::Cluster(error)) if error.is_conflict() => Ok(None),
        Err(error) => Err(failure::store(&error)),
    }
}

fn too_many_conflicts() -> Status {
    Status::internal("failed to update the project: too many conflicts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_in_the_status_and_in_the_roles_once() {
        let token = |id: &str| JWTToken { iat: 1, exp: 0, id: id.into() };
        let mut project = AppProject::default();
        project.spec.roles =
            vec![ProjectRole { name: "ci".into(), jwt_tokens: vec![token("a")], ..ProjectRole::default() }];
        for _ in 0..2 {
            gather(&mut project);
            repeat(&mut project);
        }
        assert_eq!(project.status.jwt_tokens_by_role["ci"].items, [token("a")]);
        // Somebody wrote the roles without them.
        project.spec.roles[0].jwt_tokens.clear();
        repeat(&mut project);
        assert_eq!(project.spec.roles[0].jwt_tokens, [token("a")]);
        project.status.jwt_tokens_by_role.clear();
        repeat(&mut project);
        assert!(project.spec.roles[0].jwt_tokens.is_empty());
    }
}
