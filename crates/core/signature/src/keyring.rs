//! Public keys, and what a signature is worth.

use pgp::composed::{Deserializable, DetachedSignature, SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{KeyFlags, Signature, SignatureType};
use pgp::types::{EcdsaPublicParams, KeyDetails, KeyId, PublicParams, Tag, VerifyingKey};
use rsa::traits::PublicKeyParts;
use std::collections::BTreeMap;
use std::fmt;

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";
/// Bytes of a text with keys, and of a signature.
const LARGEST_KEYS: usize = 4 << 20;
const LARGEST_SIGNATURE: usize = 256 << 10;
/// Keys of one text.
const MOST_KEYS: usize = 1024;
/// Clocks differ; a signature from further ahead was not made yet.
const AHEAD: i64 = 24 * 3600;

/// Why a text holds no keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// There is no key in the text.
    #[error("there is no public key in the text")]
    None,
    /// A key cannot be read.
    #[error("a public key cannot be read: {0}")]
    Unreadable(String),
    /// There is too much of it.
    #[error("the text holds more than the limit of {0}")]
    TooMuch(&'static str),
    /// No name of the key is certified by itself.
    #[error("public key {0} does not certify any name of its own")]
    Uncertified(String),
}

/// What is shown of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// Sixteen upper-case hexadecimal digits.
    pub id: String,
    /// Forty of them.
    pub fingerprint: String,
    /// The name the key says it is of.
    pub owner: String,
    /// Algorithm and size as `gpg` has them: `rsa4096`, `ed25519`.
    pub algorithm: String,
    /// The armoured text it was read from.
    pub text: String,
}

/// What a signature is worth. The words are the original's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The key in the ring made it.
    Good,
    /// It does not fit the text, or cannot be understood.
    Bad,
    /// It was good for a time that is over.
    ExpiredSignature,
    /// Its key was good for a time that is over.
    ExpiredKey,
    /// Its key was taken back.
    RevokedKey,
    /// Its key is not in the ring.
    MissingKey,
    /// There is none.
    Unsigned,
}

impl Verdict {
    /// The words for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "signed",
            Self::Bad => "bad signature",
            Self::ExpiredSignature => "expired signature",
            Self::ExpiredKey => "signed with expired key",
            Self::RevokedKey => "signed with revoked key",
            Self::MissingKey => "signed with key not in keyring",
            Self::Unsigned => "unsigned",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A signature, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// What it is worth.
    pub verdict: Verdict,
    /// The id of the key that made it, or says so; empty without a signature.
    pub key_id: String,
    /// The id of the primary key that key belongs to; empty when it is not in the ring.
    pub primary_id: String,
}

impl Verification {
    /// No signature.
    pub fn unsigned() -> Self {
        Self { verdict: Verdict::Unsigned, key_id: String::new(), primary_id: String::new() }
    }
}

/// Public keys, by the ids of the primary keys.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: BTreeMap<String, (SignedPublicKey, PublicKey)>,
}

impl Keyring {
    /// Adds the keys of an armoured text, and tells which. A key that is there already is replaced. On an error
    /// nothing is added.
    pub fn add(&mut self, text: &str) -> Result<Vec<PublicKey>, InvalidKey> {
        let read = read(text)?;
        let mut added = Vec::new();
        for (key, shown) in read {
            added.push(shown.clone());
            self.keys.insert(shown.id.clone(), (key, shown));
        }
        Ok(added)
    }

    /// The keys, by id.
    pub fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.keys.values().map(|(_, shown)| shown)
    }

    /// The key of this id.
    pub fn get(&self, id: &str) -> Option<&PublicKey> {
        self.keys.get(id).map(|(_, shown)| shown)
    }

    /// Judges the signature of a text, at a time in seconds since 1970.
    pub fn verify(&self, signature: &[u8], text: &[u8], now: i64) -> Verification {
        let bad = |key_id: String| Verification { verdict: Verdict::Bad, key_id, primary_id: String::new() };
        if signature.len() > LARGEST_SIGNATURE {
            return bad(String::new());
        }
        let Ok((DetachedSignature { signature }, _)) = DetachedSignature::from_armor_single(signature) else {
            return bad(String::new());
        };
        let Some(key_id) = issuer(&signature) else { return bad(String::new()) };
        for (key, shown) in self.keys.values() {
            let primary = key.primary_key.legacy_key_id() == key_id;
            let subkey = key.public_subkeys.iter().find(|subkey| subkey.key.legacy_key_id() == key_id);
            if !primary && subkey.is_none() {
                continue;
            }
            let verdict = match subkey.filter(|_| !primary) {
                None => by_primary(key, &signature, text, now),
                Some(subkey) => by_subkey(key, subkey, &signature, text, now),
            };
            return Verification { verdict, key_id: hex(key_id.as_ref()), primary_id: shown.id.clone() };
        }
        let key_id = hex(key_id.as_ref());
        Verification { verdict: Verdict::MissingKey, key_id, primary_id: String::new() }
    }
}

fn read(text: &str) -> Result<Vec<(SignedPublicKey, PublicKey)>, InvalidKey> {
    if text.len() > LARGEST_KEYS {
        return Err(InvalidKey::TooMuch("bytes"));
    }
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(BEGIN) {
        let end = rest[start..].find(END).map(|end| start + end + END.len());
        let end = end.ok_or_else(|| InvalidKey::Unreadable("it has no end".into()))?;
        let block = &rest[start..end];
        rest = &rest[end..];
        let unreadable = |error: pgp::errors::Error| InvalidKey::Unreadable(error.to_string());
        let (keys, _) = SignedPublicKey::from_armor_many(block.as_bytes()).map_err(unreadable)?;
        for key in keys {
            let key = key.map_err(unreadable)?;
            let shown = shown(&key, block)?;
            all.push((key, shown));
            if all.len() > MOST_KEYS {
                return Err(InvalidKey::TooMuch("keys"));
            }
        }
    }
    if all.is_empty() { Err(InvalidKey::None) } else { Ok(all) }
}

fn shown(key: &SignedPublicKey, block: &str) -> Result<PublicKey, InvalidKey> {
    let id = hex(key.primary_key.legacy_key_id().as_ref());
    let owner = key
        .details
        .users
        .iter()
        .filter_map(|user| {
            let certified = user.signatures.iter().filter(|signature| {
                signature.verify_certification(&key.primary_key, Tag::UserId, &user.id).is_ok()
            });
            let newest = certified.max_by_key(|signature| created(signature))?;
            (newest.typ() != Some(SignatureType::CertRevocation)).then_some((newest.is_primary(), user))
        })
        // The last of several that are equally good would be found: the first is meant.
        .rev()
        .max_by_key(|(primary, _)| *primary)
        .map(|(_, user)| String::from_utf8_lossy(user.id.id()).into_owned());
    Ok(PublicKey {
        owner: owner.ok_or_else(|| InvalidKey::Uncertified(id.clone()))?,
        fingerprint: hex(key.primary_key.fingerprint().as_bytes()),
        algorithm: algorithm(key.primary_key.public_params()),
        text: format!("{block}\n"),
        id,
    })
}

/// As `gpg` names it.
fn algorithm(params: &PublicParams) -> String {
    match params {
        PublicParams::RSA(rsa) => format!("rsa{}", rsa.key.n().bits()),
        PublicParams::DSA(_) => "dsa".to_owned(),
        PublicParams::Elgamal(_) => "elg".to_owned(),
        PublicParams::EdDSALegacy(_) | PublicParams::Ed25519(_) => "ed25519".to_owned(),
        PublicParams::Ed448(_) => "ed448".to_owned(),
        PublicParams::ECDSA(EcdsaPublicParams::P256 { .. }) => "nistp256".to_owned(),
        PublicParams::ECDSA(EcdsaPublicParams::P384 { .. }) => "nistp384".to_owned(),
        PublicParams::ECDSA(EcdsaPublicParams::P521 { .. }) => "nistp521".to_owned(),
        PublicParams::ECDSA(EcdsaPublicParams::Secp256k1 { .. }) => "secp256k1".to_owned(),
        _ => "unknown".to_owned(),
    }
}

/// The key that made a signature, as it says.
fn issuer(signature: &Signature) -> Option<KeyId> {
    let by_fingerprint = signature.issuer_fingerprint().into_iter().find_map(|fingerprint| {
        let bytes = fingerprint.as_bytes();
        // Of version 4 the end is the id, of version 6 the beginning.
        let id = if bytes.len() == 20 { bytes.get(12..20) } else { bytes.get(..8) };
        <[u8; 8]>::try_from(id?).ok().map(KeyId::new)
    });
    by_fingerprint.or_else(|| signature.issuer_key_id().first().map(|id| **id))
}

fn created(signature: &Signature) -> i64 {
    signature.created().map_or(0, |time| i64::from(time.as_secs()))
}

/// Whether flags say nothing, or that the key signs.
fn signs(flags: &KeyFlags) -> bool {
    let says = flags.certify() || flags.encrypt_comms() || flags.encrypt_storage() || flags.authentication();
    flags.sign() || !says
}

/// What the signature itself says, once its key is found good.
fn judge(key: &impl VerifyingKey, signature: &Signature, text: &[u8], now: i64) -> Verdict {
    let weak = match signature.hash_alg() {
        None | Some(HashAlgorithm::Md5 | HashAlgorithm::Sha1 | HashAlgorithm::Ripemd160) => true,
        Some(_) => false,
    };
    let kind = matches!(signature.typ(), Some(SignatureType::Binary | SignatureType::Text));
    let made = created(signature);
    if weak || !kind || made > now + AHEAD || signature.verify(key, text).is_err() {
        return Verdict::Bad;
    }
    match signature.signature_expiration_time() {
        Some(lasts) if lasts.as_secs() > 0 && made + i64::from(lasts.as_secs()) < now => {
            Verdict::ExpiredSignature
        }
        _ => Verdict::Good,
    }
}

fn by_primary(key: &SignedPublicKey, signature: &Signature, text: &[u8], now: i64) -> Verdict {
    let verdict = judge(&key.primary_key, signature, text, now);
    if verdict != Verdict::Good {
        return verdict;
    }
    match primary_state(key, now) {
        Ok(own) if signs(&own.key_flags()) => Verdict::Good,
        Ok(_) => Verdict::Bad,
        Err(verdict) => verdict,
    }
}

fn by_subkey(
    key: &SignedPublicKey,
    subkey: &SignedPublicSubKey,
    signature: &Signature,
    text: &[u8],
    now: i64,
) -> Verdict {
    let verdict = judge(&subkey.key, signature, text, now);
    if verdict != Verdict::Good {
        return verdict;
    }
    if let Err(verdict) = primary_state(key, now) {
        return verdict;
    }
    let bound = subkey
        .signatures
        .iter()
        .filter(|binding| binding.verify_subkey_binding(&key.primary_key, &subkey.key).is_ok());
    let (revoked, bound): (Vec<_>, Vec<_>) =
        bound.partition(|binding| binding.typ() == Some(SignatureType::SubkeyRevocation));
    if !revoked.is_empty() {
        return Verdict::RevokedKey;
    }
    let Some(binding) = bound.into_iter().max_by_key(|binding| created(binding)) else { return Verdict::Bad };
    // A key that signs has to say itself whose it is: else anybody could claim it.
    let claimed = binding
        .embedded_signature()
        .is_some_and(|back| back.verify_primary_key_binding(&subkey.key, &key.primary_key).is_ok());
    if !binding.key_flags().sign() || !claimed {
        return Verdict::Bad;
    }
    expired(i64::from(subkey.key.created_at().as_secs()), binding, now)
        .map_or(Verdict::Good, |verdict| verdict)
}

/// The newest word of a primary key about itself, when it is neither taken back nor over.
fn primary_state(key: &SignedPublicKey, now: i64) -> Result<&Signature, Verdict> {
    let primary = &key.primary_key;
    if key.details.revocation_signatures.iter().any(|revocation| revocation.verify_key(primary).is_ok()) {
        return Err(Verdict::RevokedKey);
    }
    let direct = key.details.direct_signatures.iter().filter(|own| own.verify_key(primary).is_ok());
    let named = key.details.users.iter().flat_map(|user| {
        user.signatures.iter().filter(|own| {
            own.typ() != Some(SignatureType::CertRevocation)
                && own.verify_certification(primary, Tag::UserId, &user.id).is_ok()
        })
    });
    let newest = named.chain(direct).max_by_key(|own| created(own)).ok_or(Verdict::Bad)?;
    match expired(i64::from(primary.created_at().as_secs()), newest, now) {
        Some(verdict) => Err(verdict),
        None => Ok(newest),
    }
}

fn expired(made: i64, own: &Signature, now: i64) -> Option<Verdict> {
    let lasts = i64::from(own.key_expiration_time()?.as_secs());
    (lasts > 0 && made + lasts < now).then_some(Verdict::ExpiredKey)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
