//! How a place is reached: whom to trust, how to be let in, through what.

use object::Secret;
use sha2::{Digest, Sha256};
use std::fmt;

/// Trust and credentials of one repository.
#[derive(Clone, Default)]
pub struct Access {
    /// User for basic authentication.
    pub username: String,
    /// Its password.
    pub password: Secret<String>,
    /// Token for `Authorization: Bearer`; wins over the password.
    pub bearer_token: Secret<String>,
    /// Trusted certificates, PEM, instead of the system's.
    pub certificate_authorities: String,
    /// Certificates are not verified.
    pub insecure: bool,
    /// Client certificate, PEM.
    pub client_certificate: String,
    /// Its key, PEM.
    pub client_key: Secret<String>,
    /// Proxy URL; it may hold credentials. Empty for what the environment says.
    pub proxy: Secret<String>,
    /// Hosts that are reached without the proxy.
    pub no_proxy: String,
}

/// Stands for a place together with the credentials it is asked with: what one pair was given is used for no other.
/// Means nothing outside the process that made it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 32]);

impl fmt::Debug for AccountId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AccountId")
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Access").finish_non_exhaustive()
    }
}

impl Access {
    /// The pair of a place and these credentials. `salt` is random for each process: the id tells nobody whether a
    /// guess at a password is right.
    pub fn account(&self, place: &str, salt: &[u8; 32]) -> AccountId {
        let mut hash = Sha256::new();
        hash.update(salt);
        for field in [
            place,
            &self.username,
            self.password.reveal(),
            self.bearer_token.reveal(),
            &self.certificate_authorities,
            &self.client_certificate,
            self.client_key.reveal(),
            self.proxy.reveal(),
            &self.no_proxy,
        ] {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        hash.update([u8::from(self.insecure)]);
        AccountId(hash.finalize().into())
    }

    /// The same trust and proxy, without what lets this repository's users in: for another host.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self {
            insecure: self.insecure,
            proxy: self.proxy.clone(),
            no_proxy: self.no_proxy.clone(),
            ..Self::default()
        }
    }

    /// Whether a user or a password is there.
    pub fn has_password(&self) -> bool {
        !self.username.is_empty() || !self.password.is_empty()
    }

    /// A text with the secrets taken out, for what a server says back.
    pub fn scrub(&self, text: &str) -> String {
        const SHORTEST: usize = 6;
        let mut text = text.to_owned();
        for secret in [&self.password, &self.bearer_token, &self.client_key, &self.proxy] {
            if secret.reveal().len() >= SHORTEST {
                text = text.replace(secret.reveal().as_str(), "***");
            }
        }
        text
    }
}
