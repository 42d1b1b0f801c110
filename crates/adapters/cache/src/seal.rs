//! Seals on entries that could change a cluster: whoever can write to the cache must not be able to make
//! the controller apply something.

use crate::CacheError;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const TAG: usize = 32;

/// A key that seals entries. The key of the entry is sealed with it: an entry moved to another place is refused.
#[derive(Clone)]
pub struct Seal(Hmac<Sha256>);

impl std::fmt::Debug for Seal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Seal")
    }
}

impl Seal {
    /// A seal from a secret that all who read and write the entries share.
    pub fn new(secret: &[u8]) -> Self {
        match Hmac::new_from_slice(secret) {
            Ok(mac) => Self(mac),
            Err(_) => unreachable!("HMAC takes keys of any length"),
        }
    }

    /// The value with its seal before it.
    pub fn seal(&self, key: &str, value: &[u8]) -> Bytes {
        let mut sealed = self.mac(key, value).finalize().into_bytes().to_vec();
        sealed.extend_from_slice(value);
        sealed.into()
    }

    /// The value, when its seal is right.
    pub fn open(&self, key: &str, sealed: &Bytes) -> Result<Bytes, CacheError> {
        let corrupt = |reason| CacheError::Corrupt { key: key.to_owned(), reason };
        let (tag, value) = sealed.split_at_checked(TAG).ok_or_else(|| corrupt("it has no seal"))?;
        self.mac(key, value).verify_slice(tag).map_err(|_| corrupt("its seal is not ours"))?;
        Ok(sealed.slice(TAG..))
    }

    fn mac(&self, key: &str, value: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(&(key.len() as u64).to_be_bytes());
        mac.update(key.as_bytes());
        mac.update(value);
        mac
    }
}
