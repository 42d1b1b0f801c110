//! How a command ends when it does not end well, and with which exit code.

use tonic::{Code, Status};

/// The exit code of most errors.
pub(crate) const GENERIC: i32 = 20;

/// Why a command stopped.
#[derive(Debug, PartialEq)]
pub(crate) enum Failure {
    /// Logged at level fatal; the process ends with `code`.
    Fatal {
        /// The log message.
        message: String,
        /// The exit code.
        code: i32,
    },
    /// Wrong arguments: the command's help goes to standard output.
    Usage {
        /// The exit code.
        code: i32,
    },
    /// Told in one line on standard output, as mistakes with flags are; the process ends with 1.
    Told(String),
    /// Everything is said already.
    Exit(i32),
}

/// What commands return.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// An error as most are: exit code 20.
    pub(crate) fn generic(message: impl Into<String>) -> Self {
        Self::Fatal { message: message.into(), code: GENERIC }
    }

    /// An error of the commands that end with 1: an unusable setup, a sync that failed, an unknown choice.
    pub(crate) fn fatal(message: impl Into<String>) -> Self {
        Self::Fatal { message: message.into(), code: 1 }
    }

    /// Wrong arguments.
    pub(crate) fn usage() -> Self {
        Self::Usage { code: 1 }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::generic(rpc_error(&status))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::generic(io_error(&error))
    }
}

/// A status as Go's gRPC prints it.
pub(crate) fn rpc_error(status: &Status) -> String {
    format!("rpc error: code = {} desc = {}", code_name(status.code()), status.message())
}

/// An I/O error with the words Go uses.
pub(crate) fn io_error(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "no such file or directory".into(),
        ErrorKind::PermissionDenied => "permission denied".into(),
        ErrorKind::IsADirectory => "is a directory".into(),
        ErrorKind::ConnectionRefused => "connection refused".into(),
        ErrorKind::ConnectionReset => "connection reset by peer".into(),
        ErrorKind::UnexpectedEof => "EOF".into(),
        _ => error.to_string(),
    }
}

fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "Canceled",
        Code::Unknown => "Unknown",
        Code::InvalidArgument => "InvalidArgument",
        Code::DeadlineExceeded => "DeadlineExceeded",
        Code::NotFound => "NotFound",
        Code::AlreadyExists => "AlreadyExists",
        Code::PermissionDenied => "PermissionDenied",
        Code::ResourceExhausted => "ResourceExhausted",
        Code::FailedPrecondition => "FailedPrecondition",
        Code::Aborted => "Aborted",
        Code::OutOfRange => "OutOfRange",
        Code::Unimplemented => "Unimplemented",
        Code::Internal => "Internal",
        Code::Unavailable => "Unavailable",
        Code::DataLoss => "DataLoss",
        Code::Unauthenticated => "Unauthenticated",
    }
}
