//! Errors as the API tells them: codes and texts that clients know.

use api::Root;
use api::v1alpha1::{AppProject, Application};
use kubernetes::Error;
use store::StoreError;
use tonic::{Code, Status};

/// What is said when an object may not be seen, whether or not it is there.
pub(crate) fn denied() -> Status {
    Status::permission_denied("permission denied")
}

/// An application that is not there, said to somebody who may know.
pub(crate) fn no_application(name: &str) -> Status {
    Status::not_found(format!("applications.{} {name:?} not found", api::GROUP))
}

/// A project that is not there.
pub(crate) fn no_project(name: &str) -> Status {
    Status::not_found(format!("appprojects.{} {name:?} not found", api::GROUP))
}

/// The error of a read or write of the hub's objects.
pub(crate) fn store(error: &StoreError) -> Status {
    match error {
        StoreError::Cluster(error) => kubernetes(error),
        StoreError::NotFound { kind, name } if *kind == Application::KIND => no_application(name),
        StoreError::NotFound { kind, name } if *kind == AppProject::KIND => no_project(name),
        StoreError::NotFound { .. } | StoreError::NotRegistered { .. } => {
            Status::not_found(error.to_string())
        }
        StoreError::Registered { .. } => Status::already_exists(error.to_string()),
        StoreError::Unmarked(_) => Status::invalid_argument(error.to_string()),
        StoreError::OperationInProgress => Status::failed_precondition(error.to_string()),
        StoreError::NamespaceNotPermitted(namespace) => {
            Status::permission_denied(format!("namespace '{namespace}' is not permitted"))
        }
        StoreError::Expired => Status::out_of_range(error.to_string()),
        StoreError::Contention(_) | StoreError::Replaced { .. } => Status::aborted(error.to_string()),
        StoreError::Invalid { .. } => Status::unknown(error.to_string()),
    }
}

/// The same, with what was tried before the words of Kubernetes; our own answers stand alone.
pub(crate) fn tried(what: &str, error: &StoreError) -> Status {
    let status = store(error);
    match error {
        StoreError::Cluster(_) => within(what, &status),
        _ => status,
    }
}

/// A status with what was tried before its words.
pub(crate) fn within(what: &str, status: &Status) -> Status {
    Status::new(status.code(), format!("{what}: {}", status.message()))
}

/// The API server's refusal, by its reason.
pub(crate) fn kubernetes(error: &Error) -> Status {
    let code = match error.reason().unwrap_or_default() {
        "NotFound" => Code::NotFound,
        "AlreadyExists" => Code::AlreadyExists,
        "Invalid" => Code::InvalidArgument,
        "MethodNotAllowed" => Code::Unimplemented,
        "ServiceUnavailable" | "ServerTimeout" => Code::Unavailable,
        "BadRequest" => Code::FailedPrecondition,
        "Unauthorized" => Code::Unauthenticated,
        "Forbidden" => Code::PermissionDenied,
        "Timeout" => Code::DeadlineExceeded,
        "Conflict" => Code::Aborted,
        "TooManyRequests" => Code::ResourceExhausted,
        "InternalError" => Code::Internal,
        _ => Code::Unknown,
    };
    Status::new(code, error.message())
}

/// A status as gRPC in Go prints it inside another message.
pub(crate) fn go_text(status: &Status) -> String {
    let code = match status.code() {
        Code::Ok => "OK".to_owned(),
        Code::Cancelled => "Canceled".to_owned(),
        other => format!("{other:?}"),
    };
    format!("rpc error: code = {code} desc = {}", status.message())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_clients_know() {
        assert_eq!(no_application("none").message(), "applications.argoproj.io \"none\" not found");
        assert_eq!(no_project("none").message(), "appprojects.argoproj.io \"none\" not found");
        assert_eq!(go_text(&Status::unknown("x")), "rpc error: code = Unknown desc = x");
        let busy = tried("set the operation", &StoreError::OperationInProgress);
        assert_eq!(
            (busy.code(), busy.message()),
            (Code::FailedPrecondition, "another operation is already in progress")
        );
    }
}
