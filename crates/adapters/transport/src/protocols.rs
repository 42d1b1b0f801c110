//! Which versions of TLS a server speaks, and with which ciphers.

use crate::tls::TlsError;
use boot::flags::Flags;
use rustls::crypto::{CryptoProvider, ring};
use rustls::version::{TLS12, TLS13};
use rustls::{ConfigBuilder, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion, WantsVerifier};
use std::sync::Arc;

/// What the original writes where nobody chose ciphers.
const UNCHOSEN: &str = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384";
/// The versions that a flag may name, in order; the first two are spoken no more.
const VERSIONS: [&str; 4] = ["1.0", "1.1", "1.2", "1.3"];

/// Versions and ciphers, at least one of each.
#[derive(Clone, Debug)]
pub struct Protocols {
    versions: Vec<&'static SupportedProtocolVersion>,
    ciphers: Vec<SupportedCipherSuite>,
}

/// Versions and ciphers as flags name them.
#[derive(Clone, Debug)]
pub struct ProtocolNames {
    /// The least version, as `1.2`.
    pub least: String,
    /// The highest version.
    pub most: String,
    /// Ciphers of 1.2, with colons between them; none for all.
    pub ciphers: String,
}

impl Default for ProtocolNames {
    fn default() -> Self {
        Self { least: "1.2".to_owned(), most: "1.3".to_owned(), ciphers: String::new() }
    }
}

impl ProtocolNames {
    /// The values of `--tlsminversion`, `--tlsmaxversion` and `--tlsciphers`.
    pub fn from_flags(flags: &Flags) -> Self {
        Self {
            least: flags.text("tlsminversion"),
            most: flags.text("tlsmaxversion"),
            ciphers: flags.text("tlsciphers"),
        }
    }

    /// What they name.
    pub fn protocols(&self) -> Result<Protocols, TlsError> {
        Protocols::new(&self.least, &self.most, &self.ciphers)
    }
}

impl Default for Protocols {
    fn default() -> Self {
        Self { versions: vec![&TLS13, &TLS12], ciphers: ring::ALL_CIPHER_SUITES.to_vec() }
    }
}

impl Protocols {
    /// From the values of `--tlsminversion`, `--tlsmaxversion` and `--tlsciphers`: names with colons between them, for TLS
    /// 1.2; those of 1.3 are not chosen, as in the original.
    pub fn new(least: &str, most: &str, ciphers: &str) -> Result<Self, TlsError> {
        let (low, high) = (place(least, "min")?, place(most, "max")?);
        if low > high {
            return Err(TlsError::Protocols(format!(
                "minimum TLS version {least} must not be higher than maximum TLS version {most}"
            )));
        }
        let all = [(2, &TLS12), (3, &TLS13)];
        let spoken = all.iter().rev().filter(|(place, _)| (low..=high).contains(place));
        let versions: Vec<&'static SupportedProtocolVersion> = spoken.map(|(_, version)| *version).collect();
        if versions.is_empty() {
            return Err(TlsError::Protocols(format!(
                "maximum TLS version {most} is not spoken any more: 1.2 and 1.3 are"
            )));
        }
        let chosen = ciphers.trim();
        // In 1.3 nothing is chosen; and nobody chose what is written where nothing is.
        if chosen.is_empty() || chosen == UNCHOSEN || low == 3 {
            return Ok(Self { versions, ..Self::default() });
        }
        let known = |name: &str| {
            let found = ring::ALL_CIPHER_SUITES.iter().find(|suite| named(suite) == name.trim()).copied();
            found.ok_or_else(|| {
                TlsError::Protocols(format!(
                    "error retrieving TLS cipher suites: unknown cipher suite {name:?}; known are {}",
                    cipher_names().join(", ")
                ))
            })
        };
        let mut suites = chosen.split(':').map(known).collect::<Result<Vec<_>, _>>()?;
        let of_13 = ring::ALL_CIPHER_SUITES.iter().filter(|suite| suite.version().version == TLS13.version);
        for suite in of_13 {
            if !suites.contains(suite) {
                suites.push(*suite);
            }
        }
        // A version with no cipher of its own is not spoken.
        versions_with(&versions, &suites).map(|versions| Self { versions, ciphers: suites }).ok_or_else(
            || TlsError::Protocols(format!("no TLS version up to {most} has ciphers of {chosen}")),
        )
    }

    pub(crate) fn builder(&self) -> ConfigBuilder<ServerConfig, WantsVerifier> {
        let provider = CryptoProvider { cipher_suites: self.ciphers.clone(), ..ring::default_provider() };
        match ServerConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(&self.versions) {
            Ok(builder) => builder,
            Err(_) => unreachable!("each version has a cipher"),
        }
    }
}

/// The ciphers that may be named.
pub fn cipher_names() -> Vec<String> {
    ring::ALL_CIPHER_SUITES.iter().map(named).collect()
}

/// As the standard and the original write it.
fn named(suite: &SupportedCipherSuite) -> String {
    format!("{:?}", suite.suite()).replace("TLS13_", "TLS_")
}

fn place(version: &str, which: &str) -> Result<usize, TlsError> {
    let found = VERSIONS.iter().position(|known| *known == version.trim());
    found.ok_or_else(|| {
        TlsError::Protocols(format!(
            "error retrieving TLS version by {which} version {version:?}: it is none of {}",
            VERSIONS.join(", ")
        ))
    })
}

fn versions_with(
    versions: &[&'static SupportedProtocolVersion],
    suites: &[SupportedCipherSuite],
) -> Option<Vec<&'static SupportedProtocolVersion>> {
    let has = |version: &&&'static SupportedProtocolVersion| {
        suites.iter().any(|suite| suite.version().version == version.version)
    };
    let left: Vec<_> = versions.iter().filter(has).copied().collect();
    (!left.is_empty()).then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(least: &str, most: &str, ciphers: &str) -> String {
        Protocols::new(least, most, ciphers).unwrap_err().to_string()
    }

    #[test]
    fn versions_and_ciphers_are_those_that_are_named() {
        let spoken = |least, most, ciphers| {
            let found: Protocols = Protocols::new(least, most, ciphers).unwrap();
            (found.versions.len(), found.ciphers.len())
        };
        let all = cipher_names().len();
        assert_eq!(spoken("1.2", "1.3", UNCHOSEN), (2, all));
        assert_eq!(spoken("1.0", "1.2", ""), (1, all));
        assert_eq!(spoken("1.3", "1.3", "whatever"), (1, all));
        assert_eq!(spoken("1.2", "1.3", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256").0, 2);
        assert_eq!(
            refused("1.3", "1.2", ""),
            "minimum TLS version 1.3 must not be higher than maximum TLS version 1.2"
        );
        assert!(refused("2", "1.3", "").starts_with("error retrieving TLS version by min version \"2\""));
        assert!(refused("1.0", "1.1", "").contains("is not spoken any more"));
        assert!(refused("1.2", "1.3", "RC4").contains("unknown cipher suite \"RC4\"; known are TLS_"));
    }
}
