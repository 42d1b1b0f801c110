//! Seals on entries that hold manifests: whoever can write to the cache must not be able to make the controller apply
//! something, and whoever can read it must not learn what the Secrets among them hold.

use crate::CacheError;
use bytes::Bytes;
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use std::io::Read;
use std::sync::Arc;

/// Separates this use of the shared secret from every other.
const PURPOSE: &[u8] = b"argocd-rs cache sealing key v2";
/// More than any entry holds.
const LONGEST: u64 = 4 << 30;

/// Encrypts and authenticates entries. The key of the entry is sealed with it: an entry moved to another place is
/// refused.
#[derive(Clone)]
pub struct Seal(Arc<LessSafeKey>);

impl std::fmt::Debug for Seal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Seal")
    }
}

impl Seal {
    /// A seal from a secret that all who read and write the entries share.
    pub fn new(secret: &[u8]) -> Self {
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), PURPOSE);
        match UnboundKey::new(&AES_256_GCM, derived.as_ref()) {
            Ok(key) => Self(Arc::new(LessSafeKey::new(key))),
            Err(_) => unreachable!("HMAC-SHA256 gives as many bytes as AES-256 takes"),
        }
    }

    /// The value, compressed first: afterwards nothing of it repeats. The random bytes must be used once.
    pub fn seal(&self, key: &str, value: &[u8], random: [u8; NONCE_LEN]) -> Bytes {
        let mut bytes = Vec::with_capacity(value.len() / 2);
        if DeflateEncoder::new(value, Compression::fast()).read_to_end(&mut bytes).is_err() {
            unreachable!("memory can be read and written");
        }
        let nonce = Nonce::assume_unique_for_key(random);
        if self.0.seal_in_place_append_tag(nonce, Aad::from(key.as_bytes()), &mut bytes).is_err() {
            unreachable!("AES-GCM takes any text shorter than gigabytes");
        }
        let mut sealed = random.to_vec();
        sealed.append(&mut bytes);
        sealed.into()
    }

    /// The value, when its seal is right.
    pub fn open(&self, key: &str, sealed: &Bytes) -> Result<Bytes, CacheError> {
        let corrupt = |reason| CacheError::Corrupt { key: key.to_owned(), reason };
        let (random, rest) =
            sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(|| corrupt("it has no seal"))?;
        let mut rest = rest.to_vec();
        let nonce = Nonce::assume_unique_for_key(*random);
        let opened = self.0.open_in_place(nonce, Aad::from(key.as_bytes()), &mut rest);
        let packed: &[u8] = opened.map_err(|_| corrupt("its seal is not ours"))?;
        let mut value = Vec::new();
        let read = DeflateDecoder::new(packed).take(LONGEST).read_to_end(&mut value);
        read.map_err(|_| corrupt("it cannot be unpacked"))?;
        Ok(value.into())
    }
}

#[cfg(test)]
mod tests {
    use super::Seal;

    #[test]
    fn an_entry_is_read_by_those_who_share_the_secret_at_its_own_place_only() {
        let seal = Seal::new(b"secret");
        let value = b"kind: Secret, password: plantedcanary, password: plantedcanary".as_slice();
        let sealed = seal.seal("place", value, [7; 12]);
        assert_eq!(seal.open("place", &sealed).unwrap(), value);
        assert!(!sealed.windows(6).any(|window| window == b"canary"));
        assert!(seal.open("elsewhere", &sealed).is_err());
        assert!(Seal::new(b"other").open("place", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.to_vec();
            changed[at] ^= 1;
            assert!(seal.open("place", &changed.into()).is_err(), "byte {at}");
        }
        assert!(seal.open("place", &sealed.slice(..5)).is_err());
        let empty = seal.seal("place", b"", [8; 12]);
        assert_eq!(seal.open("place", &empty).unwrap(), b"".as_slice());
    }
}
