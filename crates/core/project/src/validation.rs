//! Whether a project is valid in itself.

use crate::cron::Schedule;
use api::v1alpha1::{AppProject, ProjectRole, SyncWindow};
use glob_pattern::Pattern;
use object::GoDuration;
use std::collections::BTreeSet;

/// What no service account has in its name.
const NEVER_IN_A_SERVICE_ACCOUNT: [char; 8] = ['!', '*', '[', ']', '{', '}', '\\', '/'];

/// Why a project is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidProject {
    /// What kind of mistake it is.
    pub code: Code,
    /// What is wrong.
    pub message: String,
}

/// Kinds of mistakes, as clients of the API tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A value that is not valid.
    InvalidArgument,
    /// Something that is there twice.
    AlreadyExists,
    /// Something that is missing where one of several is needed.
    OutOfRange,
    /// None of these.
    Unknown,
}

type Checked = Result<(), InvalidProject>;

/// Refuses a project that says something twice, something that means nothing, or something about others.
pub fn validate_project(project: &AppProject) -> Checked {
    let spec = &project.spec;
    let mut seen = BTreeSet::new();
    for item in &spec.destinations {
        for (field, value) in [("name", &item.name), ("server", &item.server), ("namespace", &item.namespace)]
        {
            denies_something(field, value)?;
        }
        let by_name = item.server.is_empty() && !item.name.is_empty();
        let cluster = if by_name { &item.name } else { &item.server };
        once(&mut seen, format!("{cluster}/{}", item.namespace), "destination")?;
    }
    seen.clear();
    for namespace in &spec.source_namespaces {
        once(&mut seen, namespace.clone(), "source namespace")?;
    }
    seen.clear();
    for repository in &spec.source_repos {
        denies_something("source repository", repository)?;
        once(&mut seen, repository.clone(), "source repository")?;
    }
    seen.clear();
    for role in &spec.roles {
        if !seen.insert(role.name.clone()) {
            return refuse(Code::AlreadyExists, format!("role '{}' already exists", role.name));
        }
        valid_role(&project.metadata.name, role)?;
    }
    valid_windows(&spec.sync_windows)?;
    seen.clear();
    for account in &spec.destination_service_accounts {
        chooses("server", &account.server)?;
        chooses("namespace", &account.namespace)?;
        let name = account.default_service_account.as_str();
        if name.trim_matches(' ').is_empty() || name.contains(NEVER_IN_A_SERVICE_ACCOUNT) {
            return refuse(
                Code::InvalidArgument,
                format!("defaultServiceAccount has an invalid format, '{name}'"),
            );
        }
        once(&mut seen, format!("{}/{}", account.server, account.namespace), "destinationServiceAccount")?;
    }
    Ok(())
}

fn refuse(code: Code, message: String) -> Checked {
    Err(InvalidProject { code, message })
}

/// `!*` would permit nothing and deny everything: nobody means that.
fn denies_something(field: &str, value: &str) -> Checked {
    if value == "!*" {
        return refuse(Code::InvalidArgument, format!("{field} has an invalid format, '!*'"));
    }
    Ok(())
}

/// A glob, in which there is nothing to deny: a service account is chosen with it.
fn chooses(field: &str, value: &str) -> Checked {
    if value.contains('!') || Pattern::parse(value, &[]).is_err() {
        return refuse(Code::InvalidArgument, format!("{field} has an invalid format, '{value}'"));
    }
    Ok(())
}

fn once(seen: &mut BTreeSet<String>, entry: String, what: &str) -> Checked {
    if seen.contains(&entry) {
        return refuse(Code::InvalidArgument, format!("{what} '{entry}' already added"));
    }
    seen.insert(entry);
    Ok(())
}

fn valid_role(project: &str, role: &ProjectRole) -> Checked {
    if !is_role_name(&role.name) {
        return refuse(
            Code::InvalidArgument,
            format!(
                "invalid role name '{}'. Must consist of alphanumeric characters, '-' or '_', and must start and end with an alphanumeric character",
                role.name
            ),
        );
    }
    let mut policies = BTreeSet::new();
    for policy in &role.policies {
        if !policies.insert(policy) {
            let message = format!("policy '{policy}' already exists for role '{}'", role.name);
            return refuse(Code::AlreadyExists, message);
        }
        valid_policy(project, &role.name, policy)?;
    }
    let mut groups = BTreeSet::new();
    for group in &role.groups {
        if !groups.insert(group) {
            let message = format!("group '{group}' already exists for role '{}'", role.name);
            return refuse(Code::AlreadyExists, message);
        }
        if group.trim().is_empty() {
            return refuse(Code::InvalidArgument, format!("group '{group}' is empty"));
        }
        if group.contains(['\n', '\r', '\t']) {
            return refuse(Code::InvalidArgument, format!("group '{group}' contains invalid characters"));
        }
    }
    Ok(())
}

fn is_role_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    ends.iter().all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// A role's policy may speak only of the role, and only of its project.
fn valid_policy(project: &str, role: &str, policy: &str) -> Checked {
    let refuse =
        |why: String| refuse(Code::InvalidArgument, format!("invalid policy rule '{policy}': {why}"));
    let parts: Vec<&str> = policy.split(',').map(str::trim).collect();
    let ["p", subject, resource, action, object, effect] = parts[..] else {
        return refuse("must be of the form: 'p, sub, res, act, obj, eft'".into());
    };
    let expected = format!("proj:{project}:{role}");
    if subject != expected {
        return refuse(format!("policy subject must be: '{expected}', not '{subject}'"));
    }
    if !matches!(resource, "applications" | "applicationsets" | "repositories" | "exec" | "logs" | "clusters")
    {
        return refuse(format!(
            "project resource must be: 'applications', 'applicationsets', 'repositories', 'exec', 'logs' or 'clusters', not '{resource}'"
        ));
    }
    let known =
        matches!(action, "get" | "create" | "update" | "delete" | "sync" | "override" | "rollback" | "*");
    let fine = ["action/", "update/", "delete/"].iter().any(|prefix| action.starts_with(prefix));
    if !known && !fine {
        return refuse(format!("invalid action '{action}'"));
    }
    if !is_policy_object(project, object) {
        return refuse(format!(
            "object must be of form '{project}/*', '{project}[/<NAMESPACE>]/<APPNAME>' or '{project}/<APPNAME>', not '{object}'"
        ));
    }
    if !matches!(effect, "allow" | "deny") {
        return refuse("effect must be: 'allow' or 'deny'".into());
    }
    Ok(())
}

fn is_policy_object(project: &str, object: &str) -> bool {
    let Some(rest) = object.strip_prefix(project).and_then(|rest| rest.strip_prefix('/')) else {
        return false;
    };
    let parts: Vec<&str> = rest.split('/').collect();
    let word = |part: &&str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'_' | b'-' | b'.'))
    };
    parts.len() <= 2 && parts.iter().all(word)
}

fn valid_windows(windows: &[SyncWindow]) -> Checked {
    let mut seen = BTreeSet::new();
    for window in windows {
        let SyncWindow { kind, schedule, duration, .. } = window;
        let name = format!("window '{kind}':'{schedule}':'{duration}'");
        if !seen.insert((kind, schedule, duration)) {
            return refuse(Code::AlreadyExists, format!("{name} already exists, update or edit"));
        }
        valid_window(window)?;
        if window.applications.is_empty() && window.namespaces.is_empty() && window.clusters.is_empty() {
            return refuse(
                Code::OutOfRange,
                format!("{name} requires one of application, cluster or namespace"),
            );
        }
    }
    Ok(())
}

/// Refuses a window of unknown kind, or whose times cannot be read.
pub fn valid_window(window: &SyncWindow) -> Checked {
    let SyncWindow { kind, schedule, duration, .. } = window;
    if !matches!(kind.as_str(), "allow" | "deny") {
        return refuse(Code::Unknown, format!("kind '{kind}' mismatch: can only be allow or deny"));
    }
    if let Err(error) = Schedule::parse(schedule) {
        return refuse(Code::Unknown, format!("cannot parse schedule '{schedule}': {error}"));
    }
    if let Err(error) = duration.parse::<GoDuration>() {
        return refuse(Code::Unknown, format!("cannot parse duration '{duration}': {error}"));
    }
    if window.description.chars().count() > 255 {
        return refuse(Code::Unknown, "description must not exceed 255 characters".into());
    }
    Ok(())
}
