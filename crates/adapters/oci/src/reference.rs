//! Where a repository lies in which registry.

use crate::OciError;
use std::fmt;

/// Longest name of a repository, with its registry.
const LONGEST: usize = 255;

/// A repository of a registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Host, and port where one is said.
    pub registry: String,
    /// Name of the repository there.
    pub repository: String,
}

impl Reference {
    /// Reads `host[:port]/name…`, with or without `oci://` before it.
    pub fn parse(text: &str) -> Result<Self, OciError> {
        let reference = Self::registry(text)?;
        if reference.repository.is_empty() {
            return Err(OciError::InvalidReference { text: text.to_owned(), reason: "missing repository" });
        }
        Ok(reference)
    }

    /// As [`Reference::parse`], but the name may be missing: the registry alone is meant.
    pub fn registry(text: &str) -> Result<Self, OciError> {
        let invalid = |reason| OciError::InvalidReference { text: shown(text).to_owned(), reason };
        let rest = text.strip_prefix("oci://").unwrap_or(text).trim_end_matches('/');
        if rest.len() > LONGEST {
            return Err(invalid("too long"));
        }
        let (registry, repository) = rest.split_once('/').unwrap_or((rest, ""));
        let plain = |character: char| {
            character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | ':' | '[' | ']')
        };
        if registry.is_empty()
            || !registry.chars().all(plain)
            || url::Url::parse(&format!("https://{registry}/")).is_err()
        {
            return Err(invalid("invalid registry"));
        }
        let part = |part: &str| {
            let inner = |byte: u8| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-')
            };
            let end = |byte: Option<&u8>| {
                byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            };
            part.bytes().all(inner) && end(part.as_bytes().first()) && end(part.as_bytes().last())
        };
        if !repository.is_empty() && !repository.split('/').all(part) {
            // What follows a colon would be a tag.
            let name = repository.split(':').next().unwrap_or_default().to_owned();
            return Err(OciError::InvalidReference { text: name, reason: "invalid repository" });
        }
        Ok(Self { registry: registry.to_ascii_lowercase(), repository: repository.to_owned() })
    }

    /// The repository below this one, for the charts of a registry.
    pub fn child(&self, name: &str) -> Result<Self, OciError> {
        Self::parse(&format!("{self}/{name}"))
    }

    /// The host requests go to.
    pub(crate) fn host(&self) -> &str {
        if self.registry == "docker.io" { "registry-1.docker.io" } else { &self.registry }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.registry)?;
        if self.repository.is_empty() { Ok(()) } else { write!(formatter, "/{}", self.repository) }
    }
}

/// A text that may hold a password, without it.
fn shown(text: &str) -> &str {
    text.rsplit_once('@').map_or(text, |(_, rest)| rest)
}

/// Whether a revision is a digest that was written out.
pub fn is_digest(revision: &str) -> bool {
    let lengths = [("sha256:", 64), ("sha512:", 128)];
    lengths.iter().any(|(algorithm, length)| {
        revision.strip_prefix(algorithm).is_some_and(|digits| {
            digits.len() == *length && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        })
    })
}

/// Whether a text may be a tag: anything else would become part of another address.
pub(crate) fn is_tag(text: &str) -> bool {
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let rest = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    first && text.len() <= 128 && text.bytes().all(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_read_from_both_spellings() {
        let of = |text: &str| Reference::parse(text).map(|reference| reference.to_string());
        assert_eq!(of("oci://Registry.Example:5000/a/b").unwrap(), "registry.example:5000/a/b");
        assert_eq!(of("docker.io/library/x").unwrap(), "docker.io/library/x");
        assert_eq!(of("localhost:1/oci").unwrap(), "localhost:1/oci");
        assert_eq!(of("[::1]:5000/x").unwrap(), "[::1]:5000/x");
        for wrong in [
            "",
            "host",
            "oci://",
            "host/A",
            "host/a//b",
            "host/../x",
            "host/a?b",
            "ho st/a",
            "u:p@host/a",
            "host/a:tag",
            "http://host/a",
            "host/-a",
        ] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
        let told = Reference::parse("user:secret@host/a").unwrap_err().to_string();
        assert!(!told.contains("secret"), "{told}");
        assert_eq!(
            Reference::registry("host:5000").unwrap().child("a/b").unwrap().to_string(),
            "host:5000/a/b"
        );
        assert!(Reference::registry("host").unwrap().child("../x").is_err());
    }

    #[test]
    fn digests_and_tags_are_told_apart() {
        assert!(is_digest(&format!("sha256:{}", "a".repeat(64))));
        assert!(!is_digest("sha256:abc123"));
        assert!(!is_digest(&format!("sha256:{}", "A".repeat(64))));
        assert!(is_tag("1.0.0_build") && is_tag("latest"));
        assert!(!is_tag("1.0.0+build") && !is_tag("../x") && !is_tag("") && !is_tag("^1.0"));
    }
}
