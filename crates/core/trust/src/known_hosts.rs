//! Lines of `known_hosts`: host names, the type of a key, the key.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha256};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownHost {
    /// Host names, with commas between them; `[name]:port` where the port is not 22.
    pub hosts: String,
    /// `ssh-ed25519`, `ssh-rsa`, …
    pub key_type: String,
    /// The key in base64, with the comment after it.
    pub data: String,
}

/// Why a line is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHostKey {
    /// Not base64, or not a key.
    #[error("the key of {host} cannot be read")]
    Unreadable {
        /// The host.
        host: String,
    },
    /// The key says it is of another type.
    #[error("the key of {host} is of type {found}, not {said}")]
    OtherType {
        /// The host.
        host: String,
        /// What the line says.
        said: String,
        /// What the key says.
        found: String,
    },
}

/// The lines that have three parts; comments and all others are left out.
pub fn known_hosts(text: &str) -> Vec<KnownHost> {
    text.lines().filter_map(KnownHost::parse).collect()
}

impl KnownHost {
    /// One line; none when it is a comment or has less than three parts.
    pub fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.starts_with('#') {
            return None;
        }
        let mut parts = line.splitn(3, ' ');
        let mut part = || parts.next().map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned);
        Some(Self { hosts: part()?, key_type: part()?, data: part()? })
    }

    /// The line.
    pub fn line(&self) -> String {
        format!("{} {} {}", self.hosts, self.key_type, self.data)
    }

    /// The host names one by one.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.hosts.split(',').filter(|name| !name.is_empty())
    }

    /// SHA-256 of the key, in base64 without padding, as `ssh-keygen -l` shows it.
    pub fn fingerprint(&self) -> Result<String, InvalidHostKey> {
        let unreadable = || InvalidHostKey::Unreadable { host: self.hosts.clone() };
        let encoded = self.data.split_whitespace().next().unwrap_or_default();
        let key = STANDARD.decode(encoded).map_err(|_| unreadable())?;
        let found = first_text(&key).ok_or_else(unreadable)?;
        if found != self.key_type {
            let (host, said) = (self.hosts.clone(), self.key_type.clone());
            return Err(InvalidHostKey::OtherType { host, said, found: found.to_owned() });
        }
        Ok(STANDARD_NO_PAD.encode(Sha256::digest(&key)))
    }
}

/// The text a key begins with: its type.
fn first_text(key: &[u8]) -> Option<&str> {
    let (length, rest) = key.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    // A key that is a type and nothing else is none.
    let text = rest.get(..length).filter(|_| rest.len() > length)?;
    std::str::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    #[test]
    fn lines_are_read_and_others_left_out() {
        let text = format!("# a comment\n\njunk\nh.example ssh-ed25519 {KEY} me@there\n");
        let found = known_hosts(&text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line(), format!("h.example ssh-ed25519 {KEY} me@there"));
        assert_eq!(found[0].fingerprint().unwrap(), "+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
    }

    #[test]
    fn a_key_that_is_none_is_refused() {
        let of = |key_type: &str, data: &str| KnownHost {
            hosts: "h".into(),
            key_type: key_type.into(),
            data: data.into(),
        };
        assert!(matches!(of("ssh-rsa", KEY).fingerprint(), Err(InvalidHostKey::OtherType { .. })));
        for data in ["", "!", "AAAA", "AAAAC3NzaC1lZDI1NTE5", "/////w=="] {
            let unreadable = of("ssh-ed25519", data).fingerprint();
            assert!(matches!(unreadable, Err(InvalidHostKey::Unreadable { .. })), "{data}");
        }
    }

    #[test]
    fn a_line_may_name_several_hosts() {
        let line = KnownHost::parse(&format!("a.example,[b.example]:22 ssh-ed25519 {KEY}")).unwrap();
        assert_eq!(line.names().collect::<Vec<_>>(), ["a.example", "[b.example]:22"]);
    }
}
