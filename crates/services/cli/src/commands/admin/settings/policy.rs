//! Policies to try: a file of lines, a file with `argocd-rbac-cm`, or the one in the cluster; and the words a
//! request may be made of.

use rbac::{Enforcer, MatchMode, Policy};
use settings::{Data, RbacPolicy};

use super::super::hub::{Hub, data};
use super::source;
use crate::failure::{Failure, Outcome};
use crate::log::Level;
use crate::session::Session;

/// What is called otherwise on the command line, too.
const OTHER_NAMES: [(&str, &str); 16] = [
    ("account", "accounts"),
    ("app", "applications"),
    ("apps", "applications"),
    ("application", "applications"),
    ("cert", "certificates"),
    ("certs", "certificates"),
    ("certificate", "certificates"),
    ("cluster", "clusters"),
    ("extension", "extensions"),
    ("gpgkey", "gpgkeys"),
    ("key", "gpgkeys"),
    ("log", "logs"),
    ("proj", "projects"),
    ("projs", "projects"),
    ("project", "projects"),
    ("repo", "repositories"),
];
const MORE_NAMES: [(&str, &str); 2] = [("repos", "repositories"), ("repository", "repositories")];

const CHANGES: &[&str] = &["create", "get", "update", "delete"];
const NO_UPDATE: &[&str] = &["create", "get", "delete"];
const RESOURCES: [(&str, &[&str]); 12] = [
    ("accounts", &["create", "get", "update"]),
    ("applications", &["create", "get", "update", "delete", "action", "override", "sync", "rollback"]),
    ("applicationsets", CHANGES),
    ("certificates", NO_UPDATE),
    ("clusters", CHANGES),
    ("extensions", &["invoke"]),
    ("gpgkeys", NO_UPDATE),
    ("logs", &["get"]),
    ("exec", &["create"]),
    ("projects", CHANGES),
    ("repositories", CHANGES),
    ("write-repositories", CHANGES),
];
/// Actions on one object of an application, after a slash.
const WITH_PATH: [&str; 3] = ["update", "delete", "action"];
/// Resources whose objects begin with a project.
const OF_PROJECTS: [&str; 7] =
    ["applications", "applicationsets", "clusters", "exec", "logs", "repositories", "write-repositories"];

/// The policy, before anything is added to it.
pub(super) struct Written {
    pub(super) rbac: RbacPolicy,
}

impl Written {
    /// From `--policy-file`, else from the namespace.
    pub(super) async fn read(session: &mut Session<'_>) -> Outcome<Self> {
        let (file, namespace) = (session.text("policy-file"), session.text("namespace"));
        if file.is_empty() == namespace.is_empty() {
            let help = crate::help::text(&session.matches.path);
            session.print(&help);
            return Err(Failure::fatal("please provide exactly one of --policy-file or --namespace"));
        }
        let lines = if file.is_empty() {
            let hub = Hub::connect(session).await;
            let hub = hub.map_err(|error| Failure::fatal(format!("could not create k8s client: {error}")))?;
            let found = hub.data("ConfigMap", "argocd-rbac-cm").await;
            found.map_err(|error| Failure::fatal(format!("could not get configmap: {error}")))?
        } else {
            let text = source::read(&file)
                .map_err(|error| Failure::fatal(format!("error opening policy file: {error}")))?;
            from_file(&text)
        };
        let (rbac, problems) = RbacPolicy::parse(&lines);
        for problem in problems {
            session.log(Level::Warning, &format!("{}: {}", problem.key, problem.message));
        }
        Ok(Self { rbac })
    }

    /// The lines compiled, beside the built-in ones where they are wanted.
    pub(super) fn enforcer(
        &self,
        with_builtin: bool,
        default_role: &str,
    ) -> Result<Enforcer, rbac::PolicyError> {
        let mut policy = if with_builtin { rbac::builtin() } else { Policy::default() };
        policy.extend(Policy::parse(&self.rbac.policy)?);
        let default_role = if default_role.is_empty() { &self.rbac.default_role } else { default_role };
        let mode = match self.rbac.match_mode {
            settings::MatchMode::Glob => MatchMode::Glob,
            settings::MatchMode::Regex => MatchMode::Regex,
        };
        Ok(Enforcer::new(&policy, default_role, mode))
    }
}

/// A ConfigMap, when it reads as one, or else lines.
fn from_file(text: &[u8]) -> Data {
    match object::yaml::decode(text) {
        Ok(value) if value.is_object() => data("ConfigMap", &value),
        _ => Data::from([("policy.csv".to_owned(), String::from_utf8_lossy(text).into_owned())]),
    }
}

/// A resource as policies call it.
pub(super) fn resource(name: &str) -> &str {
    let mut names = OTHER_NAMES.iter().chain(&MORE_NAMES);
    names.find(|(other, _)| *other == name).map_or(name, |(_, resource)| resource)
}

/// Whether there can be such a request at all.
pub(super) fn check(resource: &str, action: &str) -> Result<(), String> {
    let Some((_, actions)) = RESOURCES.iter().find(|(known, _)| *known == resource) else {
        return Err(format!("'{resource}' is not a valid resource name"));
    };
    let (verb, path) = action.split_once('/').map_or((action, None), |(verb, path)| (verb, Some(path)));
    let with_path = resource == "applications" && WITH_PATH.contains(&verb);
    if !actions.contains(&verb) || (path.is_some() && !with_path) {
        return Err(format!("'{action}' is not a valid action for {resource}"));
    }
    Ok(())
}

/// The object that is meant: of what belongs to projects, any in any when none is named.
pub(super) fn object(resource: &str, named: &str) -> String {
    let any = OF_PROJECTS.contains(&resource) && ["", "*"].contains(&named);
    if any { "*/*".to_owned() } else { named.to_owned() }
}
