//! A version, read leniently: a leading `v` and missing minor or patch numbers are accepted.

use std::{cmp::Ordering, fmt, sync::LazyLock};

use regex::Regex;

/// A semantic version. Two versions are equal when they have the same precedence: build metadata does not count.
#[derive(Clone, Debug)]
pub struct Version {
    /// First number.
    pub major: u64,
    /// Second number, zero when it was not written.
    pub minor: u64,
    /// Third number, zero when it was not written.
    pub patch: u64,
    /// What follows `-`, empty for a release.
    pub prerelease: String,
    /// What follows `+`.
    pub metadata: String,
}

/// The text is not a version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a semantic version")]
pub struct InvalidVersion(
    /// The text that was given.
    pub String,
);

static VERSION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$")
        .expect("the version pattern is valid")
});

impl Version {
    /// Reads `1.2.3`, `v1.2.3-rc.1+build`, and the short forms `1` and `v1.2`.
    pub fn parse(text: &str) -> Result<Self, InvalidVersion> {
        let invalid = || InvalidVersion(text.to_owned());
        let captures = VERSION.captures(text).ok_or_else(invalid)?;
        let number = |index: usize| match captures.get(index) {
            Some(digits) => digits.as_str().parse::<u64>().map_err(|_| invalid()),
            None => Ok(0),
        };
        let part =
            |index: usize| captures.get(index).map_or_else(String::new, |part| part.as_str().to_owned());
        let prerelease = part(4);
        let leading_zero = |part: &str| {
            part.len() > 1 && part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if prerelease.split('.').any(leading_zero) {
            return Err(invalid());
        }
        Ok(Self { major: number(1)?, minor: number(2)?, patch: number(3)?, prerelease, metadata: part(5) })
    }

    /// Whether this is a pre-release (`1.0.0-rc.1`).
    pub fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(formatter, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(formatter, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.major, self.minor, self.patch)
            .cmp(&(other.major, other.minor, other.patch))
            .then_with(|| compare_prerelease(&self.prerelease, &other.prerelease))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

/// A release is higher than its pre-releases; of these, part by part, a longer one is higher, numbers compare as
/// numbers and are lower than words.
pub(crate) fn compare_prerelease(left: &str, right: &str) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut left_parts, mut right_parts) = (left.split('.'), right.split('.'));
    loop {
        let order = match (left_parts.next(), right_parts.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(left), Some(right)) => compare_part(left, right),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn compare_part(left: &str, right: &str) -> Ordering {
    match (left.parse::<u64>().ok(), right.parse::<u64>().ok()) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => left.cmp(right),
    }
}
