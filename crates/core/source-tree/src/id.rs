//! The name of a content: equal ids mean equal bytes, or for a folder equal everything beneath.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What a file or a folder holds, as a hash that names its kind, so that ids of different origin are never equal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContentId {
    scheme: Scheme,
    digest: [u8; 32],
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Scheme {
    GitSha1,
    GitSha256,
    Sha256,
}

/// The text is not a content id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a content id")]
pub struct InvalidContentId(
    /// The text that was given.
    pub String,
);

impl ContentId {
    /// The id of a Git object, SHA-1 or SHA-256. `None` when the bytes have neither length.
    pub fn git(object: &[u8]) -> Option<Self> {
        let scheme = match object.len() {
            20 => Scheme::GitSha1,
            32 => Scheme::GitSha256,
            _ => return None,
        };
        let mut digest = [0; 32];
        digest[..object.len()].copy_from_slice(object);
        Some(Self { scheme, digest })
    }

    /// The id of bytes that have no Git object.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self { scheme: Scheme::Sha256, digest: Sha256::digest(bytes).into() }
    }

    fn bytes(&self) -> &[u8] {
        match self.scheme {
            Scheme::GitSha1 => &self.digest[..20],
            Scheme::GitSha256 | Scheme::Sha256 => &self.digest,
        }
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.scheme {
            Scheme::GitSha1 | Scheme::GitSha256 => "git:",
            Scheme::Sha256 => "sha256:",
        })?;
        self.bytes().iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for ContentId {
    type Err = InvalidContentId;

    fn from_str(text: &str) -> Result<Self, InvalidContentId> {
        let invalid = || InvalidContentId(text.to_owned());
        let (scheme, digits) = text.split_once(':').ok_or_else(invalid)?;
        let bytes = from_hex(digits).ok_or_else(invalid)?;
        match scheme {
            "git" => Self::git(&bytes).ok_or_else(invalid),
            "sha256" => Ok(Self { scheme: Scheme::Sha256, digest: bytes.try_into().map_err(|_| invalid())? }),
            _ => Err(invalid()),
        }
    }
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2)
        || !digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect()
}

impl TryFrom<String> for ContentId {
    type Error = InvalidContentId;

    fn try_from(text: String) -> Result<Self, InvalidContentId> {
        text.parse()
    }
}

impl From<ContentId> for String {
    fn from(id: ContentId) -> Self {
        id.to_string()
    }
}
