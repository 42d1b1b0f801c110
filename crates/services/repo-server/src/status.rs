//! Errors as gRPC says them: codes and texts of the original, which end in users' conditions.

use git::GitError;
use render::RenderError;
use tonic::{Code, Status};

/// A failed question to a repository.
pub(crate) fn git(error: &GitError) -> Status {
    Status::new(Code::Unknown, error.to_string())
}

/// A source that does not render.
pub(crate) fn render(error: &RenderError) -> Status {
    let code = match error {
        RenderError::NoValuesFiles { .. } => Code::NotFound,
        error if error.failed_precondition() => Code::FailedPrecondition,
        _ => Code::Unknown,
    };
    Status::new(code, error.to_string())
}

/// A fact or a failure in its own words.
pub(crate) fn unknown(error: &dyn std::error::Error) -> Status {
    Status::unknown(error.to_string())
}

/// A request without something it must have.
pub(crate) fn missing(what: &str) -> Status {
    Status::invalid_argument(format!("the request has no {what}"))
}

/// A thread that ended before its work did; a panic in one request stays in that request.
pub(crate) fn broken(what: &str, error: &tokio::task::JoinError) -> Status {
    tracing::error!(%error, "{what}");
    Status::internal(format!("{what}: the work ended unexpectedly; the server's log says more"))
}
