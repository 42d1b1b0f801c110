//! Which pushed revision an application's `targetRevision` waits for.

use semver_range::{Range, Version};

/// What is left of a ref without its first two parts: `main` of `refs/heads/main`, `a/b` of `refs/heads/a/b`.
pub fn short_name(reference: &str) -> &str {
    reference.splitn(3, '/').last().unwrap_or_default()
}

/// What a Git source waits for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wanted {
    /// The default branch.
    Head,
    /// A name, or a constraint on versions.
    Revision(String),
}

impl Wanted {
    pub(crate) fn of(target_revision: &str) -> Self {
        let short = short_name(target_revision);
        if matches!(short, "HEAD" | "") {
            return Self::Head;
        }
        let is_full = target_revision.starts_with("refs/heads/") || target_revision.starts_with("refs/tags/");
        Self::Revision(if is_full { short } else { target_revision }.to_owned())
    }
}

/// How a wanted revision is found from a pushed one besides by being spelled the same.
#[derive(Clone, Debug)]
pub(crate) enum Constraint {
    /// Only by its name.
    None,
    /// By one version, however it is spelled.
    Version(Version),
    /// By any version in a range.
    Range(Range),
}

impl Constraint {
    pub(crate) fn of(wanted: &str) -> Self {
        let numbers = wanted.split(['-', '+']).next().unwrap_or_default();
        match (Version::parse(wanted), Range::parse(wanted)) {
            (_, Err(_)) => Self::None,
            (Ok(version), _) if numbers.split('.').count() == 3 => Self::Version(version),
            (_, Ok(range)) => Self::Range(range),
        }
    }
}

/// Whether a source that names `target_revision` is to be looked at when `revision` was pushed, as the original says:
/// the same name, or a version that the constraint admits.
pub fn matches(revision: &str, target_revision: &str) -> bool {
    if revision == target_revision {
        return true;
    }
    let (Ok(range), Ok(version)) = (Range::parse(target_revision), Version::parse(revision)) else {
        return false;
    };
    range.contains(&version)
}
