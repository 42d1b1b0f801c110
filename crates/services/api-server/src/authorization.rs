//! What the caller may do, and the one way to an application: nobody learns of one they may not see.

use crate::authentication::Caller;
use crate::failure;
use crate::hub::Hub;
use crate::snapshot::Snapshot;
use api::names::DEFAULT_PROJECT;
use api::v1alpha1::{AppProject, Application};
use auth::Subject;
use jiff::Timestamp;
use rbac::{Effect, Enforcer, Permissions, Policy, Request, Rule};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tonic::Status;

/// Resources whose objects begin with a project.
pub(crate) const OF_PROJECTS: [&str; 6] =
    ["applications", "applicationsets", "repositories", "clusters", "logs", "exec"];
pub(crate) const APPLICATIONS: &str = "applications";

/// The policy with one project's roles added, kept while neither changes.
#[derive(Default)]
pub(crate) struct ProjectPolicies(Mutex<BTreeMap<String, Kept>>);

struct Kept {
    base: Arc<Enforcer>,
    version: String,
    enforcer: Arc<Enforcer>,
}

impl ProjectPolicies {
    fn of(&self, base: &Arc<Enforcer>, project: &AppProject) -> Arc<Enforcer> {
        let (name, version) = (&project.metadata.name, &project.metadata.resource_version);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.get(name) {
            Some(known) if Arc::ptr_eq(&known.base, base) && known.version == *version => {
                known.enforcer.clone()
            }
            _ => {
                let enforcer = Arc::new(base.with(&project_policy(project)));
                let fresh = Kept { base: base.clone(), version: version.clone(), enforcer: enforcer.clone() };
                kept.insert(name.clone(), fresh);
                enforcer
            }
        }
    }
}

/// What a caller may do, asked as often as needed. Lines of a policy are looked at once per project.
pub(crate) struct Access {
    hub: Arc<Hub>,
    snapshot: Arc<Snapshot>,
    caller: Caller,
    permissions: Mutex<BTreeMap<String, Arc<Permissions>>>,
}

/// Which application a request means.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The project the caller says it is in; empty when not said.
    pub(crate) project: &'a str,
    /// Its namespace; empty for the control plane's.
    pub(crate) namespace: &'a str,
    /// Its name.
    pub(crate) name: &'a str,
}

impl<'a> Wanted<'a> {
    /// From the fields of a request.
    pub(crate) fn new(project: &'a Option<String>, namespace: &'a Option<String>, name: &'a str) -> Self {
        Self {
            project: project.as_deref().unwrap_or(""),
            namespace: namespace.as_deref().unwrap_or(""),
            name,
        }
    }
}

impl Access {
    pub(crate) fn new(hub: Arc<Hub>, caller: Caller) -> Self {
        Self { snapshot: hub.snapshot(), hub, caller, permissions: Mutex::default() }
    }

    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The settings when the request came.
    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The caller's name as people know it; empty for nobody in particular.
    pub(crate) fn username(&self) -> String {
        self.caller.identity().map(|identity| identity.subject.display_name()).unwrap_or_default()
    }

    /// Whether something is permitted.
    pub(crate) fn permits(&self, resource: &str, action: &str, object: &str) -> bool {
        match &self.caller {
            Caller::Unlimited => true,
            Caller::Nobody => false,
            Caller::Anonymous | Caller::Known(_) => {
                let request = Request { resource, action, object };
                self.permissions(resource, object).permit(request)
            }
        }
    }

    /// Which line of the policy decides about what the caller asks; nothing where no policy is asked. Whoever is not
    /// known is told of no line.
    pub(crate) fn explained(&self, resource: &str, action: &str, object: &str) -> Option<String> {
        let Caller::Known(_) = &self.caller else { return None };
        let decision = self.permissions(resource, object).decide(Request { resource, action, object });
        Some(decision.rule.map_or_else(|| "no line permits it".to_owned(), |rule| rule.to_string()))
    }

    /// The same, told as users know it.
    pub(crate) fn require(&self, resource: &str, action: &str, object: &str) -> Result<(), Status> {
        if self.permits(resource, action, object) {
            return Ok(());
        }
        let mut text = format!("permission denied: {resource}, {action}, {object}");
        if let Some(identity) = self.caller.identity() {
            text.push_str(&format!(", sub: {}", identity.subject.name()));
            if let Ok(issued) = Timestamp::from_second(identity.claims.iat) {
                text.push_str(&format!(", iat: {}", issued.strftime("%Y-%m-%dT%H:%M:%SZ")));
            }
        }
        Err(Status::permission_denied(text))
    }

    fn permissions(&self, resource: &str, object: &str) -> Arc<Permissions> {
        let name = project_of(resource, object);
        let mut known = self.permissions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(permissions) = known.get(name) {
            return permissions.clone();
        }
        let project = self.hub.store.project(name).ok();
        let permissions = Arc::new(self.compile(project.as_deref()));
        known.insert(name.to_owned(), permissions.clone());
        permissions
    }

    fn compile(&self, project: Option<&AppProject>) -> Permissions {
        let base = &self.snapshot.enforcer;
        let identity = self.caller.identity();
        // A project's token is good for that project only, whatever its policy says.
        let foreign = match (identity.map(|identity| &identity.subject), project) {
            (Some(Subject::Project { project: own, .. }), Some(project)) => *own != project.metadata.name,
            _ => false,
        };
        if foreign {
            return Permissions::default();
        }
        let enforcer = project.map_or_else(|| base.clone(), |project| self.hub.policies.of(base, project));
        let name = identity.map(|identity| identity.subject.name()).unwrap_or_default();
        let groups = identity.map_or(&[][..], |identity| &identity.claims.groups);
        enforcer.permissions(&name, groups)
    }

    /// An application the caller may do something with. What may not be seen and what is not there look alike, unless
    /// the caller named the project and may look there.
    pub(crate) async fn application(
        &self,
        wanted: Wanted<'_>,
        action: &str,
    ) -> Result<Arc<Application>, Status> {
        self.application_for_any(wanted, &[action]).await
    }

    /// The same where the right to any of these actions will do; the last one's refusal is told.
    pub(crate) async fn application_for_any(
        &self,
        wanted: Wanted<'_>,
        actions: &[&str],
    ) -> Result<Arc<Application>, Status> {
        let any = |judge: &dyn Fn(&str) -> Result<Arc<Application>, Status>| {
            let refused = Err(failure::denied());
            actions.iter().fold(refused, |found, action| found.or_else(|_| judge(action)))
        };
        match any(&|action| self.known_application(wanted, action)) {
            // Another replica may have written it a moment ago. What is there and may not be seen is asked for, too:
            // the time an answer takes tells nothing.
            Err(refused) => match self.hub.fetched(wanted.namespace, wanted.name).await {
                Some(fetched) => any(&|action| self.judged(wanted, action, Some(fetched.clone()))),
                None => Err(refused),
            },
            known => known,
        }
    }

    /// The same of what is in memory alone: for who was let in before and is asked again.
    pub(crate) fn known_application(
        &self,
        wanted: Wanted<'_>,
        action: &str,
    ) -> Result<Arc<Application>, Status> {
        let namespace = self.hub.namespace_or_default(wanted.namespace);
        self.judged(wanted, action, self.hub.store.application(namespace, wanted.name).ok())
    }

    /// The same as the API server has it at this moment: for who makes something new of it.
    pub(crate) async fn live_application(
        &self,
        wanted: Wanted<'_>,
        action: &str,
    ) -> Result<Arc<Application>, Status> {
        self.application(wanted, action).await?;
        let namespace = self.hub.namespace_or_default(wanted.namespace);
        let fetched = self.hub.store.fetch_application(namespace, wanted.name).await;
        self.judged(wanted, action, Some(Arc::new(fetched.map_err(|error| failure::store(&error))?)))
    }

    fn judged(
        &self,
        wanted: Wanted<'_>,
        action: &str,
        found: Option<Arc<Application>>,
    ) -> Result<Arc<Application>, Status> {
        let namespace = self.hub.namespace_or_default(wanted.namespace);
        let said = !wanted.project.is_empty();
        let hidden = || if said { failure::no_application(wanted.name) } else { failure::denied() };
        let found = found.filter(|_| self.hub.store.namespaces().permits(namespace));
        if said {
            let object = rbac_name(self.hub.store.namespace(), wanted.project, namespace, wanted.name);
            if !self.permits(APPLICATIONS, action, &object) {
                return Err(failure::denied());
            }
        }
        let application = found.ok_or_else(hidden)?;
        if !self.permits(APPLICATIONS, action, &self.object_of(&application)) {
            return Err(hidden());
        }
        if said && project_name(&application) != wanted.project {
            return Err(hidden());
        }
        self.hub.project_of(&application)?;
        Ok(application)
    }

    /// The object of the policy that an application is.
    pub(crate) fn object_of(&self, application: &Application) -> String {
        let namespace = self.hub.namespace_or_default(&application.metadata.namespace);
        rbac_name(
            self.hub.store.namespace(),
            project_name(application),
            namespace,
            &application.metadata.name,
        )
    }
}

/// The name of the project whose roles may have a say; empty where none has.
fn project_of<'o>(resource: &str, object: &'o str) -> &'o str {
    if resource == "projects" {
        object
    } else if OF_PROJECTS.contains(&resource) {
        object.split_once('/').map_or("", |(project, _)| project)
    } else {
        ""
    }
}

/// The project an application says it is in.
pub(crate) fn project_name(application: &Application) -> &str {
    match application.spec.project.as_str() {
        "" => DEFAULT_PROJECT,
        name => name,
    }
}

/// `<project>/<name>`, with the namespace between them where it is not the control plane's.
pub(crate) fn rbac_name(control: &str, project: &str, namespace: &str, name: &str) -> String {
    if namespace.is_empty() || namespace == control {
        format!("{project}/{name}")
    } else {
        format!("{project}/{namespace}/{name}")
    }
}

/// A project's roles as policy. Each role may see its project. A line that cannot be read makes its role worth
/// nothing: one without a `deny` it was meant to have is worse than none.
fn project_policy(project: &AppProject) -> Policy {
    let name = &project.metadata.name;
    let mut policy = Policy::default();
    for role in &project.spec.roles {
        let subject = format!("proj:{name}:{}", role.name);
        let Ok(own) = Policy::parse(&role.policies.join("\n")) else {
            tracing::warn!(project = %name, role = %role.name, "a policy of the role cannot be read: it permits nothing");
            continue;
        };
        // Only what the role says of itself: a project does not speak for other subjects.
        policy.rules.extend(own.rules.into_iter().filter(|rule| rule.subject == subject));
        policy.rules.push(Rule {
            subject: subject.clone(),
            resource: "projects".into(),
            action: "get".into(),
            object: name.clone(),
            effect: Effect::Allow,
        });
        policy.grants.extend(role.groups.iter().map(|group| (group.clone(), subject.clone())));
    }
    policy
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::v1alpha1::ProjectRole;
    use rbac::MatchMode;

    fn project(policies: &[&str]) -> AppProject {
        let mut project = AppProject::default();
        project.metadata.name = "red".into();
        project.spec.roles = vec![ProjectRole {
            name: "ci".into(),
            policies: policies.iter().map(|line| (*line).to_owned()).collect(),
            groups: vec!["dev".into()],
            ..ProjectRole::default()
        }];
        project
    }

    fn permits(project: &AppProject, subject: &str, groups: &[String], request: (&str, &str, &str)) -> bool {
        let enforcer = Enforcer::new(&rbac::builtin(), "", MatchMode::Glob).with(&project_policy(project));
        let (resource, action, object) = request;
        enforcer.permissions(subject, groups).permit(Request { resource, action, object })
    }

    #[test]
    fn a_projects_role_says_what_its_tokens_and_groups_may() {
        let red = project(&["p, proj:red:ci, applications, sync, red/*, allow"]);
        let sync = ("applications", "sync", "red/a");
        assert!(permits(&red, "proj:red:ci", &[], sync));
        assert!(permits(&red, "alice", &["dev".into()], sync));
        assert!(permits(&red, "proj:red:ci", &[], ("projects", "get", "red")));
        assert!(!permits(&red, "alice", &[], sync));
        assert!(!permits(&red, "proj:red:ci", &[], ("applications", "delete", "red/a")));
    }

    #[test]
    fn a_projects_role_gives_nothing_to_others() {
        let red = project(&["p, alice, applications, *, */*, allow", "g, alice, role:admin"]);
        assert!(!permits(&red, "alice", &[], ("applications", "sync", "red/a")));
        assert!(!permits(&red, "alice", &[], ("clusters", "get", "x")));
    }

    #[test]
    fn a_role_with_a_broken_line_permits_nothing() {
        let red = project(&["p, proj:red:ci, applications, *, red/*, allow", "p, proj:red:ci, applications"]);
        assert!(!permits(&red, "proj:red:ci", &[], ("applications", "get", "red/a")));
    }

    #[test]
    fn names_carry_foreign_namespaces() {
        assert_eq!(rbac_name("argocd", "p", "argocd", "a"), "p/a");
        assert_eq!(rbac_name("argocd", "p", "team", "a"), "p/team/a");
    }
}
