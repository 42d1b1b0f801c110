//! What others keep for us and must neither read nor change: the browser a login's state, the cache a user's tokens.

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::{digest, hmac};

/// Separates this use of the server's key from every other.
const PURPOSE: &[u8] = b"argocd single sign-on sealing key v1";

/// Why something is not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it was not sealed by this server, or it was changed since")]
pub struct SealedError;

/// Encrypts and authenticates, with a key made of the server's.
#[derive(Clone)]
pub struct Sealed(std::sync::Arc<LessSafeKey>);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Sealed")
    }
}

impl Sealed {
    /// From `server.secretkey`.
    pub fn new(secret: &[u8]) -> Self {
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), PURPOSE);
        match UnboundKey::new(&AES_256_GCM, derived.as_ref()) {
            Ok(key) => Self(std::sync::Arc::new(LessSafeKey::new(key))),
            Err(_) => unreachable!("HMAC-SHA256 gives as many bytes as AES-256 takes"),
        }
    }

    /// Seals a text for one place; the random bytes must be used once.
    pub fn seal(&self, place: &str, text: &[u8], random: [u8; NONCE_LEN]) -> String {
        let mut bytes = text.to_vec();
        let nonce = Nonce::assume_unique_for_key(random);
        if self.0.seal_in_place_append_tag(nonce, Aad::from(place.as_bytes()), &mut bytes).is_err() {
            unreachable!("AES-GCM takes any text shorter than gigabytes");
        }
        let mut sealed = random.to_vec();
        sealed.append(&mut bytes);
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// What was sealed for that place.
    pub fn open(&self, place: &str, sealed: &str) -> Result<Vec<u8>, SealedError> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| SealedError)?;
        let (random, rest) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(SealedError)?;
        let mut rest = rest.to_vec();
        let nonce = Nonce::assume_unique_for_key(*random);
        let opened = self.0.open_in_place(nonce, Aad::from(place.as_bytes()), &mut rest);
        opened.map(|text| text.to_vec()).map_err(|_| SealedError)
    }
}

/// The API server's secret at the bundled Dex: both make it from the server's key, by themselves.
pub fn dex_client_secret(secret: &[u8]) -> String {
    let mut text = URL_SAFE.encode(digest::digest(&digest::SHA256, secret));
    text.truncate(40);
    text
}

#[cfg(test)]
mod tests {
    use super::{Sealed, SealedError, dex_client_secret};

    #[test]
    fn only_what_was_sealed_for_the_place_opens() {
        let sealed = Sealed::new(b"key");
        let text = sealed.seal("here", b"canary", [1; 12]);
        assert!(!text.contains("canary"));
        assert_eq!(sealed.open("here", &text).as_deref(), Ok(&b"canary"[..]));
        assert_eq!(sealed.open("there", &text), Err(SealedError));
        assert_eq!(Sealed::new(b"other").open("here", &text), Err(SealedError));
        for wrong in ["", "AAAA", "é", &text[..text.len() - 2], &format!("{text}AA")] {
            assert_eq!(sealed.open("here", wrong), Err(SealedError), "{wrong}");
        }
    }

    #[test]
    fn dexs_secret_is_the_one_the_original_makes() {
        // base64url of sha256("secret"), its first forty characters.
        assert_eq!(dex_client_secret(b"secret"), "K7gNU3sdo-OL0wNhqoVWhr3g6s1xYv72ol_pe_Un");
    }
}
