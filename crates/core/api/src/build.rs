//! What this build is called, as the CLI and the server report it.

/// When it was built; the beginning of time where nobody said.
pub const DATE: &str = match option_env!("ARGOCD_BUILD_DATE") {
    Some(date) => date,
    None => "1970-01-01T00:00:00Z",
};
/// The commit it was built from.
pub const COMMIT: &str = match option_env!("ARGOCD_GIT_COMMIT") {
    Some(commit) => commit,
    None => "",
};
/// Whether the work tree was as the commit says.
pub const TREE_STATE: &str = match option_env!("ARGOCD_GIT_TREE_STATE") {
    Some(state) => state,
    None => "",
};
/// The language's version, where the original names Go's.
pub const LANGUAGE: &str = concat!("rust", env!("CARGO_PKG_RUST_VERSION"));
/// The compiler.
pub const COMPILER: &str = "rustc";

/// The version with the commit, as `v3.6.0+0123abc`.
#[must_use]
pub fn version() -> String {
    let short = COMMIT.get(..7).unwrap_or("unknown");
    format!("v{}+{short}", env!("CARGO_PKG_VERSION"))
}

/// The operating system and architecture, in Go's names.
#[must_use]
pub fn platform() -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{}/{architecture}", std::env::consts::OS)
}
