//! What repositories and their credentials are registered for, and who may do what with a registration.

use api::v1alpha1::Repository;
use store::Register;
use tonic::Status;

/// A register, and the resource that policies call it.
#[derive(Clone, Copy)]
pub(super) struct Purpose {
    pub(super) register: Register,
    pub(super) resource: &'static str,
}

/// Manifests are read from them.
pub(super) const READ: Purpose = Purpose { register: Register::Read, resource: "repositories" };
/// Hydrated manifests are pushed to them.
pub(super) const WRITE: Purpose = Purpose { register: Register::Write, resource: "write-repositories" };

/// The object of the policy that something of a project, or of none, is.
pub(super) fn scoped(project: &str, name: &str) -> String {
    if project.is_empty() { name.to_owned() } else { format!("{project}/{name}") }
}

/// The object of the policy that a repository is.
pub(super) fn object_of(repository: &Repository) -> String {
    scoped(&repository.project, &repository.repo)
}

/// A request without what it is about.
pub(super) fn no_payload() -> Status {
    Status::invalid_argument("missing payload in request")
}

/// What is registered is not what was asked for; the names of members, and never a value.
pub(super) fn different(kind: &str, members: &[&str]) -> Status {
    let text = format!("existing {kind} spec is different; use upsert flag to force update");
    if members.is_empty() {
        return Status::invalid_argument(text);
    }
    Status::invalid_argument(format!("{text}; difference in keys {:?}", members.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_told_by_name() {
        assert_eq!(
            different("repository", &["Type", "Name"]).message(),
            "existing repository spec is different; use upsert flag to force update; difference in keys \"Type,Name\""
        );
        assert_eq!(scoped("red", "https://h/a"), "red/https://h/a");
        assert_eq!(scoped("", "https://h/a"), "https://h/a");
    }
}
