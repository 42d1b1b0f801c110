//! What can go wrong outside.

use std::io;

/// Why a part could not be had. Each message names what was tried; the user mends it and tries
/// again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program this needs is not installed.
    #[error("{program} is not installed: {hint}")]
    Missing {
        /// The program's name.
        program: &'static str,
        /// Where to get it.
        hint: &'static str,
    },
    /// A file, a socket or a process could not be had.
    #[error("{tried}: {source}")]
    System {
        /// What was tried, on what.
        tried: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program ran, and failed.
    #[error("{program}: {output}")]
    Failed {
        /// The program with its arguments.
        program: String,
        /// The end of what it said.
        output: String,
    },
    /// A part did not become ready in time.
    #[error("{part} is not ready after {seconds} s: {last}")]
    NotReady {
        /// Which part.
        part: &'static str,
        /// How long it was waited for.
        seconds: u64,
        /// What it said last.
        last: String,
    },
    /// A certificate could not be made.
    #[error("make a certificate: {0}")]
    Certificate(String),
}

impl Error {
    /// For `map_err`: says what was tried.
    pub(crate) fn tried(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let tried = what.into();
        move |source| Self::System { tried, source }
    }
}
