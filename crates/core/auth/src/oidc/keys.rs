//! A provider's public keys. Whatever is not a public key for signatures is not taken.

use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

/// More keys than this are not looked at.
const MOST: usize = 100;

/// Keys a provider signs with.
#[derive(Clone, Default)]
pub struct KeySet(Vec<(Option<String>, DecodingKey)>);

impl std::fmt::Debug for KeySet {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "KeySet({})", self.0.len())
    }
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

impl KeySet {
    /// Reads a JWK set. Keys that are of another kind, or not understood, are left out: a shared secret among them
    /// would let anybody sign who can read the set.
    pub fn parse(document: &[u8]) -> Result<Self, String> {
        let document: Document = serde_json::from_slice(document).map_err(|error| error.to_string())?;
        let keys = document.keys.into_iter().take(MOST).filter_map(|value| {
            let key: Jwk = serde_json::from_value(value).ok()?;
            let for_signatures = !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption));
            let is_public = matches!(
                key.algorithm,
                AlgorithmParameters::RSA(_)
                    | AlgorithmParameters::EllipticCurve(_)
                    | AlgorithmParameters::OctetKeyPair(_)
            );
            let decoding = DecodingKey::from_jwk(&key).ok()?;
            (for_signatures && is_public).then_some((key.common.key_id, decoding))
        });
        Ok(Self(keys.collect()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys that may have made a signature: those of the id that is named, of the right kind.
    pub(super) fn candidates(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &DecodingKey> {
        self.0
            .iter()
            .filter(move |(own, _)| id.is_none() || own.as_deref() == id)
            .map(|(_, key)| key)
            .filter(move |key| key.family() == algorithm.family())
    }
}
